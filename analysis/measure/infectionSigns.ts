/**
 * Signs of an infection of a disc and the vertebrae beside it, each for itself, and whether they suggest one.
 *
 * | sign       | here | published, of 44 infected discs (1) |
 * |------------|------|---|
 * | disc       | median of it on T2w above `asFluid` of the fluid in the sac | as bright as fluid or nearly so in 93 % |
 * | endplates  | no dark line between bodies and disc on T1w where other endplates of this spine have one; or both outlines uneven: root
 *                mean square from a parabola, of columns averaged over 4 mm | one or both eroded in 84 % |
 * | marrow     | oedema on both sides: within `zoneMm` of the endplates T1w darker and T2w brighter (marrow.ts), or bright with suppressed
 *                fat; or, weaker, on both sides darker on T1w than along other endplates, by more than on T2w | T1w 0.60 of healthy
 *                marrow, 0.83 beside Modic 1 (2) |
 * | collection | fluid beside the disc in slices that no longer cut it, or fluid or tissue between disc and sac | inflamed tissue
 *                there, with contrast agent, in 98 % |
 *
 *   suggested = disc and (endplates or oedema on both sides)
 *
 * Then all signs are listed. Else only oedema is, which Modic 1 has too: but endplates beside it are irregular yet intact (2), its disc
 * worn and dark. Oedema is not asked for: without suppressed fat it can be as marrow on T2w. The disc of a young person is as bright
 * as an infected one, so that alone it is nothing, nor is it beside a collection, which can be a vein, a cyst or bowel.
 *
 * The signs are published; the rule, its thresholds and that both outlines be uneven, since a Schmorl's node has one, are ours, set
 * on simulated patients. Infections whose disc is not bright are missed.
 *
 * 1 Ledermann 2003, doi 10.1148/radiol.2282020752. 2 Schwarz-Nemec 2020, doi 10.3390/jcm9030826.
 */
import { bodyCode, discCode, structureCodes } from '../anatomy.js';
import type { Assess, Drawing, Finding, NotAssessed, Segment, Spine } from '../types.js';
import { assessmentOf, leastConfidence, notAssessed } from './finding.js';
import { basisOfMarrow, changedPixels, marrowContrasts, spineMarrow, type BodyMarrow, type BodySlice, type MarrowContrast, type SpineMarrow } from './marrow.js';
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
const asFluid = 0.35;
const discRimMm = 1.2;
/** How much deeper than its sides the line of an endplate is on T1w, ln; and how many columns may lack it, as a share, beyond what others lack. */
const lineDepth = 0.12;
const lostShare = 0.35;
/** Both outlines together and each of them, mm; and against those of the other discs. */
const rough = { both: 0.165, each: 0.12, usual: 1.35 } as const;
/** Columns to either side that an outline is averaged with: less than what is eaten, more than the steps of its pixels. */
const besideColumns = 2;
/** Slices about the middle: the roughness of real endplates in one of them is no erosion. */
const leastSlices = 3;
/** Of zones, ln: below other zones on T1w, there by more than on T2w; above healthy marrow with suppressed fat. */
const zone = { t1wBelow: 0.05, moreThanT2w: 0.05, suppressedAbove: 0.45 } as const;
/** Farther from the middle are roots. */
const epiduralMm = 5;
const epiduralMm2 = 25;
const paraspinalMm2 = 45;
/** Collections reach past a disc: below this share of the one at the next disc, it is that one. */
const ofNextDisc = 0.5;
/** Against healthy marrow, ln: fluid is bright on T2w and dark on T1w. */
const fluid = { t2wAbove: 0.45, t1wBelow: -0.25 } as const;

interface Signs {
  readonly segment: Segment;
  readonly confidence: number;
  /** Median of the disc on T2w, as a share of the fluid in the sac; NaN without fluid. */
  readonly discToFluid: number;
  /** NaN without T1w. */
  readonly lostShare: number;
  readonly roughnessMm: readonly [number, number];
  /** At the lower endplate of the upper body and at the upper one of the lower body. */
  readonly zones: readonly [Zone, Zone];
  readonly epiduralMm2: number;
  /** Undefined where no slice lies beside the disc. */
  readonly paraspinal: readonly Mask[] | undefined;
  readonly central: readonly Section[];
}

