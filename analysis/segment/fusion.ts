/**
 * What the column is made of in an axial slice, with what the sagittal slices of the same exam know of it: a logarithmic opinion pool
 * (Genest and Zidek 1986, doi 10.1214/ss/1177013825) of the odds of body, disc and sacrum,
 *
 *   q_c = P p_c s_c^w(a) / Σ_d p_d s_d^w(a),     w(a) = w exp(-(a / σ)²),     c, d: body, disc, sacrum,     P = Σ_c p_c
 *
 * p: the slice's own probabilities;   s: those of the sagittal slices at the same place (sampler.ts), after the patient's motion
 * between the two (between.ts);   a: how far the nearest sagittal slice is. Several sagittal stacks share the weight.
 *
 * A plane tells best what lies at right angles to its slices. Where an axial slice cuts an endplate at a flat angle, its pixels hold
 * bone and disc; in sagittal ones the endplate is a line. Where the column ends, to the side and towards canal and recesses, the axial
 * slice tells best: P stays its own. w and σ were chosen by hand on simulated patients (bench/fusion.ts has what they gain on others).
 *
 * A slice stays as it was where the planes do not agree about where column and canal are.
 */
import type { Vector3 } from '../../imaging/index.js';
import { latticeOf } from '../geometry.js';
import { classIndex, nClasses } from './classes.js';
import type { Evidence, Part } from './evidence.js';
import { Sampler } from './sampler.js';

/** w and σ */
const weight = 3;
const nearMm = 3;
/** Dice's overlap of column and canal below which a slice is left alone, and pixels of them from which it can be told. */
const leastAgreement = 0.75;
const leastPixels = 100;
/** Round what is labelled anew, so that its own borders are those of the whole slice. */
const border = 2;
const least = 1e-5;

const { vertebralBody, disc, sacrum, sac, cord } = classIndex;
const columnClasses = [vertebralBody, disc, sacrum];
/** What is compared: column and canal. */
const [column, canal, neither] = [0, 1, 2];
const regionOf = Uint8Array.from({ length: nClasses }, (_, index) => (columnClasses.includes(index) ? column : index === sac || index === cord ? canal : neither));

export function isOfColumn(structure: number): boolean {
  return regionOf[structure] === column;
}

/** A sagittal stack as it lies on an axial one. */
export interface OtherPlane {
  readonly evidence: Evidence;
  /** Added to places of the axial stack. */
  readonly shiftMm: Vector3;
}

/** Pixels of a slice where a plane's opinion may count. */
export interface Dispute {
  readonly plane: OtherPlane;
  readonly pixels: readonly number[];
}

/** Of each plane that agrees with the slice, what may be of the column and is not certain. */
export function disputesOf(own: Evidence, slice: number, planes: readonly OtherPlane[]): Dispute[] {
  return planes.map((plane) => ({ plane, pixels: disputed(own, slice, plane) })).filter(({ pixels }) => pixels.length > 0);
}

function disputed(own: Evidence, slice: number, { evidence, shiftMm }: OtherPlane): number[] {
  const [columns, rows] = own.geometry.matrixSize;
  const { start, across, down } = placesOf(own, slice, shiftMm);
  const sampler = new Sampler(evidence);
  const pixels: number[] = [];
  let [both, sum] = [0, 0];
  for (let row = 0, pixel = 0, voxel = slice * rows * columns; row < rows; row++) {
    for (let x = 0; x < columns; x++, pixel++, voxel++) {
      if (!sampler.find(start[0] + x * across[0] + row * down[0], start[1] + x * across[1] + row * down[1], start[2] + x * across[2] + row * down[2])) continue;
      const mine = own.winners[voxel]!;
      const theirs = sampler.winner;
      const [region, theirRegion] = [regionOf[mine]!, regionOf[theirs]!];
      if (region === neither && theirRegion === neither) continue;
      if (region !== neither) sum++;
      if (theirRegion !== neither) sum++;
      if (region !== neither && region === theirRegion) both++;
      if (region === column ? mine !== theirs || !own.isSure(voxel) : theirRegion === column && !own.isSure(voxel)) pixels.push(pixel);
    }
  }
  return sum < 2 * leastPixels || 2 * both < leastAgreement * sum ? [] : pixels;
}

/** @returns probabilities [class, row, column] of this part of the slice, in which all disputed pixels lie */
export function fused(own: Evidence, slice: number, disputes: readonly Dispute[], nPlanes: number, part: Part): Float32Array {
  const probabilities = own.probabilities(slice, part);
  const [columns] = own.geometry.matrixSize;
  const theirs = new Float64Array(nClasses);
  const size = part.rows * part.columns;
  for (const { plane: { evidence, shiftMm }, pixels } of disputes) {
    const { start, across, down } = placesOf(own, slice, shiftMm);
    const sampler = new Sampler(evidence);
    for (const pixel of pixels) {
      const x = pixel % columns;
      const y = (pixel - x) / columns;
      sampler.find(start[0] + x * across[0] + y * down[0], start[1] + x * across[1] + y * down[1], start[2] + x * across[2] + y * down[2]);
      sampler.logs(theirs);
      pool(probabilities, (y - part.firstRow) * part.columns + x - part.firstColumn, size, theirs, (weight / nPlanes) * Math.exp(-((sampler.awayMm / nearMm) ** 2)));
    }
  }
  return probabilities;
}

/** In place. @param at pixel of the probabilities [class, pixel], `size` pixels a class */
function pool(probabilities: Float32Array, at: number, size: number, theirs: Float64Array, w: number): void {
  const highest = Math.max(theirs[vertebralBody]!, theirs[disc]!, theirs[sacrum]!);
  let [whole, pooled] = [0, 0];
  for (const index of columnClasses) {
    const own = probabilities[index * size + at]! + least;
    whole += own;
    pooled += probabilities[index * size + at] = own * Math.exp(w * (theirs[index]! - highest));
  }
  for (const index of columnClasses) probabilities[index * size + at]! *= whole / pooled;
}

/** What holds these pixels with a border round them; undefined where there are none. */
export function partAround(disputes: readonly Dispute[], rows: number, columns: number): Part | undefined {
  let [top, bottom, left, right] = [rows, -1, columns, -1];
  for (const { pixels } of disputes) {
    for (const pixel of pixels) {
      const x = pixel % columns;
      const y = (pixel - x) / columns;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      if (x < left) left = x;
      if (x > right) right = x;
    }
  }
  if (bottom < 0) return undefined;
  const [firstRow, firstColumn] = [Math.max(0, top - border), Math.max(0, left - border)];
  return { firstRow, firstColumn, rows: Math.min(rows, bottom + border + 1) - firstRow, columns: Math.min(columns, right + border + 1) - firstColumn };
}

function placesOf({ geometry }: Evidence, slice: number, shiftMm: Vector3) {
  const { origin, across, down, on } = latticeOf(geometry);
  return { across, down, start: origin.map((value, axis) => value + slice * on[axis]! + shiftMm[axis]!) as unknown as Vector3 };
}
