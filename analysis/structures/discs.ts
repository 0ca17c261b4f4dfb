/**
 * Discs in their order: where the column is cut into vertebrae.
 *
 *   1. Regions of disc near the column are candidates; one that holds several is cut at its waists along the column.
 *   2. Candidates at one height are one disc (halves, fragments).
 *   3. Each is given its middle plane: least squares of its points, from the column's direction on.
 *   4. Two that are much closer than their neighbours are: the lesser one is none. Much farther: one is missing between them
 *      (fused, collapsed or not found), and is put where bodies are thinnest.
 */
import { dot, frameAlong, intoFrame, moved, unit, type Place } from '../geometry.js';
import type { Frame } from '../types.js';
import type { Column } from './column.js';
import { extentOf, fitPlane, medianOf, turnedOnto } from './fit.js';
import type { Region } from './regions.js';

export interface Disc {
  readonly frame: Frame;
  readonly halfWidthMm: number;
  readonly halfDepthMm: number;
  readonly heightMm: number;
  readonly volumeMm3: number;
  readonly confidence: number;
  /** Not seen: put in because the order asks for one. */
  readonly isMissing: boolean;
}

const leastVolumeMm3 = 60;
const farFromColumnMm = 26;
/** Shares of the neighbours' distance. */
const together = 0.38;
const tooClose = 0.55;
const tooFar = 1.55;
/** Of a whole disc: less is an island that tells nothing of its place. */
const fragmentShare = 0.1;
/** Thinner than any vertebra: peaks closer than this are of one disc. */
const leastPitchMm = 11;

interface Candidate {
  readonly points: Float32Array;
  readonly volumeMm3: number;
  readonly confidence: number;
}

/** @param binMm distance of points from left to right: that of slices */
export function discsOf(discRegions: readonly Region[], bodyRegions: readonly Region[], column: Column, binMm: number): Disc[] {
  const candidates = discRegions
    .filter(({ volumeMm3 }) => volumeMm3 > leastVolumeMm3)
    .flatMap((region) => cutAtWaists(region, column))
    .filter((one) => one.volumeMm3 > leastVolumeMm3 && isNear(one, column));
  if (candidates.length === 0) return [];
  const largest = medianOf(candidates.map(({ volumeMm3 }) => volumeMm3).sort((a, b) => b - a).slice(0, Math.ceil(candidates.length / 2)));
  const grown = joined(candidates.filter(({ volumeMm3 }) => volumeMm3 > fragmentShare * largest), column);
  const discs = grown.map((one) => discOf(one, column, binMm)).sort((a, b) => heightIn(b) - heightIn(a));
  return withMissing(withoutFalse(discs), bodyRegions);
}

const heightIn = ({ frame }: Disc) => frame.originMm[2];

/** Along the column: how far a point lies over the curve's horizontal plane at its height is told by the direction there. */
function alongColumn(column: Column, points: Float32Array): Float32Array {
  const middle = meanOf(points);
  const direction = column.direction(middle[2]);
  const along = new Float32Array(points.length / 3);
  for (let index = 0, at = 0; index < along.length; index++, at += 3) along[index] = dot(direction, [points[at]! - middle[0], points[at + 1]! - middle[1], points[at + 2]! - middle[2]]);
  return along;
}

