/**
 * Signs that speak for a tumour in a vertebra: a list, no verdict (Cuenod 1996,
 * doi 10.1148/radiology.199.2.8668809; Baker 1990, doi 10.1148/radiology.174.2.2296658).
 *
 * | sign                | here |
 * |---------------------|------|
 * | replaced marrow     | T1w lower than in healthy marrow by `replacedT1w` (marrow.ts); diffuse from `wholeShare` of the body on |
 * | focal lesion        | replaced marrow that hangs together over `focalMm2` in a slice and does not lie along an endplate |
 * | convex back wall    | sagitta of a parabola through the posterior border between the corners, midsagittal, above `convexMm` |
 * | pedicle             | T1w of the arch's marrow beside the body lower than at the other levels by `pedicleT1w` |
 * | epidural tissue     | between body and sac more than elsewhere in this spine, neither fat nor ligament |
 * | several             | replaced marrow in two vertebrae or more |
 * | no fluid sign       | of a body with replaced marrow that has lost height: no spot as bright as fluid, which speaks for osteoporosis
 *                         (Baur 2002, doi 10.1148/radiol.2253011413) |
 *
 * Marrow along endplates is Modic's, oedema of a fracture is the fracture's: without other signs neither is listed.
 */
import { archCode, bodyCode, structureCodes } from '../anatomy.js';
import type { Assess, Drawing, Finding, NotAssessed, Spine } from '../types.js';
import { assessmentOf, leastConfidence, notAssessed } from './finding.js';
import { fracturedLevels } from './fractureAge.js';
import { basisOfMarrow, changedPixels, marrowConfidence, spineMarrow, type BodyMarrow, type BodySlice, type SpineMarrow } from './marrow.js';
import { medianOf } from './robustFit.js';
import { tissueMedians } from './marrowSignal.js';
import { Mask } from './mask.js';
import { liesAlongEndplate } from './modic.js';
import { nSlicesOf, sliceOffsetMm, sliceSection, type Section } from './section.js';

const replacedT1w = -0.25;
const leastShare = 0.05;
const wholeShare = 0.8;
const focalMm2 = 30;
const convexMm = 1;
const pedicleT1w = -0.4;
const midsagittalMm = 7;
const leastPediclePixels = 60;
const pedicleMm = { from: 7, to: 20 } as const;
/** Farther from the middle are roots. */
const epiduralMm = 5;
const epiduralMm2 = 25;
/** Against healthy marrow, ln: below is fat and veins in it, above ligament and fluid. */
const tissueT1w = { above: -0.95, below: -0.25 } as const;
const tissueT2w = { above: -0.7, below: 0.65 } as const;
const fluidT2w = 0.6;
const stepMm = 0.8;
const window = { u: [-32, 44], v: [-26, 26] } as const;

interface Signs {
  readonly body: BodyMarrow;
  readonly replacedShare: number;
  readonly focal: readonly { readonly slice: BodySlice; readonly mask: Mask }[];
  readonly isReplaced: boolean;
  readonly convexityMm: number;
  readonly pedicleT1w: number;
  readonly epiduralMm2: number;
}

export const assessMalignantSigns: Assess = (spine) => {
  const marrow = spineMarrow(spine);
  if (marrow?.seriesIndices.t1w === undefined) {
    return assessmentOf(spine.vertebrae.map(({ name }) => notAssessed('malignantSigns', 'ANALYSIS_INFO_NO_SERIES', 'no sagittal T1w series', { level: name })));
  }
  const all = marrow.bodies.filter(({ vertebra }) => vertebra.name !== 'S1').map((body) => signsOf(marrow, body));
  const fractured = new Set(fracturedLevels(spine));
  return assessmentOf(spine.vertebrae.filter(({ name }) => name !== 'S1').map(({ name }): Finding | NotAssessed => {
    const own = all.find(({ body }) => body.vertebra.name === name);
    if (own === undefined) return notAssessed('malignantSigns', 'ANALYSIS_INFO_NOT_COVERED', `no slice through ${name}`, { level: name });
    const confidence = marrowConfidence(own.body);
    if (confidence < leastConfidence) return notAssessed('malignantSigns', 'ANALYSIS_INFO_UNSURE', `${name} outlined with a confidence of ${confidence.toFixed(2)}`, { level: name });
    return findingOf(spine, marrow, own, all, fractured.has(name), confidence);
  }));
};

