/**
 * Bodies along the canal: a section that changes on its way down a bent line.
 *
 *   d(p) = section(u, v),   p = c(k) + u x(k) + v y(k),   k: the place at which p lies square to the line
 *
 * Between the anatomical stations the line and the sections' values follow a monotone cubic in z (Fritsch and
 * Carlson 1980, doi 10.1137/0717021), so that nothing overshoots; it is sampled about every 2 mm. The line,
 * smoothed by a narrow Gaussian as no canal has corners, always runs downwards: z gives the first guess of k,
 * projection on the tangent there mends it.
 */
import type { Vector3 } from '../../imaging/index.js';
import { simulatorError } from '../errors.js';
import type { Box, Solid } from '../anatomy/index.js';

export interface Station {
  readonly centreMm: Vector3;
  /** To the left, about square to the line. */
  readonly across: Vector3;
  readonly values: readonly number[];
}

/** Signed distance in the plane of a section: u to the left, v to posterior, that section's values, its place k. */
export type Section = (u: number, v: number, values: Float64Array, k: number) => number;

const stepMm = 2;
const smoothingMm = 4;
/** Numbers a sample: centre, tangent (down), across, back. */
const stride = 12;

export class Sweep {
  /** Samples along the line; places k run from 0 to nSamples - 1. */
  readonly nSamples: number;
  readonly #nValues: number;
  readonly #lines: Float64Array;
  readonly #values: Float64Array;
  readonly #topMm: number;
  readonly #perMm: number;

