/**
 * A CT slice on its way through a denoiser, which is somewhere else: what it is asked (`prepareCtSlice`), and what becomes
 * of its answer (`concludeCtSlice`).
 *
 *   y = x + s (D(x, n) - x),   n the noise map, s the strength, s = 0: x bit for bit
 *
 * Where n was estimated from the image itself, s is no more than 3/4: a noise map that is too high takes anatomy with it.
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
}

export type CtConclusion =
  | { readonly hounsfield: Float32Array; readonly record: DenoisingRecord }
  | { readonly failure: string };

/** Of full strength, where the noise map is an estimate, per cent. */
export const mostOfEstimatedPercent = 75;
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
 * @param noise where it is known, from dose and kernel; estimated where it is not
 * @returns why the image is not to be denoised, in words, where it is not
 */
export function prepareCtSlice(image: CtSliceImage, noise?: Float32Array): PreparedCtSlice | { readonly refused: string } {
  const { hounsfield, rows, columns, pixelMm } = image;
  const novelty = ctNoveltyOf(hounsfield, rows, columns);
  if (novelty !== undefined) return { refused: `it ${ctNoveltyTexts[novelty]}` };
  if (noise !== undefined) return { ...image, noise, noiseSource: 'measured' };
  const estimated = estimateCtNoise(hounsfield, rows, columns, pixelMm);
  if (estimated === undefined) return { refused: 'it has too little soft tissue to tell its noise' };
  return { ...image, noise: estimated, noiseSource: 'estimated' };
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