function signsOf(marrow: SpineMarrow, body: BodyMarrow): Signs {
  const total = body.slices.reduce((sum, slice) => sum + slice.marrow.count, 0);
  const replaced = body.slices.map((slice) => ({ slice, mask: replacedPixels(slice) }));
  const replacedShare = replaced.reduce((sum, { mask }) => sum + mask.count, 0) / Math.max(1, total);
  const focal = replaced.flatMap(({ slice, mask }) => mask.components()
    .filter((piece) => piece.areaMm2 >= focalMm2 && !liesAlongEndplate(slice, piece))
    .map((piece) => ({ slice, mask: piece })));
  return {
    body, replacedShare, focal,
    // One slice may be grain or a vein.
    isReplaced: replacedShare >= wholeShare || (new Set(focal.map(({ slice }) => slice.slice)).size >= 2 && replacedShare >= leastShare),
    convexityMm: convexityMm(body),
    pedicleT1w: pedicleMedian(marrow, body),
    epiduralMm2: epiduralTissueMm2(marrow, body),
  };
}

/** T1w darker than healthy marrow by far, whatever T2w is. */
function replacedPixels(slice: BodySlice): Mask {
  const { t1w } = slice.deviation;
  return changedPixels(slice, ['oedema', 'sclerosis']).where((pixel) => t1w![pixel]! < replacedT1w).opened(1.5 * slice.section.stepMm);
}

/** Median over the slices about the middle; positive where the back wall bows into the canal. */
function convexityMm({ slices }: BodyMarrow): number {
  const sagittas = slices.filter(({ offsetMm }) => Math.abs(offsetMm) <= midsagittalMm).flatMap(({ body }) => {
    const rows = body.rows();
    if (rows === undefined) return [];
    const half = (rows[1] - rows[0]) / 2;
    const points: [number, number][] = [];
    for (let row = rows[0]; row <= rows[1]; row++) {
      const t = (row - rows[0]) / half - 1;
      const columns = body.columnsOf(row);
      if (columns !== undefined && Math.abs(t) <= 0.8) points.push([t, columns[1] * body.section.stepMm]);
    }
    return points.length < 8 ? [] : [-curvatureOf(points) * 0.64];
  });
  return sagittas.length === 0 ? 0 : medianOf(sagittas);
}

/** c of the least-squares parabola a + b t + c t². */
function curvatureOf(points: readonly (readonly [number, number])[]): number {
  // Against polynomials that are at right angles to 1 and t, so that c stands alone.
  const mean = (value: (point: readonly [number, number]) => number) => points.reduce((sum, point) => sum + value(point), 0) / points.length;
  const m1 = mean(([t]) => t);
  const m2 = mean(([t]) => (t - m1) ** 2);
  const m3 = mean(([t]) => (t - m1) ** 3);
  const q = ([t]: readonly [number, number]) => (t - m1) ** 2 - m2 - (m3 / m2) * (t - m1);
  return mean((point) => q(point) * point[1]) / mean((point) => q(point) ** 2);
}

/** T1w of the arch's marrow just behind the body, against the patient's healthy marrow, ln; NaN where it is not seen. */
function pedicleMedian(marrow: SpineMarrow, body: BodyMarrow): number {
  const values = sectionsOf(marrow, body, pedicleMm.from, pedicleMm.to).flatMap((section) => {
    const back = section.mask(bodyCode(body.vertebra.name)).largest().columns()?.[1];
    if (back === undefined) return [];
    const arch = section.mask(archCode(body.vertebra.name)).shrunk(1.3).where((_, row, column) =>
      section.v(row) < 4 && section.u(column) < section.u(back) + 12);
    return [...arch.valuesOf(marrow.relative(section, 't1w'))];
  });
  return values.length < leastPediclePixels ? NaN : medianOf(values);
}

/** What stands between the body's back wall and the sac that is neither fat nor dark, midsagittal, mm² of the slice with most of it. */
function epiduralTissueMm2(marrow: SpineMarrow, body: BodyMarrow): number {
  const areas = sectionsOf(marrow, body, 0, epiduralMm).map((section) => {
    const own = section.mask(bodyCode(body.vertebra.name)).largest();
    const sac = section.mask(structureCodes.sac, structureCodes.cord).largest();
    const [t1w, t2w] = [marrow.relative(section, 't1w'), marrow.relative(section, 't2w')];
    const between = new Uint8Array(section.codes.length);
    for (let row = 0; row < section.nRows; row++) {
      const [wall, front] = [own.columnsOf(row)?.[1], sac.columnsOf(row)?.[0]];
      if (wall === undefined || front === undefined) continue;
      for (let column = wall + 2; column < front - 1; column++) {
        const pixel = row * section.nColumns + column;
        if (section.codes[pixel] !== 0 && section.codes[pixel] !== structureCodes.epiduralFat) continue;
        if (t1w[pixel]! < tissueT1w.below && t1w[pixel]! > tissueT1w.above && !(t2w[pixel]! < tissueT2w.above || t2w[pixel]! > tissueT2w.below)) between[pixel] = 1;
      }
    }
    return new Mask(section, between).opened(stepMm).areaMm2;
  });
  return Math.max(0, ...areas);
}