function cutAtWaists(region: Region, column: Column): Candidate[] {
  const along = alongColumn(column, region.points);
  const low = along.reduce((least, value) => Math.min(least, value), Infinity);
  const counts = new Float32Array(Math.ceil(along.reduce((most, value) => Math.max(most, value), -Infinity) - low) + 1);
  for (const value of along) counts[Math.floor(value - low)]!++;
  const smooth = counts.map((_, bin) => [-2, -1, 0, 1, 2].reduce((sum, by) => sum + (counts[bin + by] ?? 0), 0) / 5);
  const cuts: number[] = [];
  let [peak, valley] = [0, 0];
  let peakAt = 0;
  for (let bin = 1; bin < smooth.length; bin++) {
    if (smooth[bin]! < smooth[valley]!) valley = bin;
    const isNext = bin - peakAt > leastPitchMm && smooth[valley]! < 0.3 * Math.min(peak, smooth[bin]!) && smooth[bin]! > 0.25 * peak;
    if (isNext) cuts.push(low + valley + 0.5);
    if (isNext || smooth[bin]! > peak) [peak, peakAt, valley] = [smooth[bin]!, bin, bin];
  }
  if (cuts.length === 0) return [region];
  const parts = Array.from({ length: cuts.length + 1 }, (): number[] => []);
  along.forEach((value, index) => parts[cuts.filter((cut) => value > cut).length]!.push(...region.points.subarray(3 * index, 3 * index + 3)));
  return parts.map((points) => ({ points: Float32Array.from(points), volumeMm3: (points.length / 3) * region.pointMm3, confidence: region.confidence }));
}

function isNear({ points }: Candidate, column: Column): boolean {
  const [x, y, z] = meanOf(points);
  return column.awayMm(x, y, z) < farFromColumnMm;
}

/** Candidates of one disc put together. */
function joined(candidates: readonly Candidate[], column: Column): Candidate[] {
  const sorted = [...candidates].sort((a, b) => b.volumeMm3 - a.volumeMm3);
  const middles = sorted.map(({ points }) => meanOf(points));
  const main = [...middles].sort((a, b) => b[2] - a[2]);
  const pitch = Math.max(leastPitchMm, medianOf(main.slice(1).map((place, index) => main[index]![2] - place[2]).filter((step) => step > leastPitchMm)) || 30);
  const groups: { place: Place; members: Candidate[] }[] = [];
  sorted.forEach((one, index) => {
    const place = middles[index]!;
    const direction = column.direction(place[2]);
    const group = groups.find((other) => Math.abs(dot(direction, [place[0] - other.place[0], place[1] - other.place[1], place[2] - other.place[2]])) < together * pitch);
    if (group === undefined) groups.push({ place, members: [one] });
    else group.members.push(one);
  });
  return groups.map(({ members }) => {
    const volumeMm3 = members.reduce((sum, one) => sum + one.volumeMm3, 0);
    const points = new Float32Array(members.reduce((sum, one) => sum + one.points.length, 0));
    members.reduce((at, one) => {
      points.set(one.points, at);
      return at + one.points.length;
    }, 0);
    return { points, volumeMm3, confidence: members.reduce((sum, one) => sum + one.confidence * one.volumeMm3, 0) / volumeMm3 };
  });
}

function discOf({ points, volumeMm3, confidence }: Candidate, column: Column, binMm: number): Disc {
  const middle = meanOf(points);
  let frame = frameAlong(middle, column.direction(middle[2]));
  let local = new Float32Array(points.length);
  for (let round = 0; round < 2; round++) {
    local = localPoints(points, frame);
    frame = turnedOnto(frame, fitPlane(local));
  }
  local = localPoints(points, frame);
  const [u, v, w] = [0, 1, 2].map((axis) => Float32Array.from({ length: local.length / 3 }, (_, index) => local[3 * index + axis]!)) as [Float32Array, Float32Array, Float32Array];
  const [left, front, height] = [extentOf(u, binMm, 0.25)!, extentOf(v, 1)!, extentOf(w, 1, 0.25)!];
  return {
    frame: { ...frame, originMm: moved(frame.originMm, [(left[0] + left[1]) / 2, frame.x], [(front[0] + front[1]) / 2, frame.y]) },
    halfWidthMm: (left[1] - left[0]) / 2,
    halfDepthMm: (front[1] - front[0]) / 2,
    heightMm: height[1] - height[0],
    volumeMm3, confidence, isMissing: false,
  };
}

/** Distance of each disc to the next. */
function pitches(discs: readonly Disc[]): number[] {
  return discs.slice(1).map((disc, index) => Math.hypot(...[0, 1, 2].map((axis) => disc.frame.originMm[axis]! - discs[index]!.frame.originMm[axis]!)));
}

