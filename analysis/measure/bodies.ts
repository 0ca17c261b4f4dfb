/**
 * Vertebral bodies and the spaces between them, outlined in their midsagittal sections: what heights, slips and angles
 * are measured on.
 *
 * Of the sagittal stacks that reach a body the first counts in which it is outlined with confidence: scanned before
 * computed, and by `preferred` among these. Of S1 only the upper part is cut, so that it makes no difference whether the
 * whole sacrum or its first vertebra alone is labelled.
 */
import { bodyCode, structureCodes } from '../anatomy.js';
import type { NotAssessedCode } from '../errors.js';
import type { Contrast, Drawing, Frame, LabelledStack, Segment, Spine, Vertebra } from '../types.js';
import type { Vector3, Volume } from '../../imaging/index.js';
import { leastConfidence, stacksOf } from './finding.js';
import type { Mask } from './mask.js';
import { outlineOf, type BodyOutline } from './outline.js';
import { framePlane, nearestSlice, planeSection, reaches, sliceStepMm, type Window } from './section.js';
import { shapeOf } from './shape.js';

export interface OutlinedBody {
  readonly vertebra: Vertebra;
  readonly stack: LabelledStack;
  /** Distances to its outline, [slice, row, column]. */
  readonly shape: Volume;
  /** Midsagittal, in the vertebra's frame. */
  readonly outline: BodyOutline;
  /** By the border of the image: its heights are not known, the endplate towards the image's middle is. */
  readonly isCut: boolean;
  /** 0 to 1: of its pixels, of the vertebra, and of where it lies in the image. */
  readonly confidence: number;
}

/** The two bodies beside a disc, in the disc's frame. */
export interface OutlinedSpace {
  readonly segment: Segment;
  readonly stack: LabelledStack;
  readonly above: BodyOutline;
  readonly below: BodyOutline;
  readonly confidence: number;
}

/** Why there is no outline. */
export interface Missing {
  readonly code: NotAssessedCode;
  readonly got: string;
}

export function isMissing(found: object): found is Missing {
  return 'code' in found;
}

export const preferred: readonly Contrast[] = ['t2w', 't1w', 'ct', 'pdw', 't1fs', 't2fs', 'pdfs', 'stir', 'syntheticCt'];

const sagittalWindow: Window = { u: [-32, 32], v: [-28, 28] };
const sacralWindow: Window = { u: [-32, 32], v: [-28, 5] };
const reachMm = 46;
/** Slices beside the midsagittal plane that a turned body may need. */
const nearMm = 10;
const cutMm = 1;
const borderMm = 4;
const borderConfidence = 0.8;
/** About a disc the window cuts the bodies, whose depth at the endplate counts. */
const spaceHeightShare = 1 / 8;
/** A fractured vertebra does not fit its neighbours' shape, which lowers its confidence: its labels decide, down to here. */
const leastVertebraConfidence = 0.45;

const bodies = new WeakMap<Spine, Map<string, OutlinedBody | Missing>>();

export function outlinedBody(spine: Spine, name: string): OutlinedBody | Missing {
  let known = bodies.get(spine);
  if (known === undefined) bodies.set(spine, (known = new Map()));
  let found = known.get(name);
  if (found === undefined) known.set(name, (found = outlineBody(spine, name)));
  return found;
}

export function outlinedSpace(spine: Spine, segment: Segment): OutlinedSpace | Missing {
  const [upper, lower] = [outlinedBody(spine, segment.upper), outlinedBody(spine, segment.lower)];
  if (isMissing(upper)) return upper;
  if (isMissing(lower)) return lower;
  const partial = [upper, lower].find(({ vertebra }) => vertebra.partial && vertebra.name !== 'S1');
  // Where a body was cut short its frame is a guess, and the disc's with it.
  if (partial !== undefined) return { code: 'ANALYSIS_INFO_NOT_COVERED', got: `${partial.vertebra.name} is cut by the border of the image` };
  const window: Window = { u: [-segment.halfDepthMm - 14, segment.halfDepthMm + 14], v: [-22, 22] };
  const [above, below] = [upper, lower].map(({ shape }) => outlineOf(shape, segment.frame, 'sagittal', window, { leastHeightShare: spaceHeightShare }));
  if (above === undefined || below === undefined) return { code: 'ANALYSIS_INFO_UNSURE', got: `no outline of both bodies at ${segment.name}` };
  return { segment, stack: upper.stack, above, below, confidence: Math.min(upper.confidence, lower.confidence, segment.confidence) };
}

