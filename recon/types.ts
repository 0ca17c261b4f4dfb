/** What reconstruction takes and gives: plain data, so that it crosses threads as it is. */
import type { ImageGeometry } from '../imaging/index.js';
import type { DenoisingRecord, LightFallback } from './denoise/index.js';
import type { NoiseStatistics } from './noise/index.js';
import type { RawFilter } from './filter/index.js';
import type { PartialFourierMethod } from './partial-fourier/index.js';

/** What the operator, the config or the client may set. `docs/cli.md` lists every key. */
export interface ReconParameters {
  /** How coils are combined; `auto`: coil maps where there is calibration data, else RSS. */
  readonly combine: 'auto' | 'maps' | 'rss';
  /** How missing lines are found; `auto`: GRAPPA where it applies, else none. `l1`: compressed sensing with wavelets. */
  readonly unalias: 'auto' | 'grappa' | 'sense' | 'l1' | 'none';
  /** How coil maps are estimated; `auto`: ESPIRiT for SENSE and compressed sensing, Walsh for what only combines coils. */
  readonly coilMapMethod: 'auto' | 'walsh' | 'inati' | 'espirit';
  /** Sets of ESPIRiT maps where the image is solved for; `auto`: two where the field of view is smaller than the object. */
  readonly espiritSets: 'auto' | number;
  /** GRAPPA kernel extent along the readout; odd. */
  readonly kernelReadout: number;
  /** GRAPPA kernel extent along the phase encoding, in acquired lines; even. */
  readonly kernelPhase: number;
  /** GRAPPA kernel extent along the partitions of a 3D scan, in acquired ones; even. */
  readonly kernelSlice: number;
  /** Tikhonov weight as a fraction of the mean diagonal of the Gram matrix. */
  readonly grappaRegularization: number;
  /** Tikhonov weight of SENSE; 1 is that of a fully sampled, unaveraged scan. */
  readonly senseRegularization: number;
  readonly senseIterations: number;
  /** Weight of the wavelets' l1 norm, in standard deviations of the noise. */
  readonly l1Regularization: number;
  readonly l1Iterations: number;
  /** Put measured calibration lines back in place of the synthesised ones. */
  readonly keepCalibrationLines: boolean;
  readonly prewhiten: boolean;
  /** Virtual coils in place of many; `auto`: where there are more than 16, as many as `coilCompressionEnergy` takes. */
  readonly coilCompression: 'auto' | 'off' | number;
  /** Part of the signal's energy that virtual coils hold, from 0 to 1. */
  readonly coilCompressionEnergy: number;
  /** What becomes of the part of k-space that partial Fourier and asymmetric echoes leave out; `auto`: by the phase. */
  readonly partialFourier: 'auto' | PartialFourierMethod;
  /** Window that k-space is multiplied with. */
  readonly rawFilter: RawFilter;
  /** How much of it, from 0 to 1. */
  readonly rawFilterStrength: number;
  /** Take Gibbs ringing out. */
  readonly gibbsRemoval: boolean;
  /** Even the intensity out that the array's coils give; `auto`: by a surface-coil reference scan where there is one, else by an estimate. */
  readonly intensityCorrection: 'off' | 'auto' | 'scan' | 'estimate';
  /** How much of the denoised image a second series shows, in per cent; 0: there is none. */
  readonly denoise: number;
  /** Put the measured lines back into the denoised image; `auto`: where that was found to help. */
  readonly denoiseDataConsistency: 'auto' | 'on' | 'off';
  /** What becomes of denoised images by their quality lights. Here a number lowers their strength; whoever gets them ends their series. */
  readonly onAmber: LightFallback;
  readonly onRed: LightFallback;
  /** Deliver what denoising took out of each slice, at full strength, as a further series. */
  readonly residualMap: boolean;
  /** Deliver a g-factor map a slice as a further series. */
  readonly gFactorMap: boolean;
  /** Deliver a noise map a slice as a further series. */
  readonly noiseMap: boolean;
  /** Deliver an SNR map a slice, |image| / noise, as a further series. */
  readonly snrMap: boolean;
  /** Deliver the coil maps of each slice as a further series, one image a coil. */
  readonly coilMaps: boolean;
  /** Deliver the local point-spread function of each slice as a further series. */
  readonly psf: boolean;
}

export const defaultReconParameters: ReconParameters = {
  combine: 'auto',
  unalias: 'auto',
  coilMapMethod: 'auto',
  espiritSets: 'auto',
  kernelReadout: 5,
  kernelPhase: 4,
  kernelSlice: 4,
  /**
   * Measured on a textured phantom, 320 x 320, 16 coils, 24 lines, SNR 30, nRMSE at R = 2, 3 and 4: 0.0193, 0.0341, 0.0765 with 5e-4 and
   * 0.0186, 0.0327, 0.0737 with 1e-4; whitened 0.0192, 0.0327, 0.0722 and 0.0191, 0.0326, 0.0722. With four times the noise it is 0.3 % more at most:
   * the noise of the calibration lines regularises by itself.
   */
  grappaRegularization: 1e-4,
  senseRegularization: 3e-3,
  senseIterations: 20,
  l1Regularization: 0.3,
  l1Iterations: 40,
  keepCalibrationLines: true,
  prewhiten: true,
  coilCompression: 'auto',
  coilCompressionEnergy: 0.999,
  partialFourier: 'auto',
  rawFilter: 'none',
  rawFilterStrength: 1,
  gibbsRemoval: false,
  intensityCorrection: 'off',
  denoise: 0,
  denoiseDataConsistency: 'auto',
  onAmber: 'deliver',
  onRed: 'end',
  residualMap: false,
  gFactorMap: false,
  noiseMap: false,
  snrMap: false,
  coilMaps: false,
  psf: false,
};

