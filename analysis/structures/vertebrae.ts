/**
 * Vertebrae: what lies between neighbouring discs.
 *
 * A point of bone belongs to the vertebra below as many discs as have it under their planes, so that bodies that run together
 * are apart and fragments of one are together. Of each body:
 *
 *   endplates   planes through the highest and lowest points over its middle (u, v within 70 % of its extent)
 *   z           the mean of their normals;   x  to the left;   y = z × x, turned to where the sac lies
 *   origin      half-way between the endplates, in the middle of its width and depth
 *
 * Where bone below a disc is sacrum, it is S1, and what is below it no level of its own. A topmost vertebra that is twice as high
 * as the next and narrows upwards is the axis.
 */
import type { Region } from './regions.js';
import { distance, dot, frameAlong, intoFrame, moved, unit, type Place } from '../geometry.js';
import { classIndex } from '../segment/index.js';
import type { Frame } from '../types.js';
import { localPoints, type Disc } from './discs.js';
import { extentOf, fitPlane, medianOf, normalOf } from './fit.js';

export interface Body {
  readonly frame: Frame;
  readonly heightMm: number;
  readonly halfWidthMm: number;
  readonly halfDepthMm: number;
  readonly volumeMm3: number;
  readonly confidence: number;
  /** Nothing of it is labelled: the distance of the discs asks for it. */
  readonly isMissing: boolean;
}

export interface Vertebrae {
  /** From head to foot, one more than discs. */
  readonly bodies: readonly Body[];
  readonly discs: readonly Disc[];
  /** The last body is S1. */
  readonly hasSacrum: boolean;
  /** How much of what lies below the last disc is sacrum, 0 to 1. */
  readonly sacrumShare: number;
  /** The first body has a dens. */
  readonly hasDens: boolean;
}

/** Of the disc's extent: beyond it, bone is not of the body. */
const footprint = 1.25;
const leastVolumeMm3 = 400;
/** How far below a disc it is asked whether bone is sacrum. */
const belowDiscMm = 22;
/** Of the neighbour's height: a body at the end of the column that is higher holds two. */
const tooHigh = 1.6;

interface Heap {
  readonly body: Float32Array;
  readonly sacrum: Float32Array;
  readonly confidence: number;
  readonly pointMm3: number;
}

/** @param sac where the canal is, for the turn about z */
export function vertebraeOf(discs: readonly Disc[], bone: readonly Region[], sac: readonly Region[], binMm: number): Vertebrae | undefined {
  let cuts = withCutAbove(discs, bone);
  let heaps = heapsOf(cuts, bone);
  const s1 = heaps.findIndex((heap, place) => place > 0 && isSacrum(heap, cuts[place - 1]!));
  const hasSacrum = s1 > 0;
  if (hasSacrum) {
    cuts = cuts.slice(0, s1);
    heaps = heapsOf(cuts, bone);
  } else {
    cuts = withCutBelow(cuts, bone);
    heaps = heapsOf(cuts, bone);
  }
  const isEmpty = ({ body, sacrum, pointMm3 }: Heap) => ((body.length + sacrum.length) / 3) * pointMm3 < leastVolumeMm3;
  const from = heaps.findIndex((heap) => !isEmpty(heap));
  const to = heaps.findLastIndex((heap) => !isEmpty(heap));
  if (from < 0 || to <= from) return undefined;
  [cuts, heaps] = [cuts.slice(from, to), heaps.slice(from, to + 1)];
  const hasDens = isAxis(heaps[0]!, cuts[0]!, cuts[1]);
  const rough = heaps.map((heap, place) => {
    const [above, below] = [cuts[place - 1], cuts[place]];
    if (hasSacrum && place === heaps.length - 1) return undefined;
    return isEmpty(heap) ? missingBody(above!, below!) : bodyOf(heap, above, below, binMm, hasDens && place === 0);
  });
  const heights = rough.flatMap((body) => (body === undefined ? [] : [body.heightMm]));
  const bodies = rough.map((body) => body ?? sacralBody(heaps[heaps.length - 1]!, cuts[cuts.length - 1]!, medianOf(heights.slice(-3))));
  const last = heaps[heaps.length - 1]!;
  return {
    bodies: turnedToSac(bodies, sac), discs: cuts, hasSacrum, hasDens,
    sacrumShare: hasSacrum ? last.sacrum.length / Math.max(1, last.sacrum.length + last.body.length) : 0,
  };
}

