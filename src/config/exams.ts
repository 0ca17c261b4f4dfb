/** Section `exams`: how series are gathered into exams (src/exams, docs/exams.md). */
import { z } from 'zod';

const minutes = z.number().positive().max(10_080);

export const examsSection = z.strictObject({
  protocol: z.string().min(1).optional().describe('the protocol of every exam, a name or a .json file; by default each exam\'s is recognised'),
  protocolFiles: z.array(z.string().min(1)).default([]).describe('further protocols, .json files'),
  windowMin: minutes.default(120).describe('how far apart series of a patient may be that no study holds together'),
  quietMin: minutes.default(30).describe('an exam without a protocol is over when nothing was heard for so long'),
  maxFinished: z.int().min(1).max(100_000).default(200).describe('exams that are over and kept in memory'),
  maps: z
    .array(z.enum(['gFactor', 'noise', 'snr']))
    .default([])
    .describe('maps that are made of every scan for whoever looks at its exam; they go neither to the scanner nor to archives. their reconstruction takes a third longer'),
  pictureMebibytes: z.number().positive().max(65_536).default(256).describe('memory for the latest images'),
});
export type ExamsConfig = z.output<typeof examsSection>;
