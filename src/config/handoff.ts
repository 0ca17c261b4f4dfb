/** Section `handoff`: downstream stages that finished exams are offered to (src/handoff, docs/handoff.md). */
import { z } from 'zod';

const s = z.number().positive().max(7 * 86_400);

const common = {
  takes: z
    .enum(['analyses', 'exams'])
    .default('analyses')
    .describe("analyses: what a protocol wants analysed, once its series are complete; exams: every exam, once nothing more is awaited of it"),
  tasks: z.array(z.string().min(1).max(64)).default([]).describe('analyses that the stage does, e.g. grades; empty: all of them'),
  answerTimeoutS: s.default(30).describe('without an answer for so long, the offer is made again'),
  outcomeTimeoutS: s.default(900).describe('without an outcome for so long, an accepted offer is made again'),
  mostAttempts: z.int().min(1).max(1_000).default(8).describe('offers of one exam, the first included'),
};

const httpStage = z.strictObject({
  kind: z.literal('http'),
  url: z.url({ protocol: /^https?$/ }).describe('where offers are POSTed'),
  tokenFile: z.string().min(1).optional().describe('file with the bearer token that the stage asks for'),
  ownUrl: z.url({ protocol: /^https?$/ }).optional().describe('under which the stage reaches the HTTP side of this server; by default the address it listens on'),
  ...common,
});
const folderStage = z.strictObject({
  kind: z.literal('folder'),
  folder: z.string().min(1).describe('that the stage watches'),
  ...common,
});
const dicomStage = z.strictObject({
  kind: z.literal('dicom'),
  destination: z.string().min(1).describe('a destination of section dicom, of kind dicom: images are stored there'),
  aeTitle: z.string().min(1).max(16).describe('under which the stage stores its results here'),
  ...common,
});

export const handoffSection = z.strictObject({
  stages: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and hyphens'), z.discriminatedUnion('kind', [httpStage, folderStage, dicomStage]))
    .default({})
    .describe('by name; they need a data folder'),
});

export type HandoffConfig = z.output<typeof handoffSection>;
export type StageConfig = HandoffConfig['stages'][string];
