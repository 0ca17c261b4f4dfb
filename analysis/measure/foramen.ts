/**
 * The foramina beside each lumbar disc, from a sagittal stack, in the sagittal plane through the middle of the pedicles.
 *
 *   plane        half way between the pedicle's edges: where it fills `filled` as much of a window just behind the upper half of the body as
 *                in the fullest slice, linear between slices. Slices that show the root of a transverse process, or merely
 *                touch a pedicle, do not draw the plane to them. Mean of the vertebrae above and below, at L5-S1 `lumbosacralMm` beside that of L5; where no
 *                pedicle is seen, the mean place of the foramen's own pixels
 *   width        the shortest AP way through it beside the upper half of the disc: from disc or body to joint, arch or
 *                ligament (Steurer 2011, doi 10.1186/1471-2474-12-175); each the median of three rows. Where there is an image with
 *                bright fat and dark cortex (T2w, PDw without fat saturation), between the edges of its fat (fatEdge.ts), whose level is
 *                at least `darkest` of the patient's fat: where none is left the foramen is closed
 *   area         pixels of foramen and root in it, one piece; height: its longest column. In such an image the edge is where fat
 *                has fallen to half of its 90th percentile in the foramen; roots, up to `rootMm` from fat, belong to it
 *   fat share    of a rim of 1 mm round the root, what is as bright as fat; by quadrant the number without (less than a
 *                third): Lee 2010, doi 10.2214/AJR.09.2772, counts the directions in which perineural fat is gone. The root
 *                is what in the foramen is darker than `rootShare` of fat, on T1w, else on T2w or PDw without fat saturation
 *
 * All of it is taken from the two slices k beside the plane, x_k mm outwards of it, t of their distance s from the nearer one:
 *
 *   width        Σ_k ω_k (w_k - δ(x_k)) / Σ_k ω_k, ω = (0.3 + |x| / 2)⁻²
 *                δ(x) = 0.55 x + 0.4 x² outwards, -min(1.25, |x| / 2) inwards: how much wider simulated foramina are there
 *   area         (1 - t) A_0 + t A_1 - κ (1 - t) t s² (A_0 + A_1) / 4
 *   height       (1 - t) h_0 + t h_1, never above h_0
 *
 * A foramen opens to either side of the pedicles' middle, so that a straight line between two slices passes above it: κ A is its
 * area's second derivative across, that of simulated spines. Slices are some 4 mm apart and an area grows by a tenth a
 * millimetre outwards: what is left of the error grows with the distance from the plane to the nearer slice. The confidence is
 * lowered with it.
 */
import { percentileOf } from '../../imaging/index.js';
import { archCode, bodyCode, discCode, foramenCode, structureCodes } from '../anatomy.js';
import type { AnalysisSeries, Assess, Contrast, Finding, LabelledStack, Measure, NotAssessed, Segment, Side, Spine, Vertebra } from '../types.js';
import { isLumbar, weighted } from './axialLevel.js';
import { brightFat, fatEdges, fatLevel } from './fatEdge.js';
import { assessmentOf, basisOf, graded, leastConfidence, notAssessed, seriesOf, stacksOf } from './finding.js';
import type { Mask } from './mask.js';
import { dot, nSlicesOf, outOfFrame, sliceNormal, sliceOffsetMm, slicesBeside, sliceSection, sliceStepMm, type Section } from './section.js';
import { confidenceNear, gapInRow, narrowestGap, sides, wallsOf, type Gap, type Walls } from './walls.js';

const kind = 'foramen';
const labelContrasts: readonly Contrast[] = ['t1w', 't2w', 'pdw', 'stir', 't2fs', 'pdfs', 't1fs'];
const fatContrasts: readonly Contrast[] = ['t1w', 't2w', 'pdw'];
const rootMm = 2.5;
const rimMm = 1;
const rootShare = 0.6;
const leastRootMm2 = 4;
/** Behind the disc's edge the middle of a foramen is expected. */
const behindMm = 3;
/** Of the fullest slice behind a body: a pedicle fills more of the place, the root of a transverse process less. */
const filled = 0.8;
const leastFilled = 0.25;
/** Of the patient's fat: what is darker between two walls is none. */
const darkest = 0.4;
/** S1's pedicles, which the code of the sacrum hides, stand farther out than L5's: half of that. Ours, set on simulated spines. */
const lumbosacralMm = 1.5;
/** κ, per mm². Over 2 to 4 mm to either side of the plane simulated foramina have .03 to .05. */
const opening = 0.05;
const pictureMm = 60;

export const assessForamen: Assess = (spine) => {
  const stacks = stacksOf(spine, 'sagittal', labelContrasts);
  const fat = fatImageOf(spine, fatContrasts);
  const edges = fatImageOf(spine, brightFat);
  return assessmentOf(spine.segments.filter(isLumbar).flatMap((segment) => sides.map((side) => assessSide(spine, segment, side, stacks, fat, edges))));
};

