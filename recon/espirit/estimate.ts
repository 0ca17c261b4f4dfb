/**
 * ESPIRiT: coil maps as eigenvectors. Windows of k-space that the kernel covers lie in the signal space V of the
 * calibration data (subspace.ts). Projecting every window of the image's k-space on it is a convolution, which in image
 * space is one small Hermitian matrix a point,
 *
 *   phi_k[c](r) = sum_d V_k[c, d] exp(2 pi i d (r - r0) / N),   H[a, b](r) = 1 / n_d sum_k phi_k[a] conj(phi_k[b]),
 *
 * and coil images, which the projection leaves as they are, are its eigenvectors of eigenvalue 1: H(r) S(r) = S(r).
 * Outside the object the largest eigenvalue is smaller; there the maps are zero.
 *
 * H has the differences of two kernel taps for frequencies, 2 n - 1 a direction. So it is worked out on 2 n points a
 * direction, brought to a grid several times finer exactly, diagonalised there by power iteration, and the
 * eigenvectors, smooth once their phase is chosen, go to the image's grid by cubic interpolation. The phase is
 * that of a virtual coil, the principal component of the calibration data.
 *
 * Uecker M, Lai P, Murphy MJ, Virtue P, Elad M, Pauly JM, Vasanawala SS, Lustig M. ESPIRiT: an eigenvalue approach
 * to autocalibrating parallel MRI. Magn Reson Med 2014;71:990-1001. doi:10.1002/mrm.24751
 */
import { interpolationPoints, normalisationBytes, POINT_BYTES, type CoilMapCalibration } from '../coil-maps/index.js';
import { reconError } from '../errors.js';
import { fftLines, fftPlanBytes, planFft } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import { signalSpace, type SignalSpace } from './subspace.js';

/** Calibration samples along either direction, about the centre. */
const largestExtent = 24;
const kernelExtent = 6;
/** Points of the grid on which the matrices are diagonalised: six for the finest period of six taps. */
const gridExtent = 64;
/** Tables, and what rounding up adds. */
const spareBytes = 2 ** 20;
/** With a second eigenvalue of three quarters of the first, what is left of it is 1 %. */
const nPowerIterations = 16;
/** Below it a point is taken to be outside the object. */
export const defaultEspiritCrop = 0.95;

/** What calibration lines say of the coils, whatever is made of it. To be released. */
export interface CalibrationSpace extends KernelShape {
  readonly centre: CentralSamples;
  readonly space: SignalSpace;
}

/**
 * @param crop least eigenvalue of a pixel of the object
 * @returns maps, complex64 [nCoils, nRows, nColumns], of norm 1 or zero, in the kernels' memory; release with `arena.release`
 * @throws CodedError RECON_ERR_COIL_MAPS_NO_SIGNAL
 */
export function estimateEspiritMaps(kernels: Kernels, calibration: CoilMapCalibration, crop = defaultEspiritCrop): number {
  const known = calibrationSpace(kernels, calibration);
  try {
    return principalMaps(kernels, calibration, known, crop);
  } finally {
    kernels.arena.release(known.space.pointer);
  }
}

/** @throws CodedError RECON_ERR_COIL_MAPS_NO_SIGNAL */
export function calibrationSpace(kernels: Kernels, calibration: CoilMapCalibration): CalibrationSpace {
  const { nCoils } = calibration;
  const centre = centralSamples(kernels, calibration);
  const kernelRows = Math.min(kernelExtent, Math.ceil(centre.nRows / 2));
  const kernelColumns = Math.min(kernelExtent, Math.ceil(centre.nColumns / 2));
  return { centre, nCoils, kernelRows, kernelColumns, space: signalSpace(kernels, { ...centre, nCoils, kernelRows, kernelColumns }) };
}

/**
 * Maps of the largest eigenvalue, as `estimateEspiritMaps` has them.
 * @param onRow is shown each row of the grid whose vectors are found
 */
