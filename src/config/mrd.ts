/** Section `mrd`: the MRD service itself. Options of `conus serve` win over it. */
import { z } from 'zod';

export const mrdSection = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  port: z.int().min(0).max(65535).default(9002).describe('0 takes any free one'),
  maxSessions: z.int().min(1).max(4096).default(16).describe('sessions at once'),
  idleTimeoutS: z.number().positive().default(1800).describe('longest silence between messages'),
  stallTimeoutS: z.number().positive().default(120).describe('longest silence within a message, or of a client that does not read'),
  drainS: z.number().min(0).max(3600).default(0).describe('asked to stop, the service still takes sessions for so long, while /ready tells the balancer to send none'),
  graceS: z.number().min(0).max(86_400).default(10).describe('then sessions may end for so long before they are ended with an error'),
  saveRaw: z.string().min(1).optional().describe('folder where raw data of every session are saved'),
  noiseStore: z.string().min(1).optional().describe('folder where noise measurements are kept between sessions'),
});

/** Section `http`. */
export const httpSection = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  port: z.int().min(0).max(65535).optional().describe('exams, live channel, health and metrics; none of them where it is absent'),
});
