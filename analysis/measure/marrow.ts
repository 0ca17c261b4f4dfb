/**
 * The marrow of the vertebral bodies against the patient's own healthy marrow.
 *
 *   ln S_c(r) = p_c(r) + b_c(body) + e_c(r)
 *
 * S_c: signal of a sagittal T1w, T2w or fat-suppressed series. p_c: a polynomial of second order in the patient, which is the
 * coil's shading and what all bodies have in common. b_c: what a body's healthy marrow has of its own, mostly fat.
 * e_c, the deviation, is what the measures of marrow read.
 *
 * Steps:
 * 1. Slices through the bodies, along each body's axes: what is deeper than `rimMm` under the outline is marrow.
 * 2. p_c by iterated reweighting, one weight a place for all contrasts: w = (1 - (χ / k)²)² where χ < k, χ² = Σ_c (e_c / σ_c)² / n,
 *    σ_c from the median of |e_c| (robustFit.ts). Changed marrow has no weight, so its share must be less than half.
 * 3. b_c: median of the places with weight, where these are a quarter of the body or more and differ as fat does; else 0.
 * 4. e_c averaged over a Gaussian within the marrow of the slice.
 *
 * Changed marrow by the signs of its deviations (Modic 1988, doi 10.1148/radiology.166.1.3336678):
 *
 *   oedema      T1w darker, T2w brighter     fluid: also tumour, infection and fracture
 *   fat         both brighter                suppressed with fat
 *   sclerosis   both darker
 *
 * Shading that T1w and T2w share is no part of e_2 - e_1, which therefore tells oedema from the others best.
 */
import { pointOf, resample, voxelOf, type ImageGeometry, type Vector3, type Volume } from '../../imaging/index.js';
import { bodyCode, levelCodeOf } from '../anatomy.js';
import type { Contrast, Finding, LabelledStack, Spine, Vertebra } from '../types.js';
import { stacksOf } from './finding.js';
import { Mask } from './mask.js';
import { dotAt, inverted, linearTerms, medianOf, quadraticTerms, robustFit, writeTerms, type FitSamples } from './robustFit.js';
import { dot, nSlicesOf, sliceNormal, sliceOffsetMm, sliceSection, subtract, without, type Section } from './section.js';

export type MarrowContrast = 't1w' | 't2w' | 'stir';
export const marrowContrasts: readonly MarrowContrast[] = ['t1w', 't2w', 'stir'];

export const changes = ['oedema', 'fat', 'sclerosis'] as const;
export type Change = (typeof changes)[number];

/** One slice through a body; pixels [row, column] of its section: columns to the back, rows to the feet. */
export interface BodySlice {
  readonly slice: number;
  /** Of the slice from the body's middle, mm, to the patient's left. */
  readonly offsetMm: number;
  readonly section: Section;
  readonly body: Mask;
  /** 1 where marrow is measured. */
  readonly marrow: Mask;
  /** NaN outside of the marrow. */
  readonly deviation: Partial<Record<MarrowContrast, Float32Array>>;
  /** [row, column]: 0 where marrow is as elsewhere in the patient, else 1 + the place in `changes`. */
  readonly change: Uint8Array;
}

export interface BodyMarrow {
  readonly vertebra: Vertebra;
  readonly slices: readonly BodySlice[];
  /** b_c */
  readonly offset: Partial<Record<MarrowContrast, number>>;
  /** Share of the marrow that has weight. */
  readonly healthyShare: number;
}

export interface SpineMarrow {
  readonly stack: LabelledStack;
  /** Which series each contrast is taken from. */
  readonly seriesIndices: Partial<Record<MarrowContrast, number>>;
  readonly bodies: readonly BodyMarrow[];
  /** Of healthy marrow, as the deviations are read: standard deviations from the median of |e_c|. */
  readonly spread: Partial<Record<MarrowContrast, number>>;
  /** ln S - p_c on a section of `stack`: any tissue against the patient's healthy marrow, free of shading near the bodies. NaN outside. */
  readonly relative: (section: Section, contrast: MarrowContrast) => Float32Array;
}

