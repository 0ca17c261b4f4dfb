/** What a reconstruction asks of a denoiser, and what becomes known of it: plain data, so that it crosses threads as it is. */

/** One combined complex image whose noise is white and known pixel by pixel; or a CT slice, real and in HU. */
export interface NoisyImage {
  readonly rows: number;
  readonly columns: number;
  /** complex64 interleaved [rows, columns]; of CT float32 [rows, columns] */
  readonly data: Float32Array;
  /** Standard deviation of the real part in the units of `data`, above 0 everywhere, float32 [rows, columns]. */
  readonly noise: Float32Array;
}

/** The arrays are the denoiser's: their buffers may be transferred. */
export interface DenoiseRequest {
  readonly images: readonly NoisyImage[];
  /** Slice of the scan that the first image is of. */
  readonly slice: number;
}

/** Which network it was: goes into every image that it made. */
export interface DenoiserModel {
  readonly id: string;
  readonly version: string;
  readonly sha256: string;
}

export type DenoiseOutcome =
  /** Denoised data, complex64 interleaved [rows, columns], in the order of the request. */
  | { readonly images: readonly Float32Array[]; readonly model: DenoiserModel; readonly ms: number }
  | { readonly failure: { readonly code: string; readonly message: string } };

/** Denoises somewhere else and calls back on this thread, exactly once, whatever happens. */
export type DenoiseRunner = (request: DenoiseRequest, done: (outcome: DenoiseOutcome) => void) => void;

export type QualityLight = 'green' | 'amber' | 'red';

/** Where the noise map is from: a noise scan, the edge of k-space, dose and kernel of a CT, the image itself. */
export type NoiseSource = 'measured' | 'edge' | 'dose' | 'estimated';

/** What a denoised image, and its residual, carry with them. */
export interface DenoisingRecord {
  readonly strengthPercent: number;
  readonly noiseSource: NoiseSource;
  readonly light: QualityLight;
  /** In words, why the light is not green; empty where it is. */
  readonly reasons: readonly string[];
  /** Of the residual at full strength, in units of the noise map. */
  readonly residualStd: number;
  /** Correlation of the residual's size with the edges of the image. */
  readonly edgeCorrelation: number;
  /** Largest structure in the residual, in standard deviations of what white noise would give at its scale. */
  readonly largestStructure: number;
  /** Whether the measured lines were put back into it. */
  readonly dataConsistency: boolean;
  readonly modelId: string;
  readonly modelVersion: string;
  readonly modelSha256: string;
}
