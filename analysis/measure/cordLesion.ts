/**
 * Lesions of the cord that are bright on T2w.
 *
 *   ln S(r) = p(r) + e(r)      within the cord, p smooth (robustFit.ts): shading and the healthy cord, from slices that cut it deep
 *   lesion    what hangs together with e above `seedReach` σ, out to `edgeShare` of its contrast, and stands out from the cord above and below it
 *   length    of its extent along the cord, from edge to edge (the intramedullary lesion length, IMLL)
 *   volume    its pixels × the step of the slices
 *   axial     share of the cord in the axial slice with most of it, its rim counted as healthy, and a BASIC-like score: 1 about the grey matter,
 *             2 more than that, 3 the whole section but its rim, 4 with dark spots in it (Talbott 2015, doi 10.3171/2015.1.SPINE141033); only where the
 *             lesion lies in the middle, as a contusion does
 *
 * The rim of the cord is left out: its pixels are partly fluid. Slices that cut it less deep are, too, but fluid fades slowly along the cord: there e is
 * what differs from the slice's own median over a long way, and what does not end is no lesion. What is brain stem is left out. A length over three vertebrae is called
 * longitudinally extensive (Wingerchuk 2015, doi 10.1212/WNL.0000000000001729); short dorsolateral ones are what multiple
 * sclerosis has (Tartaglino 1995, Radiology 195:725). Which disease it is, is not said.
 */
import { structureCodes } from '../anatomy.js';
import { affineLps, transformPoint, type Vector3 } from '../../imaging/index.js';
import type { Assess, Drawing, Finding, Frame, Grade, LabelledStack, Measure, Spine } from '../types.js';
import { assessmentOf, basisOf, leastConfidence, notAssessed, seriesOf, stacksOf } from './finding.js';
import { Mask } from './mask.js';
import { dotAt, medianOf, quadraticTerms, robustFit, writeTerms } from './robustFit.js';
import { dot, inFrame, moved, nSlicesOf, sliceNormal, sliceOffsetMm, sliceSection, sliceStepMm, subtract, unit, type Section, type Window } from './section.js';

const stepMm = 0.6;
const rimMm = 1;
/** A slice cuts the cord where it is at least so deep, as a share of its depth in the slice that cuts it best. */
const leastDepth = 0.7;
/** Where it is so deep, it lies within it with its whole thickness; what is less deep has some fluid in it. */
const wellCutDepth = 0.85;
/** Under its edges some fluid shines into the cord, where it is cut at a slant. */
const edgeDepthMm = 3;
/** Of its depth, at the most. */
const edgeShareOfDepth = 0.36;
/** ln, of the middle of a row. */
const brightMiddle = 0.18;
/** Along the cord, to either side: half of it is healthy. */
const levelReachMm = 30;
const seedReach = 4;
/** Lesions begin in the depth of the cord: what grows brighter to its rim alone is fluid in the same pixel. */
const seedDepthMm = 1.7;
const leastSeeds = 4;
/** ln: less is what pulsation and truncation do in the cord. */
const leastContrast = 0.18;
const edgeShare = 0.38;
const edgeReach = 2;
const leastVolumeMm3 = 60;
/** Pieces of a lesion that noise has parted, along the cord. */
const gapMm = 3;
const leastLengthMm = 4;
const leastCordMm3 = 300;
/** Rows beyond a lesion's ends, and how bright they may be there beside it: where the cord leaves its slices brightness fades slowly, or nothing is left of it. */
const besideRows = [3, 12] as const;
const leastBeside = 5;
const mostBeside = 0.6;
/** From the middle of the axis' body: about the tip of its dens. Above, the cord becomes the brain stem, which is wider and bends away. */
const aboveAxisMm = 25;
const extensiveVertebrae = 3;
/** Of the cord's half axes, from its middle: beyond, a lesion lies to one side. */
const offCentre = 0.35;
const scores = { grey: 0.35, whole: 0.85 } as const;
const darkContrast = -0.25;
const darkMm2 = 2;
const marginMm = 3;

/** The cord in the slices of a stack; all sections have the same pixels. */
interface Cord {
  readonly stack: LabelledStack;
  readonly sections: readonly Section[];
  readonly whole: readonly Mask[];
  readonly inner: readonly Mask[];
  /** ln S, by slice; NaN outside of the inner cord. */
  readonly logarithms: readonly Float32Array[];
  /** e, the mean over three by three pixels. */
  readonly smooth: readonly Float32Array[];
  /** Of e in the healthy cord. */
  readonly sigma: number;
}

