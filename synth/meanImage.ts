/**
 * The mean of two ways to one image: by the signal equation from the tissue's parameters (contrasts.ts), and straight from T1w and T2w by a
 * network of the same size that was trained alike on the same slices.
 *
 *   image = (|S| + D) / 2,   deviation = sqrt(sigma^2 + ((|S| - D) / 2)^2)
 *
 * S, sigma: by the equation; D: by the image network; both per equilibrium magnetisation. Networks that are trained alike err in other places,
 * and of two predictors whose errors are independent in part the mean errs less than either: half a decibel less than the equation on held-out
 * cases, and 0.2 to 0.3 less than D. Where both differ, one of them is wrong, which the deviation has to say. L. Breiman, Bagging predictors,
 * Machine Learning 1996, doi 10.1007/BF00058655.
 *
 * The image network knows sequences like those that it was trained on and no others, and one of each contrast a run: of wanted series the
 * first one in its ranges tells it the sequence, and those that differ from it are by the equation alone, as is all that lies beyond.
 */
import { fatAt, nullingInversionTimeMs, type FastSpinEchoSequence, type FieldStrengthT } from '../imaging/index.js';
import type { ContrastEquation, Predicted } from './contrasts.js';
import type { WantedContrast } from './types.js';

/** In the order of the image network's channels. */
const imageContrasts = ['stir', 't2fs'] as const;
type ImageContrast = (typeof imageContrasts)[number];

interface Range {
  readonly trMs: readonly [number, number];
  readonly teMs: readonly [number, number];
  readonly echoTrainLength: readonly [number, number];
}

/** Of what the network was trained on (models/training/synthesis/scanner.py, drawn_sequences). */
const trained: Readonly<Record<ImageContrast, Range>> = {
  stir: { trMs: [3500, 6500], teMs: [30, 75], echoTrainLength: [8, 16] },
  t2fs: { trMs: [2500, 6000], teMs: [50, 100], echoTrainLength: [10, 20] },
};
const trainedSpacingMs = [7, 12] as const;
const trainedOffNullMs = 20;
/** What the network is told of a contrast that nobody wants of it. */
const ordinary: Readonly<Record<ImageContrast, FastSpinEchoSequence>> = {
  stir: { trMs: 5000, teMs: 50, echoTrainLength: 11, echoSpacingMs: 10 },
  t2fs: { trMs: 4000, teMs: 75, echoTrainLength: 14, echoSpacingMs: 10 },
};

export const nTargetNumbers = 8;

/** What the image network is asked for, and which wanted series its images are of. */
export interface ImageTarget {
  /** Logarithms: TR, TE, TI and train length of STIR; TR, TE and train length of T2 with fat saturation; 0. */
  readonly numbers: Float32Array;
  /** Of each wanted series the channel of the image network; undefined where it is by the equation alone. */
  readonly channels: readonly (0 | 1 | undefined)[];
}

type InversionTimes = Pick<ContrastEquation, 'tiMs' | 'fatNullTiMs'>;

/** @param times of each wanted series, by its equation */
export function imageTarget(wanted: readonly WantedContrast[], times: readonly InversionTimes[], fieldStrengthT: FieldStrengthT): ImageTarget {
  const asked = wanted.map((one, index) => numbersIfTrained(one, times[index]!));
  const numbers = imageContrasts.flatMap((contrast) => {
    const first = asked.find((its, index) => its !== undefined && wanted[index]!.contrast === contrast);
    return first ?? numbersOf(contrast, ordinary[contrast], nullingInversionTimeMs(fatAt(fieldStrengthT).t1Ms, ordinary[contrast]));
  });
  const channels = asked.map((its, index) => {
    const channel = imageContrasts.indexOf(wanted[index]!.contrast as ImageContrast) as 0 | 1;
    return its?.every((value, k) => value === numbers[4 * channel + k]!) ? channel : undefined;
  });
  return { numbers: Float32Array.from([...numbers, 0]), channels };
}

function numbersIfTrained({ contrast, sequence, output = 'magnitude' }: WantedContrast, { tiMs, fatNullTiMs }: InversionTimes): readonly number[] | undefined {
  if (contrast !== 'stir' && contrast !== 't2fs') return undefined;
  const isWithin = (value: number, [least, most]: readonly [number, number]) => value >= least && value <= most;
  const ranges = trained[contrast];
  const isTrained = (['trMs', 'teMs', 'echoTrainLength'] as const).every((key) => isWithin(sequence[key], ranges[key])) && isWithin(sequence.echoSpacingMs, trainedSpacingMs)
    && (contrast === 't2fs' || (output === 'magnitude' && Math.abs(tiMs! - fatNullTiMs!) <= trainedOffNullMs));
  return isTrained ? numbersOf(contrast, sequence, tiMs) : undefined;
}

function numbersOf(contrast: ImageContrast, { trMs, teMs, echoTrainLength, echoSpacingMs }: FastSpinEchoSequence, tiMs: number | undefined): readonly number[] {
  const trainMs = echoTrainLength * echoSpacingMs;
  return (contrast === 'stir' ? [trMs / 5000, teMs / 50, tiMs! / 190, trainMs / 110] : [trMs / 4000, teMs / 75, trainMs / 140]).map(Math.log);
}

/** In the place of the signal and deviation by the equation; what is left out of them (deviation 0) stays so. */
export function averageWith({ signal, deviation }: Predicted, direct: Float32Array): void {
  for (let voxel = 0; voxel < signal.length; voxel++) {
    if (deviation[voxel] === 0) continue;
    const byEquation = Math.abs(signal[voxel]!);
    const half = (byEquation - direct[voxel]!) / 2;
    signal[voxel] = byEquation - half;
    deviation[voxel] = Math.sqrt(deviation[voxel]! ** 2 + half * half);
  }
}
