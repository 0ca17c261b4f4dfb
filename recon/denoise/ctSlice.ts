/**
 * A CT slice on its way through a denoiser, which is somewhere else: what it is asked (`prepareCtSlice`), and what becomes
 * of its answer (`concludeCtSlice`).
 *
 *   y = x + s (D(x, n) - x),   n the noise map, s the strength, s = 0: x bit for bit
 *
 * Where n was estimated from the image itself, s is no more than 3/4: a noise map that is too high takes anatomy with it.
 * A map by dose and kernel is held against that estimate: it is that of filtered backprojection, and an iterative reconstruction, or
 * an exposure of another slice, leaves something else. Where the two are far apart, the estimate is taken.
 */
import { estimateCtNoise } from './ctNoise.js';
import { ctNoveltyOf, ctNoveltyTexts } from './ctNovelty.js';
import { blend, strengthAt, type LightFallbacks } from './strength.js';
import { trustOf, type TrustLimits } from './trust.js';
import type { DenoiseOutcome, DenoiseRequest, DenoisingRecord, NoiseSource } from './types.js';

export interface CtSliceImage {
  readonly rows: number;
  readonly columns: number;
  readonly pixelMm: number;
  /** float32 [rows, columns], HU */
  readonly hounsfield: Float32Array;
}

export interface PreparedCtSlice extends CtSliceImage {
  /** float32 [rows, columns], HU */
  readonly noise: Float32Array;
  readonly noiseSource: NoiseSource;
  /** In words, why a noise map that was given is not the one. */
  readonly doubt?: string;
}

export type CtConclusion =
  | { readonly hounsfield: Float32Array; readonly record: DenoisingRecord }
  | { readonly failure: string };

/** Of full strength, where the noise map is an estimate, per cent. */
export const mostOfEstimatedPercent = 75;
/**
 * Median of a map by dose over the estimate, in the body, as far as the estimate can be wrong: in muscle full of fat it is up to
 * twice the noise.
 */
const ratiosByDose = [0.45, 1.4] as const;
const ratioStep = 4;
/** Air, where the trust in an image is not looked for, HU. */
const airHu = -800;

/**
 * What healthy images give, of soft to sharp kernels at 10 to 100 % of a usual dose, and some more: noise of
 * filtered backprojection is neither white, so that its finest details do not tell its level, nor without streaks.
 */
export const ctTrustLimits: TrustLimits = {
  leastNoiseRatio: [-1, -1],
  mostNoiseRatio: [Infinity, Infinity],
  leastResidualStd: [0.5, 0.3],
  mostResidualStd: [1.2, 1.4],
  imageCorrelation: [0.15, 0.25],
  leastEdgeCorrelation: [-0.2, -0.3],
  mostEdgeCorrelation: [0.2, 0.3],
  // 12 and 20 standard deviations at 512 x 512.
  structure: [1.9, 3.2],
};

/**
 * @param byDose noise map by dose and kernel, float32 [rows, columns], HU; it is estimated where this is absent or the image contradicts
 * @returns why the image is not to be denoised, in words, where it is not
 */
export function prepareCtSlice(image: CtSliceImage, byDose?: Float32Array): PreparedCtSlice | { readonly refused: string } {
  const { hounsfield, rows, columns, pixelMm } = image;
  const novelty = ctNoveltyOf(hounsfield, rows, columns);
  if (novelty !== undefined) return { refused: `it ${ctNoveltyTexts[novelty]}` };
  const estimated = estimateCtNoise(hounsfield, rows, columns, pixelMm);
  if (estimated === undefined) return { refused: 'it has too little soft tissue to tell its noise' };
  if (byDose === undefined) return { ...image, noise: estimated, noiseSource: 'estimated' };
  const ratio = medianRatio(byDose, estimated, image);
  if (ratio >= ratiosByDose[0] && ratio <= ratiosByDose[1]) return { ...image, noise: byDose, noiseSource: 'dose' };
  return { ...image, noise: estimated, noiseSource: 'estimated', doubt: `dose and kernel give ${ratio.toFixed(2)} times the noise that the image shows` };
}

/** In the body. */
function medianRatio(map: Float32Array, other: Float32Array, { rows, columns, hounsfield }: CtSliceImage): number {
  const ratios: number[] = [];
  for (let row = 0; row < rows; row += ratioStep) {
    for (let column = 0; column < columns; column += ratioStep) {
      const at = row * columns + column;
      if (hounsfield[at]! > airHu) ratios.push(map[at]! / other[at]!);
    }
  }
  return Float64Array.from(ratios).sort()[ratios.length >> 1]!;
}

/** Copies, because a denoiser may transfer what it is given; one component a pixel. */
export function ctRequest({ rows, columns, hounsfield, noise }: PreparedCtSlice, slice: number): DenoiseRequest {
  return { images: [{ rows, columns, data: hounsfield.slice(), noise: noise.slice() }], slice };
}

const asAsked: LightFallbacks = { onAmber: 'deliver', onRed: 'deliver' };

/** @param strengthPercent 0 to 100 */
export function concludeCtSlice(prepared: PreparedCtSlice, outcome: DenoiseOutcome, strengthPercent: number, fallbacks: LightFallbacks = asAsked): CtConclusion {
  if ('failure' in outcome) return { failure: outcome.failure.message };
  const { rows, columns, hounsfield, noise, noiseSource } = prepared;
  const denoised = outcome.images[0];
  if (denoised?.length !== hounsfield.length) return { failure: `the denoiser gave ${denoised?.length ?? 0} values of ${hounsfield.length}` };
  if (!denoised.every(Number.isFinite)) return { failure: 'the denoiser gave values that are not finite' };
  const inBody = noise.map((value, pixel) => (denoised[pixel]! > airHu ? value : 0));
  const trust = trustOf({ rows, columns, noisy: hounsfield, denoised, noise: inBody, components: 1 }, ctTrustLimits);
  const { light, reasons, residualStd, edgeCorrelation, largestStructure } = trust;
  const { id: modelId, version: modelVersion, sha256: modelSha256 } = outcome.model;
  const strength = strengthAt(light, noiseSource === 'estimated' ? Math.min(strengthPercent, mostOfEstimatedPercent) : strengthPercent, fallbacks);
  return {
    hounsfield: blend(hounsfield, denoised, strength / 100),
    record: {
      strengthPercent: strength, noiseSource, light, reasons, residualStd, edgeCorrelation, largestStructure,
      dataConsistency: false, modelId, modelVersion, modelSha256,
    },
  };
}
