/**
 * What held-out cases tell of a network's own judgement: `calibration.json` beside the model, written by
 * models/training/synthesis.
 *
 *   interval   a contrast: factors [width bin][brightness bin] on the standard deviation of a pixel; edges ascend, and n edges
 *              part n + 1 bins. Width: sigma / (|S| + 0.02); brightness: |S| (interval.ts)
 *   gate       score of a slice = bias + sum of weights times ln(1 + feature) (trust.ts); from `amber` and `red` on it speaks against the pair.
 *              `localZ`: from which smoothed deviation on a place is named
 *   cannotTell from which mean relative width on a region is named
 */
import { z } from 'zod';
import { synthesisError } from './errors.js';
import { synthesisedContrasts } from './types.js';
import { gateFeatureNames } from './trust.js';

const ascending = z.array(z.number()).refine((edges) => edges.every((edge, index) => index === 0 || edge > edges[index - 1]!), 'edges that ascend');
const intervalTable = z.strictObject({ widthEdges: ascending, brightnessEdges: ascending, factors: z.array(z.array(z.number().positive())) })
  .refine(
    ({ widthEdges, brightnessEdges, factors }) =>
      factors.length === widthEdges.length + 1 && factors.every((row) => row.length === brightnessEdges.length + 1),
    'one factor more than edges, along both',
  );

const gate = z.strictObject({
  bias: z.number(),
  weights: z.record(z.enum(gateFeatureNames), z.number()),
  amber: z.number(),
  red: z.number(),
  localZ: z.number().positive(),
});
const calibration = z.strictObject({
  interval: z.partialRecord(z.enum(synthesisedContrasts), intervalTable),
  gate,
  cannotTell: z.strictObject({ relativeWidth: z.number().positive() }),
});

export type IntervalTable = z.infer<typeof intervalTable>;
export type GateCalibration = z.infer<typeof gate>;
export type Calibration = z.infer<typeof calibration>;

/** Takes intervals as the network has them. */
export const plainInterval: IntervalTable = { widthEdges: [], brightnessEdges: [], factors: [[1]] };

/** Where a model has none: the mean of ln(1 + peak) of both directions decides, amber from about 4.5 and red from about 9 deviations on. */
export const uncalibrated: Calibration = {
  interval: {},
  gate: {
    bias: 0,
    weights: {
      peakT1w: 0.5, peakT2w: 0.5, shareT1w: 0, shareT2w: 0, rmsT1w: 0, rmsT2w: 0, peakFit: 0, rmsFit: 0, echoTimeMs: 0, lnGain: 0, misregistrationPixels: 0,
      unlikeT1w: 0, unlikeT2w: 0, offsetT1w: 0, offsetT2w: 0, opposed: 0, opposedFit: 0,
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
