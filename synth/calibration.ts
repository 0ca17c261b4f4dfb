/**
 * What held-out cases tell of a network's own judgement: `calibration.json` beside the model, written by
 * models/training/synthesis.
 *
 *   interval   a contrast: ln of the factor on the standard deviation of a pixel, an offset and terms of one or two signs each; knots ascend,
 *              and `values` has one a knot, or one a pair of knots, those of the second sign running fastest (interval.ts)
 *   combined   the same for images that are the mean of the equation's and the image network's (meanImage.ts); absent: as `interval`
 *   gate       score of a slice = the larger of `doubt` and `evidence`, each a bias and weights times ln(1 + feature) (trust.ts); from `amber` and `red` on it
 *              speaks against the pair.
 *              `localZ`: from which smoothed deviation on a place is named
 *   echoTime   what sound series are off by, the slope, the deviation of persons, and from how many deviations on it is amber (echoTime.ts); absent:
 *              not looked for
 *   cannotTell from which mean relative width on a region is named
 */
import { z } from 'zod';
import { synthesisError } from './errors.js';
import { pixelSigns } from './interval.js';
import { synthesisedContrasts } from './types.js';
import { gateFeatureNames } from './trust.js';

const ascending = z.array(z.number()).min(2).refine((knots) => knots.every((knot, index) => index === 0 || knot > knots[index - 1]!), 'knots that ascend');
const intervalTerm = z.strictObject({ of: z.array(z.enum(pixelSigns)).min(1).max(2), knots: z.array(ascending), values: z.array(z.number().min(-3).max(3)) })
  .refine(({ of, knots }) => knots.length === of.length, 'knots of each sign')
  .refine(({ knots, values }) => values.length === knots.reduce((n, { length }) => n * length, 1), 'a value a knot, or a pair of knots');
const intervalFactor = z.strictObject({ offset: z.number(), terms: z.array(intervalTerm) });

const gatePart = z.strictObject({ bias: z.number(), weights: z.partialRecord(z.enum(gateFeatureNames), z.number()) });
const gate = z.strictObject({
  doubt: gatePart,
  evidence: gatePart,
  amber: z.number(),
  red: z.number(),
  localZ: z.number().positive(),
});
const echoTime = z.strictObject({ offsetMs: z.number(), slope: z.number(), deviationMs: z.number().positive(), amber: z.number().positive() });
const calibration = z.strictObject({
  interval: z.partialRecord(z.enum(synthesisedContrasts), intervalFactor),
  combined: z.partialRecord(z.enum(synthesisedContrasts), intervalFactor).optional(),
  gate,
  echoTime: echoTime.optional(),
  cannotTell: z.strictObject({ relativeWidth: z.number().positive() }),
});

export type IntervalFactor = z.infer<typeof intervalFactor>;
export type EchoTimeCalibration = z.infer<typeof echoTime>;
export type GatePart = z.infer<typeof gatePart>;
export type GateCalibration = z.infer<typeof gate>;
export type Calibration = z.infer<typeof calibration>;

/** Takes intervals as the network has them. */
export const plainInterval: IntervalFactor = { offset: 0, terms: [] };

/** Where a model has none: the mean of ln(1 + peak) of both directions decides, amber from about 4.5 and red from about 9 deviations on. */
export const uncalibrated: Calibration = {
  interval: {},
  gate: {
    doubt: { bias: 0, weights: {} }, evidence: { bias: 0, weights: { peakT1w: 0.5, peakT2w: 0.5 } },
    amber: 1.7, red: 2.3, localZ: 4,
  },
  cannotTell: { relativeWidth: 1 },
};

/** @throws CodedError SYNTH_ERR_CALIBRATION */
export function parseCalibration(json: unknown): Calibration {
  const parsed = calibration.safeParse(json);
  if (!parsed.success) throw synthesisError('SYNTH_ERR_CALIBRATION', parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  return parsed.data;
}
