/**
 * Disc degeneration by Pfirrmann 2001, Spine 26:1873, on T2-weighted images, from the T2 that the nucleus' signal tells.
 *
 *   R = S(nucleus) / S(CSF beside it) = ρ(T2) m(T1(T2)) exp(-TE / T2) / [ρ m exp(-TE / T2)] of CSF
 *
 * solved for T2, which R rises with. m is the longitudinal magnetisation before each excitation (imaging/signal.ts); the nucleus'
 * proton density and T1 go with its T2 from the healthy to the degenerated one of imaging/tissues.ts. Then, as his algorithm asks:
 *
 *   V    the space has collapsed: height index below half of the region's mean. A disc that is as dark as its endplates is outlined
 *        with them, so that of a dark one's index `darkEndplates` is taken off first
 *   IV   dark: T2 below the mean of grades III and IV
 *   III  grey: T2 below the mean of grades II and III
 *   II   bright, but uneven (the nucleus varies by more than `homogeneous`) or below the mean of grade II
 *   I    bright and even
 *
 * T2 at 1.5 T: grade II 108, IV 53 ms (Marinelli 2010, doi 10.3174/ajnr.A2080), III half way between; at 3 T as much shorter as the
 * nucleus of the tissue table. Signal tells I to IV apart, height only V (Salamat 2016, doi 10.1186/s40064-016-2542-5).
 *
 * The nucleus is the middle half of the depth and of the height of the space. CSF is the upper tenth of the sac's pixels about the
 * disc, as roots are darker. Both are seen by their means over `meanMm` to either side: the upper tenth of noisy pixels is above
 * what they show, and noise makes an even nucleus uneven. A surface coil's fall-off between the two is taken off: the slope of the logarithm of the marrow's
 * signal from front to back, median of the bodies in the slice; marrow is the one tissue that is alike from front to back.
 */
import { longitudinalAtExcitation, percentileOf, tissueAt, type FieldStrengthT } from '../../imaging/index.js';
import { bodyCode, discCode, structureCodes } from '../anatomy.js';
import type { AnalysisSeries, Assess, Finding, Grade, LabelledStack, NotAssessed, Segment, Spine } from '../types.js';
import { drawingOf, isMissing, outlinedSpace, type OutlinedSpace } from './bodies.js';
import { discHeightsOf, gapAt, sharedPlace } from './discHeight.js';
import { assessmentOf, basisOf, leastConfidence, notAssessed, seriesOf, stacksOf } from './finding.js';
import type { Mask } from './mask.js';
import { medianOf, pointAt } from './outline.js';
import { framePlane, planeSection, reaches, sliceStepMm, type Section } from './section.js';

export type PfirrmannGrade = '1' | '2' | '3' | '4' | '5';

export interface Nucleus {
  readonly t2Ms: number;
  /** Standard deviation over mean, of T2 from place to place. */
  readonly variation: number;
  /** Signal over that of CSF. */
  readonly signalRatio: number;
}

/** Means of healthy discs: lumbar 0.30, thoracic 0.19, cervical 0.36; half of them. Ours. */
const collapsedIndex: Readonly<Record<string, number>> = { C: 0.18, T: 0.095, L: 0.15 };
/** A millimetre of a lumbar vertebra: half of one for either endplate. Ours, set on simulated spines. */
const darkEndplates = 0.03;
const t2ByGradeMs = { II: 108, III: 80.5, IV: 53 } as const;
const homogeneous = 0.08;
/** Where a series does not say: usual for T2w of the spine. */
const usual = { trMs: 4000, teMs: 100 } as const;
const echoTrain = { echoSpacingMs: 10, echoTrainLength: 16 } as const;
const t2RangeMs = [20, 300] as const;
const csfPercent = 90;
const csfReachMm = 14;
const meanMm = 1;
const leastPixels = 12;
const severities = { 1: 'normal', 2: 'normal', 3: 'mild', 4: 'moderate', 5: 'severe' } as const;