function assessSide(spine: Spine, segment: Segment, side: Side, stacks: readonly LabelledStack[], fat: FatImage | undefined, edges: FatImage | undefined): Finding | NotAssessed {
  const place = { level: segment.name, side };
  if (stacks.length === 0) return notAssessed(kind, 'ANALYSIS_INFO_NO_SERIES', 'no sagittal MR series', place);
  let covered = false;
  for (const stack of stacks) {
    const across = planeOf(spine, stack, segment, side);
    if (across === undefined) continue;
    const placeMm = outOfFrame(segment.frame, [across, segment.halfDepthMm + behindMm, 0]);
    const beside = slicesBeside(stack, placeMm);
    if (beside.length === 0) continue;
    covered = true;
    const views = beside.flatMap(({ slice, weight }) => {
      const view = viewOf(stack, slice, segment, side, edges);
      return view === undefined ? [] : [{ slice, weight, ...view, ...(fat === undefined ? {} : perineuralFat(view, fat)) }];
    });
    const [main] = views;
    const confidence = weighted(views, (view) => view.confidence) ?? 0;
    if (main === undefined || confidence < leastConfidence) continue;
    const outwards = (side === 'left' ? 1 : -1) * Math.sign(dot(segment.frame.x, sliceNormal(stack)));
    const widthMm = widthAt(views.map((view) => ({ widthMm: view.widthMm, outMm: outwards * sliceOffsetMm(stack, view.slice, placeMm) })));
    const heightMm = Math.min(main.heightMm, weighted(views, (view) => view.heightMm)!);
    const meanMm2 = views.reduce((sum, { open }) => sum + open.areaMm2, 0) / views.length;
    const [share, without] = [weighted(views, ({ fatShare }) => fatShare), weighted(views, ({ directionsWithoutFat }) => directionsWithoutFat)];
    const measures: Measure[] = [
      { name: 'foramenWidth', value: widthMm, unit: 'mm' },
      { name: 'foramenHeight', value: heightMm, unit: 'mm' },
      { name: 'foramenArea', value: Math.max(0, weighted(views, (view) => view.open.areaMm2)! - opening * sagOf(views, sliceStepMm(stack)) * meanMm2), unit: 'mm2' },
      ...(share === undefined ? [] : [{ name: 'perineuralFatShare', value: share, unit: '1' } as const]),
      ...(without === undefined ? [] : [{ name: 'directionsWithoutFat', value: Math.round(without), unit: '1' } as const]),
    ];
    const { section, row, gap } = main;
    const [fromMm, toMm] = [section.pointMm(section.u(gap.from), section.v(row)), section.pointMm(section.u(gap.to), section.v(row))];
    return {
      kind, ...place, measures,
      grades: [graded('foramen', widthMm)],
      signs: without !== undefined && Math.round(without) === 4 ? ['no perineural fat'] : [],
      basis: basisOf(spine, fat === undefined ? [stack] : [stack, fat.stack]),
      confidence: confidence * segment.confidence * (views.length < beside.length ? 0.8 : 0.8 + 0.4 * (main.weight - 0.5)),
      drawing: {
        seriesIndex: stack.seriesIndex, sliceIndex: main.slice, centreMm: fromMm, extentMm: pictureMm,
        outlines: [],
        lines: [{ fromMm, toMm, text: `${widthMm.toFixed(1)} mm` }],
        areas: main.open.outlinesMm().slice(0, 1).map((pointsMm) => ({ pointsMm, text: `${main.open.areaMm2.toFixed(0)} mm²` })),
      },
    };
  }
  return covered
    ? notAssessed(kind, 'ANALYSIS_INFO_UNSURE', 'no foramen between disc and joint that is outlined with confidence', place)
    : notAssessed(kind, 'ANALYSIS_INFO_NOT_COVERED', 'no sagittal slice through the pedicles of this side', place);
}

/** In the plane, from slices some way outwards of it. */
function widthAt(slices: readonly { readonly widthMm: number; readonly outMm: number }[]): number {
  const widerMm = (x: number) => (x > 0 ? 0.55 * x + 0.4 * x ** 2 : Math.max(-1.25, x / 2));
  let [sum, weights] = [0, 0];
  for (const { widthMm, outMm } of slices) {
    const weight = (0.3 + Math.abs(outMm) / 2) ** -2;
    sum += weight * (widthMm - widerMm(outMm));
    weights += weight;
  }
  return Math.max(0, sum / weights);
}

/** How far a parabola of second derivative 1 through two slices passes below the line between them, mm²; 0 where but one tells. */
function sagOf(views: readonly { readonly weight: number }[], stepMm: number): number {
  const [main, other] = views;
  return main === undefined || other === undefined ? 0 : (main.weight * other.weight * stepMm ** 2) / 2;
}

