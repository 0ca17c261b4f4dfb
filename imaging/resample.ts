/**
 * A volume on another grid. Both grids have true affines (geometry.ts): oblique and of either handedness.
 *
 *   out(i, j, k) = volume(A_volume^-1 T A_grid [i, j, k, 1])
 *
 * with T, where one is given, from where the patient is on the grid to where he was in the volume.
 * Along each axis, for a voxel coordinate x with the fraction t = x - floor(x):
 *
 *   nearest   the voxel floor(x + 1/2)
 *   linear    1 - t, t
 *   cubic     Catmull-Rom, the kernel of Keys 1981, doi 10.1109/TASSP.1981.1163711, with a = -1/2: goes through
 *             the voxels, is exact for quadratics, overshoots at edges
 *
 * A volume reaches half a voxel beyond its outermost centres; there the outermost voxels are repeated. Beyond,
 * there is nothing. A coarser grid aliases what it cannot hold, unless `bandLimited`: then the kernel of each axis of the
 * volume is as much wider as a step of the grid is longer than a voxel along it, k(d / s) / Σ k.
 */
import { ImagingError } from './errors.js';
import { affineLps, invertAffine, transformPoint, type Affine } from './geometry.js';
import type { RealArray } from './metrics.js';
import type { ImageGeometry, Vector3 } from './types.js';
import type { Volume } from './volume.js';

export type Interpolation = 'nearest' | 'linear' | 'cubic';

/** What lies within rounding of the border still belongs to the volume. */
const borderVoxels = 0.5 + 1e-6;
/** Of a voxel: so near to one along an axis, a place needs no other. */
const onVoxel = 1e-6;

export interface ResampleOptions {
  /** Where the volume does not reach; 0 unless given. */
  readonly outside?: number;
  /** T, LPS, mm: from points of the grid to points of the volume (registration.ts). */
  readonly motion?: Affine;
  /** Averages where the grid is coarser than the volume; not for `nearest`. */
  readonly bandLimited?: boolean;
}

/** Writes the weights of the taps for fraction t, the first of them at tap `first` from floor(x). */
interface Kernel {
  readonly first: number;
  readonly nTaps: number;
  readonly weigh: (fraction: number, weights: Float64Array) => void;
}

const kernels: Readonly<Record<Interpolation, Kernel>> = {
  nearest: {
    first: 0,
    nTaps: 2,
    weigh: (t, weights) => {
      weights[0] = t < 0.5 ? 1 : 0;
      weights[1] = 1 - weights[0];
    },
  },
  linear: {
    first: 0,
    nTaps: 2,
    weigh: (t, weights) => {
      weights[0] = 1 - t;
      weights[1] = t;
    },
  },
  cubic: {
    first: -1,
    nTaps: 4,
    weigh: (t, weights) => {
      weights[0] = -t * (1 - t) ** 2 / 2;
      weights[1] = 1 + t * t * (1.5 * t - 2.5);
      weights[2] = t * (0.5 + t * (2 - 1.5 * t));
      weights[3] = -t * t * (1 - t) / 2;
    },
  },
};

/** Kernels of distance, for the wider ones. */
const profiles: Readonly<Record<Exclude<Interpolation, 'nearest'>, { readonly reach: number; readonly at: (distance: number) => number }>> = {
  linear: { reach: 1, at: (d) => Math.max(0, 1 - d) },
  cubic: { reach: 2, at: (d) => (d < 1 ? 1 + d * d * (1.5 * d - 2.5) : d < 2 ? 2 + d * (d * (2.5 - 0.5 * d) - 4) : 0) },
};

/** The kernel made `width` times as wide. */
function widened(interpolation: Interpolation, width: number): Kernel {
  if (interpolation === 'nearest' || width <= 1 + 1e-6) return kernels[interpolation];
  const { reach, at } = profiles[interpolation];
  const first = 1 - Math.ceil(reach * width);
  const nTaps = 2 * Math.ceil(reach * width);
  const weigh = (t: number, weights: Float64Array) => {
    let sum = 0;
    for (let tap = 0; tap < nTaps; tap++) sum += weights[tap] = at(Math.abs(first + tap - t) / width);
    for (let tap = 0; tap < nTaps; tap++) weights[tap]! /= sum;
  };
  return { first, nTaps, weigh };
}

/** Taps along one axis: where in the data they are, and how much each weighs. */
class Taps {
  readonly offsets: Int32Array;
  readonly weights: Float64Array;
  /** How many have a weight: a voxel without one does not count, even where it is not a number. */
  count = 0;
  readonly #kernel: Kernel;
  readonly #all: Float64Array;
  readonly #size: number;
  readonly #stride: number;

  constructor(kernel: Kernel, size: number, stride: number) {
    this.#kernel = kernel;
    this.#size = size;
    this.#stride = stride;
    this.offsets = new Int32Array(kernel.nTaps);
    this.weights = new Float64Array(kernel.nTaps);
    this.#all = new Float64Array(kernel.nTaps);
  }

