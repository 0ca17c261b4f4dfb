/**
 * Outline of a vertebral body in a section along its frame, finer than its pixels.
 *
 *   depth       from the first to the last place along u at which the body is at least a third as high as in its middle:
 *               spurs, and what a segmentation adds behind a body, are lower
 *   endplates   v(u) on either side; at a place u0 that of a line fitted to the edge within `fitMm` of it, robustly:
 *               min Σ w(u - u0) ρ(v - a - b (u - u0)), Tukey's biweight by reweighting (Beaton and Tukey 1974,
 *               doi 10.1080/00401706.1974.10489171)
 *
 * In a sagittal section u runs to the back, so that the shares of the depth count from the front; in a coronal one to the
 * patient's left.
 */
import type { Vector3, Volume } from '../../imaging/index.js';
import type { Frame } from '../types.js';
import { moved, type Cut, type Window } from './section.js';
import { columnU, cutShape, edgesOf, type ShapeSection } from './shape.js';

/** Places along the depth. */
export const shares = { anterior: 0.1, middle: 0.5, posterior: 0.9 } as const;

/** Where a column enters and leaves the body, mm. */
export interface EdgePoint {
  readonly u: number;
  readonly upper: number;
  readonly lower: number;
}

export interface BodyOutline {
  readonly section: ShapeSection;
  /** Of every column that the body is in, in their order. */
  readonly edges: readonly EdgePoint[];
  /** Where the body begins and ends along u, mm. */
  readonly first: number;
  readonly last: number;
}

export type Endplate = 'upper' | 'lower';

const fitMm = 3;
const outlierMm = 1;
const leastColumns = 10;
/** Of the depth: where an endplate is straight, before its rim. */
const hinderPart = [0.6, 0.92] as const;
/** From an endplate's line: beyond, a corner has turned into the wall. */
const cornerMm = 2;

export interface OutlineOptions {
  /** Along the normal of the section. */
  readonly offsetMm?: number;
  /** Of the height in the middle: from which on a column counts as the body. */
  readonly leastHeightShare?: number;
}

/** Undefined where the section misses the body. */
export function outlineOf(
  shape: Volume, frame: Frame, cut: Cut, window: Window, { offsetMm = 0, leastHeightShare = 1 / 3 }: OutlineOptions = {},
): BodyOutline | undefined {
  const section = cutShape(shape, frame, cut, window, offsetMm);
  const edges = Array.from({ length: section.nColumns }, (_, column) => {
    const found = edgesOf(section, column);
    return found === undefined ? undefined : { u: columnU(section, column), upper: found[0], lower: found[1] };
  }).filter((edge) => edge !== undefined);
  if (edges.length < leastColumns) return undefined;
  const middle = edges.slice(Math.floor(edges.length * 0.45), Math.ceil(edges.length * 0.55)).map(heightOf);
  const least = leastHeightShare * medianOf(middle);
  return { section, edges, first: beginningOf(edges, least), last: beginningOf([...edges].reverse(), least) };
}

export function depthMm({ first, last }: BodyOutline): number {
  return last - first;
}

export function placeAt({ first, last }: Pick<BodyOutline, 'first' | 'last'>, share: number): number {
  return first + share * (last - first);
}

/** v of an endplate at u, mm. */
export function endplateAt({ edges }: BodyOutline, endplate: Endplate, u: number): number {
  return fittedLine(edges.map((edge) => [edge.u, edge[endplate]] as const), u, fitMm).level;
}

export function heightAt(outline: BodyOutline, u: number): number {
  return endplateAt(outline, 'lower', u) - endplateAt(outline, 'upper', u);
}

/** A point of the section in the patient, LPS, mm. */
export function pointAt({ section: { plane } }: BodyOutline, u: number, v: number): Vector3 {
  return moved(moved(plane.originMm, plane.across, u), plane.down, v);
}

/** A point of an endplate in the patient, LPS, mm. */
export function endplatePoint(outline: BodyOutline, endplate: Endplate, share: number): Vector3 {
  const u = placeAt(outline, share);
  return pointAt(outline, u, endplateAt(outline, endplate, u));
}

/** u at which an endplate ends behind: the last one at which the edge follows the line along its hinder part. A hollow or slanted wall reaches farther back elsewhere. */
export function endplateBack(outline: BodyOutline, endplate: Endplate): number {
  const [from, to] = [placeAt(outline, hinderPart[0]), placeAt(outline, hinderPart[1])];
  const points = outline.edges.map((edge) => [edge.u, edge[endplate]] as const);
  const middle = (from + to) / 2;
  const { level, slope } = fittedLine(points, middle, (to - from) / 2);
  return points.findLast(([u, v]) => Math.abs(v - level - slope * (u - middle)) < cornerMm)?.[0] ?? outline.last;
}

/** Slope dv/du of an endplate over a part of the body's extent. */
export function endplateSlope(outline: BodyOutline, endplate: Endplate, [from, to]: readonly [number, number]): number {
  const [begin, end] = [placeAt(outline, from), placeAt(outline, to)];
  const within = outline.edges.filter(({ u }) => u >= begin && u <= end).map((edge) => [edge.u, edge[endplate]] as const);
  // Twice the reach: the ends count nearly as much as the middle.
  return fittedLine(within, (begin + end) / 2, end - begin).slope;
}

/** At x0, of a line through the points [x, y] within `reach` of it; level at the nearest one where there are none. */
function fittedLine(points: readonly (readonly [number, number])[], x0: number, reach: number): { readonly level: number; readonly slope: number } {
  const near = points.filter(([x]) => Math.abs(x - x0) < reach);
  if (near.length === 0) return { level: points.reduce((best, point) => (Math.abs(point[0] - x0) < Math.abs(best[0] - x0) ? point : best))[1], slope: 0 };
  const kernel = near.map(([x]) => (1 - (Math.abs(x - x0) / reach) ** 3) ** 3);
  // The median does not mind what stands out.
  let [level, slope] = [medianOf(near.map(([, y]) => y)), 0];
  for (let pass = 0; pass < 5; pass++) {
    let [sum, sumX, sumXx, sumY, sumXy] = [0, 0, 0, 0, 0];
    near.forEach(([x, y], index) => {
      const off = (y - level - slope * (x - x0)) / (pass === 0 ? 2 * outlierMm : outlierMm);
      const weight = Math.abs(off) < 1 ? kernel[index]! * (1 - off * off) ** 2 : 0;
      sum += weight;
      sumX += weight * (x - x0);
      sumXx += weight * (x - x0) ** 2;
      sumY += weight * y;
      sumXy += weight * (x - x0) * y;
    });
    const determinant = sum * sumXx - sumX * sumX;
    if (determinant < 1e-6 * (sum * reach) ** 2) return { level: sum > 0 ? sumY / sum : level, slope: 0 };
    slope = (sum * sumXy - sumX * sumY) / determinant;
    level = (sumY - slope * sumX) / sum;
  }
  return { level, slope };
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function heightOf({ upper, lower }: EdgePoint): number {
  return lower - upper;
}

/** The u at which the height first reaches `least`, between columns linear. */
function beginningOf(edges: readonly EdgePoint[], least: number): number {
  const index = edges.findIndex((edge) => heightOf(edge) >= least);
  const [edge, before] = [edges[index]!, edges[index - 1]];
  // An upright wall lies between two columns.
  if (before === undefined) return edge.u - (edges[1]!.u - edges[0]!.u) / 2;
  return edge.u + ((heightOf(edge) - least) / (heightOf(edge) - heightOf(before))) * (before.u - edge.u);
}