/** How many discs have the point under them. */
export function nDiscsAbove(discs: readonly Disc[], x: number, y: number, z: number): number {
  let n = 0;
  for (const { frame: { originMm, z: up } } of discs) if ((x - originMm[0]) * up[0] + (y - originMm[1]) * up[1] + (z - originMm[2]) * up[2] < 0) n++;
  return n;
}

function isOnColumn(disc: Disc, [u, v]: Place): boolean {
  return Math.abs(u) < footprint * disc.halfWidthMm && Math.abs(v) < footprint * disc.halfDepthMm + 2;
}

function heapsOf(discs: readonly Disc[], bone: readonly Region[]): Heap[] {
  const heaps = Array.from({ length: discs.length + 1 }, () => ({ body: [] as number[], sacrum: [] as number[], sum: 0 }));
  const pointMm3 = Math.min(...bone.map((region) => region.pointMm3));
  for (const { structure, points, confidence } of bone) {
    const kind = structure === classIndex.sacrum ? 'sacrum' : 'body';
    for (let at = 0; at < points.length; at += 3) {
      const point: Place = [points[at]!, points[at + 1]!, points[at + 2]!];
      const place = nDiscsAbove(discs, ...point);
      const near = [discs[place - 1], discs[place]].filter((disc) => disc !== undefined);
      if (!near.some((disc) => isOnColumn(disc, intoFrame(disc.frame, point)))) continue;
      heaps[place]![kind].push(...point);
      heaps[place]!.sum += confidence;
    }
  }
  return heaps.map(({ body, sacrum, sum }) => ({
    body: Float32Array.from(body), sacrum: Float32Array.from(sacrum), pointMm3, confidence: sum / Math.max(1, (body.length + sacrum.length) / 3),
  }));
}

function isSacrum({ body, sacrum, pointMm3 }: Heap, { frame }: Disc): boolean {
  const near = (points: Float32Array) => {
    let n = 0;
    const local = localPoints(points, frame);
    for (let at = 2; at < local.length; at += 3) if (local[at]! > -belowDiscMm) n++;
    return n;
  };
  const [ofBody, ofSacrum] = [near(body), near(sacrum)];
  return ofSacrum > ofBody && ofSacrum * pointMm3 > leastVolumeMm3;
}

/** Points over (or under) a disc as a profile along its axis, a bin a millimetre from the disc on. */
function profile(disc: Disc, bone: readonly Region[], sign: 1 | -1): Float32Array {
  const counts = new Float32Array(120);
  for (const { structure, points } of bone) {
    if (structure !== classIndex.vertebralBody) continue;
    const local = localPoints(points, disc.frame);
    for (let at = 0; at < local.length; at += 3) {
      const bin = Math.floor(sign * local[at + 2]!);
      if (bin >= 0 && bin < counts.length && isOnColumn(disc, [local[at]!, local[at + 1]!, 0])) counts[bin]!++;
    }
  }
  return counts;
}

function withCutAbove(discs: readonly Disc[], bone: readonly Region[]): readonly Disc[] {
  const [top, next] = discs;
  if (top === undefined || next === undefined) return discs;
  const pitch = distance(top.frame.originMm, next.frame.originMm);
  const counts = profile(top, bone, 1);
  const cut = cutOf(counts, pitch);
  return cut === undefined || narrows(counts, pitch) ? discs : [beyond(top, cut), ...discs];
}

function withCutBelow(discs: readonly Disc[], bone: readonly Region[]): readonly Disc[] {
  const [last, before] = [discs[discs.length - 1], discs[discs.length - 2]];
  if (last === undefined || before === undefined) return discs;
  const cut = cutOf(profile(last, bone, -1), distance(last.frame.originMm, before.frame.originMm));
  return cut === undefined ? discs : [...discs, beyond(last, -cut)];
}

/** Where a body at the end is to be cut because it is too high for one: at its thinnest about one pitch away. */
function cutOf(counts: Float32Array, pitch: number): number | undefined {
  const fullest = medianOf([...counts.subarray(0, Math.round(pitch))].filter((count) => count > 0));
  const end = counts.findLastIndex((count) => count > 0.15 * fullest);
  if (!(end > tooHigh * pitch)) return undefined;
  let best = Math.round(0.75 * pitch);
  for (let bin = best; bin < 1.3 * pitch; bin++) if (counts[bin]! < counts[best]!) best = bin;
  return best + 0.5;
}