interface Lesion {
  /** By slice. */
  readonly masks: readonly Mask[];
  readonly centreMm: Vector3;
  readonly fromMm: Vector3;
  readonly toMm: Vector3;
  readonly lengthMm: number;
  readonly volumeMm3: number;
  /** ln, of its brightest tenth. */
  readonly contrast: number;
  readonly confidence: number;
}

export const assessCordLesion: Assess = (spine) => {
  const stacks = stacksOf(spine, 'sagittal', ['t2w', 'stir', 't2fs']).filter((stack) => seriesOf(spine, stack)?.qualityLight !== 'red');
  if (stacks.length === 0) return assessmentOf([notAssessed('cordLesion', 'ANALYSIS_INFO_NO_SERIES', 'no sagittal T2w or STIR series')]);
  const stack = stacks[0]!;
  const cord = cordOf(spine, stack, sagittalFrame(stack), 'sagittal');
  if (cord === undefined) return assessmentOf([notAssessed('cordLesion', 'ANALYSIS_INFO_NOT_COVERED', 'no slice through the cord')]);
  const sure = meanOf(cord.inner.filter((mask) => !mask.isEmpty).map((mask) => mask.confidence));
  if (sure < leastConfidence) return assessmentOf([notAssessed('cordLesion', 'ANALYSIS_INFO_UNSURE', `cord outlined with a confidence of ${sure.toFixed(2)}`)]);
  const lesions = lesionsOf(cord);
  const count: Measure = { name: 'lesionCount', value: lesions.length, unit: '1' };
  if (lesions.length === 0) {
    return assessmentOf([{ kind: 'cordLesion', measures: [count], grades: [{ scale: 'imll', value: 'none', severity: 'normal' }], signs: [], basis: basisOf(spine, [stack]), confidence: sure }]);
  }
  const axial = stacksOf(spine, 'axial', ['t2w']).flatMap((other) => {
    const found = cordOf(spine, other, axialFrame(other), 'axial');
    return found === undefined ? [] : [found];
  });
  return assessmentOf(lesions.map((lesion) => findingOf(spine, cord, axial, lesion)));
};

function cordOf(spine: Spine, stack: LabelledStack, frame: Frame, cut: 'sagittal' | 'axial'): Cord | undefined {
  const window = cordWindow(stack, frame, cut);
  if (window === undefined) return undefined;
  const sections = Array.from({ length: nSlicesOf(stack) }, (_, slice) => sliceSection(stack, slice, frame, cut, window, stepMm));
  const axis = spine.vertebrae.find(({ name }) => name === 'C2')?.frame;
  const isCord = (section: Section, pixel: number) => axis === undefined || inFrame(axis, placeOf(section, pixel))[2] < aboveAxisMm;
  const whole = sections.map((section) => section.mask(structureCodes.cord).where((pixel) => isCord(section, pixel)).opened(stepMm).filled());
  const shrunk = whole.map((mask) => mask.shrunk(rimMm));
  const inner = cut === 'sagittal' ? whereDeep(whole, shrunk, leastDepth) : shrunk;
  if (inner.reduce((sum, mask) => sum + mask.areaMm2, 0) * sliceStepMm(stack) < leastCordMm3) return undefined;
  const volume = seriesOf(spine, stack)!.volume;
  const logarithms = inner.map((mask) => {
    const values = mask.section.valuesOf(volume);
    return values.map((value, pixel) => (mask.pixels[pixel] === 1 && value > 0 ? Math.log(value) : NaN));
  });
  const wellCut = cut === 'sagittal' ? whereDeep(whole, shrunk, wellCutDepth) : shrunk;
  return { stack, sections, whole, inner, logarithms, ...deviationOf(whole, wellCut, logarithms, frame.originMm) };
}

/** Rows where a slice cuts the cord about as deep as the deepest of them does. */
function whereDeep(whole: readonly Mask[], shrunk: readonly Mask[], share: number): Mask[] {
  const depths = whole.map((mask) => Array.from({ length: mask.section.nRows }, (_, row) => mask.rowLengthMm(row)));
  return shrunk.map((mask, slice) => mask.where((_, row) => depths[slice]![row]! >= share * Math.max(...depths.map((own) => own[row]!))));
}

