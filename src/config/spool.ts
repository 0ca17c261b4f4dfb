/** Section `spool`: the data folder, how much it may hold, and how deliveries are tried again (src/spool, src/outbox). */
import { z } from 'zod';

export const spoolSection = z.strictObject({
  data: z.string().min(1).optional().describe('folder of all that must survive the process: images until they are delivered, raw data, exams; nothing is kept where absent'),
  quotaMebibytes: z.number().positive().default(65_536).describe('most that images and raw data may take there; what was delivered is cleaned away for room, the oldest first'),
  reserveMebibytes: z.number().min(0).default(1024).describe('room on its disk that is left free'),
  firstDelayS: z.number().positive().default(1).describe('a failed delivery is tried again within so long, twice as long after each further failure'),
  longestDelayS: z.number().positive().default(300).describe('up to so long'),
  maxAttempts: z.int().min(1).default(10_000).describe('attempts before a delivery is given up until an operator retries it'),
  maxAgeHours: z.number().positive().default(168).describe('age at which it is'),
});

export type SpoolConfig = z.output<typeof spoolSection>;
