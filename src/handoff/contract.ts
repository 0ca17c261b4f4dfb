/**
 * The hand-off contract, version 1: what Conus and a downstream stage say to each other about a finished exam.
 *
 *   Conus  -- Offer -->            stage      a finished exam, with where its images are
 *   Conus  <-- OfferAnswer --      stage      accepted, busy, or refused with a reason
 *   Conus  <-- Outcome --          stage      later: done with results, or failed with a reason
 *
 * These schemas check every message, type the program, and make docs/handoff.md. Unknown keys are refused from
 * Conus's side of the wire only: a stage may be newer than the server. An offer carries no patient identity; the
 * images do.
 */
import { z } from 'zod';

export const HANDOFF_VERSION = 1;

/** Of one outcome as JSON, results included. */
export const mostOutcomeBytes = 256 * 2 ** 20;

const uid = z.string().regex(/^[0-9.]{1,64}$/, 'must be a DICOM UID');
const offerId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits')
  .describe('names the offer in every message: the idempotency key. The same exam with the same images has the same id');
const instant = z.iso.datetime().describe('UTC');
const reason = z.string().trim().min(1).max(1_000);
const location = z.string().max(2_000);

const offeredSeries = z.object({
  seriesInstanceUid: uid,
  role: z.string().max(64).describe("role of the series in the exam's protocol, or `unknown`"),
  scan: z.string().max(64).optional().describe('series that came of one scan, conventional and denoised, have the same'),
  description: z.string().max(64).describe('as in the archive'),
  modality: z.enum(['MR', 'CT']),
  synthetic: z.boolean().describe('computed, not scanned; whatever is made from it has to carry the mark on'),
  denoised: z.boolean().describe('a network took noise out of it'),
  qualityLight: z.enum(['green', 'amber', 'red']).optional().describe('how far a computed series is to be trusted'),
  dicom: z
    .array(z.object({ sopInstanceUid: uid, location: location.describe('a link, or a path within the offer') }))
    .describe('one item an instance; none where the images went to the DICOM node'),
  nifti: location.optional().describe('the series as one NIfTI volume (.nii.gz); not there where its slices are no single regular stack'),
});

export const offerSchema = z
  .object({
    version: z.literal(HANDOFF_VERSION).describe('of this contract'),
    offerId,
    attempt: z.int().min(1).describe('how often the offer has been made, this time included'),
    examId: z.string().max(64),
    studyInstanceUid: uid,
    protocol: z.string().max(64).optional().describe('name of the exam protocol, where one was recognised'),
    bodyPart: z.string().max(16).optional().describe('DICOM Body Part Examined'),
    tasks: z.array(z.string().max(64)).describe('what the protocol wants from the stage; empty: whatever the stage does'),
    series: z.array(offeredSeries).min(1),
    answerBy: instant.describe('UTC; without an answer by then the offer is made again'),
    outcomeBy: instant.describe('UTC; without an outcome by then an accepted offer is made again'),
    callback: z
      .object({
        location: location.describe('where the outcome is sent to, by POST'),
        token: z.string().min(32).max(128).describe('bearer token for the callback and for the links of this offer'),
      })
      .optional()
      .describe('by HTTP only'),
  })
  .describe('a finished exam');

export const answerSchema = z
  .discriminatedUnion('answer', [
    z.object({ answer: z.literal('accepted').describe('the stage has the offer and will send an outcome') }),
    z.object({
      answer: z.literal('busy').describe('not now'),
      retryAfterS: z.number().min(0).max(86_400).optional().describe('earliest time of the next attempt'),
    }),
    z.object({ answer: z.literal('refused').describe('never; the offer is not made again'), reason }),
  ])
  .describe('what the stage answers at once');

const result = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('dicom').describe('a DICOM Part 10 file: SEG, SR, secondary capture'),
    base64: z.base64().optional().describe('the file itself, by HTTP'),
    file: location.optional().describe('its path within the offer, in a folder'),
  }),
  z.object({
    kind: z.literal('json'),
    name: z.string().regex(/^[a-z0-9-]{1,64}$/).describe('what it is, for example `measurements`'),
    value: z.json(),
  }),
]);

export const outcomeSchema = z
  .discriminatedUnion('outcome', [
    z.object({
      version: z.literal(HANDOFF_VERSION),
      offerId,
      outcome: z.literal('done'),
      results: z.array(result).max(10_000),
      priority: z
        .object({ level: z.enum(['routine', 'soon', 'urgent']), reason })
        .optional()
        .describe('a proposal for the work list'),
    }),
    z.object({ version: z.literal(HANDOFF_VERSION), offerId, outcome: z.literal('failed'), reason }),
  ])
  .describe('what came of an accepted offer');

export type Offer = z.output<typeof offerSchema>;
export type OfferedSeries = z.output<typeof offeredSeries>;
export type OfferAnswer = z.output<typeof answerSchema>;
export type Outcome = z.output<typeof outcomeSchema>;
export type StageResult = z.output<typeof result>;

/** The JSON Schemas (draft 2020-12) of the three messages. */
export function handoffJsonSchemas(): Readonly<Record<'offer' | 'answer' | 'outcome', Record<string, unknown>>> {
  return {
    offer: z.toJSONSchema(offerSchema),
    answer: z.toJSONSchema(answerSchema),
    outcome: z.toJSONSchema(outcomeSchema),
  };
}