/** Whether a profile is that of the axis: its upper half is no more than the dens. */
function narrows(counts: Float32Array, pitch: number): boolean {
  const mean = (from: number, to: number) => {
    const part = counts.subarray(Math.round(from), Math.round(to));
    return part.reduce((sum, count) => sum + count, 0) / Math.max(1, part.length);
  };
  return pitch < 28 && mean(1.25 * pitch, 1.7 * pitch) < 0.6 * mean(0.25 * pitch, 0.7 * pitch);
}

function beyond(disc: Disc, along: number): Disc {
  return { ...disc, frame: { ...disc.frame, originMm: moved(disc.frame.originMm, [along, disc.frame.z]) }, heightMm: 0, volumeMm3: 0, confidence: 0, isMissing: true };
}

function isAxis({ body }: Heap, below: Disc, next: Disc | undefined): boolean {
  if (next === undefined) return false;
  const pitch = distance(below.frame.originMm, next.frame.originMm);
  const counts = new Float32Array(120);
  const local = localPoints(body, below.frame);
  for (let at = 2; at < local.length; at += 3) {
    const bin = Math.floor(local[at]!);
    if (bin >= 0 && bin < counts.length) counts[bin]!++;
  }
  const fullest = medianOf([...counts.subarray(0, Math.round(pitch))].filter((count) => count > 0));
  // The dens has a tenth of the body's section or more.
  return counts.findLastIndex((count) => count > 0.08 * fullest) > tooHigh * pitch && narrows(counts, pitch);
}

function bodyOf({ body, sacrum, confidence, pointMm3 }: Heap, above: Disc | undefined, below: Disc | undefined, binMm: number, isAxisBody: boolean): Body {
  const points = Float32Array.from([...body, ...sacrum]);
  const middle = [0, 1, 2].map((axis) => medianOf([...points].filter((_, at) => at % 3 === axis))) as unknown as Place;
  const direction = isAxisBody ? below!.frame.z : sumOf([above, below].flatMap((disc) => (disc === undefined ? [] : [disc.frame.z])));
  let frame = frameAlong(middle, direction);
  let [lower, upper] = [0, 0];
  let [left, front]: (readonly [number, number])[] = [[0, 0], [0, 0]];
  for (let round = 0; round < 3; round++) {
    const local = localPoints(points, frame);
    const along = (axis: number) => Float32Array.from({ length: local.length / 3 }, (_, index) => local[3 * index + axis]!);
    [left, front] = [extentOf(along(0), binMm, 0.25)!, extentOf(along(1), 1)!];
    frame = { ...frame, originMm: moved(frame.originMm, [(left![0] + left![1]) / 2, frame.x], [(front![0] + front![1]) / 2, frame.y]) };
    const { high, low } = facesOf(localPoints(points, frame), (left![1] - left![0]) / 2, (front![1] - front![0]) / 2, binMm);
    const [top, bottom] = [fitPlane(high, 9), fitPlane(low, 9)];
    const normals = isAxisBody ? [normalOf(bottom, frame)]
      : above === undefined ? [normalOf(bottom, frame), openFace(top, bottom, frame)]
        : below === undefined ? [normalOf(top, frame), openFace(bottom, top, frame)] : [normalOf(top, frame), normalOf(bottom, frame)];
    [upper, lower] = [top.offset, bottom.offset];
    frame = frameAlong(moved(frame.originMm, [(upper + lower) / 2, frame.z]), sumOf(normals));
  }
  const halfWidthMm = (left![1] - left![0]) / 2;
  const halfDepthMm = (front![1] - front![0]) / 2;
  if (isAxisBody) {
    // Of the axis only the body below the dens.
    const high = Math.min(upper - lower, 1.15 * 2 * below!.halfDepthMm);
    frame = { ...frame, originMm: moved(frame.originMm, [(high - (upper - lower)) / 2, frame.z]) };
    upper = lower + high;
  }
  return { frame, heightMm: upper - lower, halfWidthMm, halfDepthMm, volumeMm3: (points.length / 3) * pointMm3, confidence, isMissing: false };
}

/** A face without a disc may be the border of the image: it tells less than the other. */
function openFace(open: ReturnType<typeof fitPlane>, closed: ReturnType<typeof fitPlane>, frame: Frame): Place {
  const [a, b] = [normalOf(open, frame), normalOf(closed, frame)];
  return dot(unit(a), unit(b)) > Math.cos(Math.PI / 12) ? a : b;
}

