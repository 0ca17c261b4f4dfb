/**
 * The axial slices that a disc is seen in, at the height of the canal.
 *
 *   d_k   of the sac's middle in slice k above the disc's plane, along the disc's axis z
 *   w     1 - |d| / (|d_below| + |d_above|): the two slices on either side of the plane share the measure linearly;
 *         a slice in the plane takes it all
 *   t     direction of the sac: least squares through its middles over ±`courseMm`
 *   f     (n · t) / (z · t): what an area, or a length along the canal's depth, in a slice with normal n is multiplied
 *         with to be that in the disc's plane. A tube along t is cut so; slices need not be tilted with the disc.
 *
 * Between slices s apart linear interpolation takes a minimum of curvature c up by as much as c s² / 8: a narrowing that is
 * shorter than 2 s is measured too wide (centralCanal.ts says what is done about it).
 */
import type { Vector3 } from '../../imaging/index.js';
import { facetCode, foramenCode, structureCodes } from '../anatomy.js';
import type { NotAssessedCode } from '../errors.js';
import type { Contrast, LabelledStack, Segment, Spine } from '../types.js';
import { leastConfidence, seriesOf, stacksOf } from './finding.js';
import type { Mask, Place } from './mask.js';
import { brightCsf, sacByImage } from './sacEdge.js';
import { dot, inFrame, outOfFrame, reaches, sliceAt, sliceNormal, sliceSection, sliceStepMm, nSlicesOf, type Section, type Window } from './section.js';

export interface AxialView {
  readonly slice: number;
  /** Along the disc's frame. */
  readonly section: Section;
  readonly sac: Mask;
  readonly middle: Place;
  /** Of the sac's middle above the disc's plane. */
  readonly offsetMm: number;
}

export type WeightedView = AxialView & { readonly weight: number };

export interface AxialLevel {
  readonly stack: LabelledStack;
  /** One or two, with what each counts; the nearest first. */
  readonly views: readonly WeightedView[];
  /** All slices about the level from which the course of the sac is taken. */
  readonly around: readonly AxialView[];
  /** f: of areas and of lengths from front to back. */
  readonly tiltFactor: number;
  /** Of the sac in the views. */
  readonly confidence: number;
}

export interface Refusal {
  readonly code: NotAssessedCode;
  readonly got: string;
}

/** Contrasts in which a sac is told from what is about it. */
const contrasts: readonly Contrast[] = ['t2w', 'pdw', 't2fs', 'stir', 'pdfs', 't1w', 't1fs'];
const courseMm = 10;
/** Where the middle of a lumbar canal is expected behind the disc's edge. */
export const behindMm = 8;
/** Coarser pixels do not resolve a canal. */
const coarsestPixelMm = 1.3;
const steepest = Math.tan((40 * Math.PI) / 180);

export function isRefusal<Found extends object>(outcome: Found | Refusal): outcome is Refusal {
  return 'code' in outcome;
}

/** Lumbar cut-offs hold for discs that have a lumbar vertebra beside them. */
export function isLumbar({ upper, lower }: Pick<Segment, 'upper' | 'lower'>): boolean {
  return upper.startsWith('L') || lower.startsWith('L');
}

export function canalWindow({ halfDepthMm, halfWidthMm }: Segment): Window {
  const aside = halfWidthMm + 12;
  return { u: [-aside, aside], v: [-halfDepthMm - 6, halfDepthMm + 36] };
}

export function axialLevel(spine: Spine, segment: Segment): AxialLevel | Refusal {
  const canalMm = outOfFrame(segment.frame, [0, segment.halfDepthMm + behindMm, 0]);
  const covering = axialStacks(spine, segment, canalMm, 'canal');
  if (isRefusal(covering)) return covering;
  let refusal: Refusal = { code: 'ANALYSIS_INFO_UNSURE', got: 'no dural sac found in the axial slices at this disc' };
  for (const stack of covering) {
    const level = levelIn(spine, stack, segment, canalMm);
    if (!isRefusal(level)) return level;
    refusal = level;
  }
  return refusal;
}