const stepMm = 0.8;
/** Cortex, endplate and the pixels that they share with marrow. */
const rimMm = 1.3;
/** Of the Gaussian that deviations are averaged with: below the thickness of what is told apart, above the grain. */
const smoothMm = 1;
const window = { u: [-32, 32], v: [-28, 28] } as const;
/** Of a lumbar body, with room. */
const halfWidthMm = 32;
const leastShiftMm = 0.4;
/** Slices with less of the body than this share of the largest one are its border, part of them something else. */
const leastArea = 0.5;
const fitStepPixels = 3;
/** So few bodies do not tell a bend of the shading from what one of them has. */
const bodiesForCurvature = 4;
const leastHealthyShare = 0.25;
/** By how much bodies of one person differ, ln: with fat both contrasts, with water one against the other. */
const ownFat = 0.2;
const ownFluid = 0.12;
/** Deviations, ln: below it, differences are those of the labels' edges. */
const leastSpread = 0.04;
/** Distances in standard deviations of healthy marrow: within which it is estimated, and beyond which it is changed. */
const healthyReach = 2.7;
const changedFrom = { pair: 2.2, withSuppressedFat: 2.5 } as const;
/** Of a body's height: nearer to its endplates is where marrow changes first. */
const middleFrom = 0.3;
/** Suppressed fat, ln: far beyond what fat does to healthy marrow; and the T1w beside it. */
const stirBright = 0.45;
const stirDark = -0.45;
const fatBright = 0.15;
const fatDark = -0.12;
/** Less than this is what edges do. */
const sclerosisDark = -0.3;
/** Where oedema begins and sclerosis begins and ends, as angles from T1w to T2w. */
const oedemaFromDeg = 75;
const sclerosisFromDeg = 200;
const sclerosisToDeg = 300;
/** Signals below this share of the median are taken for it: suppressed marrow is noise. */
const floorShare = 0.15;

const contrastsOf: Readonly<Record<MarrowContrast, readonly Contrast[]>> = { t1w: ['t1w'], t2w: ['t2w'], stir: ['stir', 't2fs'] };

const known = new WeakMap<Spine, SpineMarrow | undefined>();

/** Undefined without a sagittal T1w or T2w stack with bodies in it. */
export function spineMarrow(spine: Spine): SpineMarrow | undefined {
  if (!known.has(spine)) known.set(spine, measured(spine));
  return known.get(spine);
}

function measured(spine: Spine): SpineMarrow | undefined {
  const stack = stacksOf(spine, 'sagittal', ['t1w', 't2w'])[0];
  if (stack === undefined) return undefined;
  const seriesIndices: Partial<Record<MarrowContrast, number>> = {};
  const volumes: Partial<Record<MarrowContrast, Volume<Float32Array>>> = {};
  for (const contrast of marrowContrasts) {
    const index = seriesIndexOf(spine, contrastsOf[contrast]);
    if (index === undefined) continue;
    seriesIndices[contrast] = index;
    volumes[contrast] = onStack(spine, index, stack);
  }
  const raw = spine.vertebrae.flatMap((vertebra) => {
    const slices = slicesOf(stack, vertebra, volumes);
    return slices.length === 0 ? [] : [{ vertebra, slices }];
  });
  if (raw.length === 0) return undefined;
  return { stack, seriesIndices, ...normalised(raw, volumes) };
}

