/**
 * Two sets of coil maps, for a field of view that is smaller than the object. What folds into a place is seen by the coils as
 * from where it is: there two eigenvalues of the ESPIRiT matrix H are 1 (estimate.ts), and the coil images lie in the plane of both
 * eigenvectors. Any two orthonormal vectors of that plane serve; these are smooth and have the phase of the virtual coil v:
 *
 *   S_1 = P v / |P v|,   S_2 in the plane, orthogonal to it,   P the projection on the plane
 *
 * so that the first image has the phase that v^H m has, and the root of the sum of squares of both images is that of the
 * coil images. Where one eigenvalue is 1, S_1 is its vector and S_2 is zero. H is worked out on the image's own grid: a plane
 * that begins from one pixel to the next cannot be interpolated.
 *
 * Uecker M, Lai P, Murphy MJ, Virtue P, Elad M, Pauly JM, Vasanawala SS, Lustig M. ESPIRiT: an eigenvalue approach
 * to autocalibrating parallel MRI. Magn Reson Med 2014;71:990-1001. doi:10.1002/mrm.24751
 */
import type { CoilMapCalibration } from '../coil-maps/index.js';
import type { Kernels } from '../kernels/index.js';
import {
  calibrationSpace, defaultEspiritCrop, forGridRows, gridPositions, principalMaps, virtualCoil, type CalibrationSpace,
} from './estimate.js';

/** Every so many rows of the grid are asked for their second eigenvalue. */
const rowsApart = 2;
/** Of the object, where two eigenvalues have to be 1. */
const leastFolded = 0.02;

/**
 * Where there are two sets, a second eigenvalue above this counts. It falls where what folds over has its rim, which is no reason to
 * leave the rim out: without it (0.95) the error of SENSE in the test of two sets is 0.33, with it 0.004, down to any lower value.
 */
const leastSecond = 0.5;

export interface EspiritSets {
  /** complex64 [nSets, nCoils, nRows, nColumns], of norm 1 or zero, in the kernels' memory; release with `arena.release` */
  readonly pointer: number;
  readonly nSets: 1 | 2;
  /** Part of the object where two eigenvalues are 1. */
  readonly foldedPart: number;
}

/**
 * @param wanted how many sets, 1 or 2; `auto`: two where the eigenvalues say so
 * @throws CodedError RECON_ERR_COIL_MAPS_NO_SIGNAL
 */
export function estimateEspiritSets(
  kernels: Kernels, calibration: CoilMapCalibration, wanted: 'auto' | number, crop = defaultEspiritCrop,
): EspiritSets {
  const { arena } = kernels;
  const known = calibrationSpace(kernels, calibration);
  try {
    let nObject = 0;
    let nFolded = 0;
    const pointer = principalMaps(kernels, calibration, known, crop, ({ row, vectors, values, coilStride, principal }) => {
      if (wanted === 1 || row % rowsApart > 0) return;
      arena.withScratch((8 * coilStride + 4) * values.length, (second) => {
        const secondValues = second + 8 * coilStride * values.length;
        principal(vectors, second, secondValues);
        const next = arena.f32(secondValues, values.length);
        values.forEach((value, column) => {
          if (value < crop) return;
          nObject++;
          if (next[column]! >= crop) nFolded++;
        });
      });
    });
    const foldedPart = nObject > 0 ? nFolded / nObject : 0;
    if (wanted === 1 || (wanted === 'auto' && foldedPart < leastFolded)) return { pointer, nSets: 1, foldedPart };
    arena.release(pointer);
    return { pointer: twoSets(kernels, calibration, known, crop), nSets: 2, foldedPart };
  } finally {
    arena.release(known.space.pointer);
  }
}

function twoSets(kernels: Kernels, calibration: CoilMapCalibration, known: CalibrationSpace, crop: number): number {
  const { arena } = kernels;
  const { nCoils, nRows, nColumns, paddedRows } = calibration;
  const virtual = virtualCoil(kernels, known.centre, nCoils);
  const width = 4 * Math.ceil(nColumns / 4);
  const columns = new Float64Array(width);
  columns.set(gridPositions(nColumns, nColumns));
  const nPixels = nRows * nColumns;
  const maps = arena.allocate(16 * nCoils * nPixels);
  const vectorBytes = 8 * nCoils * width;
  try {
    arena.withScratch(2 * vectorBytes + 8 * width, (first) => {
      const second = first + vectorBytes;
      const values = second + vectorBytes;
      forGridRows(kernels, known, gridPositions(nRows, paddedRows), columns, nCoils, (row, principal) => {
        principal(0, first, values);
        principal(first, second, values + 4 * width);
        const vectors = arena.f32(first, 4 * nCoils * width);
        const found = arena.f32(values, 2 * width);
        const out = arena.f32(maps, 4 * nCoils * nPixels);
        for (let column = 0; column < nColumns; column++) {
          const a = vectors.subarray(2 * nCoils * column, 2 * nCoils * (column + 1));
          const b = vectors.subarray(2 * nCoils * (width + column), 2 * nCoils * (width + column + 1));
          if (found[column]! < crop) a.fill(0);
          if (found[column]! < crop || found[width + column]! < leastSecond) b.fill(0);
          turnInPlane(a, b, virtual);
          for (let coil = 0; coil < nCoils; coil++) {
            const at = 2 * (coil * nPixels + row * nColumns + column);
            out.set(a.subarray(2 * coil, 2 * coil + 2), at);
            out.set(b.subarray(2 * coil, 2 * coil + 2), at + 2 * nCoils * nPixels);
          }
        }
      });
    });
  } catch (error) {
    arena.release(maps);
    throw error;
  }
  return maps;
}

/** Orthonormal a and b, or zeros, to the projection of v on their plane and what is orthogonal to it. */
function turnInPlane(a: Float32Array, b: Float32Array, v: Float32Array): void {
  // v = a (ar + i ai) + b (br + i bi) + what is outside of the plane
  const [ar, ai] = product(a, v);
  const [br, bi] = product(b, v);
  const norm = Math.hypot(ar, ai, br, bi);
  if (norm === 0) return;
  for (let c = 0; c < a.length; c += 2) {
    const [xr, xi, yr, yi] = [a[c]!, a[c + 1]!, b[c]!, b[c + 1]!];
    a[c] = (xr * ar - xi * ai + yr * br - yi * bi) / norm;
    a[c + 1] = (xr * ai + xi * ar + yr * bi + yi * br) / norm;
    b[c] = (yr * ar + yi * ai - xr * br - xi * bi) / norm;
    b[c + 1] = (yi * ar - yr * ai - xi * br + xr * bi) / norm;
  }
}

/** a^H b */
function product(a: Float32Array, b: Float32Array): [number, number] {
  let [re, im] = [0, 0];
  for (let c = 0; c < a.length; c += 2) {
    re += a[c]! * b[c]! + a[c + 1]! * b[c + 1]!;
    im += a[c]! * b[c + 1]! - a[c + 1]! * b[c]!;
  }
  return [re, im];
}
