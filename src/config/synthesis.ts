/** Section `synthesis`: contrasts that are computed from what was scanned (src/synthesis, docs/synthesis.md). */
import { z } from 'zod';

export const synthesisSection = z.strictObject({
  model: z.string().min(1).optional().describe('id of the network; by default the first one for this task that is in order'),
  ctModel: z.string().min(1).optional().describe('id of the network for synthetic CT; by default the first one that is in order'),
  waitS: z.number().min(0).max(600).default(30).describe('the scan that completes a synthesis waits for its series, so that they go back on its connection, at most so long'),
  longestS: z.number().positive().max(3600).default(120).describe('a synthesis is given up after so long'),
  maps: z
    .array(z.enum(['interval', 'fatFraction', 'pairResidual']))
    .default([])
    .describe('further series: how low and how high each pixel may be, the estimated fat fraction, what speaks against the pair'),
});

export type SynthesisConfig = z.output<typeof synthesisSection>;
