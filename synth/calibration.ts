/**
 * What held-out cases tell of a network's own judgement: `calibration.json` beside the model, written by
 * models/training/synthesis.
 *
 *   interval   a contrast: ln of the factor on the standard deviation of a pixel, an offset and terms of one or two signs each; knots ascend,
 *              and `values` has one a knot, or one a pair of knots, those of the second sign running fastest (interval.ts)
 *   gate       score of a slice = bias + sum of weights times ln(1 + feature) (trust.ts); from `amber` and `red` on it speaks against the pair.
 *              `localZ`: from which smoothed deviation on a place is named
 *   echoTime   centres of the classes of tissue, what they tell of sound persons (of T2w, then of T1w) as means and the lower triangle of a covariance,
 *              what sound persons are off by, a factor on the deviation, and from how many deviations on it is amber (echoTime.ts); absent: not looked for
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

const gate = z.strictObject({
  bias: z.number(),
  weights: z.record(z.enum(gateFeatureNames), z.number()),
  amber: z.number(),
  red: z.number(),
  localZ: z.number().positive(),
});
const echoTime = z.strictObject({
  centres: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])).min(1),
  means: z.array(z.number()),
  covariance: z.array(z.array(z.number())),
  offsetMs: z.number(),
  deviation: z.number().positive(),
  amber: z.number().positive(),
}).refine(({ centres, means }) => means.length === 2 * centres.length, 'two means a class')
  .refine(({ means, covariance }) => covariance.length === means.length && covariance.every((row, index) => row.length === index + 1), 'a lower triangle of covariances');
const calibration = z.strictObject({
  interval: z.partialRecord(z.enum(synthesisedContrasts), intervalFactor),
  gate,
  echoTime: echoTime.optional(),
  cannotTell: z.strictObject({ relativeWidth: z.number().positive() }),
});

export type IntervalFactor = z.infer<typeof intervalFactor>;
export type EchoTimeCalibration = z.infer<typeof echoTime>;
export type GateCalibration = z.infer<typeof gate>;
export type Calibration = z.infer<typeof calibration>;

/** Takes intervals as the network has them. */
export const plainInterval: IntervalFactor = { offset: 0, terms: [] };

/** Where a model has none: the mean of ln(1 + peak) of both directions decides, amber from about 4.5 and red from about 9 deviations on. */
export const uncalibrated: Calibration = {
  interval: {},
  gate: {
    bias: 0,
    weights: {
      peakT1w: 0.5, peakT2w: 0.5, shareT1w: 0, shareT2w: 0, rmsT1w: 0, rmsT2w: 0, peakFit: 0, rmsFit: 0, echoTimeMs: 0, lnGain: 0, misregistrationPixels: 0,
      unlikeT1w: 0, unlikeT2w: 0, offsetT1w: 0, offsetT2w: 0, opposed: 0, opposedFit: 0, ring: 0, ringFit: 0,
    },
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
