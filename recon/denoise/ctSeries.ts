/**
 * CT slices of one series through a denoiser, one after the other. One series has one strength: from a slice on that is shown with
 * less, all are. One series has no gaps: the first slice that cannot be denoised ends it.
 */
import { concludeCtSlice, ctRequest, prepareCtSlice, type CtSliceImage } from './ctSlice.js';
import { fallbackAt, type LightFallbacks } from './strength.js';
import type { DenoiseOutcome, DenoiseRequest, DenoisingRecord } from './types.js';

export interface CtSeriesOptions {
  readonly denoiser: (request: DenoiseRequest, signal: AbortSignal) => Promise<DenoiseOutcome>;
  /** 0 to 100. */
  readonly strengthPercent: number;
  /** What becomes of slices by their quality lights. */
  readonly fallbacks: LightFallbacks;
}

/** Noise map by dose and kernel, float32 [rows, columns], HU; or, in words, why there is none. */
export type CtNoiseByDose = Float32Array | { readonly unknown: string };

export type CtSeriesStep =
  /** No CT slice, and none came before it. */
  | { readonly kind: 'passed'; readonly reason: string }
  | { readonly kind: 'ended'; readonly reason: string }
  | {
      readonly kind: 'denoised';
      readonly hounsfield: Float32Array;
      readonly record: DenoisingRecord;
      /** From this slice on the series has less strength than it had. */
      readonly isLowered: boolean;
      /** In words, why its noise is estimated although that of dose and kernel was to be expected. */
      readonly doubt?: string;
    };

export class CtSeries {
  readonly #options: CtSeriesOptions;
  #nDenoised = 0;
  #strengthPercent: number;

  constructor(options: CtSeriesOptions) {
    this.#options = options;
    this.#strengthPercent = options.strengthPercent;
  }

  get nDenoised(): number {
    return this.#nDenoised;
  }

  /**
   * @param byDose absent where the scanner is not described
   * @param name of the slice, for people
   */
  async next(slice: CtSliceImage, name: string, byDose: CtNoiseByDose | undefined, signal: AbortSignal): Promise<CtSeriesStep> {
    const { denoiser, fallbacks } = this.#options;
    const prepared = prepareCtSlice(slice, byDose instanceof Float32Array ? byDose : undefined);
    // The first slice tells whether a series is CT; within one, a slice that is not is a gap.
    if ('refused' in prepared) return { kind: this.#nDenoised > 0 ? 'ended' : 'passed', reason: `${name} is no CT image: ${prepared.refused}` };
    const conclusion = concludeCtSlice(prepared, await denoiser(ctRequest(prepared, this.#nDenoised), signal), this.#strengthPercent, fallbacks);
    if ('failure' in conclusion) return { kind: 'ended', reason: `${name} could not be denoised: ${conclusion.failure}` };
    const { hounsfield, record } = conclusion;
    const fallback = fallbackAt(record.light, fallbacks);
    if (fallback === 'end') return { kind: 'ended', reason: `${name} is not to be trusted: ${record.reasons.join('; ')}` };
    // That the first one has less because its noise is an estimate is in its record.
    const isLowered = record.strengthPercent < this.#strengthPercent && (typeof fallback === 'number' || this.#nDenoised > 0);
    this.#strengthPercent = record.strengthPercent;
    this.#nDenoised++;
    const doubt = byDose !== undefined && 'unknown' in byDose ? byDose.unknown : prepared.doubt;
    return { kind: 'denoised', hounsfield, record, isLowered, ...(doubt !== undefined && { doubt }) };
  }
}