function deviationOf(whole: readonly Mask[], wellCut: readonly Mask[], logarithms: readonly Float32Array[], originMm: Vector3): Pick<Cord, 'smooth' | 'sigma'> {
  const sections = wellCut.map(({ section }) => section);
  const terms: number[] = [];
  const values: number[] = [];
  const own = new Float64Array(quadraticTerms);
  sections.forEach((section, slice) => logarithms[slice]!.forEach((value, pixel) => {
    if (wellCut[slice]!.pixels[pixel] === 0 || !Number.isFinite(value) || (pixel + Math.floor(pixel / section.nColumns)) % 2 === 1) return;
    writeTerms(placeOf(section, pixel), originMm, own, 0, quadraticTerms);
    terms.push(...own);
    values.push(value);
  }));
  const { coefficients } = robustFit({ terms: Float64Array.from(terms), nTerms: quadraticTerms, values: [Float64Array.from(values)] });
  const deviation = sections.map((section, slice) => logarithms[slice]!.map((value, pixel) => {
    if (!Number.isFinite(value)) return NaN;
    writeTerms(placeOf(section, pixel), originMm, own, 0, quadraticTerms);
    return value - dotAt(coefficients[0]!, own, 0);
  }));
  // Lesions are bright: the darker half tells the noise.
  const smooth = deviation.map((values, slice) => levelled(averaged(values, sections[slice]!), whole[slice]!, wellCut[slice]!));
  const below = smooth.flatMap((values, slice) => [...values.filter((value, pixel) => wellCut[slice]!.pixels[pixel] === 1 && value <= 0)]);
  return { smooth, sigma: 1.4826 * medianOf(below.map((value) => -value)) };
}

/**
 * Less the median over a long way along the cord of what is as deep under the same edge of the cord in the slice, near its edges and in rows that a slice cuts
 * less deep.
 */
function levelled(values: Float32Array, whole: Mask, wellCut: Mask): Float32Array {
  const { nRows, nColumns } = whole.section;
  const reach = Math.round(levelReachMm / stepMm);
  /** Steps under the front edge, or as negative numbers under the back one; NaN in the depth of a row that is cut well. */
  const depths = new Float32Array(values.length).fill(NaN);
  const byDepth = new Map<number, number[][]>();
  for (let row = 0; row < nRows; row++) {
    const columns = Array.from({ length: nColumns }, (_, column) => column).filter((column) => whole.pixels[row * nColumns + column] === 1);
    const edgeSteps = Math.min(Math.round(edgeDepthMm / stepMm), Math.floor(edgeShareOfDepth * columns.length));
    const isWellCut = columns.some((column) => wellCut.pixels[row * nColumns + column] === 1);
    const middle = columns.filter((column, place) => Math.min(place, columns.length - 1 - place) > edgeSteps && Number.isFinite(values[row * nColumns + column]));
    // Fluid under the edges does not reach the middle; a lesion does, however long it is.
    if (isWellCut && middle.length > 0 && meanOf(middle.map((column) => values[row * nColumns + column]!)) > brightMiddle) continue;
    for (const column of columns) {
      const [front, back] = [column - columns[0]!, columns.at(-1)! - column];
      const pixel = row * nColumns + column;
      if (!Number.isFinite(values[pixel]) || (isWellCut && Math.min(front, back) > edgeSteps)) continue;
      const depth = depths[pixel] = front <= back ? front : -1 - back;
      if (!byDepth.has(depth)) byDepth.set(depth, Array.from({ length: nRows }, () => []));
      byDepth.get(depth)![row]!.push(values[pixel]!);
    }
  }
  const levels = new Map([...byDepth].map(([depth, rows]) => [depth, rows.map((own, row) => {
    const near = own.length === 0 ? [] : rows.slice(Math.max(0, row - reach), row + reach + 1).flat();
    return near.length < reach / 2 ? NaN : medianOf(near);
  })]));
  return values.map((value, pixel) => (Number.isFinite(depths[pixel]) ? value - levels.get(depths[pixel]!)![Math.floor(pixel / nColumns)]! : value));
}