export function principalMaps(
  kernels: Kernels, calibration: CoilMapCalibration, known: CalibrationSpace, crop: number, onRow?: (row: GridRow) => void,
): number {
  const { arena, wasm } = kernels;
  const { nCoils, nColumns, nRows, paddedRows } = calibration;
  // The phase alignment takes coils in pairs.
  const nPaired = nCoils + (nCoils % 2);
  const nPoints = gridExtent * gridExtent;
  return arena.withScratch(8 * nPoints * nPaired + 8 * nPoints + 4 * gridExtent, (vectors) => {
    const values = vectors + 8 * nPoints * nPaired;
    const rowValues = values + 8 * nPoints;
    arena.u8(vectors, 8 * nPoints * nPaired).fill(0);
    const found = arena.f32(values, 2 * nPoints).fill(0);
    const positions = gridPositions(gridExtent, gridExtent);
    forGridRows(kernels, known, positions, positions, nPaired, (row, principal) => {
      const ofRow = vectors + 8 * row * gridExtent * nPaired;
      principal(0, ofRow, rowValues);
      const largest = arena.f32(rowValues, gridExtent);
      largest.forEach((value, column) => (found[2 * (row * gridExtent + column)] = value));
      onRow?.({ row, vectors: ofRow, values: largest.slice(), coilStride: nPaired, principal });
    });
    alignToVirtualCoil(kernels, known.centre, nCoils, nPaired, vectors);
    const pointBytes = POINT_BYTES * (nRows + nColumns);
    return arena.withScratch(pointBytes + normalisationBytes(nCoils) + 8 * (nCoils + 1) * gridExtent * nColumns, (rowPoints) => {
      const columnPoints = rowPoints + POINT_BYTES * nRows;
      const wide = rowPoints + pointBytes;
      const wideValues = wide + 8 * nCoils * gridExtent * nColumns;
      const scratch = wideValues + 8 * gridExtent * nColumns;
      arena.u8(rowPoints, POINT_BYTES * nRows).set(interpolationPoints(nRows, paddedRows, gridExtent));
      arena.u8(columnPoints, POINT_BYTES * nColumns).set(interpolationPoints(nColumns, nColumns, gridExtent));
      wasm.interpolateLines(vectors, nCoils, nPaired, gridExtent, gridExtent, columnPoints, nColumns, wide);
      wasm.interpolateLines(values, 1, 1, gridExtent, gridExtent, columnPoints, nColumns, wideValues);
      const maps = arena.allocate(8 * nCoils * nRows * nColumns);
      wasm.interpolateMaps(wide, nCoils, gridExtent, nColumns, rowPoints, nRows, maps, scratch);
      wasm.cropMaps(wideValues, nColumns, rowPoints, nRows, crop, maps, nCoils);
      return maps;
    });
  });
}

/** Bytes of an arena in which `estimateEspiritMaps` and `estimateEspiritSets` have room: maps, and the most that is taken beside them. */
export function espiritBytes({ nCoils, nCalibrationLines, nColumns, nRows }: Omit<CoilMapCalibration, 'calibration'>, sets: 'auto' | number): number {
  const nTaps = nCoils * kernelExtent ** 2;
  const nWindows = (largestExtent - kernelExtent + 1) ** 2;
  const nVectors = Math.min(nTaps, nWindows) + 8;
  const subspaceBytes = 8 * nVectors * (3 * nTaps + 2 * nWindows) + 24 * nVectors ** 2;
  const nMaps = sets === 1 ? 1 : 2;
  // Two sets are found on the image's columns.
  const rowPoints = nMaps === 1 ? gridExtent : Math.max(gridExtent, nColumns);
  const gridBytes = 8 * nCoils * (nVectors * 4 * kernelExtent ** 2 + 2 * kernelExtent * rowPoints * (nCoils + 1) + gridExtent * (nColumns + gridExtent));
  const lineBytes = fftPlanBytes(nColumns) + 8 * Math.min(largestExtent, nCalibrationLines) * nColumns;
  return nMaps * nCoils * 8 * nRows * nColumns + POINT_BYTES * (nRows + nColumns) + lineBytes + subspaceBytes + gridBytes + spareBytes;
}

interface CentralSamples {
  /** complex64 [nCoils, nRows, nColumns], of mean square 1 */
  readonly samples: Float32Array;
  readonly nRows: number;
  readonly nColumns: number;
}

