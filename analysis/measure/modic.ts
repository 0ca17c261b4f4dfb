/**
 * Modic changes of the endplates: marrow beside a worn disc that has turned to oedema (1), fat (2) or sclerosis (3)
 * (Modic 1988, doi 10.1148/radiology.166.1.3336678 and 10.1148/radiology.168.1.3289089; type 1 on suppressed fat: de Roos 1987,
 * doi 10.2214/ajr.149.3.531).
 *
 *   type    the change of most voxels within `zoneMm` of the endplate: oedema 1, fat 2, sclerosis 3;
 *           mixed (1/2, 2/3, 1/3) where another has `mixedShare` of them or more
 *   share   of the endplate's columns of pixels, in the slices within `centralMm` of the body's middle, those with a change
 *           3 mm inside of it
 *
 * A change is what differs from the patient's own marrow (marrow.ts), hangs together, reaches the endplate and lies mostly in the
 * third of the body next to it. What fills the body or its middle is a fracture's, a tumour's or an infection's and is read there.
 */
import { discCode, bodyCode } from '../anatomy.js';
import type { Assess, Drawing, Finding, Measure, NotAssessed, Segment, Severity, Spine } from '../types.js';
import { assessmentOf, leastConfidence, notAssessed } from './finding.js';
import { basisOfMarrow, changes, spineMarrow, type BodyMarrow, type BodySlice, type SpineMarrow } from './marrow.js';
import { Mask } from './mask.js';

export type ModicType = 'none' | '1' | '2' | '3' | '1/2' | '2/3' | '1/3';
export type Face = 'upper' | 'lower';

export interface EndplateChange {
  readonly type: ModicType;
  readonly share: number;
  /** Mean probability of the body's label where the change is, 0 to 1. */
  readonly confidence: number;
  /** By slice, what is changed. */
  readonly areas: readonly { readonly slice: BodySlice; readonly mask: Mask }[];
}

const zoneMm = 12;
const depthMm = 3;
const centralMm = 11;
const mixedShare = 0.12;
/** Less of the endplate is grain of the marrow. */
const leastShare = 0.1;
const leastAreaMm2 = 8;
/** A piece of changed marrow belongs to the endplate if it begins so near to it and so much of it lies in the third next to it. */
const beginsWithinMm = 3.5;
const outerThird = 0.32;
const outerPart = 0.65;
/** Of the body's slice: more is no change of an endplate. */
const mostOfBody = 0.6;

/** What is changed along one endplate; undefined where the body has no slice near its middle. */
export function endplateChange({ slices }: BodyMarrow, face: Face): EndplateChange | undefined {
  const central = slices.filter(({ offsetMm }) => Math.abs(offsetMm) <= centralMm);
  if (central.length === 0) return undefined;
  const counts = changes.map(() => 0);
  let [columns, changed] = [0, 0];
  const areas: { slice: BodySlice; mask: Mask }[] = [];
  for (const slice of central) {
    const depth = depthsMm(slice, face);
    const mask = ofEndplate(slice, depth);
    if (!mask.isEmpty) areas.push({ slice, mask });
    const { nColumns } = slice.section;
    const atDepth = new Map<number, boolean>();
    slice.body.pixels.forEach((is, pixel) => {
      if (is === 0) return;
      const column = pixel % nColumns;
      if (!atDepth.has(column)) atDepth.set(column, false);
      if (mask.pixels[pixel] === 0) return;
      if (Math.abs(depth[pixel]! - depthMm) <= slice.section.stepMm) atDepth.set(column, true);
      if (depth[pixel]! <= zoneMm) counts[slice.change[pixel]! - 1]!++;
    });
    columns += atDepth.size;
    for (const is of atDepth.values()) if (is) changed++;
  }
  const share = columns === 0 ? 0 : changed / columns;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const confidence = meanOf((areas.length > 0 ? areas.map(({ mask }) => mask) : central.map(({ body }) => body)).map((mask) => mask.confidence));
  if (share < leastShare || total === 0) return { type: 'none', share: 0, confidence, areas: [] };
  const types = counts.map((count, index) => ({ type: `${index + 1}`, count })).sort((a, b) => b.count - a.count).slice(0, 2)
    .filter(({ count }) => count >= mixedShare * total).map(({ type }) => type).sort();
  return { type: types.join('/') as ModicType, share, confidence, areas };
}

/** From the endplate, along the columns, mm; NaN outside of the body. */
function depthsMm({ section, body }: BodySlice, face: Face): Float32Array {
  const depth = new Float32Array(body.pixels.length).fill(NaN);
  for (let column = 0; column < section.nColumns; column++) {
    const rows = body.rowsOf(column);
    if (rows === undefined) continue;
    for (let row = rows[0]; row <= rows[1]; row++) depth[row * section.nColumns + column] = (face === 'upper' ? row - rows[0] : rows[1] - row) * section.stepMm;
  }
  return depth;
}

/** The changed pieces of a slice that belong to the endplate. */
function ofEndplate(slice: BodySlice, depth: Float32Array): Mask {
  const { section, body, change } = slice;
  const all = new Mask(section, change.map((value) => Math.min(1, value)));
  const kept = new Uint8Array(change.length);
  for (const piece of all.opened(section.stepMm).components()) {
    if (piece.areaMm2 < leastAreaMm2) break;
    if (piece.count > mostOfBody * body.count || !isAlong(slice, piece, depth)) continue;
    piece.pixels.forEach((is, pixel) => (kept[pixel]! |= is));
  }
  return new Mask(section, kept);
}

