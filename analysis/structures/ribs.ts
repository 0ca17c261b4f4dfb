/**
 * Ribs beside a body, as evidence.
 *
 *   L = P(V | a rib) / P(V | none)      for each side, as a logarithm
 *
 * V is the volume of bone, of arches or of no level (the network takes ribs for either), that lies beside the body, not far behind it and high: ribs
 * run in front of the transverse processes and above them. Both are bone in cross-section; what is more than 7 mm over the body's middle
 * is a rib's, and the farther behind, the higher it has to be. Close beside the body and far behind it articular processes are as high. Where the
 * body's side is, is told by a line through the widths of all bodies.
 *
 *   next to nothing   L = (1 - d) / (1 - p d),   1 - d = m e^(-x / 3.7 mm) where slices go x mm beyond ribs' heads, 1 where they end beside the body
 *   60 mm³ and more   ln L = 4.2 + (V - 60 mm³) / 80 mm³, 7 at the most;   in between along a line
 *
 * d is the probability that a rib is drawn where there is one: m = 0.01 where the transverse process is drawn, so that it is known what the slices
 * show there, 0.2 near the image's upper border, where the network sees little round it, else 0.04. p is the share of other places where as much bone is. Both sides show one person, and what hides one hides the
 * other: the weaker of two that agree counts half. A rib on one side only is as odd as a wrong drawing: two that disagree,
 * s and the weaker w, tell (s + w) / (1 + w²), which is next to nothing where both are sure.
 *
 * The numbers are ours, set on simulated spines (bench/levels.ts).
 */
import { voxelOf } from '../../imaging/index.js';
import { moved, type Place } from '../geometry.js';
import { classIndex } from '../segment/index.js';
import { localPoints } from './discs.js';
import type { Stack } from './regions.js';
import type { Body } from './vertebrae.js';

export interface RibEvidence {
  /** ln L of both sides together. */
  readonly logRatio: number;
  /** Probability that a rib of this body would be drawn, on the side where it is greater. */
  readonly drawn: number;
}

/** Where ribs' necks and transverse processes are: beside and behind the body, and how high at which place behind it. */
const besideMm = [4, 16] as const;
/** Nearer to the body are articular processes, as high as ribs. */
const ribsBesideMm = 7;
const behindMm = [-8, 24] as const;
/** Farther behind, too. */
const ribsBehindMm = 15;
const neckBehindMm = 8;
const [lowMm, highMm] = [5, 7];
const slope = 0.35;
/** Where the next vertebra's bone begins. */
const mostMm = 16;
const nothingMm3 = 10;
const processMm3 = 150;
const [ribMm3, growthMm3] = [60, 80];
const [ribLogRatio, mostLogRatio] = [4.2, 7];
const ofOthers = 0.05;
/** Slices have to have their middles so far beside the body before ribs are drawn: from none to nearly all. */
const risingMm = [6.5, 8.5] as const;
const [missed, missedBesideProcess, missedAtBorder] = [0.04, 0.01, 0.2];
/** The image's border is near where it ends so far above a body's middle. */
const borderMm = 25;
const fartherMm = 3.7;
const mostReachMm = 16;
/** So much above a body's middle has to be in the image. */
const seenAboveMm = 12;
const whole = 0.85;

/** @returns what is beside each body, from head to foot */
export function ribsOf(bodies: readonly Body[], stacks: readonly Stack[]): RibEvidence[] {
  const widthAt = halfWidthOf(bodies);
  return bodies.map((body, place) => {
    const asWhole = { ...(place === 0 ? completed(body, bodies[1]) : body), halfWidthMm: widthAt(place) };
    const sides = ([1, -1] as const).map((sign) => stacks.map((stack) => sideOf(asWhole, stack, sign)).reduce((most, one) => (one.drawn + one.volumeMm3 > most.drawn + most.volumeMm3 ? one : most)));
    const [strong, weak] = sides.map(logRatioOf).sort((a, b) => Math.abs(b) - Math.abs(a)) as [number, number];
    const logRatio = strong * weak >= 0 ? strong + weak / 2 : (strong + weak) / (1 + weak ** 2);
    return { logRatio, drawn: Math.max(...sides.map(({ drawn }) => drawn)) };
  });
}