  /** @param stations from the top down. @throws SIM_ERR_SPINE */
  constructor(stations: readonly Station[]) {
    const heights = stations.map(({ centreMm }) => -centreMm[2]);
    if (stations.length < 2 || heights.some((height, index) => index > 0 && height <= heights[index - 1]!)) {
      throw simulatorError('SIM_ERR_SPINE', `a canal of ${stations.length} stations that does not run downwards`);
    }
    const [first, last] = [heights[0]!, heights[heights.length - 1]!];
    this.nSamples = Math.max(2, Math.ceil((last - first) / stepMm) + 1);
    this.#nValues = stations[0]!.values.length;
    this.#lines = new Float64Array(stride * this.nSamples);
    this.#values = new Float64Array(this.#nValues * this.nSamples);
    const spacing = (last - first) / (this.nSamples - 1);
    this.#topMm = -first;
    this.#perMm = 1 / spacing;
    const track = (pick: (station: Station) => number) => monotoneCubic(heights, stations.map(pick));
    const [centreX, centreY] = [track(({ centreMm }) => centreMm[0]), track(({ centreMm }) => centreMm[1])];
    const acrosses = [0, 1, 2].map((axis) => track(({ across }) => across[axis]!));
    const values = Array.from({ length: this.#nValues }, (_, value) => track((station) => station.values[value]!));
    const heightOf = (k: number) => first + k * spacing;
    const smoothed = [centreX, centreY].map((at) => smooth(Float64Array.from({ length: this.nSamples }, (_, k) => at(heightOf(k))), spacing));
    for (let k = 0; k < this.nSamples; k++) {
      const height = heightOf(k);
      const [x, y] = smoothed as [Float64Array, Float64Array];
      const [before, after] = [Math.max(0, k - 1), Math.min(this.nSamples - 1, k + 1)];
      const run = (after - before) * spacing;
      const tangent = normalised([(x[after]! - x[before]!) / run, (y[after]! - y[before]!) / run, -1]);
      const wanted = acrosses.map((at) => at(height)) as unknown as Vector3;
      const along = dot(wanted, tangent);
      const across = normalised([wanted[0] - along * tangent[0], wanted[1] - along * tangent[1], wanted[2] - along * tangent[2]]);
      const back = cross(across, tangent);
      this.#lines.set([x[k]!, y[k]!, -height, ...tangent, ...across, ...back], stride * k);
      values.forEach((at, value) => (this.#values[k * this.#nValues + value] = at(height)));
    }
  }

  /** The place at a height on the line; past the ends beyond 0 and nSamples - 1. */
  placeAtHeight(zMm: number): number {
    return (this.#topMm - zMm) * this.#perMm;
  }

  /** From the section at a place into space. */
  pointAt(k: number, u: number, v: number): Vector3 {
    const { base, share } = this.#between(k);
    const at = stride * base;
    const mix = (offset: number) => this.#lines[at + offset]! + share * (this.#lines[at + stride + offset]! - this.#lines[at + offset]!);
    return [0, 1, 2].map((axis) => mix(axis) + u * mix(6 + axis) + v * mix(9 + axis)) as unknown as Vector3;
  }

  valuesAt(k: number): Float64Array {
    const values = new Float64Array(this.#nValues);
    this.#interpolate(k, values);
    return values;
  }

  /**
   * @param reachMm no point of the section is farther from the line
   * @param from place where the body begins, its end flat
   * @param to place where it ends
   */
  solid(section: Section, reachMm: (values: Float64Array) => number, from = 0, to = this.nSamples - 1): Solid {
    const lines = this.#lines;
    const values = new Float64Array(this.#nValues);
    return {
      bounds: this.#bounds(reachMm, from, to),
      distanceMm: (x, y, z) => {
        const k = this.#placeOf(x, y, z);
        const near = Math.min(to, Math.max(from, k));
        const base = Math.max(0, Math.min(this.nSamples - 2, Math.floor(near)));
        const share = near - base;
        const a = stride * base;
        const b = a + stride;
        const dx = x - lines[a]! - share * (lines[b]! - lines[a]!);
        const dy = y - lines[a + 1]! - share * (lines[b + 1]! - lines[a + 1]!);
        const dz = z - lines[a + 2]! - share * (lines[b + 2]! - lines[a + 2]!);
        const u =
          dx * (lines[a + 6]! + share * (lines[b + 6]! - lines[a + 6]!)) +
          dy * (lines[a + 7]! + share * (lines[b + 7]! - lines[a + 7]!)) +
          dz * (lines[a + 8]! + share * (lines[b + 8]! - lines[a + 8]!));
        const v =
          dx * (lines[a + 9]! + share * (lines[b + 9]! - lines[a + 9]!)) +
          dy * (lines[a + 10]! + share * (lines[b + 10]! - lines[a + 10]!)) +
          dz * (lines[a + 11]! + share * (lines[b + 11]! - lines[a + 11]!));
        this.#interpolate(near, values);
        const across = section(u, v, values, near);
        if (near === k) return across;
        const beyond = Math.abs(dx * lines[a + 3]! + dy * lines[a + 4]! + dz * lines[a + 5]!);
        return across > 0 ? Math.sqrt(across * across + beyond * beyond) : beyond;
      },
    };
  }

  #placeOf(x: number, y: number, z: number): number {
    const lines = this.#lines;
    let k = (this.#topMm - z) * this.#perMm;
    for (let round = 0; round < 4; round++) {
      const base = Math.max(0, Math.min(this.nSamples - 2, Math.floor(k)));
      const share = Math.max(0, Math.min(1, k - base));
      const a = stride * base;
      const b = a + stride;
      const tangentZ = lines[a + 5]! + share * (lines[b + 5]! - lines[a + 5]!);
      const along =
        (x - lines[a]! - share * (lines[b]! - lines[a]!)) * (lines[a + 3]! + share * (lines[b + 3]! - lines[a + 3]!)) +
        (y - lines[a + 1]! - share * (lines[b + 1]! - lines[a + 1]!)) * (lines[a + 4]! + share * (lines[b + 4]! - lines[a + 4]!)) +
        (z - lines[a + 2]! - share * (lines[b + 2]! - lines[a + 2]!)) * tangentZ;
      // Samples are evenly spaced in z, which falls by |tangentZ| a millimetre of the line.
      k = base + share - along * tangentZ * this.#perMm;
    }
    return k;
  }

  #between(k: number): { base: number; share: number } {
    const base = Math.max(0, Math.min(this.nSamples - 2, Math.floor(k)));
    return { base, share: Math.max(0, Math.min(1, k - base)) };
  }

  #interpolate(k: number, into: Float64Array): void {
    const base = Math.max(0, Math.min(this.nSamples - 2, Math.floor(k)));
    const share = Math.max(0, Math.min(1, k - base));
    const at = base * this.#nValues;
    for (let value = 0; value < this.#nValues; value++) {
      const from = this.#values[at + value]!;
      into[value] = from + share * (this.#values[at + this.#nValues + value]! - from);
    }
  }

  #bounds(reachMm: (values: Float64Array) => number, from: number, to: number): Box {
    const min: [number, number, number] = [Infinity, Infinity, Infinity];
    const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
    for (let k = Math.max(0, Math.floor(from)); k <= Math.min(this.nSamples - 1, Math.ceil(to)); k++) {
      const reach = reachMm(this.#values.subarray(k * this.#nValues, (k + 1) * this.#nValues));
      for (const axis of [0, 1, 2] as const) {
        min[axis] = Math.min(min[axis], this.#lines[stride * k + axis]! - reach);
        max[axis] = Math.max(max[axis], this.#lines[stride * k + axis]! + reach);
      }
    }
    return { min, max };
  }
}

/**
 * Stations without those that do not lie below the one before: where a strong bend makes neighbours change places,
 * the line runs on over them.
 */
export function descending(stations: readonly Station[]): Station[] {
  const kept: Station[] = [];
  for (const station of stations) {
    if (kept.length === 0 || station.centreMm[2] < kept[kept.length - 1]!.centreMm[2] - 0.3) kept.push(station);
  }
  return kept;
}

/** By a Gaussian of `smoothingMm`; beyond the ends the line goes straight on. */
function smooth(values: Float64Array, spacingMm: number): Float64Array {
  const n = values.length;
  const sigma = smoothingMm / spacingMm;
  const reach = Math.ceil(3 * sigma);
  const at = (k: number) => {
    if (k < 0) return values[0]! + k * (values[1]! - values[0]!);
    if (k >= n) return values[n - 1]! + (k - n + 1) * (values[n - 1]! - values[n - 2]!);
    return values[k]!;
  };
  return values.map((_, k) => {
    let [sum, weights] = [0, 0];
    for (let step = -reach; step <= reach; step++) {
      const weight = Math.exp((-0.5 * step * step) / (sigma * sigma));
      sum += weight * at(k + step);
      weights += weight;
    }
    return sum / weights;
  });
}

/** Through all points, monotone where they are; straight on past the ends. `x` ascending. */
export function monotoneCubic(x: readonly number[], y: readonly number[]): (at: number) => number {
  const n = x.length;
  const secants = Array.from({ length: n - 1 }, (_, i) => (y[i + 1]! - y[i]!) / (x[i + 1]! - x[i]!));
  const slopes = Array.from({ length: n }, (_, i) => {
    if (i === 0) return secants[0]!;
    if (i === n - 1) return secants[n - 2]!;
    return secants[i - 1]! * secants[i]! <= 0 ? 0 : (secants[i - 1]! + secants[i]!) / 2;
  });
  secants.forEach((secant, i) => {
    if (secant === 0) {
      slopes[i] = 0;
      slopes[i + 1] = 0;
      return;
    }
    const size = Math.hypot(slopes[i]! / secant, slopes[i + 1]! / secant);
    if (size <= 3) return;
    slopes[i] = (slopes[i]! * 3) / size;
    slopes[i + 1] = (slopes[i + 1]! * 3) / size;
  });
  return (at) => {
    if (at <= x[0]!) return y[0]! + slopes[0]! * (at - x[0]!);
    if (at >= x[n - 1]!) return y[n - 1]! + slopes[n - 1]! * (at - x[n - 1]!);
    let i = 0;
    while (at > x[i + 1]!) i++;
    const h = x[i + 1]! - x[i]!;
    const t = (at - x[i]!) / h;
    const [t2, t3] = [t * t, t * t * t];
    return (
      (2 * t3 - 3 * t2 + 1) * y[i]! + (t3 - 2 * t2 + t) * h * slopes[i]! +
      (3 * t2 - 2 * t3) * y[i + 1]! + (t3 - t2) * h * slopes[i + 1]!
    );
  };
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function normalised(a: Vector3): Vector3 {
  const size = Math.hypot(...a);
  return [a[0] / size, a[1] / size, a[2] / size];
}