/** x of the plane in the disc's frame; undefined where nothing tells. */
function planeOf(spine: Spine, stack: LabelledStack, segment: Segment, side: Side): number | undefined {
  const out = side === 'left' ? 1 : -1;
  const lateral = (x: number) => out * x > 8 && out * x < segment.halfWidthMm + 8;
  const middles = [segment.upper, segment.lower].flatMap((name) => {
    const vertebra = spine.vertebrae.find((candidate) => candidate.name === name);
    const middle = vertebra === undefined ? undefined : pedicleMiddle(stack, segment, vertebra, lateral);
    return middle === undefined ? [] : [middle];
  });
  const outMm = segment.lower === 'S1' ? out * lumbosacralMm : 0;
  if (middles.length > 0) return middles.reduce((sum, x) => sum + x, 0) / middles.length + outMm;
  return meanPlace(stack, segment, lateral, (slice) =>
    foramenSection(stack, slice, segment).mask(foramenCode(segment.name, side)).count);
}

/** x of the middle between a pedicle's edges; undefined where none is seen. */
function pedicleMiddle(stack: LabelledStack, segment: Segment, { name, frame }: Vertebra, lateral: (x: number) => boolean): number | undefined {
  const { halfDepthMm } = segment;
  const shares = lateralSlices(stack, segment, lateral).map(({ slice, x }) => {
    const { pixels, count } = sliceSection(stack, slice, frame, 'sagittal', { u: [halfDepthMm - 2, halfDepthMm + 5], v: [-11, 3] }, 0.5).mask(archCode(name));
    return { x, share: count / pixels.length };
  });
  const most = shares.reduce((best, { share }, at) => (share > shares[best]!.share ? at : best), 0);
  if (shares[most] === undefined || shares[most].share < leastFilled) return undefined;
  const least = filled * shares[most].share;
  const edge = (way: 1 | -1) => {
    let at = most;
    while (shares[at + way] !== undefined && shares[at + way]!.share >= least) at += way;
    const [last, next] = [shares[at]!, shares[at + way]];
    return next === undefined ? last.x : last.x + ((last.share - least) / (last.share - next.share)) * (next.x - last.x);
  };
  return (edge(-1) + edge(1)) / 2;
}

/** Mean x of the slices that are `lateral`, each weighing what `weightOf` says. */
function meanPlace(stack: LabelledStack, segment: Segment, lateral: (x: number) => boolean, weightOf: (slice: number) => number): number | undefined {
  let [sum, weights] = [0, 0];
  for (const { slice, x } of lateralSlices(stack, segment, lateral)) {
    const weight = weightOf(slice);
    sum += weight * x;
    weights += weight;
  }
  return weights > 0 ? sum / weights : undefined;
}

/** In their order, with where they lie across the disc's frame. */
function lateralSlices(stack: LabelledStack, { frame }: Segment, lateral: (x: number) => boolean): { readonly slice: number; readonly x: number }[] {
  return Array.from({ length: nSlicesOf(stack) }, (_, slice) => ({ slice, x: dot(frame.x, sliceNormal(stack)) * sliceOffsetMm(stack, slice, frame.originMm) })).filter(({ x }) => lateral(x));
}

interface View {
  readonly section: Section;
  readonly open: Mask;
  readonly widthMm: number;
  readonly heightMm: number;
  /** Where it is narrowest. */
  readonly row: number;
  readonly gap: Gap;
  readonly confidence: number;
}

function foramenSection(stack: LabelledStack, slice: number, segment: Segment): Section {
  const { halfDepthMm, frame } = segment;
  return sliceSection(stack, slice, frame, 'sagittal', { u: [-4, halfDepthMm + 26], v: [-20, 20] });
}

function viewOf(stack: LabelledStack, slice: number, segment: Segment, side: Side, edges: FatImage | undefined): View | undefined {
  const section = foramenSection(stack, slice, segment);
  const outlined = section.mask(foramenCode(segment.name, side), structureCodes.root).pieceAt({ u: segment.halfDepthMm + behindMm, v: 0 }, 0.3).filled();
  const image = edges && section.valuesOf(edges.series.volume);
  const open = image === undefined ? outlined : withinFat(outlined, image);
  const discRows = section.mask(discCode(segment.name)).largest().rows();
  if (discRows === undefined || open.isEmpty) return undefined;
  const walls = foraminalWalls(section, segment, side, outlined);
  const last = Math.round((discRows[0] + discRows[1]) / 2);
  const gaps = Array.from({ length: last - discRows[0] + 3 }, (_, index) => gapInRow(walls, discRows[0] - 1 + index));
  const narrowest = narrowestGap(image === undefined ? gaps : betweenEdges(gaps, section, discRows[0] - 1, image, edges!.fat));
  if (narrowest === undefined) return undefined;
  const { at, gap, pixels } = narrowest;
  const [row, outlinedGap] = [discRows[0] - 1 + at, gaps[at]!];
  const columns = open.columns()!;
  const heights = Array.from({ length: columns[1] - columns[0] + 1 }, (_, index) => open.columnLengthMm(columns[0] + index));
  return {
    section, open, row, gap, widthMm: pixels * section.stepMm, heightMm: Math.max(...heights),
    confidence: Math.min(open.confidence, confidenceNear(walls.front, row, outlinedGap.from), confidenceNear(walls.back, row, outlinedGap.to)),
  };
}