export const assessPfirrmann: Assess = (spine) => {
  const stacks = stacksOf(spine, 'sagittal', ['t2w']);
  if (stacks.length === 0) return assessmentOf([notAssessed('pfirrmann', 'ANALYSIS_INFO_NO_SERIES', 'no sagittal T2w series without fat suppression')]);
  const slopes = new Map(stacks.map((stack) => [stack, shadingPerMm(spine, stack)]));
  return assessmentOf(spine.segments.map((segment): Finding | NotAssessed => {
    const level = { level: segment.name };
    const space = outlinedSpace(spine, segment);
    if (isMissing(space)) return notAssessed('pfirrmann', space.code, space.got, level);
    const stack = stacks.find((one) => reaches(one, segment.frame.originMm));
    if (stack === undefined) return notAssessed('pfirrmann', 'ANALYSIS_INFO_NOT_COVERED', 'no slice of the T2w series through the middle of the disc', level);
    const section = planeSection(stack, framePlane(segment.frame, 'sagittal'), { u: [-segment.halfDepthMm - 4, segment.halfDepthMm + 34], v: [-22, 22] }, 0.5);
    const disc = section.mask(discCode(segment.name));
    const confidence = Math.min(space.confidence, disc.largest().confidence);
    if (!disc.isEmpty && confidence < leastConfidence) return notAssessed('pfirrmann', 'ANALYSIS_INFO_UNSURE', `the disc is outlined with a confidence of ${confidence.toFixed(2)}`, level);
    const nucleus = nucleusOf(section, space, seriesOf(spine, stack)!, slopes.get(stack)!);
    if (nucleus === undefined) return notAssessed('pfirrmann', 'ANALYSIS_INFO_NOT_COVERED', 'no CSF beside the disc to compare its signal with', level);
    return findingOf(spine, segment, space, stack, nucleus, confidence);
  }));
};

/** Undefined where the section shows no CSF, or no nucleus of a few pixels. */
function nucleusOf(section: Section, space: OutlinedSpace, series: AnalysisSeries, shading: number): Nucleus | undefined {
  const image = section.valuesOf(series.volume);
  const { frame, name } = space.segment;
  const inNucleus = nucleusMask(section, space);
  const labelled = inNucleus.and(section.mask(discCode(name)));
  // Of a disc that was hardly found the place between the bodies tells as much.
  const nucleus = labelled.count > inNucleus.count / 2 ? labelled : inNucleus;
  const csf = [-1, 0, 1].flatMap((side) => {
    const beside = planeSection(section.stack, framePlane(frame, 'sagittal', side * sliceStepMm(section.stack)), { u: [0, section.u(section.nColumns - 1)], v: [-csfReachMm, csfReachMm] }, 0.5);
    const sac = beside.mask(structureCodes.sac).shrunk(1);
    return [{ values: meansIn(sac, beside.valuesOf(series.volume)), u: sac.centroid()?.u }];
  });
  const fluid = Float64Array.from(csf.flatMap(({ values }) => values)).sort();
  const places = csf.flatMap(({ u }) => (u === undefined ? [] : [u]));
  const signals = meansIn(nucleus, image);
  if (fluid.length < leastPixels || signals.length < leastPixels) return undefined;
  const towardsCsfMm = medianOf(places) - nucleus.centroid()!.u;
  const ratioOf = (signal: number) => (signal / percentileOf(fluid, csfPercent)) * Math.exp(shading * towardsCsfMm);
  const t2Of = t2FromRatio(series);
  const times = signals.map((signal) => t2Of(ratioOf(signal)));
  const mean = times.reduce((sum, t2) => sum + t2, 0) / times.length;
  const deviation = Math.sqrt(times.reduce((sum, t2) => sum + (t2 - mean) ** 2, 0) / times.length);
  const meanSignal = signals.reduce((sum, signal) => sum + signal, 0) / signals.length;
  return { t2Ms: mean, variation: deviation / mean, signalRatio: ratioOf(meanSignal) };
}