/** Marrow along an endplate. */
interface Zone {
  readonly oedemaShare: number;
  /** Medians against the patient's healthy marrow, ln; NaN where not given. */
  readonly t1w: number;
  readonly t2w: number;
  readonly suppressed: number;
}

/** Of the signs that are seen. */
export function infectionSuggested(seen: { readonly disc: boolean; readonly endplates: boolean; readonly oedema: boolean }): boolean {
  return seen.disc && (seen.endplates || seen.oedema);
}

export const assessInfectionSigns: Assess = (spine) => {
  const marrow = spineMarrow(spine);
  if (marrow?.seriesIndices.t2w === undefined) {
    return assessmentOf(spine.segments.map(({ name }) => notAssessed('infectionSigns', 'ANALYSIS_INFO_NO_SERIES', 'no sagittal T2w series', { level: name })));
  }
  const all = spine.segments.map((segment) => signsOf(spine, marrow, segment));
  return assessmentOf(spine.segments.flatMap(({ name: level }, index): (Finding | NotAssessed)[] => {
    const own = all[index];
    if (own === undefined) return [notAssessed('infectionSigns', 'ANALYSIS_INFO_NOT_COVERED', 'no slice through the bodies and the disc', { level })];
    if (own.confidence < leastConfidence) return [notAssessed('infectionSigns', 'ANALYSIS_INFO_UNSURE', `disc outlined with a confidence of ${own.confidence.toFixed(2)}`, { level })];
    if (Number.isNaN(own.discToFluid)) return [notAssessed('infectionSigns', 'ANALYSIS_INFO_NOT_COVERED', 'no fluid of the sac beside the disc to compare it with', { level })];
    const seen = seenOf(own, index, all);
    const isSuggested = infectionSuggested(seen);
    const drawing = drawingOf(marrow, own);
    return [{
      kind: 'infectionSigns', level,
      measures: [
        { name: 'oedemaShareAbove', value: own.zones[0].oedemaShare, unit: '1' },
        { name: 'oedemaShareBelow', value: own.zones[1].oedemaShare, unit: '1' },
        { name: 'discToFluid', value: own.discToFluid, unit: '1' },
        { name: 'endplateRoughness', value: together(own.roughnessMm), unit: 'mm' },
      ],
      grades: [], signs: isSuggested ? seen.words : seen.oedema ? [oedemaWords] : [], basis: basisOfMarrow(spine, marrow), confidence: own.confidence,
      ...(drawing === undefined ? {} : { drawing }),
    }, ...missingOf(marrow, own, isSuggested)];
  }));
};

const oedemaWords = 'marrow oedema on both sides of the disc';

/** What could not be looked for; slices beside a disc are missed only where there is something to look for. */
function missingOf(marrow: SpineMarrow, { segment: { name: level }, paraspinal }: Signs, isSuggested: boolean): NotAssessed[] {
  if (marrow.seriesIndices.t1w === undefined) {
    return [notAssessed('infectionSigns', 'ANALYSIS_INFO_NO_SERIES', 'lines of the endplates, oedema of the marrow and collections: no sagittal T1w series', { level })];
  }
  if (!isSuggested || paraspinal !== undefined) return [];
  return [notAssessed('infectionSigns', 'ANALYSIS_INFO_NOT_COVERED', 'collections beside the disc: no slice there', { level })];
}

