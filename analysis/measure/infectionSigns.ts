/**
 * Signs that speak for an infection of a disc and the vertebrae beside it, and against Modic 1, which resembles it: a list, no
 * verdict (Ledermann 2003, doi 10.1148/radiol.2282020752; Dunbar 2010, Clin Radiol 65:974).
 *
 * | sign               | here |
 * |--------------------|------|
 * | oedema             | of the marrow within `zoneMm` of the endplates on both sides of the disc (marrow.ts) |
 * | bright disc        | on T2w as bright as fluid in a part of it, beside such marrow; the disc beside Modic 1 is worn and dark |
 * | lost endplates     | no dark line on T1w between body and disc where other endplates of this spine have one; or an eaten outline: its
 *                        root mean square from a smooth curve above `roughMm` |
 * | epidural           | fluid or tissue between disc and sac, over more than elsewhere in this spine |
 * | paraspinal         | fluid beside the disc, in slices that no longer cut it |
 *
 * The others count only beside oedema of both sides, or of one side with a bright disc: alone they are Schmorl's nodes, veins and cysts.
 */
import { bodyCode, discCode, structureCodes } from '../anatomy.js';
import type { Assess, Drawing, Finding, NotAssessed, Segment, Spine } from '../types.js';
import { assessmentOf, leastConfidence, notAssessed } from './finding.js';
import { basisOfMarrow, changedPixels, spineMarrow, type BodyMarrow, type BodySlice, type SpineMarrow } from './marrow.js';
import { tissueMedians } from './marrowSignal.js';
import { Mask } from './mask.js';
import { medianOf } from './robustFit.js';
import { nSlicesOf, sliceOffsetMm, sliceSection, type Section, type Window } from './section.js';

const zoneMm = 12;
const oedemaShare = 0.25;
const centralMm = 10;
const stepMm = 0.8;
const window: Window = { u: [-30, 46], v: [-26, 26] };
const besideWindow: Window = { u: [-16, 18], v: [-18, 18] };
const besideMm = 20;
/** Of the fluid in the sac, T2w, ln. */
const asFluid = -0.5;
/** Of the disc's pixels. */
const brightShare = 0.15;
const discRimMm = 1.2;
/** How much deeper than its sides the line of an endplate is on T1w, ln; and how many columns may lack it, as a share, beyond what others lack. */
const lineDepth = 0.12;
const lostShare = 0.25;
const roughMm = 0.55;
/** Farther from the middle are roots. */
const epiduralMm = 5;
const epiduralMm2 = 25;
const paraspinalMm2 = 45;
/** Against healthy marrow, ln: fluid is bright on T2w and dark on T1w. */
const fluid = { t2wAbove: 0.45, t1wBelow: -0.25 } as const;

interface Signs {
  readonly segment: Segment;
  readonly confidence: number;
  /** Of the zone at the lower endplate of the upper body and at the upper one of the lower body. */
  readonly oedema: readonly [number, number];
  readonly brightShare: number;
  readonly lostShare: number;
  readonly roughnessMm: number;
  readonly epiduralMm2: number;
  readonly paraspinal: readonly Mask[];
  readonly central: readonly Section[];
}