/** Scanned before computed. What is red is not read; suppressed fat that was computed of T1w and T2w adds nothing to them. */
function seriesIndexOf({ series }: Spine, contrasts: readonly Contrast[]): number | undefined {
  const candidates = series
    .map((candidate, index) => ({ ...candidate, index }))
    .filter(({ contrast, orientation, qualityLight }) => orientation === 'sagittal' && qualityLight !== 'red' && contrasts.includes(contrast))
    .filter(({ contrast, synthetic }) => !synthetic || contrast === 't1w' || contrast === 't2w')
    .sort((a, b) => Number(a.synthetic) - Number(b.synthetic) || contrasts.indexOf(a.contrast) - contrasts.indexOf(b.contrast));
  return candidates[0]?.index;
}

/** A series where the stack has its slices; moved with the bodies where both series have labels of their own. */
function onStack({ series, stacks }: Spine, index: number, stack: LabelledStack): Volume<Float32Array> {
  const { volume } = series[index]!;
  const own = stacks.find(({ seriesIndex }) => seriesIndex === index);
  const shiftMm = own === undefined || own === stack ? [0, 0, 0] as const : bodyShiftMm(stack, own);
  const target = series[stack.seriesIndex]!.volume.geometry;
  if (Math.hypot(...shiftMm) < leastShiftMm && sameSlices(volume.geometry, target)) return volume;
  const motion = [1, 0, 0, shiftMm[0], 0, 1, 0, shiftMm[1], 0, 0, 1, shiftMm[2], 0, 0, 0, 1];
  return resample(volume, target, 'linear', { outside: NaN, motion }) as Volume<Float32Array>;
}

/** Median over the bodies of how far their middles lie apart within the slices: the patient moved as a whole. */
function bodyShiftMm(from: LabelledStack, to: LabelledStack): Vector3 {
  const [there, here] = [bodyCentresMm(to), bodyCentresMm(from)];
  const shifts = [...here].flatMap(([code, centre]) => {
    const other = there.get(code);
    return other === undefined ? [] : [subtract(other, centre)];
  });
  if (shifts.length < 3) return [0, 0, 0];
  const shift = [0, 1, 2].map((axis) => medianOf(shifts.map((vector) => vector[axis]!))) as unknown as Vector3;
  return without(shift, sliceNormal(from));
}

/** By code, of the bodies that no border of the stack cuts. */
function bodyCentresMm({ codes: { data, geometry } }: LabelledStack): Map<number, Vector3> {
  const [columns, rows] = geometry.matrixSize;
  const sums = new Map<number, { at: [number, number, number]; count: number; isCut: boolean }>();
  data.forEach((code, voxel) => {
    if (levelCodeOf(code)?.kind !== 'body') return;
    const [column, row, slice] = [voxel % columns, Math.floor(voxel / columns) % rows, Math.floor(voxel / (columns * rows))];
    const sum = sums.get(code) ?? { at: [0, 0, 0], count: 0, isCut: false };
    sum.at[0] += column;
    sum.at[1] += row;
    sum.at[2] += slice;
    sum.count++;
    sum.isCut ||= column === 0 || row === 0 || column === columns - 1 || row === rows - 1;
    sums.set(code, sum);
  });
  return new Map([...sums].filter(([, { isCut }]) => !isCut)
    .map(([code, { at, count }]) => [code, pointOf(geometry, [at[0] / count, at[1] / count, at[2] / count])]));
}

function sameSlices(a: ImageGeometry, b: ImageGeometry): boolean {
  if (a.matrixSize[2] !== b.matrixSize[2]) return false;
  return [0, a.matrixSize[2] - 1].every((slice) => Math.abs(voxelOf(b, pointOf(a, [0, 0, slice]))[2] - slice) < 0.1);
}

interface RawSlice extends Omit<BodySlice, 'deviation' | 'change'> {
  /** S; NaN outside of the marrow and of the series. */
  readonly signal: Partial<Record<MarrowContrast, Float32Array>>;
}

