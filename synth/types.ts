/** What goes into a synthesis and what comes out of it. */
import type { CodedError } from 'ismrmrd';
import type { FastSpinEchoSequence, Vector3, Volume } from '../imaging/index.js';
import type { Tensors } from '../models/index.js';
import type { Calibration } from './calibration.js';
import type { SyntheticCt } from './ct.js';
import type { EchoTimeError } from './echoTime.js';
import type { SynthesisWarningCode } from './errors.js';
import type { GateFeatures } from './trust.js';

/** Rigid motion between T1w and T2w, and how well they fit once it is taken off. */
export interface RegistrationReport {
  readonly shiftMm: Vector3;
  readonly rotationDeg: Vector3;
  /** What is left of it, estimated from parts of the volume by themselves. */
  readonly residualMm: number;
  /** Normalised mutual information, 1 (nothing in common) to 2. */
  readonly nmiBefore: number;
  readonly nmiAfter: number;
  /** Part of T2w's voxels that T1w covers. */
  readonly overlapShare: number;
}

export interface AcquiredSeries {
  /** Magnitudes, in any unit. */
  readonly volume: Volume<Float32Array>;
  readonly sequence: FastSpinEchoSequence;
  /** Brings values to one unit that is common to all series of the exam that have it; absent where the gain is unknown. */
  readonly relativeScale?: number;
  /** Standard deviation of each pixel's noise, in the unit of the values; estimated where it is absent. */
  readonly noise?: Float32Array;
  /** As the header says; spin echoes unless given. */
  readonly isGradientEcho?: boolean;
  /** Whoever it is: series of two are refused, and no message repeats it. */
  readonly patient?: string;
}

export interface SynthesisInput {
  readonly t1w: AcquiredSeries;
  readonly t2w: AcquiredSeries;
  readonly fieldStrengthT: 1.5 | 3;
  /** Of a Dixon scan, 0 to 1. */
  readonly fatFraction?: Volume<Float32Array>;
  /** Fat-suppressed T2w. */
  readonly fatSuppressed?: AcquiredSeries;
}

export const synthesisedContrasts = ['stir', 't2fs', 'pdfs', 't1fs'] as const;
/** STIR by inversion, the others by spectral saturation of fat. */
export type SynthesisedContrast = (typeof synthesisedContrasts)[number];

export interface WantedContrast {
  readonly contrast: SynthesisedContrast;
  readonly sequence: FastSpinEchoSequence;
  /** Of STIR: `auto`, the null of the fat T1 that the signal equations use, unless given. */
  readonly tiMs?: number | 'auto';
  /** Of STIR: `real` keeps the sign of what has not recovered; `magnitude` unless given. */
  readonly output?: 'magnitude' | 'real';
}

/** One run of the network. */
export type RunModel = (inputs: Tensors) => Promise<Tensors>;

export interface SynthesisedSeries {
  readonly contrast: SynthesisedContrast;
  /** By the signal equation alone, or the mean of that and of what a network makes straight of the images (meanImage.ts). */
  readonly madeBy: 'equation' | 'mean';
  /** Signal a unit of equilibrium magnetisation (water of proton density 1 = 1). */
  readonly volume: Volume<Float32Array>;
  /** The interval that holds the true value in nine of ten pixels, of the same shape and unit as the volume. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly tiMs?: number;
  /** The inversion time at which fat is dark. */
  readonly fatNullTiMs?: number;
}

/** A label map of the same anatomy, for reasons that name it and for what counts of the network's doubts. */
export interface Regions {
  readonly volume: Volume<ArrayLike<number>>;
  /** By code: "L3", "marrow L5". */
  readonly names: ReadonlyMap<number, string>;
}

export interface SynthesisOptions {
  /** Of the network; what it says of itself is taken as it is unless given. */
  readonly calibration?: Calibration;
  /** Asked where something speaks against the pair or an interval, and only then: it may take a network of its own. Places get their names of it, and what
   * the network doubts counts near what has one alone (nearRegions.ts). */
  readonly findRegions?: () => Promise<Regions | undefined>;
  /** Whether series of a red pair are given all the same. */
  readonly deliverRed?: boolean;
  /** The network models/synthetic-ct, where a synthetic CT is wanted. */
  readonly runCt?: RunModel;
  /** Slices that the network gets at once: more are faster where it has many threads, and need more memory. */
  readonly slicesPerRun?: number;
}

export type TrafficLight = 'green' | 'amber' | 'red';

export interface SynthesisReason {
  readonly code: SynthesisWarningCode;
  readonly light: TrafficLight;
  readonly message: string;
  /** Of the place, where there is one: "L3", "slice 7, middle third, anterior". */
  readonly where?: string;
}

export interface SynthesisResult {
  /** Empty where the light is red and red is not to be delivered. */
  readonly series: readonly SynthesisedSeries[];
  /** Where it was asked for, and the light is not red or red is to be delivered. */
  readonly ct?: SyntheticCt;
  /** Why there is no CT of a pair that else is taken. */
  readonly ctRefusal?: CodedError;
  readonly fatFraction: Volume<Float32Array>;
  /** What speaks against the pair, in standard deviations. */
  readonly pairResidual: Volume<Float32Array>;
  readonly light: TrafficLight;
  readonly reasons: readonly SynthesisReason[];
  readonly registration: RegistrationReport;
  /** What the light rests on: the features of each slice and their score (trust.ts). */
  /** How far T2w's echo time is from the stated one; absent where it was not looked for or nothing tells. */
  readonly echoTime?: EchoTimeError;
  readonly gate: readonly { readonly features: GateFeatures; readonly score: number }[];
}