function sectionsOf({ stack }: SpineMarrow, { vertebra: { frame } }: BodyMarrow, fromMm: number, toMm: number): Section[] {
  return Array.from({ length: nSlicesOf(stack) }, (_, slice) => slice)
    .filter((slice) => {
      const offMm = Math.abs(sliceOffsetMm(stack, slice, frame.originMm));
      return offMm >= fromMm && offMm <= toMm;
    })
    .map((slice) => sliceSection(stack, slice, frame, 'sagittal', window, stepMm));
}

function findingOf(spine: Spine, marrow: SpineMarrow, own: Signs, all: readonly Signs[], isFractured: boolean, confidence: number): Finding {
  const { body, replacedShare } = own;
  const { vertebra } = body;
  const usual = (value: (signs: Signs) => number) => medianOf(all.filter((other) => other !== own).map(value).filter(Number.isFinite));
  const around: string[] = [];
  if (own.convexityMm > convexMm) around.push(`back wall convex by ${own.convexityMm.toFixed(1)} mm`);
  if (own.pedicleT1w - usual(({ pedicleT1w: other }) => other) < pedicleT1w) around.push('T1w signal of a pedicle lowered');
  if (own.epiduralMm2 - usual(({ epiduralMm2: other }) => other) > epiduralMm2) around.push(`soft tissue between body and sac, ${Math.round(own.epiduralMm2)} mm² midsagittal`);
  const isDark = changeCount(own, 'sclerosis') > changeCount(own, 'oedema');
  const signs: string[] = [];
  // Bright on T2w in a body that has lost height is the oedema of its fracture, unless something else speaks.
  if (own.isReplaced && (!isFractured || isDark || around.length > 0)) {
    signs.push(replacedShare >= wholeShare ? `T1w signal of nearly the whole body lowered (${percent(replacedShare)})` : `focal lesion within the body, T1w dark, ${percent(replacedShare)} of it`);
    const values = own.focal.flatMap(({ slice, mask }) => [...mask.valuesOf(slice.deviation.t1w!)]);
    const disc = tissueMedians(spine, marrow, vertebra, 'disc').t1w;
    if (values.length > 0 && disc !== undefined && medianOf(values) <= disc + 0.05) signs.push('there not brighter than disc on T1w');
    signs.push(isDark ? 'dark on T2w too: bone-forming' : 'bright on T2w: cells or water in the place of fat');
    if (all.filter(({ isReplaced }) => isReplaced).length >= 2) signs.push('the like in more than one vertebra');
    if (isFractured && !hasFluid(own)) signs.push('no fluid under the endplate of the lowered body');
  }
  signs.push(...around);
  const drawing = drawingOf(marrow, own);
  return {
    kind: 'malignantSigns', level: vertebra.name,
    measures: [{ name: 'replacedShare', value: replacedShare, unit: '1' }, { name: 'posteriorConvexity', value: own.convexityMm, unit: 'mm' }],
    grades: [], signs, basis: basisOfMarrow(spine, marrow), confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}

function changeCount({ body }: Signs, kind: 'oedema' | 'sclerosis'): number {
  return body.slices.reduce((sum, slice) => sum + changedPixels(slice, [kind]).count, 0);
}

/** A spot or band as bright as fluid on T2w. */
function hasFluid({ body }: Signs): boolean {
  return body.slices.some(({ marrow, deviation }) => marrow.where((pixel) => deviation.t2w !== undefined && deviation.t2w[pixel]! > fluidT2w).largest().areaMm2 >= 6);
}

function drawingOf({ seriesIndices, stack }: SpineMarrow, { body, focal }: Signs): Drawing | undefined {
  const largest = [...focal].sort((a, b) => b.mask.count - a.mask.count)[0]?.slice;
  const slice = largest ?? [...body.slices].sort((a, b) => Math.abs(a.offsetMm) - Math.abs(b.offsetMm))[0];
  if (slice === undefined) return undefined;
  return {
    seriesIndex: seriesIndices.t1w ?? stack.seriesIndex, sliceIndex: slice.slice, centreMm: body.vertebra.frame.originMm, extentMm: 90,
    outlines: [bodyCode(body.vertebra.name), structureCodes.sac], lines: [],
    areas: focal.filter((lesion) => lesion.slice === slice).flatMap(({ mask }) => mask.outlinesMm().map((pointsMm) => ({ pointsMm, text: 'replaced marrow' }))),
  };
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