function slicesOf(stack: LabelledStack, { name, frame }: Vertebra, volumes: Partial<Record<MarrowContrast, Volume<Float32Array>>>): RawSlice[] {
  const code = bodyCode(name);
  const normal = sliceNormal(stack);
  const present = Array.from({ length: nSlicesOf(stack) }, (_, slice) => ({ slice, offsetMm: sliceOffsetMm(stack, slice, frame.originMm) * Math.sign(dot(normal, frame.x)) }))
    .filter(({ offsetMm }) => Math.abs(offsetMm) < halfWidthMm)
    .flatMap(({ slice, offsetMm }) => {
      const section = sliceSection(stack, slice, frame, 'sagittal', window, stepMm);
      const body = section.mask(code).largest().filled();
      return body.isEmpty ? [] : [{ slice, offsetMm, section, body, areaMm2: body.areaMm2 }];
    });
  const largest = Math.max(0, ...present.map(({ areaMm2 }) => areaMm2));
  const within = present.filter(({ areaMm2 }) => areaMm2 >= leastArea * largest);
  // The outermost ones lie partly beside the body.
  return within.slice(within.length > 4 ? 1 : 0, within.length > 4 ? -1 : undefined).map(({ slice, offsetMm, section, body }) => {
    const marrow = body.shrunk(rimMm);
    const signal: Partial<Record<MarrowContrast, Float32Array>> = {};
    for (const contrast of marrowContrasts) {
      const volume = volumes[contrast];
      if (volume !== undefined) signal[contrast] = section.valuesOf(volume).map((value, pixel) => (marrow.pixels[pixel] === 1 ? value : NaN));
    }
    return { slice, offsetMm, section, body, marrow, signal };
  });
}

interface RawBody {
  readonly vertebra: Vertebra;
  readonly slices: readonly RawSlice[];
}

/** ln S of each contrast, with the body that a place is in. */
interface Samples extends FitSamples {
  readonly body: Int16Array;
  /** Of the body's height, -1 to 1: how far from its middle. */
  readonly height: Float32Array;
}

function normalised(bodies: readonly RawBody[], volumes: Partial<Record<MarrowContrast, Volume<Float32Array>>>): Pick<SpineMarrow, 'bodies' | 'spread' | 'relative'> {
  const contrasts = marrowContrasts.filter((contrast) => volumes[contrast] !== undefined);
  const floors = contrasts.map((contrast) => floorShare * medianOf(bodies.flatMap(({ slices }) => slices.flatMap(({ signal }) => [...sampled(signal[contrast]!)]))));
  const centreMm = centreOf(bodies);
  const nTerms = bodies.length >= bodiesForCurvature ? quadraticTerms : linearTerms;
  const samples = samplesOf(bodies, contrasts, floors, centreMm, nTerms);
  const { coefficients, weights } = robustFit(samples);
  const offsets = bodies.map((_, index) => offsetsOf(samples, coefficients, weights, index));

  const relativeAt = (c: number, value: number, pointMm: Vector3) => {
    writeTerms(pointMm, centreMm, terms, 0, nTerms);
    return Math.log(Math.max(floors[c]!, value)) - dotAt(coefficients[c]!, terms, 0);
  };
  const terms = new Float64Array(nTerms);
  const deviating = bodies.map(({ vertebra, slices }, index) => ({
    vertebra,
    healthyShare: offsets[index]!.healthyShare,
    offset: Object.fromEntries(contrasts.map((contrast, c) => [contrast, offsets[index]!.values[c]!])),
    slices: slices.map(({ signal, ...rest }): Omit<BodySlice, 'change'> => {
      const { section, marrow } = rest;
      const deviation: Partial<Record<MarrowContrast, Float32Array>> = {};
      contrasts.forEach((contrast, c) => {
        const raw = new Float32Array(marrow.pixels.length).fill(NaN);
        marrow.pixels.forEach((is, pixel) => {
          const value = signal[contrast]![pixel]!;
          if (is === 1 && Number.isFinite(value)) raw[pixel] = relativeAt(c, value, placeOf(section, pixel)) - offsets[index]!.values[c]!;
        });
        deviation[contrast] = smoothed(raw, section.nRows, section.nColumns);
      });
      return { ...rest, deviation };
    }),
  }));
  const all = deviating.flatMap(({ slices }) => slices);
  const precision = precisionOf(all, contrasts);
  return {
    bodies: deviating.map((body) => ({ ...body, slices: body.slices.map((slice) => ({ ...slice, change: changeOf(slice, contrasts, precision) })) })),
    spread: spreadOf(all, contrasts),
    relative: (section, contrast) => {
      const volume = volumes[contrast];
      if (volume === undefined) return new Float32Array(section.codes.length).fill(NaN);
      const c = contrasts.indexOf(contrast);
      return section.valuesOf(volume).map((value, pixel) => (Number.isFinite(value) ? relativeAt(c, value, placeOf(section, pixel)) : NaN));
    },
  };
}