  place(position: number): void {
    const { first, nTaps, weigh } = this.#kernel;
    const nearest = Math.round(position);
    const isOnVoxel = Math.abs(position - nearest) < onVoxel;
    const below = isOnVoxel ? nearest : Math.floor(position);
    weigh(isOnVoxel ? 0 : position - below, this.#all);
    const last = this.#size - 1;
    let count = 0;
    for (let tap = 0; tap < nTaps; tap++) {
      const weight = this.#all[tap]!;
      if (weight === 0) continue;
      const at = below + first + tap;
      this.offsets[count] = this.#stride * (at < 0 ? 0 : at > last ? last : at);
      this.weights[count++] = weight;
    }
    this.count = count;
  }
}

/**
 * `volume` on the grid of `geometry`.
 * @throws IMG_ERR_SHAPE, IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS
 */
export function resample(
  volume: Volume<RealArray>, geometry: ImageGeometry, interpolation: Interpolation, options: ResampleOptions = {},
): Volume {
  const { outside = 0, bandLimited = false } = options;
  const size = volume.geometry.matrixSize;
  const [columns, rows, slices] = geometry.matrixSize;
  if (volume.data.length !== size[0] * size[1] * size[2]) {
    throw new ImagingError('IMG_ERR_SHAPE', `${volume.data.length} values for ${size.join(' x ')} voxels`);
  }
  const toSource = voxelMap(geometry, volume.geometry, options.motion);
  const strides: Vector3 = [1, size[0], size[0] * size[1]];
  const [x, y, z] = toSource.map((row, axis) => {
    const longestStep = Math.max(...row.slice(0, 3).map(Math.abs));
    return new Taps(widened(interpolation, bandLimited ? longestStep : 1), size[axis]!, strides[axis]!);
  }) as [Taps, Taps, Taps];

  const data = new Float32Array(columns * rows * slices);
  const [[xa, xb, xc, xd], [ya, yb, yc, yd], [za, zb, zc, zd]] = toSource;
  const isInside = (at: number, count: number) => at >= -borderVoxels && at <= count - 1 + borderVoxels;
  // Where a motion leaves the slices in their planes, all of one lies on one slice of the volume.
  const isOnOneSlice = (atZ: number) => Math.abs(za) * columns + Math.abs(zb) * rows < onVoxel / 2 && Math.abs(atZ - Math.round(atZ)) < onVoxel / 2;
  let voxel = 0;
  for (let k = 0; k < slices; k++) {
    const isPlaced = isOnOneSlice(zc * k + zd);
    if (isPlaced) z.place(zc * k + zd);
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const atX = xa * i + xb * j + xc * k + xd;
        const atY = ya * i + yb * j + yc * k + yd;
        const atZ = za * i + zb * j + zc * k + zd;
        if (isInside(atX, size[0]) && isInside(atY, size[1]) && isInside(atZ, size[2])) {
          x.place(atX);
          y.place(atY);
          if (!isPlaced) z.place(atZ);
          data[voxel] = weighedSum(volume.data, x, y, z);
        } else {
          data[voxel] = outside;
        }
        voxel++;
      }
    }
  }
  return { geometry, data };
}

type AffineRow = readonly [number, number, number, number];

/** Rows of the affine from voxels of one grid to voxels of another. */
function voxelMap(from: ImageGeometry, to: ImageGeometry, motion?: Affine): readonly [AffineRow, AffineRow, AffineRow] {
  const [forward, back] = [affineLps(from), invertAffine(affineLps(to))];
  const moved = (point: Vector3) => (motion === undefined ? point : transformPoint(motion, point));
  const through = (voxel: Vector3) => transformPoint(back, moved(transformPoint(forward, voxel)));
  const origin = through([0, 0, 0]);
  const steps = ([[1, 0, 0], [0, 1, 0], [0, 0, 1]] as const).map(through);
  const rowOf = (axis: 0 | 1 | 2): AffineRow => [
    steps[0]![axis] - origin[axis], steps[1]![axis] - origin[axis], steps[2]![axis] - origin[axis], origin[axis],
  ];
  return [rowOf(0), rowOf(1), rowOf(2)];
}

function alongRow(data: RealArray, row: number, { offsets, weights, count }: Taps): number {
  // Of cubic kernels, without a loop.
  if (count === 4) {
    return weights[0]! * data[row + offsets[0]!]! + weights[1]! * data[row + offsets[1]!]! + weights[2]! * data[row + offsets[2]!]! + weights[3]! * data[row + offsets[3]!]!;
  }
  let sum = 0;
  for (let tap = 0; tap < count; tap++) sum += weights[tap]! * data[row + offsets[tap]!]!;
  return sum;
}

function weighedSum(data: RealArray, x: Taps, y: Taps, z: Taps): number {
  let value = 0;
  for (let tapZ = 0; tapZ < z.count; tapZ++) {
    for (let tapY = 0; tapY < y.count; tapY++) {
      const row = z.offsets[tapZ]! + y.offsets[tapY]!;
      value += z.weights[tapZ]! * y.weights[tapY]! * alongRow(data, row, x);
    }
  }
  return value;
}