/** Of each pixel of a mask the mean of what of the mask is within `meanMm` along rows and columns. */
function meansIn(mask: Mask, image: Float32Array): number[] {
  const { nColumns, stepMm } = mask.section;
  const reach = Math.round(meanMm / stepMm);
  const means: number[] = [];
  mask.where((_, row, column) => {
    let [sum, count] = [0, 0];
    for (let r = row - reach; r <= row + reach; r++) {
      for (let c = column - reach; c <= column + reach; c++) {
        const value = mask.has(r, c) ? image[r * nColumns + c]! : NaN;
        if (!Number.isFinite(value)) continue;
        sum += value;
        count++;
      }
    }
    if (count > 0) means.push(sum / count);
    return false;
  });
  return means;
}

function nucleusMask(section: Section, space: OutlinedSpace) {
  const [from, to] = [sharedPlace(space, 0.25), sharedPlace(space, 0.75)];
  const gaps = Array.from({ length: section.nColumns }, (_, column) => {
    const u = section.u(column);
    return u < from || u > to ? undefined : gapAt(space, u);
  });
  return section.mask().inverted().where((_, row, column) => {
    const gap = gaps[column];
    if (gap === undefined) return false;
    const quarter = (gap[1] - gap[0]) / 4;
    return section.v(row) >= gap[0] + quarter && section.v(row) <= gap[1] - quarter;
  });
}