function sumOf(directions: readonly Place[]): Place {
  return unit(directions.reduce((sum, one) => moved(sum, [1, unit(one)]), [0, 0, 0] as Place));
}

/** Highest and lowest points over cells of the middle of a body. */
function facesOf(local: Float32Array, halfWidth: number, halfDepth: number, binMm: number): { high: number[]; low: number[] } {
  const cells = new Map<number, { u: number; v: number; high: number; low: number }>();
  const cellMm = 1.6;
  for (let at = 0; at < local.length; at += 3) {
    const [u, v, w] = [local[at]!, local[at + 1]!, local[at + 2]!];
    if (Math.abs(u) > 0.75 * halfWidth || Math.abs(v) > 0.7 * halfDepth) continue;
    const key = Math.round(u / binMm) * 1000 + Math.round(v / cellMm);
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, { u, v, high: w, low: w });
    else {
      cell.high = Math.max(cell.high, w);
      cell.low = Math.min(cell.low, w);
    }
  }
  const all = [...cells.values()];
  return { high: all.flatMap(({ u, v, high }) => [u, v, high]), low: all.flatMap(({ u, v, low }) => [u, v, low]) };
}

function missingBody(above: Disc, below: Disc): Body {
  const [a, b] = [above.frame.originMm, below.frame.originMm];
  const frame = frameAlong([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2], sumOf([above.frame.z, below.frame.z]));
  return {
    frame, heightMm: distance(a, b) - (above.heightMm + below.heightMm) / 2, halfWidthMm: above.halfWidthMm, halfDepthMm: above.halfDepthMm,
    volumeMm3: 0, confidence: 0, isMissing: true,
  };
}

/** S1: from its endplate down by the height of the vertebrae above, narrower behind and below. */
function sacralBody({ body, sacrum, confidence, pointMm3 }: Heap, above: Disc, heightMm: number): Body {
  const points = Float32Array.from([...body, ...sacrum]);
  const local = localPoints(points, above.frame).filter((_, at, all) => all[3 * Math.floor(at / 3) + 2]! > -belowDiscMm);
  const { high } = facesOf(local, above.halfWidthMm, above.halfDepthMm, 3);
  const top = fitPlane(high, 9);
  const z = unit(normalOf(top, above.frame));
  // The endplate's hind part lies over the wall of the canal; the body is shallower below.
  const endplate = moved(above.frame.originMm, [top.offset, above.frame.z]);
  const frame = frameAlong(moved(endplate, [-heightMm / 2, z]), z, above.frame.x);
  const behind = above.halfDepthMm * 0.16;
  return {
    frame: { ...frame, originMm: moved(frame.originMm, [behind, frame.y]) },
    heightMm, halfWidthMm: above.halfWidthMm, halfDepthMm: above.halfDepthMm, volumeMm3: (points.length / 3) * pointMm3, confidence, isMissing: false,
  };
}

/** Most turn about z that is taken for real; radians. */
const mostTurn = 0.6;

/** y to where the sac lies, smoothed from level to level: rotation shows no other way in thick slices. */
function turnedToSac(bodies: readonly Body[], sac: readonly Region[]): Body[] {
  const turns = bodies.map(({ frame, heightMm, halfDepthMm }) => {
    let [n, u, v] = [0, 0, 0];
    for (const { points } of sac) {
      for (let at = 0; at < points.length; at += 3) {
        const local = intoFrame(frame, [points[at]!, points[at + 1]!, points[at + 2]!]);
        if (Math.abs(local[2]) > heightMm / 2 || local[1] < 0.6 * halfDepthMm || local[1] > halfDepthMm + 30 || Math.abs(local[0]) > 16) continue;
        n++;
        u += local[0];
        v += local[1];
      }
    }
    return n < 30 ? undefined : Math.max(-mostTurn, Math.min(mostTurn, -Math.atan2(u, v)));
  });
  return bodies.map((body, place) => {
    const near = [[place - 1, 1], [place, 2], [place + 1, 1]].flatMap(([at, weight]) => (turns[at!] === undefined ? [] : [[turns[at!]!, weight!] as const]));
    const total = near.reduce((sum, [, weight]) => sum + weight, 0);
    const turn = total === 0 ? 0 : near.reduce((sum, [value, weight]) => sum + value * weight, 0) / total;
    const { frame } = body;
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    const x = moved([0, 0, 0], [c, frame.x], [s, frame.y]);
    return { ...body, frame: { ...frame, x, y: moved([0, 0, 0], [-s, frame.x], [c, frame.y]) } };
  });
}
