/**
 * What goes into an analysis, what is found on the way and what comes out of it.
 *
 *   series -> segment -> labelled stacks -> structures -> spine -> assess -> findings -> report
 *
 * Every place is in the patient: LPS, mm. Whatever rests on synthetic images says so in its `basis`.
 */
import type { Vector3, Volume } from '../imaging/index.js';
import type { Tensors } from '../models/index.js';
import type { NotAssessedCode } from './errors.js';
import type { ScaleName } from './scales.js';

export type Side = 'left' | 'right';
export type Contrast = 't1w' | 't2w' | 'pdw' | 'stir' | 't2fs' | 't1fs' | 'pdfs' | 'ct' | 'syntheticCt';
export type Orientation = 'sagittal' | 'axial' | 'coronal';

export interface AnalysisSeries {
  /** Magnitudes in any unit, or HU. */
  readonly volume: Volume<Float32Array>;
  readonly contrast: Contrast;
  readonly orientation: Orientation;
  /** Computed, not scanned. */
  readonly synthetic: boolean;
  readonly denoised: boolean;
  /** Of a computed CT: HU between which the true one of each voxel lies in nine of ten, on the grid of the volume. */
  readonly interval?: { readonly low: Volume<Float32Array>; readonly high: Volume<Float32Array> };
  /** How far a computed series is to be trusted; red ones are not analysed. */
  readonly qualityLight?: 'green' | 'amber' | 'red';
  readonly description: string;
  readonly seriesInstanceUid?: string;
  readonly fieldStrengthT?: number;
  readonly trMs?: number;
  readonly teMs?: number;
  readonly tiMs?: number;
}

/** One run of the network `models/spine-structures`. */
export type RunModel = (inputs: Tensors) => Promise<Tensors>;

/** The structures of one series, on a grid of its own: slices of the series, pixels of about 0.4 mm. */
export interface LabelledStack {
  /** Which of the series. */
  readonly seriesIndex: number;
  readonly orientation: Orientation;
  /** Codes of `anatomy.ts`, [slice, row, column]. */
  readonly codes: Volume<Uint16Array>;
  /** Probability of what the code says, 0 to 255, on the same grid. */
  readonly confidence: Uint8Array;
}

/** Axes of a structure: x to the patient's left, y to the back, z to the head, unit vectors at right angles. */
export interface Frame {
  readonly originMm: Vector3;
  readonly x: Vector3;
  readonly y: Vector3;
  readonly z: Vector3;
}

export interface Vertebra {
  /** C2 to L6, S1. Unique. */
  readonly name: string;
  /** In the middle of the body, z along its height. */
  readonly frame: Frame;
  /** Cut by the border of the image: heights of it are not measured. */
  readonly partial: boolean;
  /** 0 to 1: mean of its pixels and how well its shape fits that of its neighbours. */
  readonly confidence: number;
}

export interface Segment {
  /** `L4-L5` */
  readonly name: string;
  readonly upper: string;
  readonly lower: string;
  /** In the middle of the disc, z along the column. */
  readonly frame: Frame;
  /** Half of the disc's extent along x and y of its frame. */
  readonly halfWidthMm: number;
  readonly halfDepthMm: number;
  readonly confidence: number;
}

export interface Numbering {
  /** The signs of both ends agree. If not, the names are the likeliest ones and every use of them says so. */
  readonly certain: boolean;
  /** That all names are right, 0 to 1; absent where nothing tells it. */
  readonly probability?: number | undefined;
  /** In words: what the names rest on, which landmark is missing, and what contradicts them. */
  readonly reasons: readonly string[];
}

/** What was found in all series together. */
export interface Spine {
  readonly series: readonly AnalysisSeries[];
  readonly stacks: readonly LabelledStack[];
  /** From head to foot, without gaps in their order. */
  readonly vertebrae: readonly Vertebra[];
  /** From head to foot; the last one may be L5-S1. */
  readonly segments: readonly Segment[];
  readonly numbering: Numbering;
}

export const units = ['mm', 'mm2', 'mm3', 'deg', '1', 'HU', 'ms'] as const;
export type Unit = (typeof units)[number];

export interface Measure {
  /** In the field's terms, camelCase without the unit: `sacArea`, `heightIndex`. */
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
}

export type Severity = 'normal' | 'mild' | 'moderate' | 'severe';

export interface Grade {
  readonly scale: ScaleName | 'pfirrmann' | 'modic' | 'genantType' | 'displacement' | 'schizas' | 'fractureAge' | 'imll' | 'basic';
  /** As the scale names it: `moderate`, `2`, `wedge`. */
  readonly value: string;
  /** How bad it is, where the scale says so; used for colours and priorities. */
  readonly severity?: Severity;
  /** Distance of the measure to the nearest cut-off as a share of it. */
  readonly marginShare?: number;
}

export const findingKinds = [
  'centralCanal', 'lateralRecess', 'foramen', 'facetJoint',
  'discHeight', 'pfirrmann', 'displacement', 'modic',
  'vertebralHeights', 'fractureAge', 'malignantSigns', 'infectionSigns', 'marrowSignal',
  'lordosis', 'sacralSlope', 'cobb', 'listhesis', 'balance',
  'cordSection', 'cordLesion', 'marrowHu', 'cortex',
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** What is drawn on a picture of the finding; empty lists draw the picture alone. */
export interface Drawing {
  readonly seriesIndex: number;
  readonly sliceIndex: number;
  /** The picture's middle and how much of it is shown. */
  readonly centreMm: Vector3;
  readonly extentMm: number;
  /** Codes whose outlines are drawn. */
  readonly outlines: readonly number[];
  /** Measures, drawn as lines with their text. */
  readonly lines: readonly { readonly fromMm: Vector3; readonly toMm: Vector3; readonly text: string }[];
  /** Marked pixels, for example Modic changes: closed polygons. */
  readonly areas: readonly { readonly pointsMm: readonly Vector3[]; readonly text: string }[];
}

export interface Finding {
  readonly kind: FindingKind;
  /** Vertebra or segment; absent for the whole spine. */
  readonly level?: string;
  readonly side?: Side;
  readonly measures: readonly Measure[];
  readonly grades: readonly Grade[];
  /** In words, for lists of signs that are no verdict. */
  readonly signs: readonly string[];
  readonly basis: { readonly seriesIndices: readonly number[]; readonly synthetic: boolean };
  /** 0 to 1. */
  readonly confidence: number;
  readonly drawing?: Drawing;
}

export interface NotAssessed {
  readonly kind: FindingKind;
  readonly level?: string;
  readonly side?: Side;
  readonly code: NotAssessedCode;
  /** What was missing, in words. */
  readonly got: string;
}

export interface Assessment {
  readonly findings: readonly Finding[];
  readonly notAssessed: readonly NotAssessed[];
}

/** What every file of measure/ offers: pure, and never throwing for what an image may hold. */
export type Assess = (spine: Spine) => Assessment;