/** Inverse of the covariance of healthy deviations, over places in the middle of the bodies that are not far from their mean; [contrast, contrast]. */
function precisionOf(slices: readonly Omit<BodySlice, 'change'>[], contrasts: readonly MarrowContrast[]): number[][] {
  const n = contrasts.length;
  const places = slices.flatMap(({ deviation, body, marrow }) => {
    const rows = body.rows() ?? [0, 0];
    const [from, to] = [rows[0] + middleFrom * (rows[1] - rows[0]), rows[1] - middleFrom * (rows[1] - rows[0])];
    return [...marrow.where((pixel, row) => pixel % 3 === 0 && row >= from && row <= to).pixels.entries()].filter(([, is]) => is === 1)
      .map(([pixel]) => contrasts.map((contrast) => deviation[contrast]![pixel]!))
      .filter((values) => values.every(Number.isFinite));
  });
  let precision = contrasts.map((_, i) => contrasts.map((__, j) => {
    const sigma = Math.max(leastSpread, 1.4826 * medianOf(places.map((values) => Math.abs(values[i]!))));
    return i === j ? 1 / sigma ** 2 : 0;
  }));
  for (let iteration = 0; iteration < 3; iteration++) {
    const near = places.filter((values) => squaredDistance(values, precision) < healthyReach ** 2);
    if (near.length < 10 * n) break;
    const covariance = contrasts.map((_, i) => contrasts.map((__, j) =>
      near.reduce((sum, values) => sum + values[i]! * values[j]!, 0) / near.length + (i === j ? leastSpread ** 2 : 0)));
    precision = inverted(covariance);
  }
  return precision;
}

function squaredDistance(values: ArrayLike<number>, precision: readonly (readonly number[])[]): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) for (let j = 0; j < values.length; j++) sum += values[i]! * precision[i]![j]! * values[j]!;
  return sum;
}

function changeOf({ marrow, deviation }: Omit<BodySlice, 'change'>, contrasts: readonly MarrowContrast[], precision: readonly (readonly number[])[]): Uint8Array {
  const change = new Uint8Array(marrow.pixels.length);
  const values = new Float64Array(contrasts.length);
  const from = contrasts.length > 2 ? changedFrom.withSuppressedFat : changedFrom.pair;
  marrow.pixels.forEach((is, pixel) => {
    if (is === 0) return;
    contrasts.forEach((contrast, c) => (values[c] = deviation[contrast]![pixel]!));
    if (!(squaredDistance(values, precision) > from ** 2)) return;
    const kind = kindOf(deviation.t1w?.[pixel], deviation.t2w?.[pixel], deviation.stir?.[pixel]);
    if (kind !== undefined) change[pixel] = 1 + changes.indexOf(kind);
  });
  return change;
}

