/**
 * What bounds recess and foramen: disc and bodies in front; articular processes, joint and ligament behind, and of the
 * sacrum what is not the body of S1. Islands of a segmentation are left out.
 */
import { archCode, bodyCode, discCode, facetCode, structureCodes } from '../anatomy.js';
import type { Segment, Side } from '../types.js';
import type { Mask } from './mask.js';
import type { Section } from './section.js';

export interface Walls {
  readonly front: Mask;
  readonly back: Mask;
}

/** Pixels on either side of what is open. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export const sides: readonly Side[] = ['left', 'right'];

/** Smaller pieces are islands. */
const leastWallMm2 = 4;

export function wallsOf(section: Section, { name, upper, lower }: Segment, side: Side): Walls {
  const firm = (mask: Mask) => {
    const pieces = mask.components().filter(({ areaMm2 }) => areaMm2 >= leastWallMm2);
    return pieces.reduce((all, piece) => all.or(piece), mask.minus(mask));
  };
  const sacrum = lower === 'S1' ? [structureCodes.sacrum] : [];
  return {
    front: firm(section.mask(discCode(name), bodyCode(upper), bodyCode(lower))),
    back: firm(section.mask(archCode(upper), archCode(lower), facetCode(name, side), structureCodes.ligamentumFlavum, ...sacrum)),
  };
}

/** Along a column of an axial section, the last row of the front before the first one of the back; undefined without both. */
export function gapInColumn({ front, back }: Walls, column: number): Gap | undefined {
  return gapAlong(front.section.nRows, (row) => front.has(row, column), (row) => back.has(row, column));
}

/** Along a row of a sagittal section. */
export function gapInRow({ front, back }: Walls, row: number): Gap | undefined {
  return gapAlong(front.section.nColumns, (column) => front.has(row, column), (column) => back.has(row, column));
}

function gapAlong(count: number, isFront: (index: number) => boolean, isBack: (index: number) => boolean): Gap | undefined {
  let from = -1;
  for (let index = 0; index < count; index++) {
    if (isFront(index)) from = index;
    else if (from >= 0 && isBack(index)) return { from, to: index };
  }
  return undefined;
}

/**
 * The narrowest of gaps that lie side by side, each the median of three, so that one ragged pixel does not decide.
 * @param gaps with one more on either side of those that count
 */
export function narrowestGap(gaps: readonly (Gap | undefined)[]): { readonly at: number; readonly gap: Gap; readonly pixels: number } | undefined {
  const widths = gaps.map((gap) => (gap === undefined ? NaN : gap.to - gap.from - 1));
  let best: { at: number; gap: Gap; pixels: number } | undefined;
  for (let at = 1; at < gaps.length - 1; at++) {
    const [gap, three] = [gaps[at], widths.slice(at - 1, at + 2).filter(Number.isFinite).sort((a, b) => a - b)];
    if (gap === undefined || three.length < 2) continue;
    const pixels = (three[Math.floor((three.length - 1) / 2)]! + three[Math.ceil((three.length - 1) / 2)]!) / 2;
    if (best === undefined || pixels < best.pixels) best = { at, gap, pixels };
  }
  return best;
}

/** Pixels of a mask about one of them: how sure the place is that decides. */
export function confidenceNear(mask: Mask, row: number, column: number, radiusMm = 3): number {
  const reach = radiusMm / mask.section.stepMm;
  return mask.where((_pixel, r, c) => Math.abs(r - row) <= reach && Math.abs(c - column) <= reach).confidence;
}
