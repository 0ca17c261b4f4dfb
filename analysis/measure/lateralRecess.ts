/**
 * The lateral recesses in the plane of each lumbar disc, from axial slices.
 *
 *   height   just beside the sac, where the root runs: of the columns up to `recessWidthMm` outwards of the sac's edge the
 *            shortest way from the last pixel of disc or body back to the first of the superior articular process, the
 *            joint, or the ligament on them (Steurer 2011, doi 10.1186/1471-2474-12-175); each the median of three columns,
 *            corrected for tilted slices (axialLevel.ts). Of slices within `nearShare` of their step of the disc's plane the
 *            narrowest counts, else the nearest: a process closes a recess over few millimetres, and between slices it may
 *            be missed. Where what lies up to `mostShiftMm` farther outwards is far lower, the process begins only there: in one of
 *            two recesses, where chemical shift displaces fat along the columns' direction, and with it marrow, against the water of the sac
 *   edges    where fat is bright and walls are dark (T2w, PDw without fat saturation), those of the fat in the column (fatEdge.ts):
 *            an outline of a network stops half a millimetre and more before the process
 *   grade    Ciric 1980, J Neurosurg 53:433; Steurer 2011
 */
import { bodyCode, structureCodes } from '../anatomy.js';
import type { AnalysisSeries, Assess, Finding, NotAssessed, Segment, Side, Spine } from '../types.js';
import { axialLevel, isLumbar, isRefusal, type AxialLevel, type AxialView } from './axialLevel.js';
import { assessmentOf, basisOf, graded, leastConfidence, notAssessed, seriesOf } from './finding.js';
import { sliceStepMm, type Section } from './section.js';
import { brightFat, fatEdges, fatLevel } from './fatEdge.js';
import { confidenceNear, gapInColumn, narrowestGap, sides, wallsOf, type Gap, type Walls } from './walls.js';

const kind = 'lateralRecess';
/** Beside the sac: about the width of a root. */
const recessWidthMm = 2;
/** By which the chemical shift of the marrow's fat moves a process away from the sac, at most. */
const mostShiftMm = 2;
/** Of the height beside the sac: what is lower farther outwards is the process. */
const processShare = 0.6;
const nearShare = 0.6;
const pictureMm = 60;
const fluid: readonly number[] = [structureCodes.sac, structureCodes.cord];

export const assessLateralRecess: Assess = (spine) => assessmentOf(spine.segments.filter(isLumbar).flatMap((segment) => {
  const level = axialLevel(spine, segment);
  return sides.map((side) => (isRefusal(level) ? notAssessed(kind, level.code, level.got, { level: segment.name, side }) : assessSide(spine, segment, side, level)));
}));

function assessSide(spine: Spine, segment: Segment, side: Side, { stack, views, tiltFactor }: AxialLevel): Finding | NotAssessed {
  const near = views.filter(({ offsetMm }, index) => index === 0 || Math.abs(offsetMm) <= nearShare * sliceStepMm(stack));
  const series = seriesOf(spine, stack);
  const image = series !== undefined && brightFat.includes(series.contrast) ? series : undefined;
  const [main] = near
    .flatMap((view) => {
      const recess = recessOf(view, segment, side, image);
      return recess === undefined ? [] : [{ ...view, recess }];
    })
    .sort((a, b) => a.recess.heightMm - b.recess.heightMm);
  if (main === undefined) {
    return notAssessed(kind, 'ANALYSIS_INFO_UNSURE', 'no articular process found behind the recess', { level: segment.name, side });
  }
  const { section, recess, slice } = main;
  const { confidence } = recess;
  if (confidence < leastConfidence) {
    return notAssessed(kind, 'ANALYSIS_INFO_UNSURE', `walls of the recess with a mean confidence of ${confidence.toFixed(2)}`, { level: segment.name, side });
  }
  const mm = tiltFactor * recess.heightMm;
  return {
    kind, level: segment.name, side,
    measures: [{ name: 'recessHeight', value: mm, unit: 'mm' }],
    grades: [graded('lateralRecess', mm)],
    signs: [],
    basis: basisOf(spine, [stack]),
    confidence: confidence * segment.confidence,
    drawing: {
      seriesIndex: stack.seriesIndex, sliceIndex: slice, centreMm: section.pointMm(recess.u, (recess.fromV + recess.toV) / 2), extentMm: pictureMm,
      outlines: [structureCodes.sac],
      lines: [{ fromMm: section.pointMm(recess.u, recess.fromV), toMm: section.pointMm(recess.u, recess.toV), text: `${mm.toFixed(1)} mm` }],
      areas: [],
    },
  };
}

interface Recess {
  readonly heightMm: number;
  readonly u: number;
  readonly fromV: number;
  readonly toV: number;
  /** Of its walls and of the sac beside it. */
  readonly confidence: number;
}

function recessOf({ section, sac }: AxialView, segment: Segment, side: Side, image: AnalysisSeries | undefined): Recess | undefined {
  const walls = recessWalls(section, segment, side);
  const columns = sac.columns();
  if (columns === undefined) return undefined;
  const [edge, outwardStep] = side === 'left' ? [columns[1], 1] : [columns[0], -1];
  const columnOf = (at: number) => edge + outwardStep * (at - 1);
  const reach = Math.round(recessWidthMm / section.stepMm);
  const outlined = Array.from({ length: reach + Math.round(mostShiftMm / section.stepMm) + 3 }, (_, at) => gapInColumn(walls, columnOf(at)));
  const gaps = image === undefined ? outlined : withinFat(section, section.valuesOf(image.volume), outlined, columnOf);
  const [beside, farther] = [narrowestGap(gaps.slice(0, reach + 3)), narrowestGap(gaps)];
  const narrowest = beside !== undefined && farther!.pixels > processShare * beside.pixels ? beside : farther;
  if (narrowest === undefined) return undefined;
  const { at, gap, pixels } = narrowest;
  return {
    heightMm: pixels * section.stepMm, u: section.u(columnOf(at)), fromV: section.v(gap.from), toV: section.v(gap.to),
    confidence: Math.min(confidenceNear(walls.front, gap.from, columnOf(at)), confidenceNear(walls.back, gap.to, columnOf(at)), sac.confidence),
  };
}

function withinFat(section: Section, image: Float32Array, gaps: readonly (Gap | undefined)[], columnOf: (at: number) => number): (Gap | undefined)[] {
  const profiles = gaps.map((_, at) => Float32Array.from({ length: section.nRows }, (_value, row) => image[row * section.nColumns + columnOf(at)]!));
  const isFluid = (at: number, row: number) => fluid.includes(section.code(row, columnOf(at)));
  const level = fatLevel(gaps.flatMap((gap, at) => (gap === undefined ? [] : Array.from(profiles[at]!.subarray(gap.from + 1, gap.to)).filter((_value, index) => !isFluid(at, gap.from + 1 + index)))));
  return gaps.map((gap, at) => gap && fatEdges(profiles[at]!, gap, level, section.stepMm));
}

/** Pieces coded as bodies that lie behind the disc's edge are of S1's processes: the network calls all of S1 sacrum, and place alone tells which part. */
function recessWalls(section: Section, segment: Segment, side: Side): Walls {
  const walls = wallsOf(section, segment, side);
  if (segment.lower !== 'S1') return walls;
  const bodies = section.mask(bodyCode(segment.upper), bodyCode(segment.lower));
  const processes = bodies.components().filter((piece) => piece.centroid()!.v > segment.halfDepthMm).reduce((all, piece) => all.or(piece), bodies.minus(bodies));
  return { front: walls.front.minus(processes), back: walls.back.or(processes.and(walls.front)) };
}
