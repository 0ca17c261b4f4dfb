/** What the service tells a physicist: how a scan was reconstructed, and what sweeps found. Held against the service's own types by a test. */
import type { Light } from './types.js';

export interface DecisionView {
  readonly kind: 'parameter' | 'header';
  readonly what: string;
  readonly value: string;
  readonly because: string;
  readonly source: string;
  readonly origin?: string | undefined;
  readonly meaning?: string | undefined;
}

export interface NoiseView {
  readonly nSamples: number;
  readonly enoughSamples: boolean;
  readonly storedMeasurement?: string | undefined;
  readonly coils: readonly { readonly name: string; readonly std: number | null; readonly isBroken: boolean; readonly fault?: string | undefined }[];
  /** A row a coil; null where a coil has no noise. */
  readonly correlation: readonly (readonly (number | null)[])[];
  readonly largestCorrelation: number | null;
  readonly bandwidth: {
    readonly relativeReceiverNoiseBandwidth: number;
    readonly isOfHeader: boolean;
    readonly noiseDwellTimeUs?: number | undefined;
    readonly dwellTimeUs?: number | undefined;
  };
}

export interface SamplingView {
  readonly slice: number;
  readonly nLines: number;
  readonly nPartitions: number;
  readonly firstLine: number;
  readonly centreLine: number;
  readonly nAverages: number;
  readonly nReadouts: number;
  readonly nMeasured: { readonly imaging: number; readonly calibrationAndImaging: number; readonly calibration: number; readonly missing: number };
  /** A text a partition, a character a line: . missing, i imaging, c calibration, b both. */
  readonly pattern: readonly string[];
  readonly order: readonly number[];
}

/** ms since the first readout. */
export interface TimelineView {
  readonly scan: readonly [number, number];
  readonly inputEndedMs?: number | undefined;
  readonly slices: readonly {
    readonly slice: number;
    readonly firstLineMs?: number | undefined;
    readonly lastLineMs?: number | undefined;
    readonly images: readonly { readonly kind: string; readonly atMs: number }[];
  }[];
  /** ms of work over all threads. */
  readonly stages: Readonly<Record<string, number>>;
  readonly lastReadoutToLastImageMs?: number | undefined;
}

export interface ResultView {
  readonly method: string;
  readonly partialFourier: string;
  readonly postProcessing: readonly string[];
  readonly accelerationPhase: number;
  readonly accelerationSlice: number;
  readonly nCoils: number;
  readonly nVirtualCoils: number;
  readonly nCalibrationLines: number;
  readonly nMissingLines: number;
  readonly rows: number;
  readonly columns: number;
  readonly fovMm: readonly [number, number, number];
  readonly snrUnits: boolean;
  readonly hasGeometry: boolean;
}

export interface DenoisingView {
  readonly strengthPercent: number;
  readonly noiseSource: string;
  readonly dataConsistency: boolean;
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly images: readonly {
    readonly slice: number; readonly light: Light; readonly strengthPercent?: number | undefined; readonly residualStd: number | null; readonly edgeCorrelation: number | null; readonly largestStructure: number | null;
  }[];
}

export interface RecordView {
  readonly attempt: number;
  readonly nAttempts: number;
  readonly startedAt: number;
  readonly chain: string;
  readonly outcome: 'running' | 'completed' | 'failed' | 'aborted';
  readonly reason?: { readonly code: string } | undefined;
  readonly nReadouts: number;
  readonly decisions: readonly DecisionView[];
  readonly result?: ResultView | undefined;
  readonly noise?: NoiseView | undefined;
  readonly sampling?: SamplingView | undefined;
  readonly timeline: TimelineView;
  readonly denoising?: DenoisingView | undefined;
  readonly remarks: readonly { readonly severity: 'info' | 'warning' | 'error'; readonly code: string; readonly text: string }[];
}

export interface ScaleView {
  readonly low: number;
  readonly high: number;
  readonly unit?: string | undefined;
  /** The colours from low to high, a PNG as a data URI. */
  readonly ramp: string;
}

export interface SweepRowView {
  /** Undefined for the data as they are. */
  readonly setting?: { readonly acceleration: number; readonly calibrationLines: number; readonly method: string; readonly denoisePercent: number } | undefined;
  readonly nLines: number;
  readonly minutes?: number | undefined;
  readonly figures?: { readonly nRmse: number; readonly ssim: number; readonly gMean?: number | undefined; readonly g99?: number | undefined; readonly snr?: number | undefined } | undefined;
  readonly relativeSnr?: number | undefined;
  readonly violations: readonly string[];
  readonly remarks: readonly string[];
  /** PNGs as data URIs. */
  readonly pictures?: { readonly image: string; readonly error?: string | undefined; readonly gFactor?: string | undefined } | undefined;
}

export interface SweepView {
  readonly version: 1;
  readonly softwareVersion: string;
  readonly scan: {
    readonly name?: string | undefined; readonly acceleration: number; readonly matrix: readonly [number, number]; readonly nSlices: number;
    readonly nCoils?: number | undefined; readonly fieldStrengthT?: number | undefined;
  };
  readonly timing?: { readonly trMs: number; readonly echoTrainLength: number; readonly concatenations: number } | undefined;
  readonly snrUnits: boolean;
  readonly limits: {
    readonly maxNRmse?: number | undefined; readonly minSsim?: number | undefined; readonly maxGMean?: number | undefined;
    readonly maxG99?: number | undefined; readonly minSnr?: number | undefined; readonly maxMinutes?: number | undefined;
  };
  readonly pictures?: { readonly slice: number; readonly rows: number; readonly columns: number; readonly scales: { readonly image: ScaleView; readonly error: ScaleView; readonly gFactor: ScaleView } } | undefined;
  /** The row that is within all limits and fastest. */
  readonly fastest?: number | undefined;
  /** The data as they are first. */
  readonly rows: readonly SweepRowView[];
}

export interface SweepEntryView {
  readonly name: string;
  readonly modifiedAt: number;
  readonly nBytes: number;
  readonly sweep?: SweepView | undefined;
  readonly reason?: { readonly code: string; readonly text: string } | undefined;
}