function seenOf(own: Signs, index: number, all: readonly (Signs | undefined)[]): { disc: boolean; endplates: boolean; oedema: boolean; words: string[] } {
  const others = all.filter((other): other is Signs => other !== undefined && other !== own);
  const usual = (value: (signs: Signs) => number) => (others.length === 0 ? 0 : medianOf(others.map(value)));
  const words: string[] = [];
  const disc = own.discToFluid >= asFluid;
  if (disc) words.push(`disc bright on T2w, ${own.discToFluid.toFixed(2)} of the fluid in the sac: against Modic 1`);

  const isLost = own.lostShare - usual((other) => other.lostShare) > lostShare;
  const roughnessMm = together(own.roughnessMm);
  const isRough = roughnessMm > Math.max(rough.both, rough.usual * usual((other) => together(other.roughnessMm))) && Math.min(...own.roughnessMm) > rough.each;
  const endplateWords = own.central.length < leastSlices ? [] : [
    ...(isLost ? [`their line lost in ${Math.round(100 * own.lostShare)} % on T1w`] : []),
    ...(isRough ? [`outlines uneven by ${roughnessMm.toFixed(2)} mm`] : []),
  ];
  if (endplateWords.length > 0) words.push(`eroded endplates: ${endplateWords.join(', ')}`);

  const [above, below] = own.zones;
  const oedema = [above, below].every((side) => side.oedemaShare >= oedemaShare) || [above, below].every(({ suppressed }) => suppressed > zone.suppressedAbove);
  const t1wBelow = usual(({ zones }) => meanOf(zones.map(({ t1w }) => t1w))) - meanOf([above.t1w, below.t1w]);
  const contrast = ({ zones }: Signs) => meanOf(zones.map(({ t1w, t2w }) => t1w - t2w));
  if (oedema) words.push(oedemaWords);
  else if (t1wBelow > zone.t1wBelow && usual(contrast) - contrast(own) > zone.moreThanT2w) words.push('marrow on both sides of the disc darker than elsewhere on T1w');

  if (own.epiduralMm2 - usual((other) => other.epiduralMm2) > epiduralMm2) words.push('fluid or tissue between disc and sac');
  const besideMm2 = largestOf(own.paraspinal);
  const nextMm2 = Math.max(...[all[index - 1], all[index + 1]].map((next) => largestOf(next?.paraspinal)));
  if (besideMm2 > 0 && besideMm2 >= ofNextDisc * nextMm2) words.push(`fluid beside the disc, ${Math.round(besideMm2)} mm² in one slice`);
  return { disc, endplates: endplateWords.length > 0, oedema, words };
}

function largestOf(masks: readonly Mask[] | undefined): number {
  return Math.max(0, ...(masks ?? []).map(({ areaMm2 }) => areaMm2));
}

/** Root mean square. */
function together(values: readonly number[]): number {
  return Math.sqrt(meanOf(values.map((value) => value * value)));
}