/** The calibration samples about the centre of k-space, both directions. */
function centralSamples(kernels: Kernels, { calibration, nCoils, nCalibrationLines, nColumns, firstLine }: CoilMapCalibration): CentralSamples {
  const { arena } = kernels;
  const nRows = Math.min(largestExtent, nCalibrationLines);
  const firstRow = Math.max(0, Math.min(nCalibrationLines - nRows, -firstLine - Math.floor(nRows / 2)));
  const wanted = Math.min(largestExtent, nColumns);
  const firstColumn = Math.floor(nColumns / 2) - Math.floor(wanted / 2);
  const samples = new Float32Array(2 * nCoils * nRows * wanted);
  arena.withScratch(8 * nRows * nColumns, (lines) => {
    for (let coil = 0; coil < nCoils; coil++) {
      const from = calibration + 8 * (coil * nCalibrationLines + firstRow) * nColumns;
      const kspace = arena.f32(lines, 2 * nRows * nColumns);
      kspace.set(arena.f32(from, 2 * nRows * nColumns));
      fftLines(kernels, planFft(kernels, nColumns), lines, nRows, 'forward');
      for (let row = 0; row < nRows; row++) {
        const at = 2 * (row * nColumns + firstColumn);
        samples.set(kspace.subarray(at, at + 2 * wanted), 2 * (coil * nRows + row) * wanted);
      }
    }
  });
  let energy = 0;
  for (const value of samples) energy += value * value;
  if (!(energy > 0 && energy < Infinity)) {
    throw reconError('RECON_ERR_COIL_MAPS_NO_SIGNAL', `calibration lines of energy ${energy}`);
  }
  const scale = Math.sqrt(samples.length / 2 / energy);
  return { samples: samples.map((value) => scale * value), nRows, nColumns: wanted };
}

interface KernelShape {
  readonly nCoils: number;
  readonly kernelRows: number;
  readonly kernelColumns: number;
}

/** n points of a field of view of `extent` points, as parts of it from its centre. */
export function gridPositions(n: number, extent: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => (i - Math.floor(n / 2)) / extent);
}

/** Finds the eigenvectors of a row: vectors complex64 [nColumns, coilStride], orthogonal to `first` where that is not 0, values float32 [nColumns]. */
type PrincipalVectors = (first: number, vectors: number, values: number) => void;

export interface GridRow {
  readonly row: number;
  readonly vectors: number;
  readonly values: Float32Array;
  readonly coilStride: number;
  readonly principal: PrincipalVectors;
}

/**
 * Calls with each row of a grid, which is given by its positions.
 * @param columns as many as a multiple of four
 */
export function forGridRows(
  { arena, wasm }: Kernels, { space, nCoils, kernelRows, kernelColumns }: CalibrationSpace, rows: Float64Array, columns: Float64Array,
  coilStride: number, use: (row: number, principal: PrincipalVectors) => void,
): void {
  const nTaps = kernelRows * kernelColumns;
  const rowPoints = 2 * kernelRows;
  const columnPoints = 2 * kernelColumns;
  const nPoints = rowPoints * columnPoints;
  const nPairs = (nCoils * (nCoils + 1)) / 2;
  const imageBytes = 64 * nCoils * nPoints;
  const spreadBytes = 8 * nPairs * rowPoints * columns.length;
  const eigenBytes = 32 * (nPairs + 3 * nCoils);
  const phaseBytes = 8 * nPoints * nTaps + 4 * (nPoints + nTaps);
  const weightBytes = 4 * (columns.length * columnPoints + rows.length * rowPoints);
  arena.withScratch(space.nPanels * imageBytes + spreadBytes + eigenBytes + phaseBytes + weightBytes, (images) => {
    const spread = images + space.nPanels * imageBytes;
    const scratch = spread + spreadBytes;
    const phases = scratch + eigenBytes;
    const rowAt = phases + 8 * nPoints * nTaps;
    const sumAt = rowAt + 4 * nPoints;
    const columnWeights = sumAt + 4 * nTaps;
    const rowWeights = columnWeights + 4 * columns.length * columnPoints;

    const table = arena.f32(phases, 2 * nPoints * nTaps);
    for (let point = 0; point < nPoints; point++) {
      const y = Math.floor(point / columnPoints) / rowPoints;
      const x = (point % columnPoints) / columnPoints;
      for (let tap = 0; tap < nTaps; tap++) {
        const angle = 2 * Math.PI * (Math.floor(tap / kernelColumns) * y + (tap % kernelColumns) * x);
        table[2 * (point * nTaps + tap)] = Math.cos(angle);
        table[2 * (point * nTaps + tap) + 1] = Math.sin(angle);
      }
    }
    arena.i32(rowAt, nPoints).set(Array.from({ length: nPoints }, (_, point) => phases + 8 * point * nTaps));
    arena.i32(sumAt, nTaps).set(Array.from({ length: nTaps }, (_, tap) => 8 * tap));
    for (let coil = 0; coil < nCoils; coil++) {
      wasm.gatheredProduct(
        rowAt, nPoints, sumAt, nTaps, 4, space.pointer + 64 * coil * nTaps, 64 * space.nTaps, space.nPanels,
        images + 64 * coil * nPoints, imageBytes,
      );
    }
    arena.f32(columnWeights, columns.length * columnPoints).set(trigonometricWeights(columnPoints, kernelColumns, columns, 'point'));
    arena.f32(rowWeights, rows.length * rowPoints).set(trigonometricWeights(rowPoints, kernelRows, rows, 'grid'));
    wasm.spreadHermitian(
      images, imageBytes, space.nPanels, nCoils, rowPoints, columnPoints, 1 / nTaps, columnWeights, columns.length, spread,
    );
    for (let row = 0; row < rows.length; row++) {
      use(row, (first, vectors, values) =>
        wasm.principalVectors(
          spread, nCoils, rowPoints, columns.length, rowWeights + 4 * row * rowPoints, nPowerIterations,
          first, vectors, coilStride, values, scratch,
        ),
      );
    }
  });
}