/** Whether changed marrow lies along an endplate, as Modic changes do and lesions of the body do not. */
export function liesAlongEndplate(slice: BodySlice, piece: Mask): boolean {
  return (['upper', 'lower'] as const).some((face) => isAlong(slice, piece, depthsMm(slice, face)));
}

function isAlong({ body }: BodySlice, piece: Mask, depth: Float32Array): boolean {
  let [begins, outer] = [Infinity, 0];
  piece.where((pixel, _, column) => {
    begins = Math.min(begins, depth[pixel]!);
    if (depth[pixel]! <= outerThird * body.columnLengthMm(column)) outer++;
    return true;
  });
  return begins <= beginsWithinMm && outer >= outerPart * piece.count;
}

export const assessModic: Assess = (spine) => {
  const marrow = spineMarrow(spine);
  if (marrow?.seriesIndices.t1w === undefined || marrow.seriesIndices.t2w === undefined) {
    const lacking = marrow?.seriesIndices.t1w === undefined ? 'T1w' : 'T2w';
    return assessmentOf(spine.segments.map(({ name }) => notAssessed('modic', 'ANALYSIS_INFO_NO_SERIES', `no sagittal ${lacking} series`, { level: name })));
  }
  return assessmentOf(spine.segments.map((segment) => assessSegment(spine, marrow, segment)));
};

function assessSegment(spine: Spine, marrow: SpineMarrow, segment: Segment): Finding | NotAssessed {
  const { name: level, upper, lower } = segment;
  const bodyOf = (name: string) => marrow.bodies.find(({ vertebra }) => vertebra.name === name);
  const endplates = ([['lower', upper], ['upper', lower]] as const).flatMap(([face, name]) => {
    const body = bodyOf(name);
    const change = body === undefined ? undefined : endplateChange(body, face);
    return change === undefined ? [] : [{ face, name, change }];
  });
  if (endplates.length === 0) return notAssessed('modic', 'ANALYSIS_INFO_NOT_COVERED', `no slice through ${upper} or ${lower}`, { level });
  const confidence = Math.min(segment.confidence, ...endplates.map(({ change }) => change.confidence));
  if (confidence < leastConfidence) return notAssessed('modic', 'ANALYSIS_INFO_UNSURE', `bodies outlined with a confidence of ${confidence.toFixed(2)}`, { level });
  const changed = endplates.filter(({ change }) => change.type !== 'none');
  const type = typeOf(changed.map(({ change }) => change));
  const largest = Math.max(0, ...changed.map(({ change }) => change.share));
  const drawing = drawingOf(marrow, segment, changed);
  return {
    kind: 'modic', level,
    measures: endplates.map(({ face, change }): Measure => ({ name: face === 'lower' ? 'shareOfUpperEndplate' : 'shareOfLowerEndplate', value: change.share, unit: '1' })),
    grades: [{ scale: 'modic', value: type, severity: severityOf(largest) }],
    signs: changed.map(({ face, name, change }) => `${face} endplate of ${name}: type ${change.type}, ${Math.round(100 * change.share)} % of it`),
    basis: basisOfMarrow(spine, marrow),
    confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}

/** Of a disc's endplates together: the types that any of them has, the two of the larger ones. */
function typeOf(endplates: readonly EndplateChange[]): ModicType {
  const types = [...endplates].sort((a, b) => b.share - a.share).flatMap(({ type }) => type.split('/'));
  return types.length === 0 ? 'none' : [...new Set(types)].slice(0, 2).sort().join('/') as ModicType;
}

/** By how much of an endplate is changed: ours, a quarter and a half as the endplates of Weishaupt's and Wang's tables are parted. */
function severityOf(share: number): Severity {
  return share === 0 ? 'normal' : share < 0.25 ? 'mild' : share < 0.5 ? 'moderate' : 'severe';
}

function drawingOf({ stack, bodies, seriesIndices }: SpineMarrow, { upper, lower, name, frame }: Segment, changed: readonly { readonly change: EndplateChange; readonly name: string }[]): Drawing | undefined {
  const areaOf = (slice: number) => changed.flatMap(({ change }) => change.areas).filter((area) => area.slice.slice === slice).reduce((sum, { mask }) => sum + mask.areaMm2, 0);
  const slices = [...new Set(bodies.flatMap((body) => (body.vertebra.name === upper ? body.slices : [])).map(({ slice }) => slice))];
  const best = [...slices].sort((a, b) => areaOf(b) - areaOf(a))[0];
  if (best === undefined) return undefined;
  return {
    seriesIndex: seriesIndices.t1w ?? stack.seriesIndex, sliceIndex: best, centreMm: frame.originMm, extentMm: 90,
    outlines: [bodyCode(upper), bodyCode(lower), discCode(name)], lines: [],
    areas: changed.flatMap(({ change }) => change.areas.filter((area) => area.slice.slice === best)
      .flatMap(({ mask }) => mask.outlinesMm().map((pointsMm) => ({ pointsMm, text: `Modic ${change.type}` })))),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