/** Where fat is left between the walls, its edges. */
function betweenEdges(gaps: readonly (Gap | undefined)[], { nColumns, stepMm }: Section, firstRow: number, image: Float32Array, fat: number): readonly (Gap | undefined)[] {
  const profiles = gaps.map((_, index) => image.subarray((firstRow + index) * nColumns, (firstRow + index + 1) * nColumns));
  const level = fatLevel(gaps.flatMap((gap, index) => (gap === undefined ? [] : Array.from(profiles[index]!.subarray(gap.from + 1, gap.to)))));
  return Number.isNaN(level) ? gaps : gaps.map((gap, index) => gap && fatEdges(profiles[index]!, gap, Math.max(level, darkest * fat), stepMm));
}

/** Without the rim in which fat has given way to cortex. */
function withinFat(open: Mask, image: Float32Array): Mask {
  const halfOfFat = 0.5 * percentileOf(Float64Array.from(open.valuesOf(image)).sort(), 90);
  return open.where((pixel) => image[pixel]! > halfOfFat).closed(rootMm).filled().and(open);
}

/**
 * What bounds the foramen in front begins in front of its middle: pieces of a body that a segmentation leaves among the
 * processes do not, nor does the body of S1, which has the rest of the sacrum right behind it.
 */
function foraminalWalls(section: Section, segment: Segment, side: Side, open: Mask): Walls {
  const { front, back } = wallsOf(section, segment, side);
  const middle = section.columnAt(open.centroid()!.u);
  const pieces = front.minus(segment.lower === 'S1' ? section.mask(bodyCode('S1')) : front.minus(front)).components();
  return { front: pieces.filter((piece) => piece.columns()![0] < middle).reduce((all, piece) => all.or(piece), front.minus(front)), back };
}

interface FatImage {
  readonly stack: LabelledStack;
  readonly series: AnalysisSeries;
  /** How bright it is. */
  readonly fat: number;
}

/** The image on which fat is told from roots, and how bright fat is in it: the 90th percentile of canal fat and foramina. */
function fatImageOf(spine: Spine, contrasts: readonly Contrast[]): FatImage | undefined {
  const stack = stacksOf(spine, 'sagittal', contrasts)[0];
  const series = stack && seriesOf(spine, stack);
  if (stack === undefined || series === undefined) return undefined;
  const values: number[] = [];
  for (const segment of spine.segments.filter(isLumbar)) {
    for (let slice = 0; slice < nSlicesOf(stack); slice++) {
      const section = sliceSection(stack, slice, segment.frame, 'sagittal', { u: [0, segment.halfDepthMm + 26], v: [-15, 15] }, 1);
      const fat = section.mask(structureCodes.epiduralFat, foramenCode(segment.name, 'left'), foramenCode(segment.name, 'right'));
      if (!fat.isEmpty) values.push(...fat.valuesOf(section.valuesOf(series.volume)));
    }
  }
  return values.length === 0 ? undefined : { stack, series, fat: percentileOf(Float64Array.from(values).sort(), 90) };
}

function perineuralFat({ section, open }: View, { series, fat: level }: FatImage): { fatShare?: number; directionsWithoutFat?: number } {
  const image = section.valuesOf(series.volume);
  const threshold = rootShare * level;
  const root = open.where((pixel) => image[pixel]! < threshold).largest();
  const middle = root.centroid();
  if (middle === undefined || root.areaMm2 < leastRootMm2) return {};
  const [rim, fat] = [new Float64Array(4), new Float64Array(4)];
  root.grown(rimMm).minus(root).where((pixel, row, column) => {
    const [u, v] = [section.u(column) - middle.u, section.v(row) - middle.v];
    const quadrant = Math.abs(u) > Math.abs(v) ? (u > 0 ? 0 : 1) : v > 0 ? 2 : 3;
    rim[quadrant]!++;
    if (image[pixel]! >= threshold && open.pixels[pixel] === 1) fat[quadrant]!++;
    return false;
  });
  return {
    fatShare: fat.reduce((sum, count) => sum + count, 0) / rim.reduce((sum, count) => sum + count, 0),
    directionsWithoutFat: rim.filter((count, quadrant) => fat[quadrant]! < count / 3).length,
  };
}