function samplesOf(bodies: readonly RawBody[], contrasts: readonly MarrowContrast[], floors: readonly number[], centreMm: Vector3, nTerms: number): Samples {
  const [body, height, terms]: [number[], number[], number[]] = [[], [], []];
  const values = contrasts.map((): number[] => []);
  const own = new Float64Array(nTerms);
  bodies.forEach(({ slices }, index) => {
    for (const { section, marrow, signal } of slices) {
      const rows = marrow.rows();
      if (rows === undefined) continue;
      marrow.pixels.forEach((is, pixel) => {
        const [row, column] = [Math.floor(pixel / section.nColumns), pixel % section.nColumns];
        if (is === 0 || row % fitStepPixels !== 0 || column % fitStepPixels !== 0) return;
        const signals = contrasts.map((contrast) => signal[contrast]![pixel]!);
        if (!signals.every(Number.isFinite)) return;
        body.push(index);
        height.push((2 * row - rows[0] - rows[1]) / Math.max(1, rows[1] - rows[0]));
        writeTerms(placeOf(section, pixel), centreMm, own, 0, nTerms);
        terms.push(...own);
        signals.forEach((value, c) => values[c]!.push(Math.log(Math.max(floors[c]!, value))));
      });
    }
  });
  return { body: Int16Array.from(body), height: Float32Array.from(height), terms: Float64Array.from(terms), nTerms, values: values.map((list) => Float64Array.from(list)) };
}

function offsetsOf(samples: Samples, coefficients: readonly Float64Array[], weights: Float64Array, body: number): { values: number[]; healthyShare: number } {
  const own = [...samples.body.keys()].filter((sample) => samples.body[sample] === body);
  const healthy = own.filter((sample) => weights[sample]! > 0.2);
  const healthyShare = own.length === 0 ? 0 : healthy.length / own.length;
  if (healthyShare < leastHealthyShare) return { values: coefficients.map(() => 0), healthyShare };
  // What changes marrow begins at the endplates more often than between them.
  const inMiddle = healthy.filter((sample) => Math.abs(samples.height[sample]!) < 0.6);
  const from = inMiddle.length > 20 ? inMiddle : healthy;
  const values = coefficients.map((fit, c) => medianOf(from.map((sample) => samples.values[c]![sample]! - dotAt(fit, samples.terms, sample * samples.nTerms))));
  // T1w and T2w come first and go together with fat: what parts them is a change of the whole body.
  const [first = 0, second = first] = values;
  const isOwn = Math.abs(first) < ownFat && Math.abs(second) < ownFat && Math.abs(second - first) < ownFluid;
  return { values: isOwn ? values : values.map(() => 0), healthyShare };
}

/**
 * By the angle of (T1w, T2w): between the directions of the three changes, which turn with the fat of the marrow that they are in.
 * Suppressed fat decides where it is clear.
 */
function kindOf(t1w: number | undefined, t2w: number | undefined, stir: number | undefined): Change | undefined {
  if (t1w === undefined || t2w === undefined) return undefined;
  if (stir !== undefined && stir > stirBright && t1w < fatBright) return 'oedema';
  if (stir !== undefined && stir < stirDark) return t1w > fatDark ? 'fat' : t1w < sclerosisDark ? 'sclerosis' : undefined;
  const angleDeg = (Math.atan2(t2w, t1w) * 180) / Math.PI;
  if (angleDeg > oedemaFromDeg || angleDeg < sclerosisFromDeg - 360) return 'oedema';
  if (angleDeg > sclerosisToDeg - 360) return 'fat';
  return t1w < sclerosisDark ? 'sclerosis' : undefined;
}

function spreadOf(slices: readonly Omit<BodySlice, 'change'>[], contrasts: readonly MarrowContrast[]): Partial<Record<MarrowContrast, number>> {
  return Object.fromEntries(contrasts.map((contrast) => {
    const all = slices.flatMap(({ deviation }) => [...sampled(deviation[contrast]!)]);
    return [contrast, 1.4826 * medianOf(all.map(Math.abs))];
  }));
}