function signsOf(spine: Spine, marrow: SpineMarrow, segment: Segment): Signs | undefined {
  const bodyOf = (name: string) => marrow.bodies.find(({ vertebra }) => vertebra.name === name);
  const [above, below] = [bodyOf(segment.upper), bodyOf(segment.lower)];
  if (above === undefined || below === undefined) return undefined;
  const central = slicesWithin(marrow, segment, 0, centralMm).map((slice) => sliceSection(marrow.stack, slice, segment.frame, 'sagittal', window, stepMm));
  const nearMiddle = slicesWithin(marrow, segment, 0, epiduralMm).map((slice) => sliceSection(marrow.stack, slice, segment.frame, 'sagittal', window, stepMm));
  const discs = central.map((section) => section.mask(discCode(segment.name)).largest());
  if (discs.every((disc) => disc.isEmpty)) return undefined;
  const csf = tissueMedians(spine, marrow, above.vertebra, 'fluid').t2w ?? tissueMedians(spine, marrow, below.vertebra, 'fluid').t2w ?? NaN;
  const inDisc = discs.flatMap((disc) => [...disc.shrunk(discRimMm).valuesOf(marrow.relative(disc.section, 't2w'))]).filter(Number.isFinite);
  const endplates = [endplateOf(marrow, above, 'lower'), endplateOf(marrow, below, 'upper')] as const;
  return {
    segment, central,
    confidence: Math.min(segment.confidence, meanOf(discs.filter((disc) => !disc.isEmpty).map((disc) => disc.confidence))),
    discToFluid: inDisc.length === 0 ? NaN : Math.exp(medianOf(inDisc) - csf),
    lostShare: meanOf(endplates.map((endplate) => endplate.lost)),
    roughnessMm: [endplates[0].roughnessMm, endplates[1].roughnessMm],
    zones: [zoneOf(above, 'lower'), zoneOf(below, 'upper')],
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

/** Marrow under an endplate, in the slices about the middle. */
function zoneOf({ slices, offset }: BodyMarrow, face: 'upper' | 'lower'): Zone {
  let [oedema, total] = [0, 0];
  const values: Record<MarrowContrast, number[]> = { t1w: [], t2w: [], stir: [] };
  for (const slice of slices.filter(({ offsetMm }) => Math.abs(offsetMm) <= centralMm)) {
    const inZone = slice.marrow.where((_, row, column) => {
      const rows = slice.body.rowsOf(column)!;
      return (face === 'upper' ? row - rows[0] : rows[1] - row) * slice.section.stepMm <= zoneMm;
    });
    total += inZone.count;
    oedema += inZone.and(changedPixels(slice, ['oedema'])).count;
    for (const contrast of marrowContrasts) {
      const deviation = slice.deviation[contrast];
      if (deviation !== undefined) values[contrast].push(...inZone.valuesOf(deviation).filter(Number.isFinite));
    }
  }
  const median = (contrast: MarrowContrast) => (values[contrast].length === 0 ? NaN : medianOf(values[contrast]) + (offset[contrast] ?? 0));
  return { oedemaShare: total === 0 ? 0 : oedema / total, t1w: median('t1w'), t2w: median('t2w'), suppressed: median('stir') };
}

/** Share of an endplate's columns without a dark line on T1w, NaN without T1w, and how uneven its outline is. */
function endplateOf(marrow: SpineMarrow, { slices }: BodyMarrow, face: 'upper' | 'lower'): { lost: number; roughnessMm: number } {
  let [lost, columns] = [0, 0];
  const squares: number[] = [];
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
    if (edge.length > 8 + 2 * besideColumns) squares.push(meanSquare(averaged(edge)));
  }
  return { lost: columns === 0 ? NaN : lost / columns, roughnessMm: squares.length === 0 ? 0 : Math.sqrt(meanOf(squares)) };
}

/** Heights of an outline, each the mean of those beside it; without its ends. */
function averaged(edge: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  return edge.slice(besideColumns, -besideColumns).map(([t], index) => [t, meanOf(edge.slice(index, index + 2 * besideColumns + 1).map(([, v]) => v))]);
}

/** From the least-squares parabola. */
function meanSquare(points: readonly (readonly [number, number])[]): number {
  const n = points.length;
  const mean = (value: (point: readonly [number, number]) => number) => points.reduce((sum, point) => sum + value(point), 0) / n;
  const m1 = mean(([t]) => t);
  const m2 = mean(([t]) => (t - m1) ** 2);
  const m3 = mean(([t]) => (t - m1) ** 3);
  const quadratic = (t: number) => (t - m1) ** 2 - m2 - (m3 / m2) * (t - m1);
  const middle = mean(([, v]) => v);
  const slope = mean(([t, v]) => (t - m1) * v) / m2;
  const bend = mean(([t, v]) => quadratic(t) * v) / mean(([t]) => quadratic(t) ** 2);
  return mean(([t, v]) => (v - middle - slope * (t - m1) - bend * quadratic(t)) ** 2);
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
function besideDisc(marrow: SpineMarrow, segment: Segment): Mask[] | undefined {
  const codes = [discCode(segment.name), bodyCode(segment.upper), bodyCode(segment.lower)];
  const slices = slicesWithin(marrow, segment, segment.halfWidthMm - 6, segment.halfWidthMm + besideMm);
  if (slices.length === 0) return undefined;
  return slices.flatMap((slice) => {
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
