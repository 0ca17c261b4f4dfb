/** Section `cluster`: what a node shares with others (src/cluster, docs/cluster.md). */
import { z } from 'zod';

export const clusterSection = z.strictObject({
  redisUrl: z.string().regex(/^rediss?:\/\//, 'expected redis:// or rediss://').optional()
    .describe('Redis or Valkey server that the nodes share, as redis://user:password@host:6379/0; a node is alone where it is absent'),
  passwordFile: z.string().min(1).optional().describe('file with the password of that server, where it does not stand in the address'),
  prefix: z.string().regex(/^[\w.-]+$/, 'expected letters, digits, dots, dashes and underscores').default('conus').describe('first part of every key on that server'),
  node: z.string().min(1).max(64).optional().describe('name of this node in logs and metrics; the name of its host where absent'),
  patienceS: z.number().positive().default(60).describe('how long what is to be kept waits for a server that is away'),
});

export type ClusterConfig = z.output<typeof clusterSection>;