function lesionsOf(cord: Cord): Lesion[] {
  const { smooth, inner, sigma } = cord;
  const seed = Math.max(leastContrast, seedReach * sigma);
  const edge = Math.max(leastContrast / 2, edgeReach * sigma);
  const deep = inner.map((mask) => mask.shrunk(seedDepthMm - rimMm));
  const { nColumns } = inner[0]!.section;
  const n = smooth[0]!.length;
  const valueAt = (voxel: number) => smooth[Math.floor(voxel / n)]![voxel % n]!;
  const cores = volumesOf(smooth.map((values, slice) => values.map((value, pixel) => (value > seed && deep[slice]!.pixels[pixel] === 1 ? 1 : 0))), nColumns)
    .filter(({ size }) => size >= leastSeeds)
    .map((core) => ({ contrast: brightTenth(core, valueAt), brightest: [...core].reduce((a, b) => (valueAt(b) > valueAt(a) ? b : a)) }))
    .sort((a, b) => b.contrast - a.contrast);
  const pieces: Set<number>[] = [];
  const taken = new Set<number>();
  // What is faint does not swallow what stands out beside it.
  for (const { contrast, brightest } of cores) {
    if (taken.has(brightest)) continue;
    const from = Math.max(edge, Math.log(1 + edgeShare * (Math.exp(contrast) - 1)));
    const grown = volumesOf(smooth.map((values, slice) => values.map((value, pixel) => (value > from && !taken.has(slice * n + pixel) ? 1 : 0))), nColumns).find((voxels) => voxels.has(brightest))!;
    pieces.push(grown);
    grown.forEach((voxel) => taken.add(voxel));
  }
  return joined(pieces.filter((piece) => ends(cord, piece, taken)), n, nColumns)
    .map((voxels) => lesionOf(cord, voxels, brightTenth(voxels, valueAt)))
    .filter(({ volumeMm3, lengthMm }) => volumeMm3 >= leastVolumeMm3 && lengthMm >= leastLengthMm)
    .sort((a, b) => b.volumeMm3 - a.volumeMm3);
}

function brightTenth(voxels: ReadonlySet<number>, valueAt: (voxel: number) => number): number {
  const values = Float64Array.from(voxels, valueAt).sort();
  return values[Math.floor(0.9 * (values.length - 1))]!;
}

/**
 * Whether what is bright stands out from the cord above and below it in the same slices, other bright pieces apart; where there is no cord, on neither side, it is
 * not known to end.
 */
function ends({ sections, smooth }: Cord, voxels: ReadonlySet<number>, bright: ReadonlySet<number>): boolean {
  const n = smooth[0]!.length;
  const { nColumns, nRows } = sections[0]!;
  const inside: number[] = [];
  const [above, below]: [number[], number[]] = [[], []];
  smooth.forEach((values, slice) => {
    const own = [...voxels].filter((voxel) => Math.floor(voxel / n) === slice);
    if (own.length === 0) return;
    const rows = own.map((voxel) => Math.floor((voxel % n) / nColumns));
    const [first, last] = [rows.reduce((a, b) => Math.min(a, b)), rows.reduce((a, b) => Math.max(a, b))];
    const columns = new Set(own.map((voxel) => voxel % nColumns));
    inside.push(...own.map((voxel) => values[voxel % n]!));
    for (const [beyond, from, to] of [[above, first - besideRows[1], first - besideRows[0]], [below, last + besideRows[0], last + besideRows[1]]] as const) {
      for (let row = Math.max(0, from); row <= Math.min(nRows - 1, to); row++) {
        for (const column of columns) {
          const pixel = row * nColumns + column;
          if (Number.isFinite(values[pixel]) && !bright.has(slice * n + pixel)) beyond.push(values[pixel]!);
        }
      }
    }
  });
  const seen = [above, below].filter(({ length }) => length >= leastBeside);
  return seen.length > 0 && seen.every((beyond) => meanOf(beyond) <= mostBeside * meanOf(inside));
}