/** What the distance at a place should be by the two above and below it. */
function expectedPitch(all: readonly number[], place: number): number {
  const near = [place - 2, place - 1, place + 1, place + 2].map((index) => all[index]).filter((pitch) => pitch !== undefined);
  return near.length === 0 ? 0 : medianOf(near);
}

function withoutFalse(discs: readonly Disc[]): Disc[] {
  const kept = [...discs];
  for (;;) {
    const steps = pitches(kept);
    const worst = steps
      .map((step, place) => ({ place, ratio: step / (expectedPitch(steps, place) || step) }))
      .filter(({ ratio, place }) => ratio < tooClose || steps[place]! < leastPitchMm)
      .sort((a, b) => a.ratio - b.ratio)[0];
    if (worst === undefined) return kept;
    const [a, b] = [kept[worst.place]!, kept[worst.place + 1]!];
    kept.splice(a.volumeMm3 * a.confidence < b.volumeMm3 * b.confidence ? worst.place : worst.place + 1, 1);
  }
}

function withMissing(discs: readonly Disc[], bodies: readonly Region[]): Disc[] {
  const steps = pitches(discs);
  return discs.flatMap((disc, place) => {
    const next = discs[place + 1];
    const expected = expectedPitch(steps, place);
    if (next === undefined || !(expected > 0) || steps[place]! < tooFar * expected) return [disc];
    const n = Math.round(steps[place]! / expected) - 1;
    return [disc, ...Array.from({ length: Math.max(1, n) }, (_, index) => between(disc, next, (index + 1) / (Math.max(1, n) + 1), bodies))];
  });
}

/** A disc that nobody saw: near the share of the way where the least body is. */
function between(upper: Disc, lower: Disc, share: number, bodies: readonly Region[]): Disc {
  const mix = (a: Place, b: Place): Place => [0, 1, 2].map((axis) => (1 - share) * a[axis]! + share * b[axis]!) as unknown as Place;
  const frame = frameAlong(mix(upper.frame.originMm, lower.frame.originMm), unit(mix(upper.frame.z, lower.frame.z)));
  const reach = 7;
  const counts = new Float32Array(2 * reach + 1);
  for (const { points } of bodies) {
    for (let at = 0; at < points.length; at += 3) {
      const [u, v, w] = intoFrame(frame, [points[at]!, points[at + 1]!, points[at + 2]!]);
      if (Math.abs(u) < upper.halfWidthMm && Math.abs(v) < upper.halfDepthMm && Math.abs(w) < reach + 0.5) counts[Math.round(w) + reach]!++;
    }
  }
  const filled = [...counts].some((count) => count > 0);
  const lowest = filled ? counts.reduce((best, count, bin) => (count + 1e-3 * Math.abs(bin - reach) < counts[best]! + 1e-3 * Math.abs(best - reach) ? bin : best), reach) : reach;
  return {
    frame: { ...frame, originMm: moved(frame.originMm, [lowest - reach, frame.z]) },
    halfWidthMm: (upper.halfWidthMm + lower.halfWidthMm) / 2, halfDepthMm: (upper.halfDepthMm + lower.halfDepthMm) / 2,
    heightMm: 0, volumeMm3: 0, confidence: 0, isMissing: true,
  };
}

export function localPoints(points: Float32Array, frame: Frame): Float32Array<ArrayBuffer> {
  const { originMm: [ox, oy, oz], x, y, z } = frame;
  const local = new Float32Array(points.length);
  for (let at = 0; at < points.length; at += 3) {
    const [a, b, c] = [points[at]! - ox, points[at + 1]! - oy, points[at + 2]! - oz];
    local[at] = a * x[0] + b * x[1] + c * x[2];
    local[at + 1] = a * y[0] + b * y[1] + c * y[2];
    local[at + 2] = a * z[0] + b * z[1] + c * z[2];
  }
  return local;
}

function meanOf(points: Float32Array): Place {
  const sum: [number, number, number] = [0, 0, 0];
  for (let at = 0; at < points.length; at++) sum[at % 3]! += points[at]!;
  const n = points.length / 3;
  return [sum[0] / n, sum[1] / n, sum[2] / n];
}