export const assessInfectionSigns: Assess = (spine) => {
  const marrow = spineMarrow(spine);
  if (marrow?.seriesIndices.t1w === undefined || marrow.seriesIndices.t2w === undefined) {
    return assessmentOf(spine.segments.map(({ name }) => notAssessed('infectionSigns', 'ANALYSIS_INFO_NO_SERIES', 'no pair of sagittal T1w and T2w series', { level: name })));
  }
  const all = spine.segments.map((segment) => signsOf(spine, marrow, segment));
  const usual = (value: (signs: Signs) => number, but: Signs) =>
    medianOf(all.flatMap((other) => (other === undefined || other === but ? [] : [value(other)])));
  return assessmentOf(spine.segments.map(({ name: level }, index): Finding | NotAssessed => {
    const own = all[index];
    if (own === undefined) return notAssessed('infectionSigns', 'ANALYSIS_INFO_NOT_COVERED', 'no slice through the bodies and the disc', { level });
    if (own.confidence < leastConfidence) return notAssessed('infectionSigns', 'ANALYSIS_INFO_UNSURE', `disc outlined with a confidence of ${own.confidence.toFixed(2)}`, { level });
    const signs = wordsOf(own, usual);
    const drawing = drawingOf(marrow, own);
    return {
      kind: 'infectionSigns', level,
      measures: [
        { name: 'oedemaShareAbove', value: own.oedema[0], unit: '1' },
        { name: 'oedemaShareBelow', value: own.oedema[1], unit: '1' },
        { name: 'brightDiscShare', value: own.brightShare, unit: '1' },
        { name: 'endplateRoughness', value: own.roughnessMm, unit: 'mm' },
      ],
      grades: [], signs, basis: basisOfMarrow(spine, marrow), confidence: own.confidence,
      ...(drawing === undefined ? {} : { drawing }),
    };
  }));
};

function wordsOf(own: Signs, usual: (value: (signs: Signs) => number, but: Signs) => number): string[] {
  const [above, below] = own.oedema;
  const isBright = own.brightShare >= brightShare;
  // Oedema of one side alone is Modic's, a fracture's or a tumour's.
  if (Math.max(above, below) < oedemaShare || (Math.min(above, below) < oedemaShare && !isBright)) return [];
  const words: string[] = [];
  if (Math.min(above, below) >= oedemaShare) words.push('marrow oedema on both sides of the disc');
  if (isBright) words.push(`disc as bright as fluid on T2w in ${Math.round(100 * own.brightShare)} % of it: against Modic 1`);
  const isLost = own.lostShare - usual((other) => other.lostShare, own) > lostShare;
  if (isLost) words.push('line of the endplates lost on T1w');
  if (own.roughnessMm > Math.max(roughMm, 1.5 * usual((other) => other.roughnessMm, own))) words.push(`outline of the endplates uneven (${own.roughnessMm.toFixed(1)} mm)`);
  if (own.epiduralMm2 - usual((other) => other.epiduralMm2, own) > epiduralMm2) words.push('fluid or tissue between disc and sac');
  if (own.paraspinal.length > 0) words.push(`fluid beside the disc, ${Math.round(Math.max(...own.paraspinal.map(({ areaMm2 }) => areaMm2)))} mm² in one slice`);
  return words;
}

function signsOf(spine: Spine, marrow: SpineMarrow, segment: Segment): Signs | undefined {
  const bodyOf = (name: string) => marrow.bodies.find(({ vertebra }) => vertebra.name === name);
  const [above, below] = [bodyOf(segment.upper), bodyOf(segment.lower)];
  if (above === undefined || below === undefined) return undefined;
  const central = slicesWithin(marrow, segment, 0, centralMm).map((slice) => sliceSection(marrow.stack, slice, segment.frame, 'sagittal', window, stepMm));
  const nearMiddle = slicesWithin(marrow, segment, 0, epiduralMm).map((slice) => sliceSection(marrow.stack, slice, segment.frame, 'sagittal', window, stepMm));
  const discs = central.map((section) => section.mask(discCode(segment.name)).largest());
  if (discs.every((disc) => disc.isEmpty)) return undefined;
  const csf = tissueMedians(spine, marrow, above.vertebra, 'fluid').t2w ?? tissueMedians(spine, marrow, below.vertebra, 'fluid').t2w ?? Infinity;
  let [bright, total] = [0, 0];
  for (const disc of discs) {
    const values = disc.shrunk(discRimMm).valuesOf(marrow.relative(disc.section, 't2w'));
    bright += values.filter((value) => value > csf + asFluid).length;
    total += values.length;
  }
  const endplates = ([['lower', above], ['upper', below]] as const).map(([face, body]) => endplateOf(marrow, body, face));
  return {
    segment, central,
    confidence: Math.min(segment.confidence, meanOf(discs.filter((disc) => !disc.isEmpty).map((disc) => disc.confidence))),
    oedema: [oedemaAt(above, 'lower'), oedemaAt(below, 'upper')],
    brightShare: total === 0 ? 0 : bright / total,
    lostShare: meanOf(endplates.map((endplate) => endplate.lost)),
    roughnessMm: Math.max(...endplates.map((endplate) => endplate.roughnessMm)),
    epiduralMm2: Math.max(0, ...nearMiddle.map((section) => behindDisc(marrow, section, segment).areaMm2)),
    paraspinal: besideDisc(marrow, segment),
  };
}

