/**
 * Height of a vertebral body in its midsagittal section, and its fracture.
 *
 * The body runs from the first to the last column that is at least an eighth as high as its middle, so that specks
 * do not count. Heights are those of the columns at a tenth, the half and nine tenths of its depth.
 *
 *   loss = 1 - min over the three places of height / expected height
 *
 * The expected height is the mean of the nearest unfractured neighbours on either side (at most two away). Genant
 * 1993, doi 10.1002/jbmr.5650080915: grade 1 from 20, 2 from 25, 3 from 40 %; crush where the posterior wall has
 * lost 20 %, else wedge or biconcave as the front or the middle has lost more.
 */
import type { Anatomy, Frame } from '../anatomy/index.js';
import { bodyLabel } from '../spine/index.js';
import { gradeOf, scales } from './grades.js';
import { Section, type Mask } from './section.js';

export interface BodyHeights {
  readonly anteriorMm: number;
  readonly middleMm: number;
  readonly posteriorMm: number;
  readonly depthMm: number;
}

export interface VertebralFracture {
  readonly grade: '0' | '1' | '2' | '3';
  readonly type: 'none' | 'wedge' | 'biconcave' | 'crush';
  /** 0 to 1. */
  readonly heightLoss: number;
}

/** Points of a body's outline, [u, v] in the section: u to posterior, v to the feet. */
export interface BodyOutline {
  readonly heights: BodyHeights;
  /** Where the endplates end in front and behind. */
  readonly upper: { readonly anterior: Point; readonly posterior: Point };
  readonly lower: { readonly anterior: Point; readonly posterior: Point };
}

export type Point = readonly [number, number];

/** Places along a body's depth. */
export const shares = { anterior: 0.1, middle: 0.5, posterior: 0.9 } as const;

/** Midsagittal, about the middle of a body. */
export function bodySection(anatomy: Anatomy, frame: Frame, halfDepthMm = 32, halfHeightMm = 26): Section {
  return new Section(anatomy, frame, { orientation: 'sagittal', u: [-halfDepthMm, halfDepthMm], v: [-halfHeightMm, halfHeightMm] });
}

/** Undefined where the section holds no such body. */
export function outlineBody(section: Section, vertebra: string): BodyOutline | undefined {
  const label = bodyLabel(vertebra);
  return outlineOf(section.mask((other) => other === label).componentAt(0, 0));
}

export function outlineOf(body: Mask): BodyOutline | undefined {
  const { section } = body;
  const columns = body.columns();
  if (columns === undefined) return undefined;
  const middle = body.columnLengthMm(Math.round((columns[0] + columns[1]) / 2));
  let [first, last] = columns;
  while (first < last && body.columnLengthMm(first) < middle / 8) first++;
  while (last > first && body.columnLengthMm(last) < middle / 8) last--;
  const columnAt = (share: number) => Math.round(first + share * (last - first));
  const pointAt = (share: number, end: 0 | 1): Point => {
    const column = columnAt(share);
    const edge = end === 0 ? -0.5 : 0.5;
    return [section.u(column), section.v(body.rowsOf(column)![end]) + edge * section.stepMm];
  };
  return {
    heights: {
      anteriorMm: body.columnLengthMm(columnAt(shares.anterior)),
      middleMm: body.columnLengthMm(columnAt(shares.middle)),
      posteriorMm: body.columnLengthMm(columnAt(shares.posterior)),
      depthMm: (last - first + 1) * section.stepMm,
    },
    upper: { anterior: pointAt(shares.anterior, 0), posterior: pointAt(shares.posterior, 0) },
    lower: { anterior: pointAt(shares.anterior, 1), posterior: pointAt(shares.posterior, 1) },
  };
}

/** Of vertebrae in their order, from the head down; of the presacral ones. */
export function gradeFractures(heights: readonly BodyHeights[]): VertebralFracture[] {
  let lost = heights.map(() => false);
  // Twice: an expected height may itself have come from a fractured neighbour.
  for (let pass = 0; pass < 2; pass++) lost = heights.map((_, index) => fractureOf(heights, lost, index).heightLoss >= scales.genant.cutoffs[0]);
  return heights.map((_, index) => fractureOf(heights, lost, index));
}

function fractureOf(heights: readonly BodyHeights[], lost: readonly boolean[], index: number): VertebralFracture {
  const neighbours = [-1, 1].flatMap((way) => {
    const found = [index + way, index + 2 * way].find((other) => heights[other] !== undefined && !lost[other]);
    return found === undefined ? [] : [heights[found]!];
  });
  if (neighbours.length === 0) return { grade: '0', type: 'none', heightLoss: 0 };
  const lossAt = (place: 'anteriorMm' | 'middleMm' | 'posteriorMm') =>
    1 - heights[index]![place] / (neighbours.reduce((sum, other) => sum + other[place], 0) / neighbours.length);
  const [anterior, middle, posterior] = [lossAt('anteriorMm'), lossAt('middleMm'), lossAt('posteriorMm')];
  const heightLoss = Math.max(0, anterior, middle, posterior);
  const grade = gradeOf(scales.genant, heightLoss);
  const least = scales.genant.cutoffs[0];
  const type = grade === '0' ? 'none' : posterior >= least ? 'crush' : anterior >= middle ? 'wedge' : 'biconcave';
  return { grade, type, heightLoss };
}