/** Pieces that are within a gap of each other and in the same or neighbouring slices are one. */
function joined(pieces: readonly ReadonlySet<number>[], nPixels: number, nColumns: number): Set<number>[] {
  const boxOf = (voxels: ReadonlySet<number>) => {
    const box = { slice: [Infinity, -Infinity], row: [Infinity, -Infinity], column: [Infinity, -Infinity] };
    for (const voxel of voxels) {
      const pixel = voxel % nPixels;
      for (const [name, at] of [['slice', Math.floor(voxel / nPixels)], ['row', Math.floor(pixel / nColumns)], ['column', pixel % nColumns]] as const) {
        box[name] = [Math.min(box[name][0]!, at), Math.max(box[name][1]!, at)];
      }
    }
    return box;
  };
  const apart = (a: readonly number[], b: readonly number[]) => Math.max(0, a[0]! - b[1]!, b[0]! - a[1]!);
  const sets: Set<number>[] = [];
  for (const piece of pieces) {
    const box = boxOf(piece);
    const near = sets.filter((other) => {
      const its = boxOf(other);
      return apart(box.slice, its.slice) <= 1 && apart(box.row, its.row) * stepMm <= gapMm && apart(box.column, its.column) * stepMm <= gapMm / 2;
    });
    const whole = new Set([...piece, ...near.flatMap((other) => [...other])]);
    near.forEach((other) => sets.splice(sets.indexOf(other), 1));
    sets.push(whole);
  }
  return sets;
}

/** Pixels with their neighbours within the slice and in the next ones; each set's voxels are slice × pixels + pixel. */
function volumesOf(slices: readonly ArrayLike<number>[], nColumns: number): Set<number>[] {
  const n = slices[0]!.length;
  const left = new Set<number>();
  slices.forEach((pixels, slice) => {
    for (let pixel = 0; pixel < n; pixel++) if (pixels[pixel] === 1) left.add(slice * n + pixel);
  });
  const pieces: Set<number>[] = [];
  for (const start of left) {
    const piece = new Set([start]);
    left.delete(start);
    // A set visits what is added while it is gone through.
    for (const voxel of piece) {
      for (const next of [voxel - n, voxel + n, voxel - nColumns, voxel + nColumns, voxel - 1, voxel + 1]) {
        if (left.delete(next)) piece.add(next);
      }
    }
    pieces.push(piece);
  }
  return pieces;
}

/** Means over three by three pixels of what is finite. */
function averaged(values: Float32Array, { nColumns }: Section): Float32Array {
  return values.map((value, pixel) => {
    if (!Number.isFinite(value)) return NaN;
    let [sum, count] = [0, 0];
    for (const row of [-nColumns, 0, nColumns]) {
      for (let at = pixel + row - 1; at <= pixel + row + 1; at++) {
        if (!Number.isFinite(values[at])) continue;
        sum += values[at]!;
        count++;
      }
    }
    return sum / count;
  });
}

function lesionOf({ stack, sections, whole }: Cord, voxels: ReadonlySet<number>, contrast: number): Lesion {
  const n = sections[0]!.codes.length;
  const masks = sections.map((section, slice) => {
    const pixels = new Uint8Array(n);
    for (let pixel = 0; pixel < n; pixel++) if (voxels.has(slice * n + pixel)) pixels[pixel] = 1;
    return new Mask(section, pixels);
  });
  const points = masks.flatMap((mask) => [...mask.pixels.keys()].filter((pixel) => mask.pixels[pixel] === 1).map((pixel) => placeOf(mask.section, pixel)));
  const centreMm = meanPoint(points);
  const along = directionOf(whole, centreMm);
  const heights = points.map((point) => dot(along, point) - dot(along, centreMm));
  const [least, most] = [heights.reduce((a, b) => Math.min(a, b)) - stepMm / 2, heights.reduce((a, b) => Math.max(a, b)) + stepMm / 2];
  return {
    masks, centreMm, contrast,
    fromMm: moved(centreMm, along, most), toMm: moved(centreMm, along, least),
    lengthMm: most - least,
    volumeMm3: points.length * stepMm ** 2 * sliceStepMm(stack),
    confidence: meanOf(masks.filter((mask) => !mask.isEmpty).map((mask) => mask.confidence)),
  };
}

/** Of the cord about a point, to the head: from the middles of its parts above and below. */
function directionOf(whole: readonly Mask[], [, , z]: Vector3): Vector3 {
  const points = whole.flatMap((mask) => [...mask.pixels.keys()].filter((pixel) => mask.pixels[pixel] === 1 && pixel % 3 === 0).map((pixel) => placeOf(mask.section, pixel)));
  const [above, below] = [points.filter((point) => point[2] > z && point[2] < z + 20), points.filter((point) => point[2] < z && point[2] > z - 20)];
  if (above.length === 0 || below.length === 0) return [0, 0, 1];
  const [a, b] = [meanPoint(above), meanPoint(below)];
  return unit([a[0] - b[0], a[1] - b[1], a[2] - b[2]]);
}