/** Finite values, one in some pixels. */
function sampled(image: Float32Array): Float32Array {
  return image.filter((value, pixel) => pixel % (fitStepPixels + 1) === 0 && Number.isFinite(value));
}

function centreOf(bodies: readonly RawBody[]): Vector3 {
  const mean = (axis: 0 | 1 | 2) => bodies.reduce((sum, { vertebra }) => sum + vertebra.frame.originMm[axis], 0) / bodies.length;
  return [mean(0), mean(1), mean(2)];
}

function placeOf(section: Section, pixel: number): Vector3 {
  return section.pointMm(section.u(pixel % section.nColumns), section.v(Math.floor(pixel / section.nColumns)));
}

/** Gaussian means of what is finite, where it is finite; [row, column]. */
function smoothed(image: Float32Array, nRows: number, nColumns: number): Float32Array {
  const sigma = smoothMm / stepMm;
  const radius = Math.ceil(2.5 * sigma);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, tap) => Math.exp(-((tap - radius) ** 2) / (2 * sigma * sigma)));
  const along = (values: Float64Array, stride: number, other: number, length: number, otherStride: number) => {
    const result = new Float64Array(values.length);
    for (let line = 0; line < other; line++) {
      for (let at = 0; at < length; at++) {
        let sum = 0;
        for (let tap = Math.max(-radius, -at); tap <= Math.min(radius, length - 1 - at); tap++) {
          sum += kernel[tap + radius]! * values[line * otherStride + (at + tap) * stride]!;
        }
        result[line * otherStride + at * stride] = sum;
      }
    }
    return result;
  };
  const both = (values: Float64Array) => along(along(values, 1, nRows, nColumns, nColumns), nColumns, nColumns, nRows, 1);
  const sums = both(Float64Array.from(image, (value) => (Number.isFinite(value) ? value : 0)));
  const weights = both(Float64Array.from(image, (value) => (Number.isFinite(value) ? 1 : 0)));
  return image.map((value, pixel) => (Number.isFinite(value) ? sums[pixel]! / weights[pixel]! : NaN));
}

/** Pixels with one of the changes. */
export function changedPixels({ section, change }: BodySlice, kinds: readonly Change[]): Mask {
  return new Mask(section, change.map((value) => (value > 0 && kinds.includes(changes[value - 1]!) ? 1 : 0)));
}

/** Of the body's marrow in all slices, 0 to 1. */
export function changeShare({ slices }: BodyMarrow, kinds: readonly Change[]): number {
  const total = slices.reduce((sum, { marrow }) => sum + marrow.count, 0);
  return total === 0 ? 0 : slices.reduce((sum, slice) => sum + changedPixels(slice, kinds).count, 0) / total;
}

/** Mean probability of the body's label, and how sure the vertebra is, 0 to 1. */
export function marrowConfidence({ slices, vertebra }: BodyMarrow): number {
  return Math.min(vertebra.confidence, slices.reduce((sum, { body }) => sum + body.confidence, 0) / slices.length);
}

export function basisOfMarrow({ series }: Spine, { seriesIndices }: SpineMarrow): Finding['basis'] {
  const indices = [...new Set(Object.values(seriesIndices))].sort((a, b) => a - b);
  return { seriesIndices: indices, synthetic: indices.some((index) => series[index]!.synthetic) };
}

const words: Readonly<Partial<Record<Contrast, string>>> = { t1w: 'T1w', t2w: 'T2w', stir: 'STIR', t2fs: 'T2w with suppressed fat' };

/** 'scanned T1w, T2w and STIR' */
export function contrastWords({ series }: Spine, { seriesIndices }: SpineMarrow): string {
  const named = marrowContrasts.flatMap((contrast) => {
    const index = seriesIndices[contrast];
    return index === undefined ? [] : [`${series[index]!.synthetic ? 'synthetic' : 'scanned'} ${words[series[index]!.contrast]!}`];
  });
  return named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)!}`;
}
