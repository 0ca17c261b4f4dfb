/**
 * Names of levels, from anchors: places whose name shows in the image.
 *
 *   the sacrum             what lies on it is the last lumbar vertebra
 *   the last pair of ribs  is that of T12: bone beside the body that the next vertebra has not, where the slices reach far enough.
 *                          In front of the transverse processes and above them: these are bone in cross-section, too
 *   the dens               is that of C2
 *
 * Counted from the sacrum alone, five lumbar vertebrae are assumed, which 4 to 36 % of people do not have (Konin and Walz 2010, doi
 * 10.3174/ajnr.A2036); so two anchors have to agree, on one side where the slices leave out the other, and four or six are believed
 * where both sides say so.
 * Seven cervical vertebrae are as good as certain: the dens may stand alone.
 */
import { voxelOf } from '../../imaging/index.js';
import { moved } from '../geometry.js';
import { vertebraName, vertebraNumber } from '../anatomy.js';
import { classIndex } from '../segment/index.js';
import type { Numbering } from '../types.js';
import { localPoints } from './discs.js';
import type { Stack } from './regions.js';
import type { Body, Vertebrae } from './vertebrae.js';

export interface Names {
  /** Of the bodies from head to foot; shorter than they are where the first ones have none. */
  readonly names: readonly string[];
  readonly numbering: Numbering;
}

const [c2, t1, t12, l1, s1] = ['C2', 'T1', 'T12', 'L1', 'S1'].map(vertebraNumber) as [number, number, number, number, number];
/** A rib's section is 50 to 80 mm², in one slice or more. */
const ribMm3 = 110;
const noRibMm3 = 35;
/** Where the ribs' necks are: beside and behind the body. */
const besideMm = [-3, 16] as const;
const behindBodyMm = [-8, 24] as const;
const ribCentreMm = [9, 8] as const;
/**
 * The middle of a rib lies higher than this above that of the body, that of a transverse process lower; the farther behind
 * `ribCentreMm`, by `ribSlope`, the higher a rib has to be. Ours, set on simulated spines.
 */
const ribHeightMm = 4.7;
const processHeightMm = 4.2;
const ribSlope = 0.35;

export type RibSign = 'seen' | 'none' | 'unclear';

export interface RibSigns {
  readonly left: RibSign;
  readonly right: RibSign;
}

/** @returns what is beside each body */
export function ribsOf(bodies: readonly Body[], stacks: readonly Stack[]): RibSigns[] {
  return bodies.map((body) => {
    const sideOf = (sign: 1 | -1): RibSign => {
      const at = moved(body.frame.originMm, [sign * (body.halfWidthMm + ribCentreMm[0]), body.frame.x], [body.halfDepthMm + ribCentreMm[1], body.frame.y]);
      const isCovered = stacks.some(({ labelled: { classes: { geometry } } }) => voxelOf(geometry, at).every((index, axis) => index > -0.5 && index < geometry.matrixSize[axis]! - 0.5));
      const found = stacks.map((stack) => boneBeside(body, stack, sign)).reduce((most, one) => (one.volumeMm3 > most.volumeMm3 ? one : most));
      const heightMm = found.aboveMm - ribSlope * (found.behindMm - ribCentreMm[1]);
      if (found.volumeMm3 >= ribMm3 && heightMm > ribHeightMm) return 'seen';
      return isCovered && (found.volumeMm3 <= noRibMm3 || heightMm < processHeightMm) ? 'none' : 'unclear';
    };
    return { left: sideOf(1), right: sideOf(-1) };
  });
}

/** Behind the body's edge and above its middle: the mean place of the bone. */
function boneBeside({ frame, heightMm, halfWidthMm, halfDepthMm }: Body, { regions }: Stack, sign: 1 | -1): { volumeMm3: number; behindMm: number; aboveMm: number } {
  let [volumeMm3, behindMm, aboveMm] = [0, 0, 0];
  for (const { structure, points, pointMm3 } of regions) {
    if (structure !== classIndex.otherBone) continue;
    const local = localPoints(points, frame);
    for (let at = 0; at < local.length; at += 3) {
      const [u, v, w] = [sign * local[at]! - halfWidthMm, local[at + 1]! - halfDepthMm, local[at + 2]!];
      if (!(u > besideMm[0] && u < besideMm[1] && v > behindBodyMm[0] && v < behindBodyMm[1] && Math.abs(w) < 0.55 * heightMm)) continue;
      volumeMm3 += pointMm3;
      behindMm += pointMm3 * v;
      aboveMm += pointMm3 * w;
    }
  }
  return { volumeMm3, behindMm: behindMm / volumeMm3, aboveMm: aboveMm / volumeMm3 };
}

interface LastRibs {
  readonly place: number;
  /** Seen on a side, missing there at the next vertebra, and not missing on the other side. */
  readonly isClear: boolean;
  /** So on both sides. */
  readonly isVeryClear: boolean;
}