interface AxialExtent {
  /** Of the cord without its rim. */
  readonly share: number;
  /** Of the whole cord. */
  readonly wholeShare: number;
  readonly score: '1' | '2' | '3' | '4' | undefined;
  readonly side: string;
  readonly stack: LabelledStack;
}

/** In the axial slice through the lesion that has most of it. */
function axialExtent(stacks: readonly Cord[], lesion: Lesion): AxialExtent | undefined {
  let found: AxialExtent | undefined;
  for (const { stack, sections, whole, inner, logarithms } of stacks) {
    const healthy = healthyCord(logarithms);
    sections.forEach((section, slice) => {
      const normal = sliceNormal(stack);
      const offMm = sliceOffsetMm(stack, slice, lesion.centreMm) * Math.sign(normal[2]);
      if (Math.abs(offMm) > lesion.lengthMm / 2 + 1 || inner[slice]!.isEmpty) return;
      const from = Math.max(leastContrast, Math.log(1 + 0.5 * (Math.exp(lesion.contrast) - 1)));
      const smooth = averaged(logarithms[slice]!.map((value) => value - healthy), section);
      const bright = inner[slice]!.where((pixel) => smooth[pixel]! > from).largest();
      const dark = inner[slice]!.where((pixel) => smooth[pixel]! < darkContrast);
      const share = bright.count / inner[slice]!.count;
      if (bright.isEmpty || share <= (found?.share ?? 0)) return;
      const [middle, centre] = [inner[slice]!.centroid()!, bright.centroid()!];
      const across = (centre.u - middle.u) / (inner[slice]!.extentMm({ u: 1, v: 0 }) / 2);
      const back = (centre.v - middle.v) / (inner[slice]!.extentMm({ u: 0, v: 1 }) / 2);
      const isCentral = Math.hypot(across, back) < offCentre;
      const score = !isCentral ? undefined : share >= scores.whole ? (dark.areaMm2 >= darkMm2 ? '4' : '3') : share >= scores.grey ? '2' : '1';
      const place = [back > 0.2 ? 'posterior' : back < -0.2 ? 'anterior' : '', across > 0.2 ? 'left' : across < -0.2 ? 'right' : ''].filter((word) => word !== '').join(' ');
      found = { share, wholeShare: bright.count / whole[slice]!.count, score, side: isCentral ? 'central' : place, stack };
    });
  }
  return found;
}

/** ln S: a lesion may fill all axial slices but leaves a fifth of the section in a quarter of them. */
function healthyCord(logarithms: readonly Float32Array[]): number {
  const lows = logarithms.flatMap((slice) => {
    const values = slice.filter(Number.isFinite).sort();
    return values.length === 0 ? [] : [values[Math.floor(0.2 * (values.length - 1))]!];
  }).sort((a, b) => a - b);
  return lows[Math.floor(0.25 * (lows.length - 1))]!;
}

function findingOf(spine: Spine, { stack }: Cord, axial: readonly Cord[], lesion: Lesion): Finding {
  const extent = axialExtent(axial, lesion);
  const level = levelOf(spine, lesion.centreMm);
  const [first, last] = [levelOf(spine, lesion.fromMm), levelOf(spine, lesion.toMm)];
  const isExtensive = level !== undefined && reachesOver(spine, first!, last!, lesion.lengthMm);
  const grades: Grade[] = [{ scale: 'imll', value: isExtensive ? 'extensive' : 'short', severity: isExtensive ? 'severe' : 'moderate' }];
  if (extent?.score !== undefined) grades.push({ scale: 'basic', value: extent.score, severity: extent.score === '1' ? 'mild' : extent.score === '2' ? 'moderate' : 'severe' });
  const signs = [`bright on T2w from ${first ?? '?'} to ${last ?? '?'}, ${lesion.lengthMm.toFixed(0)} mm`];
  if (extent !== undefined) signs.push(`${Math.round(100 * extent.wholeShare)} % of the section, its rim counted as healthy, ${extent.side}`);
  const slice = lesion.masks.reduce((best, mask, index) => (mask.count > lesion.masks[best]!.count ? index : best), 0);
  const drawing: Drawing = {
    seriesIndex: stack.seriesIndex, sliceIndex: slice, centreMm: lesion.centreMm,
    extentMm: Math.max(70, 2 * lesion.lengthMm), outlines: [structureCodes.cord],
    lines: [{ fromMm: lesion.fromMm, toMm: lesion.toMm, text: `${lesion.lengthMm.toFixed(0)} mm` }],
    areas: lesion.masks[slice]!.outlinesMm().map((pointsMm) => ({ pointsMm, text: 'lesion' })),
  };
  return {
    kind: 'cordLesion', ...(level === undefined ? {} : { level }),
    measures: [
      { name: 'lesionLength', value: lesion.lengthMm, unit: 'mm' },
      { name: 'lesionVolume', value: lesion.volumeMm3, unit: 'mm3' },
      ...(extent === undefined ? [] : [{ name: 'axialShare', value: extent.wholeShare, unit: '1' } as const]),
    ],
    grades, signs, basis: basisOf(spine, extent === undefined ? [stack] : [stack, extent.stack]),
    confidence: lesion.confidence, drawing,
  };
}

