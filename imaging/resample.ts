/**
 * A volume on another grid. Both grids have true affines (geometry.ts): oblique and of either handedness.
 *
 *   out(i, j, k) = volume(A_volume^-1 A_grid [i, j, k, 1])
 *
 * Along each axis, for a voxel coordinate x with the fraction t = x - floor(x):
 *
 *   nearest   the voxel floor(x + 1/2)
 *   linear    1 - t, t
 *   cubic     Catmull-Rom, the kernel of Keys 1981, doi 10.1109/TASSP.1981.1163711, with a = -1/2: goes through
 *             the voxels, is exact for quadratics, overshoots at edges
 *
 * A volume reaches half a voxel beyond its outermost centres; there the outermost voxels are repeated. Beyond,
 * there is nothing. Nothing is smoothed before a coarser grid: it aliases what it cannot hold.
 */
import { ImagingError } from './errors.js';
import { affineLps, invertAffine, transformPoint } from './geometry.js';
import type { RealArray } from './metrics.js';
import type { ImageGeometry, Vector3 } from './types.js';
import type { Volume } from './volume.js';

export type Interpolation = 'nearest' | 'linear' | 'cubic';

/** What lies within rounding of the border still belongs to the volume. */
const borderVoxels = 0.5 + 1e-6;

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

/** Taps along one axis: where in the data they are, and how much each weighs. */
interface Taps {
  readonly offsets: Int32Array;
  readonly weights: Float64Array;
}

/**
 * `volume` on the grid of `geometry`; `outside` where it does not reach.
 * @throws IMG_ERR_SHAPE, IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS
 */
export function resample(volume: Volume<RealArray>, geometry: ImageGeometry, interpolation: Interpolation, outside = 0): Volume {
  const size = volume.geometry.matrixSize;
  const [columns, rows, slices] = geometry.matrixSize;
  if (volume.data.length !== size[0] * size[1] * size[2]) {
    throw new ImagingError('IMG_ERR_SHAPE', `${volume.data.length} values for ${size.join(' x ')} voxels`);
  }
  const toSource = voxelMap(geometry, volume.geometry);
  const kernel = kernels[interpolation];
  const strides: Vector3 = [1, size[0], size[0] * size[1]];
  const taps = size.map((): Taps => ({ offsets: new Int32Array(kernel.nTaps), weights: new Float64Array(kernel.nTaps) })) as [Taps, Taps, Taps];

  const data = new Float32Array(columns * rows * slices);
  const position: [number, number, number] = [0, 0, 0];
  let voxel = 0;
  for (let k = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        let inside = true;
        for (let axis = 0; axis < 3; axis++) {
          const [a, b, c, d] = toSource[axis]!;
          position[axis] = a * i + b * j + c * k + d;
          inside &&= position[axis]! >= -borderVoxels && position[axis]! <= size[axis]! - 1 + borderVoxels;
        }
        data[voxel++] = inside ? valueAt(volume.data, position, size, strides, kernel, taps) : outside;
      }
    }
  }
  return { geometry, data };
}

/** Rows of the affine from voxels of one grid to voxels of another. */
function voxelMap(from: ImageGeometry, to: ImageGeometry): readonly (readonly [number, number, number, number])[] {
  const [forward, back] = [affineLps(from), invertAffine(affineLps(to))];
  const through = (voxel: Vector3) => transformPoint(back, transformPoint(forward, voxel));
  const origin = through([0, 0, 0]);
  const steps = ([[1, 0, 0], [0, 1, 0], [0, 0, 1]] as const).map(through);
  return [0, 1, 2].map((axis) => [
    steps[0]![axis]! - origin[axis]!, steps[1]![axis]! - origin[axis]!, steps[2]![axis]! - origin[axis]!, origin[axis]!,
  ]);
}

function valueAt(data: RealArray, position: Vector3, size: Vector3, strides: Vector3, kernel: Kernel, taps: readonly [Taps, Taps, Taps]): number {
  const { first, nTaps, weigh } = kernel;
  for (let axis = 0; axis < 3; axis++) {
    const { offsets, weights } = taps[axis]!;
    const below = Math.floor(position[axis]!);
    weigh(position[axis]! - below, weights);
    for (let tap = 0; tap < nTaps; tap++) {
      offsets[tap] = strides[axis]! * Math.min(Math.max(below + first + tap, 0), size[axis]! - 1);
    }
  }
  const [x, y, z] = taps;
  let value = 0;
  for (let tapZ = 0; tapZ < nTaps; tapZ++) {
    if (z.weights[tapZ] === 0) continue;
    for (let tapY = 0; tapY < nTaps; tapY++) {
      const weight = z.weights[tapZ]! * y.weights[tapY]!;
      if (weight === 0) continue;
      const row = z.offsets[tapZ]! + y.offsets[tapY]!;
      let alongRow = 0;
      for (let tapX = 0; tapX < nTaps; tapX++) {
        // A voxel without weight does not count, even where it is not a number.
        if (x.weights[tapX] !== 0) alongRow += x.weights[tapX]! * data[row + x.offsets[tapX]!]!;
      }
      value += weight * alongRow;
    }
  }
  return value;
}
