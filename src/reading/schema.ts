/** What is told of a reading, and what a reader may say, over HTTP. */
import { z } from 'zod';
import { gradeValues, reportSchema } from '../../analysis/index.js';
import type { GradeScale } from '../../analysis/index.js';

const time = z.number().describe('ms since 1970');
const revision = z.int().min(0).describe('0: as the analysis made it');
const by = z.string().describe('who, as he called himself');
const state = z.enum(['draft', 'changed', 'confirmed']).describe('changed: somebody changed it, and nobody confirmed what is there now');
const signed = { by, at: time, revision };

const delivery = z.object({
  destination: z.string(),
  state: z.enum(['queued', 'delivered', 'dead', 'dropped']).describe('dead: given up until somebody tries it again; dropped: somebody gave it up for good'),
  reason: z.object({ code: z.string(), text: z.string() }).optional(),
});

export const readingSchema = z.object({
  offerId: z.string().describe('of the hand-off: names the analysis'),
  stage: z.string().describe('that made it'),
  analysedAt: time,
  report: reportSchema,
  revision,
  state,
  confirmed: z.object({ ...signed, deliveries: z.array(delivery).describe('none: no destination takes results') }).optional().describe('the latest confirmation'),
  steps: z
    .array(z.discriminatedUnion('what', [
      z.object({ what: z.literal('grade'), ...signed, findingId: z.string(), scale: z.string(), from: z.string(), to: z.string() }),
      z.object({ what: z.literal('sentence'), ...signed, level: z.string().optional(), from: z.string(), to: z.string() }),
      z.object({ what: z.literal('confirmed'), ...signed }),
    ]))
    .describe('everything that was said, oldest first'),
  images: z
    .array(z.object({ seriesId: z.string().describe('of the exam'), output: z.string() }).nullable())
    .describe('for every series of the report, where its pictures are'),
  words: z
    .object({ kinds: z.record(z.string(), z.string()), names: z.record(z.string(), z.string()).describe('of measures and scales') })
    .describe('what is in the report, as its documents word it'),
  scales: z.record(z.string(), z.array(z.string())).describe('the values that each scale has, from healthy to worst'),
  earlier: z.object({ state, at: time, by: by.optional() }).optional().describe('what became of the reading before the exam was analysed again; nothing of it is in this one'),
});
export type ReadingView = z.infer<typeof readingSchema>;

const scale = z.enum(Object.keys(gradeValues) as [GradeScale, ...GradeScale[]]);
const longestName = 64;

/** Written into documents: a name on one line. */
const who = z.string().trim().min(1).max(longestName).regex(/^[^\p{Cc}\\^=]+$/u, 'must be a name on one line, without \\, ^ and =');
const seen = z.int().min(0);

export const gradeWordSchema = z.strictObject({ by: who, revision: seen, findingId: z.string().max(64), scale, value: z.string().max(32) });
export const sentenceWordSchema = z.strictObject({ by: who, revision: seen, level: z.string().max(16).optional(), text: z.string().trim().min(1).max(8000) });
export const confirmWordSchema = z.strictObject({ by: who, revision: seen });
export type GradeWord = z.infer<typeof gradeWordSchema>;
export type SentenceWord = z.infer<typeof sentenceWordSchema>;
export type ConfirmWord = z.infer<typeof confirmWordSchema>;