/**
 * What brings a function of the frequencies -(nTaps - 1) .. nTaps - 1, known in points p / nPoints, to the grid's positions:
 * D(t) = 1 / nPoints sum_f exp(2 pi i f t). Position zero is at point 0.
 * @returns [nPoints, positions] for `point`, [positions, nPoints] for `grid` first
 */
function trigonometricWeights(nPoints: number, nTaps: number, positions: Float64Array, first: 'point' | 'grid'): Float32Array {
  const weights = new Float32Array(nPoints * positions.length);
  for (let point = 0; point < nPoints; point++) {
    positions.forEach((position, i) => {
      const t = position - point / nPoints;
      let sum = 1;
      for (let f = 1; f < nTaps; f++) sum += 2 * Math.cos(2 * Math.PI * f * t);
      weights[first === 'point' ? point * positions.length + i : i * nPoints + point] = sum / nPoints;
    });
  }
  return weights;
}

/** Turns every vector to the phase of the virtual coil. */
function alignToVirtualCoil(kernels: Kernels, centre: CentralSamples, nCoils: number, nPaired: number, vectors: number): void {
  const { arena, wasm } = kernels;
  const coil = virtualCoil(kernels, centre, nCoils);
  arena.withScratch(8 * nPaired, (virtual) => {
    arena.f32(virtual, 2 * nPaired).fill(0).set(coil);
    wasm.alignPhases(vectors, gridExtent * gridExtent, nPaired, virtual);
  });
}

/** The principal component of the samples of all coils: complex64 [nCoils], of norm 1. */
export function virtualCoil({ arena, wasm }: Kernels, { samples }: CentralSamples, nCoils: number): Float32Array {
  const nPaired = nCoils + (nCoils % 2);
  const nSamples = samples.length / 2 / nCoils;
  const scratchBytes = 8 * (nPaired * nPaired + 2 * nPaired);
  return arena.withScratch(8 * nSamples * nPaired + 8 * nPaired + scratchBytes, (pixels) => {
    const virtual = pixels + 8 * nSamples * nPaired;
    const interleaved = arena.f32(pixels, 2 * nSamples * nPaired).fill(0);
    for (let coil = 0; coil < nCoils; coil++) {
      for (let i = 0; i < nSamples; i++) {
        interleaved[2 * (i * nPaired + coil)] = samples[2 * (coil * nSamples + i)]!;
        interleaved[2 * (i * nPaired + coil) + 1] = samples[2 * (coil * nSamples + i) + 1]!;
      }
    }
    wasm.globalPrincipalVector(pixels, nSamples, nPaired, nPowerIterations, virtual, virtual + 8 * nPaired);
    return arena.f32(virtual, 2 * nCoils).slice();
  });
}