function slicesWithin({ stack }: SpineMarrow, { frame }: Segment, fromMm: number, toMm: number): number[] {
  return Array.from({ length: nSlicesOf(stack) }, (_, slice) => slice).filter((slice) => {
    const offMm = Math.abs(sliceOffsetMm(stack, slice, frame.originMm));
    return offMm >= fromMm && offMm <= toMm;
  });
}

/** Of the marrow within the zone of an endplate. */
function oedemaAt({ slices }: BodyMarrow, face: 'upper' | 'lower'): number {
  let [oedema, total] = [0, 0];
  for (const slice of slices.filter(({ offsetMm }) => Math.abs(offsetMm) <= centralMm)) {
    const inZone = slice.marrow.where((_, row, column) => {
      const rows = slice.body.rowsOf(column)!;
      return (face === 'upper' ? row - rows[0] : rows[1] - row) * slice.section.stepMm <= zoneMm;
    });
    total += inZone.count;
    oedema += inZone.and(changedPixels(slice, ['oedema'])).count;
  }
  return total === 0 ? 0 : oedema / total;
}

/** Share of an endplate's columns without a dark line on T1w, and how uneven its outline is. */
function endplateOf(marrow: SpineMarrow, { slices }: BodyMarrow, face: 'upper' | 'lower'): { lost: number; roughnessMm: number } {
  let [lost, columns] = [0, 0];
  const roughness: number[] = [];
  for (const { section, body } of slices.filter(({ offsetMm }) => Math.abs(offsetMm) <= centralMm)) {
    const t1w = marrow.relative(section, 't1w');
    const edge: [number, number][] = [];
    const span = body.columns();
    if (span === undefined) continue;
    const margin = Math.round((span[1] - span[0]) / 6);
    for (let column = span[0] + margin; column <= span[1] - margin; column++) {
      const rows = body.rowsOf(column);
      if (rows === undefined) continue;
      const row = face === 'upper' ? rows[0] : rows[1];
      edge.push([column * section.stepMm, row * section.stepMm]);
      const inwards = face === 'upper' ? 1 : -1;
      const at = (steps: number) => t1w[(row + inwards * steps) * section.nColumns + column]!;
      const line = Math.min(at(-2), at(-1), at(0), at(1));
      const sides = Math.min((at(3) + at(4)) / 2, (at(-4) + at(-5)) / 2);
      if (!Number.isFinite(line) || !Number.isFinite(sides)) continue;
      columns++;
      if (sides - line < lineDepth) lost++;
    }
    if (edge.length > 8) roughness.push(roughnessOf(edge));
  }
  return { lost: columns === 0 ? 0 : lost / columns, roughnessMm: roughness.length === 0 ? 0 : medianOf(roughness) };
}