/** Who decided: nobody, the chain, the exam protocol, the MRD header, the client's messages, the operator (at the console, on the command line). */
export type DecisionOrigin = 'default' | 'chain' | 'protocol' | 'header' | 'client' | 'operator';

/** One choice that was made for a scan, with what made it: the raw material of `conus explain`. */
export interface Decision {
  readonly what: string;
  readonly value: string;
  readonly because: string;
  /** The header field, flag or parameter that decided, e.g. `encoding[0].parallelImaging.accelerationFactor`. */
  readonly source: string;
  /** Of parameters. */
  readonly origin?: DecisionOrigin;
}

/** Which loop a slice image belongs to. */
export interface ImageCounters {
  readonly slice: number;
  readonly contrast: number;
  readonly phase: number;
  readonly repetition: number;
  readonly set: number;
  readonly average: number;
}

export type ReconImageKind = 'image' | 'gFactor' | 'noise' | 'snr' | 'coilMap' | 'psf' | 'denoised' | 'residual';

/** Kinds whose pixels are complex64; those of the others are float32. */
export const complexKinds: ReadonlySet<ReconImageKind> = new Set(['image', 'coilMap', 'psf', 'denoised', 'residual']);

/** How honest an image is: whether every line that it stands on was measured, properly synthesised or solved for. */
export type ReconMethod = 'full' | 'grappa' | 'sense' | 'l1' | 'zeroFilled';

/**
 * How a noise map was made: exactly, from the weights of the reconstruction; by pseudo-replicas; or, where it is not linear, from
 * what little further noise changes.
 */
export type NoiseMapMethod = 'exact' | 'replicas' | 'perturbation';

/** Steps after partial Fourier, each of them asked for. */
export type PostProcessing = 'hann' | 'gaussian' | 'gibbsRemoval' | 'intensityScan' | 'intensityEstimate';

/** One reconstructed slice or one of its maps. */
export interface ReconImage {
  readonly kind: ReconImageKind;
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns]; complex64 interleaved for the kinds of `complexKinds`, else float32. */
  readonly data: Float32Array;
  /** Which channel a coil map is of, counted from 0; virtual ones where coils were compressed. */
  readonly coil?: number;
  /** True where the image's own phase is meaningful (coil maps); false for root-sum-of-squares. */
  readonly hasPhase: boolean;
  readonly counters: ImageCounters;
  /** Unknown where the header gave no directions; it is then said so and never invented. */
  readonly geometry: ImageGeometry | undefined;
  readonly fovMm: readonly [number, number, number];
  readonly method: ReconMethod;
  /** What became of the part of k-space that was left out by design; `none` where all of it was sampled. */
  readonly partialFourier: PartialFourierMethod | 'none';
  /** What was done to it after that, in order. */
  readonly postProcessing: readonly PostProcessing[];
  /** Of g-factor, noise and SNR maps, and of what was denoised by a noise map. */
  readonly noiseMapMethod?: NoiseMapMethod;
  /** Of the kinds `denoised` and `residual`. */
  readonly denoising?: DenoisingRecord;
  readonly accelerationPhase: number;
  /** Along the partitions of a 3D scan. */
  readonly accelerationSlice: number;
  /** True when pixel values are in SNR units: the noise in the real part has standard deviation `noise map`. */
  readonly snrUnits: boolean;
  /** Channels of the readouts. */
  readonly nCoils: number;
  /** Channels that were reconstructed: as many, or virtual ones. */
  readonly nVirtualCoils: number;
  readonly nCalibrationLines: number;
  readonly nMissingLines: number;
  /** Sets of coil maps that an image was solved for with; 2 where the field of view is smaller than the object. */
  readonly nMapSets?: number;
  readonly measurementUid: number;
  /** From the first readout of the slice. */
  readonly acquisitionTimeStamp: number;
  readonly physiologyTimeStamp: readonly number[];
  readonly patientTablePosition: readonly [number, number, number];
}

/** A remark for the client, the log and the quality light. */
export interface ReconNotice {
  readonly severity: 'info' | 'warning' | 'error';
  /** A documented code where there is one (RECON_ERR_*, RECON_WARN_*). */
  readonly code: string;
  readonly message: string;
}

/** What a finished scan reports of itself. */
export interface ReconSummary {
  readonly nReadouts: number;
  readonly nImages: number;
  /** Wall time spent in each stage, ms, over all threads. */
  readonly stageMs: Readonly<Record<string, number>>;
  readonly peakMemoryBytes: number;
  /** Of the noise readouts; undefined where there were none or none were wanted. */
  readonly noise: NoiseStatistics | undefined;
}
