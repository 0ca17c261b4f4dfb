/** Section `analysis`: what is found in images, measured and graded (src/analysis, docs/analysis.md). */
import { z } from 'zod';

export const analysisSection = z.strictObject({
  own: z
    .enum(['default', 'never'])
    .default('default')
    .describe('default: the stage of the house does what no stage of section handoff takes; never: only those stages analyse'),
  model: z.string().min(1).optional().describe('id of the network; by default the first one for this task that is in order'),
  longestS: z.number().positive().max(3600).default(180).describe('an analysis is given up after so long'),
});

export type AnalysisConfig = z.output<typeof analysisSection>;