/** A body that is whole; of the sacrum its upper end. */
export function wholeBody(spine: Spine, name: string): OutlinedBody | Missing {
  const body = outlinedBody(spine, name);
  return isMissing(body) || !body.isCut || name === 'S1' ? body : { code: 'ANALYSIS_INFO_NOT_COVERED', got: `${name} is cut by the border of the image` };
}

/** Codes of a body's pixels: of S1 the sacrum's where its own are not told apart. */
function codesOf(stack: LabelledStack, name: string): readonly number[] {
  const code = bodyCode(name);
  return name === 'S1' && !stack.codes.data.includes(code) ? [structureCodes.sacrum] : [code];
}

function outlineBody(spine: Spine, name: string): OutlinedBody | Missing {
  const vertebra = spine.vertebrae.find((other) => other.name === name);
  if (vertebra === undefined) return { code: 'ANALYSIS_INFO_NOT_COVERED', got: `no ${name}` };
  const stacks = stacksOf(spine, 'sagittal', preferred);
  if (stacks.length === 0) return { code: 'ANALYSIS_INFO_NO_SERIES', got: 'no sagittal series' };
  const reaching = stacks.filter((stack) => reaches(stack, vertebra.frame.originMm));
  if (reaching.length === 0) return { code: 'ANALYSIS_INFO_NOT_COVERED', got: `no sagittal slice through the middle of ${name}` };
  let unsure = 0;
  let cut: OutlinedBody | undefined;
  for (const stack of reaching) {
    const codes = codesOf(stack, name);
    const window = name === 'S1' ? sacralWindow : sagittalWindow;
    const mask = planeSection(stack, framePlane(vertebra.frame, 'sagittal'), window, 0.5).mask(...codes).largest();
    const isCut = vertebra.partial || isNearBorder(mask, cutMm);
    const shape = shapeOf(stack, codes, vertebra.frame, { nearMm: Math.max(nearMm, 1.5 * sliceStepMm(stack)), reachMm });
    const outline = shape && outlineOf(shape, vertebra.frame, 'sagittal', window);
    if (shape === undefined || outline === undefined) continue;
    const confidence = Math.min(vertebra.confidence, mask.confidence) * (isNearBorder(mask, borderMm) ? borderConfidence : 1);
    if (mask.confidence < leastConfidence || vertebra.confidence < leastVertebraConfidence) unsure = Math.max(unsure, confidence);
    else if (isCut) cut ??= { vertebra, stack, shape, outline, isCut, confidence };
    else return { vertebra, stack, shape, outline, isCut, confidence };
  }
  return cut ?? { code: 'ANALYSIS_INFO_UNSURE', got: `${name} is outlined with a confidence of ${unsure.toFixed(2)}` };
}

/** Whether a mask comes that near to where its stack ends. */
export function isNearBorder(mask: Mask, withinMm: number): boolean {
  return mask.grown(withinMm).valuesOf(Float32Array.from(mask.section.inside)).includes(0);
}

/** A picture in the slice nearest to a frame. */
export function drawingOf(
  stack: LabelledStack, { originMm }: Pick<Frame, 'originMm'>, extentMm: number, outlines: readonly number[],
  lines: readonly (readonly [fromMm: Vector3, toMm: Vector3, text: string])[] = [], areas: Drawing['areas'] = [],
): Drawing | undefined {
  const sliceIndex = nearestSlice(stack, originMm);
  if (sliceIndex === undefined) return undefined;
  return {
    seriesIndex: stack.seriesIndex, sliceIndex, centreMm: originMm, extentMm, outlines,
    lines: lines.map(([fromMm, toMm, text]) => ({ fromMm, toMm, text })), areas,
  };
}