/** @param n presacral bodies */
function lastRibs(signs: readonly RibSigns[], n: number): LastRibs | undefined {
  const sides = ['left', 'right'] as const;
  // The three lowest lie beside the pelvis.
  const place = signs.slice(0, Math.max(0, n - 2)).findLastIndex((own) => sides.some((side) => own[side] === 'seen'));
  if (place < 0) return undefined;
  const [own, below] = [signs[place]!, signs[place + 1]];
  const clear = sides.filter((side) => own[side] === 'seen' && below?.[side] === 'none');
  return {
    place,
    isClear: clear.length > 0 && sides.every((side) => own[side] !== 'none'),
    isVeryClear: clear.length === 2,
  };
}

/**
 * @param conus place of the body beside which the cord ends, if it ends within the image
 */
export function namesOf({ bodies, hasSacrum, sacrumShare, hasDens, discs }: Vertebrae, signs: readonly RibSigns[], conus: number | undefined): Names {
  const nPresacral = bodies.length - (hasSacrum ? 1 : 0);
  const ribs = lastRibs(signs, hasSacrum ? nPresacral : nPresacral + 2);
  const missing = discs.filter(({ isMissing }) => isMissing).length;
  const reasons: string[] = [];
  let isCertain = false;
  let first: number;
  let nLumbar = 5;
  if (hasDens) {
    reasons.push('counted downwards from the axis, whose dens is seen');
    first = c2;
    isCertain = missing === 0;
    if (hasSacrum) nLumbar = c2 + nPresacral - 1 - t12;
    if (ribs?.isClear === true && c2 + ribs.place !== t12) {
      isCertain = false;
      reasons.push(`the last ribs are at the ${ordinal(ribs.place + 1)} vertebra from the axis, not at the eighteenth`);
    } else if (ribs?.isClear === true) reasons.push('the last ribs are at T12');
    if (hasSacrum && (nLumbar < 4 || nLumbar > 6)) {
      isCertain = false;
      reasons.push(`${nPresacral} vertebrae from the axis to the sacrum, where 22 to 24 are expected; counted upwards from the sacrum`);
      nLumbar = 5;
      first = lastLumbar(nLumbar) - nPresacral + 1;
    }
  } else if (hasSacrum) {
    reasons.push(sacrumShare > 0.85 ? 'counted upwards from the sacrum' : 'counted upwards from what is likely the sacrum');
    const counted = ribs === undefined ? undefined : nPresacral - 1 - ribs.place;
    if (ribs === undefined) reasons.push('no ribs are seen within the slices, so that T12 is not known');
    else if (counted === 5) {
      isCertain = ribs.isClear && sacrumShare > 0.7;
      reasons.push(ribs.isClear ? 'the last ribs are five vertebrae above the sacrum, at T12' : 'ribs at T12 are seen, but missing on one side or without a clear end');
    } else if ((counted === 4 || counted === 6) && ribs.isVeryClear && sacrumShare > 0.85) {
      isCertain = true;
      nLumbar = counted;
      reasons.push(`the last ribs are ${counted} vertebrae above the sacrum: ${counted === 4 ? 'four' : 'six'} lumbar vertebrae`);
    } else reasons.push(`the last ribs that are seen are ${counted ?? 0} vertebrae above the sacrum, where five are expected`);
    first = lastLumbar(nLumbar) - nPresacral + 1;
  } else if (ribs !== undefined) {
    reasons.push('counted from the last ribs that are seen; no sacrum is seen');
    first = t12 - ribs.place;
  } else if (conus !== undefined) {
    reasons.push('neither sacrum nor ribs nor dens are seen; the end of the cord is taken for L1, which is a guess');
    first = l1 - conus;
  } else {
    const isNeck = bodies.reduce((sum, { halfDepthMm }) => sum + 2 * halfDepthMm, 0) / bodies.length < 21;
    reasons.push(`neither sacrum nor ribs nor dens are seen; ${isNeck ? 'by their size they are cervical' : 'the lowest is taken for L5'}, which is a guess`);
    first = isNeck ? Math.max(c2, t1 - bodies.length + 2) : lastLumbar(5) - bodies.length + 1;
  }
  if (missing > 0) {
    isCertain = false;
    reasons.push(`${missing} ${missing === 1 ? 'disc is' : 'discs are'} not seen where the distance of the others asks for ${missing === 1 ? 'one' : 'them'}`);
  }
  const numbers = bodies.map((_, place) => {
    if (hasSacrum && place === nPresacral) return s1;
    const number = first + place;
    return number > lastLumbar(nLumbar) ? undefined : number;
  });
  return { names: numbers.map((number) => (number === undefined || number < c2 ? '' : vertebraName(number)!)), numbering: { certain: isCertain, reasons } };
}

function lastLumbar(nLumbar: number): number {
  return l1 + nLumbar - 1;
}

function ordinal(n: number): string {
  return `${n}${n % 10 === 1 && n !== 11 ? 'st' : n % 10 === 2 && n !== 12 ? 'nd' : n % 10 === 3 && n !== 13 ? 'rd' : 'th'}`;
}