/** Over three vertebrae: from the middle of one to that of the next but one, or as far. What only touches three is shorter. */
function reachesOver({ vertebrae }: Spine, first: string, last: string, lengthMm: number): boolean {
  const [from, to] = [first, last].map((level) => vertebrae.findIndex(({ name }) => name === level)) as [number, number];
  if (to - from + 1 < extensiveVertebrae) return false;
  const middles = [from, to].map((place) => vertebrae[place]!.frame.originMm) as [Vector3, Vector3];
  return lengthMm >= ((extensiveVertebrae - 1) * Math.hypot(...subtract(...middles))) / (to - from);
}

/** Of the vertebra whose middle is nearest along the spine. */
function levelOf({ vertebrae }: Spine, pointMm: Vector3): string | undefined {
  const away = (frame: Frame) => Math.abs(inFrame(frame, pointMm)[2]);
  return [...vertebrae].sort((a, b) => away(a.frame) - away(b.frame))[0]?.name;
}

function sagittalFrame({ codes: { geometry: { centreMm } } }: LabelledStack): Frame {
  return { originMm: centreMm, x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
}

function axialFrame(stack: LabelledStack): Frame {
  const normal = sliceNormal(stack);
  const z: Vector3 = normal[2] < 0 ? [-normal[0], -normal[1], -normal[2]] : normal;
  const y = unit([-z[1] * z[0], 1 - z[1] * z[1], -z[1] * z[2]]);
  const x: Vector3 = [y[1] * z[2] - y[2] * z[1], y[2] * z[0] - y[0] * z[2], y[0] * z[1] - y[1] * z[0]];
  return { originMm: stack.codes.geometry.centreMm, x, y, z };
}

/** About the cord's voxels, along the axes that a section has; undefined without any. */
function cordWindow({ codes: { data, geometry } }: LabelledStack, frame: Frame, cut: 'sagittal' | 'axial'): Window | undefined {
  const [columns, rows] = geometry.matrixSize;
  const affine = affineLps(geometry);
  const reach = { u: [Infinity, -Infinity] as [number, number], v: [Infinity, -Infinity] as [number, number] };
  data.forEach((code, voxel) => {
    if (code !== structureCodes.cord || voxel % 3 !== 0) return;
    const [x, y, z] = inFrame(frame, transformPoint(affine, [voxel % columns, Math.floor(voxel / columns) % rows, Math.floor(voxel / (columns * rows))]));
    const [u, v] = cut === 'sagittal' ? [y, -z] : [x, y];
    reach.u = [Math.min(reach.u[0], u), Math.max(reach.u[1], u)];
    reach.v = [Math.min(reach.v[0], v), Math.max(reach.v[1], v)];
  });
  return reach.u[0] === Infinity ? undefined : { u: [reach.u[0] - marginMm, reach.u[1] + marginMm], v: [reach.v[0] - marginMm, reach.v[1] + marginMm] };
}

function placeOf(section: Section, pixel: number): Vector3 {
  return section.pointMm(section.u(pixel % section.nColumns), section.v(Math.floor(pixel / section.nColumns)));
}

function meanPoint(points: readonly Vector3[]): Vector3 {
  const mean = (axis: 0 | 1 | 2) => meanOf(points.map((point) => point[axis]));
  return [mean(0), mean(1), mean(2)];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