/** Root mean square from the least-squares parabola. */
function roughnessOf(points: readonly (readonly [number, number])[]): number {
  const n = points.length;
  const mean = (value: (point: readonly [number, number]) => number) => points.reduce((sum, point) => sum + value(point), 0) / n;
  const m1 = mean(([t]) => t);
  const m2 = mean(([t]) => (t - m1) ** 2);
  const m3 = mean(([t]) => (t - m1) ** 3);
  const quadratic = (t: number) => (t - m1) ** 2 - m2 - (m3 / m2) * (t - m1);
  const middle = mean(([, v]) => v);
  const slope = mean(([t, v]) => (t - m1) * v) / m2;
  const bend = mean(([t, v]) => quadratic(t) * v) / mean(([t]) => quadratic(t) ** 2);
  return Math.sqrt(mean(([t, v]) => (v - middle - slope * (t - m1) - bend * quadratic(t)) ** 2));
}

/** Between disc or bodies and the sac: what is as fluid or as tissue, not fat, ligament or bone. */
function behindDisc(marrow: SpineMarrow, section: Section, { name, upper, lower }: Segment): Mask {
  const front = section.mask(discCode(name), bodyCode(upper), bodyCode(lower)).closed(2).largest();
  const sac = section.mask(structureCodes.sac, structureCodes.cord).largest();
  const [t1w, t2w] = [marrow.relative(section, 't1w'), marrow.relative(section, 't2w')];
  const between = new Uint8Array(section.codes.length);
  for (let row = 0; row < section.nRows; row++) {
    const [wall, from] = [front.columnsOf(row)?.[1], sac.columnsOf(row)?.[0]];
    if (wall === undefined || from === undefined) continue;
    for (let column = wall + 2; column < from - 1; column++) {
      const pixel = row * section.nColumns + column;
      if (section.codes[pixel] !== 0 && section.codes[pixel] !== structureCodes.epiduralFat) continue;
      if (t1w[pixel]! < fluid.t1wBelow && t2w[pixel]! > 0) between[pixel] = 1;
    }
  }
  return new Mask(section, between).opened(stepMm);
}

/** Fluid in slices beside the disc, at its height: the largest piece of each. */
function besideDisc(marrow: SpineMarrow, segment: Segment): Mask[] {
  const codes = [discCode(segment.name), bodyCode(segment.upper), bodyCode(segment.lower)];
  return slicesWithin(marrow, segment, segment.halfWidthMm - 6, segment.halfWidthMm + besideMm).flatMap((slice) => {
    const section = sliceSection(marrow.stack, slice, segment.frame, 'sagittal', besideWindow, stepMm);
    const spine = section.mask(...codes);
    const [t1w, t2w] = [marrow.relative(section, 't1w'), marrow.relative(section, 't2w')];
    const found = section.mask(0).minus(spine.grown(2)).where((pixel) => t2w[pixel]! > fluid.t2wAbove && t1w[pixel]! < fluid.t1wBelow).opened(1.5 * stepMm).largest();
    return found.areaMm2 >= paraspinalMm2 ? [found] : [];
  });
}

function drawingOf({ stack, seriesIndices, bodies }: SpineMarrow, { segment, central }: Signs): Drawing | undefined {
  const middle = central[Math.floor(central.length / 2)];
  if (middle === undefined) return undefined;
  const slice = slicesWithin({ stack } as SpineMarrow, segment, 0, centralMm)[Math.floor(central.length / 2)]!;
  const areaOf = ({ section, change }: BodySlice) => changedPixels({ section, change } as BodySlice, ['oedema']).opened(section.stepMm).outlinesMm();
  const oedema = bodies.filter(({ vertebra: { name } }) => name === segment.upper || name === segment.lower)
    .flatMap(({ slices }) => slices.filter((own) => own.slice === slice).flatMap(areaOf));
  return {
    seriesIndex: seriesIndices.t2w ?? stack.seriesIndex, sliceIndex: slice, centreMm: segment.frame.originMm, extentMm: 100,
    outlines: [discCode(segment.name), bodyCode(segment.upper), bodyCode(segment.lower), structureCodes.sac], lines: [],
    areas: oedema.map((pointsMm) => ({ pointsMm, text: 'oedema' })),
  };
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