/** Least squares over all bodies: they grow wider evenly towards the sacrum, and slices tell the width of one no better than by their own. */
function halfWidthOf(bodies: readonly Body[]): (place: number) => number {
  const middle = (bodies.length - 1) / 2;
  const mean = bodies.reduce((sum, { halfWidthMm }) => sum + halfWidthMm, 0) / bodies.length;
  const [along, square] = bodies.reduce(([a, b], { halfWidthMm }, place) => [a + (place - middle) * (halfWidthMm - mean), b + (place - middle) ** 2] as const, [0, 0] as readonly [number, number]);
  return (place) => mean + (square > 0 ? along / square : 0) * (place - middle);
}

/** The topmost body as high as the next one, where the image's border cuts it. */
function completed(body: Body, next: Body | undefined): Body {
  if (next === undefined || body.isMissing || body.heightMm > whole * next.heightMm) return body;
  const { frame } = body;
  return { ...body, heightMm: next.heightMm, frame: { ...frame, originMm: moved(frame.originMm, [(next.heightMm - body.heightMm) / 2, frame.z]) } };
}

interface Side {
  /** V */
  readonly volumeMm3: number;
  /** d */
  readonly drawn: number;
}

function logRatioOf({ volumeMm3, drawn }: Side): number {
  const none = Math.log((1 - drawn) / (1 - ofOthers * drawn));
  if (volumeMm3 < nothingMm3) return none;
  if (volumeMm3 < ribMm3) return none + ((ribLogRatio - none) * (volumeMm3 - nothingMm3)) / (ribMm3 - nothingMm3);
  return Math.min(mostLogRatio, ribLogRatio + (volumeMm3 - ribMm3) / growthMm3);
}

function sideOf(body: Body, stack: Stack, sign: 1 | -1): Side {
  const { ribsMm3, processesMm3 } = boneBeside(body, stack, sign);
  const [none, most] = risingMm;
  const { reachMm, isNearBorder } = reachBeside(body, stack, sign);
  const rising = Math.max(0, Math.min(1, (reachMm - none) / (most - none)));
  const left = isNearBorder ? missedAtBorder : (processesMm3 > processMm3 ? missedBesideProcess : missed) * Math.exp(-Math.max(0, reachMm - most) / fartherMm);
  return { volumeMm3: ribsMm3, drawn: rising * (1 - left) };
}

/** How far beside the body slices have their middles (what only a slice's edge touches is not seen in it), and whether the image ends just above. */
function reachBeside({ frame, halfWidthMm, halfDepthMm }: Body, { labelled: { classes: { geometry: grid } } }: Stack, sign: 1 | -1): { reachMm: number; isNearBorder: boolean } {
  const at = (beside: number, above = seenAboveMm): Place => moved(frame.originMm, [sign * (halfWidthMm + beside), frame.x], [halfDepthMm + neckBehindMm, frame.y], [above, frame.z]);
  const isIn = (place: Place) => voxelOf(grid, place).every((index, axis) => index > (axis === 2 ? -0.01 : -0.5) && index < grid.matrixSize[axis]! - (axis === 2 ? 0.99 : 0.5));
  let reachMm = 0;
  while (reachMm < mostReachMm && isIn(at(reachMm + 0.5))) reachMm += 0.5;
  return { reachMm, isNearBorder: !isIn(at(reachMm, borderMm)) };
}

function boneBeside({ frame, halfWidthMm, halfDepthMm }: Body, { regions }: Stack, sign: 1 | -1): { ribsMm3: number; processesMm3: number } {
  let [ribsMm3, processesMm3] = [0, 0];
  for (const { structure, points, pointMm3 } of regions) {
    if (structure !== classIndex.otherBone && structure !== classIndex.posteriorElements) continue;
    const local = localPoints(points, frame);
    for (let at = 0; at < local.length; at += 3) {
      const [u, v, w] = [sign * local[at]! - halfWidthMm, local[at + 1]! - halfDepthMm, local[at + 2]!];
      if (u < besideMm[0] || u > besideMm[1] || v < behindMm[0] || v > behindMm[1] || Math.abs(w) > mostMm) continue;
      const high = w - slope * (v - neckBehindMm);
      if (high > highMm && v < ribsBehindMm && u > ribsBesideMm) ribsMm3 += pointMm3;
      else if (high < lowMm) processesMm3 += pointMm3;
    }
  }
  return { ribsMm3, processesMm3 };
}