/** The axial stacks with fine pixels that reach a place of a disc, the best first. */
export function axialStacks(spine: Spine, segment: Segment, placeMm: Vector3, place: 'canal' | 'middle'): readonly LabelledStack[] | Refusal {
  const stacks = stacksOf(spine, 'axial', contrasts);
  if (stacks.length === 0) return { code: 'ANALYSIS_INFO_NO_SERIES', got: 'no axial MR series' };
  const fine = stacks.filter((stack) => pixelMm(spine, stack) <= coarsestPixelMm);
  if (fine.length === 0) return { code: 'ANALYSIS_INFO_GEOMETRY', got: `axial pixels of ${pixelMm(spine, stacks[0]!).toFixed(1)} mm` };
  const upright = (stack: LabelledStack) => Math.abs(dot(sliceNormal(stack), segment.frame.z));
  const rank = (stack: LabelledStack) => stacks.findIndex((other) => seriesOf(spine, other)?.contrast === seriesOf(spine, stack)?.contrast);
  const covering = fine.filter((stack) => reaches(stack, placeMm)).sort((a, b) => rank(a) - rank(b) || upright(b) - upright(a));
  return covering.length > 0 ? covering : { code: 'ANALYSIS_INFO_NOT_COVERED', got: `no axial slice through the ${place} at this disc` };
}

function levelIn(spine: Spine, stack: LabelledStack, segment: Segment, canalMm: Vector3): AxialLevel | Refusal {
  const stepMm = sliceStepMm(stack);
  const at = sliceAt(stack, canalMm);
  const reach = courseMm / stepMm;
  const around: AxialView[] = [];
  for (let slice = Math.max(0, Math.ceil(at - reach)); slice <= Math.min(nSlicesOf(stack) - 1, Math.floor(at + reach)); slice++) {
    const view = viewOf(spine, stack, slice, segment, canalMm);
    if (view !== undefined) around.push(view);
  }
  const nearest = around.toSorted((a, b) => Math.abs(a.offsetMm) - Math.abs(b.offsetMm));
  const beside = [nearest.find(({ offsetMm }) => offsetMm <= 0), nearest.find(({ offsetMm }) => offsetMm > 0)].filter((view) => view !== undefined && Math.abs(view.offsetMm) < 1.5 * stepMm) as AxialView[];
  if (beside.length === 0) return { code: 'ANALYSIS_INFO_UNSURE', got: 'no dural sac found in the axial slices at this disc' };
  if (beside.length === 1 && Math.abs(beside[0]!.offsetMm) > 0.75 * stepMm) {
    return { code: 'ANALYSIS_INFO_NOT_COVERED', got: `the nearest axial slice with a sac is ${Math.abs(beside[0]!.offsetMm).toFixed(1)} mm off the disc's plane` };
  }
  const total = beside.reduce((sum, { offsetMm }) => sum + Math.abs(offsetMm), 0);
  const views = beside
    .map((view) => ({ ...view, weight: beside.length === 1 || total === 0 ? 1 / beside.length : 1 - Math.abs(view.offsetMm) / total }))
    .sort((a, b) => b.weight - a.weight);
  const confidence = weighted(views, ({ sac }) => sac.confidence)!;
  if (confidence < leastConfidence) return { code: 'ANALYSIS_INFO_UNSURE', got: `a dural sac with a mean confidence of ${confidence.toFixed(2)}` };
  return { stack, views, around, tiltFactor: tiltFactor(stack, segment, around), confidence };
}