/** T2 in ms from a nucleus' signal over that of CSF, in a series with its TR, TE and field strength. */
export function t2FromRatio({ trMs = usual.trMs, teMs = usual.teMs, fieldStrengthT = 1.5 }: Pick<AnalysisSeries, 'trMs' | 'teMs' | 'fieldStrengthT'>): (ratio: number) => number {
  const field = nearestField(fieldStrengthT);
  const [healthy, worn, csf] = [tissueAt('nucleus', field), tissueAt('degeneratedNucleus', field), tissueAt('csf', field)];
  const sequence = { trMs: Math.max(trMs, 500), ...echoTrain };
  const signal = (protons: number, t1Ms: number, t2Ms: number) => protons * longitudinalAtExcitation(t1Ms, sequence) * Math.exp(-teMs / t2Ms);
  const fluid = signal(csf.protonDensity, csf.t1Ms, csf.t2Ms);
  const ratioAt = (t2Ms: number) => {
    const share = Math.max(0, Math.min(1, (t2Ms - worn.t2Ms) / (healthy.t2Ms - worn.t2Ms)));
    const between = (of: 'protonDensity' | 't1Ms') => worn[of] + share * (healthy[of] - worn[of]);
    return signal(between('protonDensity'), between('t1Ms'), t2Ms) / fluid;
  };
  return (ratio) => {
    let [low, high]: [number, number] = [...t2RangeMs];
    for (let step = 0; step < 24; step++) {
      const middle = (low + high) / 2;
      if (ratioAt(middle) < ratio) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
}

export function pfirrmannOf(segment: string, { t2Ms, variation }: Pick<Nucleus, 't2Ms' | 'variation'>, heightIndex: number, fieldStrengthT = 1.5): PfirrmannGrade {
  const [bright, grey, dark] = cutoffsMs(fieldStrengthT);
  if (spaceIndex(heightIndex, t2Ms, fieldStrengthT) < collapsedIndex[segment[0]!]!) return '5';
  if (t2Ms < dark) return '4';
  if (t2Ms < grey) return '3';
  return variation > homogeneous || t2Ms < bright ? '2' : '1';
}

/** A height index without the endplates that a dark disc is outlined with. */
function spaceIndex(heightIndex: number, t2Ms: number, fieldStrengthT: number): number {
  return heightIndex - (t2Ms < cutoffsMs(fieldStrengthT)[2] ? darkEndplates : 0);
}

/** T2 from which on a nucleus is bright, below which it is grey, and below which it is dark. */
function cutoffsMs(fieldStrengthT: number): readonly [bright: number, grey: number, dark: number] {
  const { II, III, IV } = t2ByGradeMs;
  const shorter = tissueAt('nucleus', nearestField(fieldStrengthT)).t2Ms / tissueAt('nucleus', 1.5).t2Ms;
  return [shorter * II, (shorter * (II + III)) / 2, (shorter * (III + IV)) / 2];
}

function nearestField(fieldStrengthT: number): FieldStrengthT {
  return fieldStrengthT > 2.2 ? 3 : 1.5;
}

/** Rise of the logarithm of the marrow's signal to the back, a mm: what the coil makes of it. Never a fall: the coil lies behind. */
function shadingPerMm(spine: Spine, stack: LabelledStack): number {
  const { volume } = seriesOf(spine, stack)!;
  const slopes = spine.vertebrae.flatMap(({ name, frame }) => {
    if (name === 'S1' || !reaches(stack, frame.originMm)) return [];
    const section = planeSection(stack, framePlane(frame, 'sagittal'), { u: [-24, 24], v: [-16, 16] }, 1);
    const marrow = section.mask(bodyCode(name)).largest().shrunk(4);
    const image = section.valuesOf(volume);
    let [n, sumU, sumUu, sumL, sumUl] = [0, 0, 0, 0, 0];
    marrow.pixels.forEach((is, pixel) => {
      const [u, value] = [section.u(pixel % section.nColumns), image[pixel]!];
      if (is === 0 || !(value > 0)) return;
      const log = Math.log(value);
      n++;
      sumU += u;
      sumUu += u * u;
      sumL += log;
      sumUl += u * log;
    });
    const spread = n * sumUu - sumU * sumU;
    return n < 50 || spread <= 0 ? [] : [(n * sumUl - sumU * sumL) / spread];
  });
  return slopes.length === 0 ? 0 : Math.max(0, medianOf(slopes));
}

function findingOf(spine: Spine, segment: Segment, space: OutlinedSpace, stack: LabelledStack, nucleus: Nucleus, confidence: number): Finding {
  const { fieldStrengthT = 1.5, teMs } = seriesOf(spine, stack)!;
  const { heightIndex } = discHeightsOf(space);
  const value = pfirrmannOf(segment.name, nucleus, heightIndex, fieldStrengthT);
  const collapsed = collapsedIndex[segment.name[0]!]!;
  const margins = [Math.abs(spaceIndex(heightIndex, nucleus.t2Ms, fieldStrengthT) / collapsed - 1), ...(value === '5' ? [] : cutoffsMs(fieldStrengthT).map((cutoff) => Math.abs(nucleus.t2Ms / cutoff - 1)))];
  const grade: Grade = { scale: 'pfirrmann', value, severity: severities[value], marginShare: Math.min(...margins) };
  const corners = ([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]] as const).map(([along, down]) => {
    const u = sharedPlace(space, along);
    const [top, base] = gapAt(space, u);
    return pointAt(space.above, u, top + down * (base - top));
  });
  const drawing = drawingOf(stack, segment.frame, 80, [discCode(segment.name)], [], [{ pointsMm: corners, text: `T2 ${nucleus.t2Ms.toFixed(0)} ms` }]);
  return {
    kind: 'pfirrmann', level: segment.name,
    measures: [
      { name: 'nucleusT2', value: nucleus.t2Ms, unit: 'ms' },
      { name: 'nucleusVariation', value: nucleus.variation, unit: '1' },
      { name: 'signalRatio', value: nucleus.signalRatio, unit: '1' },
      { name: 'heightIndex', value: heightIndex, unit: '1' },
    ],
    grades: [grade],
    signs: teMs === undefined ? [`T2 estimated for an echo time of ${usual.teMs} ms, as the series names none`] : [],
    basis: basisOf(spine, [stack, space.stack]),
    confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}