function viewOf(spine: Spine, stack: LabelledStack, slice: number, segment: Segment, canalMm: Vector3): AxialView | undefined {
  const section = sliceSection(stack, slice, segment.frame, 'axial', canalWindow(segment));
  const [u, v] = placeIn(section, canalMm);
  const series = seriesOf(spine, stack);
  const outlined = sacOf(section, { u, v });
  const sac = series !== undefined && brightCsf.includes(series.contrast) ? sacByImage(outlined, section.valuesOf(series.volume)) : outlined;
  const middle = sac.centroid();
  if (middle === undefined) return undefined;
  return { slice, section, sac, middle, offsetMm: inFrame(segment.frame, section.pointMm(middle.u, middle.v))[2] };
}

function placeIn({ plane }: Section, pointMm: Vector3): [number, number] {
  const away = inFrame({ originMm: plane.originMm, x: plane.across, y: plane.down, z: [0, 0, 0] }, pointMm);
  return [away[0], away[1]];
}

/**
 * CSF, cord, and the roots between them in the same row; islands of less than a fifth of the largest piece are none, holes
 * are filled. Empty where there is no sac within `strayMm` of where it is expected.
 */
export function sacOf(section: Section, expected: Place): Mask {
  const { sac, cord, root } = structureCodes;
  const fluid = section.mask(sac, cord);
  const roots = section.mask(root);
  const between = roots.where((_pixel, row, column) => {
    const span = fluid.columnsOf(row);
    return span !== undefined && column > span[0] && column < span[1];
  });
  const piece = fluid.or(between).pieceAt(expected, 0.2);
  return piece.distanceToMm(expected) > strayMm ? piece.minus(piece) : piece.filled();
}

const strayMm = 12;

function tiltFactor(stack: LabelledStack, { frame }: Segment, around: readonly AxialView[]): number {
  const middles = around.map(({ section, middle }) => inFrame(frame, section.pointMm(middle.u, middle.v)));
  const n = inFrame({ ...frame, originMm: [0, 0, 0] }, sliceNormal(stack));
  const course = [slope(middles, 0), slope(middles, 1), 1] as const;
  return Math.abs(n[0] * course[0] + n[1] * course[1] + n[2]);
}

/** Of an axis against z, least squares; 0 where the places are too few or too near for one. */
function slope(places: readonly Vector3[], axis: 0 | 1): number {
  if (places.length < 3) return 0;
  const mean = (of: 0 | 1 | 2) => places.reduce((sum, place) => sum + place[of], 0) / places.length;
  const [a, z] = [mean(axis), mean(2)];
  const sum = (of: (place: Vector3) => number) => places.reduce((total, place) => total + of(place), 0);
  const variance = sum((place) => (place[2] - z) ** 2);
  return variance < 1 ? 0 : Math.max(-steepest, Math.min(steepest, sum((place) => (place[axis] - a) * (place[2] - z)) / variance));
}

/** Of a measure in the views, where it is known in them; undefined where in none. */
export function weighted<View extends { readonly weight: number }>(views: readonly View[], measure: (view: View) => number | undefined): number | undefined {
  let [sum, weights] = [0, 0];
  for (const view of views) {
    const value = measure(view);
    if (value === undefined || !Number.isFinite(value)) continue;
    sum += view.weight * value;
    weights += view.weight;
  }
  return weights > 0 ? sum / weights : undefined;
}

/** Of the acquired image, the coarser way. */
export function pixelMm(spine: Spine, stack: LabelledStack): number {
  const geometry = (seriesOf(spine, stack)?.volume ?? stack.codes).geometry;
  return Math.max(geometry.fovMm[0] / geometry.matrixSize[0], geometry.fovMm[1] / geometry.matrixSize[1]);
}

/** What fills a canal beside the sac and what leads out of it. */
export function canalCodes({ name }: Segment): number[] {
  const { sac, cord, root, epiduralFat } = structureCodes;
  return [sac, cord, root, epiduralFat, foramenCode(name, 'left'), foramenCode(name, 'right')];
}

export function facetCodes({ name }: Segment): number[] {
  return [facetCode(name, 'left'), facetCode(name, 'right')];
}
