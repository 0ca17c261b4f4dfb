/**
 * GRAPPA calibration: weights that predict a k-space sample from measured neighbours of all coils,
 *
 *   K[t, y + m, kx] = sum_(j, d, c) w[(j, d, c), (m, t)] K[c, y + (j - (kp/2 - 1)) R, kx + d - kr/2]
 *
 * (with partitions, y and m are pairs of line and partition) for the lines m = 1..R-1 after an acquired line y; the least-squares fit over every position within
 * the calibration lines, periodic along the readout, with Tikhonov weight lambda = regularization times
 * the mean diagonal of the Gram matrix A^H A:
 *
 *   (A^H A + lambda 1) w = A^H b
 *
 * All offsets m share one Gram matrix. The whole extent of the readout calibrates: its noisy ends
 * tell the fit how noisy the data are, and leaving them out raises the error of the image.
 *
 * Griswold MA et al. Generalized autocalibrating partially parallel acquisitions (GRAPPA). Magn Reson
 * Med 2002;47:1202-1210. doi:10.1002/mrm.10171
 */
import { reconError } from '../errors.js';
import type { Kernels } from '../kernels/index.js';
import type { GrappaCalibration, GrappaKernel } from './types.js';

const COMPLEX128_BYTES = 16;
/** What rounding up of so few spans may add. */
const alignmentBytes = 1024;
/** Sources of a synthesised line are the bits of one number, and more taps would gain nothing. */
const mostPhaseTaps = 16;
const mostTaps = 30;
/** Pivots below this part of the mean diagonal are rounding errors of float32 data. */
const smallestRelativePivot = 1e-13;

/**
 * @returns weights in the kernels' memory; `releaseGrappaKernel` gives them back
 * @throws CodedError RECON_ERR_CALIBRATION_KERNEL, RECON_ERR_CALIBRATION_TOO_FEW_LINES,
 *   RECON_ERR_CALIBRATION_SINGULAR
 */
export function calibrateGrappa(kernels: Kernels, calibration: GrappaCalibration): GrappaKernel {
  checkKernel(calibration);
  const { nCoils, nCalibrationLines, nCalibrationPartitions = 1, acceleration, kernelReadout, kernelPhase } = calibration;
  const { sliceAcceleration = 1, kernelSlice = 1 } = calibration;
  const nLinePositions = nCalibrationLines - (kernelPhase - 1) * acceleration;
  const nPartitionPositions = nCalibrationPartitions - (kernelSlice - 1) * sliceAcceleration;
  if (nLinePositions < 1 || nPartitionPositions < 1) {
    throw reconError(
      'RECON_ERR_CALIBRATION_TOO_FEW_LINES',
      `${nCalibrationLines} lines for ${kernelPhase} phase taps at R = ${acceleration}` +
        (sliceAcceleration > 1 ? `, ${nCalibrationPartitions} partitions for ${kernelSlice} taps at R = ${sliceAcceleration}` : ''),
    );
  }
  const { arena, wasm } = kernels;
  const nSources = nCoils * kernelReadout * kernelPhase * kernelSlice;
  const nTargets = nCoils * (acceleration * sliceAcceleration - 1);
  return arena.withScratch(COMPLEX128_BYTES * nSources * nTargets, (weights) => {
    arena.withScratch(COMPLEX128_BYTES * nSources * nSources, (gram) => {
      normalEquations(kernels, calibration, gram, weights);
      const smallestPivot = regularize(kernels, gram, nSources, calibration.regularization);
      let failed = -1;
      for (let row = 0; row < nSources && failed < 0; row += 2) failed = wasm.choleskyRows(gram, nSources, row, smallestPivot);
      if (failed >= 0) {
        throw reconError(
          'RECON_ERR_CALIBRATION_SINGULAR',
          `a Gram matrix of ${nSources} sources that is not positive definite in row ${failed}`,
        );
      }
      wasm.choleskySolve(gram, nSources, weights, nTargets);
    });
    return transformWeights(kernels, calibration, weights, nLinePositions * nPartitionPositions);
  });
}

/** Bytes of an arena in which `calibrateGrappa` has room: the larger of what solving and what transforming take. */
export function grappaBytes(
  { nCoils, nColumns, acceleration, kernelReadout, kernelPhase, sliceAcceleration = 1, kernelSlice = 1 }: Omit<GrappaCalibration, 'calibration' | 'regularization'>,
): number {
  const nTaps = kernelPhase * kernelSlice;
  const nSources = nCoils * kernelReadout * nTaps;
  const nOffsets = acceleration * sliceAcceleration;
  const solving = COMPLEX128_BYTES * nSources * nSources + phaseBytes(kernelReadout, nColumns) + lagBytes(kernelReadout, nColumns);
  const transforming = 8 * kernelReadout * nColumnBlocks(nColumns) * 4 + hybridBytes(nCoils, nColumns, nOffsets, nTaps);
  return COMPLEX128_BYTES * nSources * nCoils * (nOffsets - 1) + Math.max(solving, transforming) + alignmentBytes;
}

/** Gives the weights back; `kernels` are those that calibrated. */
export function releaseGrappaKernel({ arena }: Kernels, kernel: GrappaKernel): void {
  arena.release(kernel.pointer);
}

function checkKernel({ acceleration, kernelReadout, kernelPhase, sliceAcceleration = 1, kernelSlice = 1, nColumns }: GrappaCalibration): void {
  const isAxis = (step: number, taps: number) =>
    Number.isInteger(step) && Number.isInteger(taps) &&
    (step === 1 ? taps === 1 : step >= 2 && taps >= 2 && taps <= mostPhaseTaps && taps % 2 === 0);
  const sound =
    isAxis(acceleration, kernelPhase) && isAxis(sliceAcceleration, kernelSlice) && acceleration * sliceAcceleration >= 2 &&
    kernelPhase * kernelSlice <= mostTaps &&
    Number.isInteger(kernelReadout) && kernelReadout % 2 === 1 && kernelReadout <= nColumns;
  if (sound) return;
  throw reconError(
    'RECON_ERR_CALIBRATION_KERNEL',
    `R = ${acceleration} x ${sliceAcceleration}, kernel ${kernelReadout} x ${kernelPhase} x ${kernelSlice}, ${nColumns} columns`,
  );
}

/** A^H A (lower triangle) and A^H b, as recon/kernels/assembly/gram.ts sums them. */
function normalEquations({ arena, wasm }: Kernels, calibration: GrappaCalibration, gram: number, rightSides: number): void {
  const { nCoils, nCalibrationLines, nCalibrationPartitions = 1, nColumns, acceleration, kernelReadout, kernelPhase } = calibration;
  const { sliceAcceleration = 1, kernelSlice = 1 } = calibration;
  const nPairs = Math.ceil(nColumns / 2);
  arena.withScratch(phaseBytes(kernelReadout, nColumns), (phases) => {
    const table = arena.f32(phases, 8 * kernelReadout * nPairs).fill(0);
    for (let lag = 0; lag < kernelReadout; lag++) {
      for (let x = 0; x < nColumns; x++) {
        const angle = columnAngle(lag, x, nColumns);
        const at = 8 * (lag * nPairs + (x >> 1)) + 2 * (x & 1);
        table.fill(Math.cos(angle), at, at + 2);
        table.fill(Math.sin(angle), at + 4, at + 6);
      }
    }
    arena.withScratch(lagBytes(kernelReadout, nColumns), (scratch) => {
      const shape = [
        calibration.calibration, nCoils, nCalibrationPartitions, nCalibrationLines, nColumns, acceleration, sliceAcceleration,
        kernelReadout, kernelPhase, kernelSlice, phases,
      ] as const;
      wasm.grappaGram(...shape, gram, scratch);
      wasm.grappaRightSides(...shape, rightSides, scratch);
    });
  });
}

/** Cosines and sines of pairs of columns, each twice. */
function phaseBytes(kernelReadout: number, nColumns: number): number {
  return 32 * kernelReadout * Math.ceil(nColumns / 2);
}

/** Lags, and the products of a tile of coils that they are summed of. */
function lagBytes(kernelReadout: number, nColumns: number): number {
  return COMPLEX128_BYTES * (2 * kernelReadout - 1) + 4 * 16 * Math.ceil(nColumns / 2);
}

/** Adds lambda to the diagonal; returns the smallest pivot that counts as positive. */
function regularize({ arena }: Kernels, gram: number, n: number, regularization: number): number {
  const matrix = arena.f64(gram, 2 * n * n);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += matrix[2 * i * (n + 1)]!;
  const meanDiagonal = trace / n;
  if (!(meanDiagonal > 0 && meanDiagonal < Infinity)) {
    throw reconError('RECON_ERR_CALIBRATION_SINGULAR', `calibration lines of mean energy ${meanDiagonal}`);
  }
  for (let i = 0; i < n; i++) matrix[2 * i * (n + 1)] = matrix[2 * i * (n + 1)]! + regularization * meanDiagonal;
  return smallestRelativePivot * meanDiagonal;
}

/** From w to a matrix a column, as recon/kernels/assembly/hybrid.ts sums it. */
function transformWeights(
  { arena, wasm }: Kernels,
  calibration: GrappaCalibration,
  weights: number,
  nCalibrationPositions: number,
): GrappaKernel {
  const { nCoils, nColumns, acceleration, kernelReadout, kernelPhase, sliceAcceleration = 1, kernelSlice = 1 } = calibration;
  const nOffsets = acceleration * sliceAcceleration;
  const nTaps = kernelPhase * kernelSlice;
  const nBlocks = nColumnBlocks(nColumns);
  return arena.withScratch(4 * 8 * kernelReadout * nBlocks, (phases) => {
    const table = arena.f32(phases, 8 * kernelReadout * nBlocks).fill(0);
    for (let tap = 0; tap < kernelReadout; tap++) {
      for (let x = 0; x < nColumns; x++) {
        const angle = columnAngle(tap - (kernelReadout - 1) / 2, x, nColumns);
        const at = 8 * (tap * nBlocks + (x >> 2)) + (x & 3);
        table[at] = Math.cos(angle);
        table[at + 4] = Math.sin(angle);
      }
    }
    const nBytes = hybridBytes(nCoils, nColumns, nOffsets, nTaps);
    const pointer = arena.allocate(nBytes);
    wasm.hybridWeights(weights, phases, nCoils, nColumns, nOffsets, kernelReadout, nTaps, pointer);
    return {
      pointer, nBytes, nCoils, nColumns, acceleration, kernelReadout, kernelPhase, sliceAcceleration, kernelSlice, nCalibrationPositions,
    };
  });
}

/** The kernels take columns by fours. */
function nColumnBlocks(nColumns: number): number {
  return Math.ceil(nColumns / 4);
}

function hybridBytes(nCoils: number, nColumns: number, nOffsets: number, nTaps: number): number {
  return (nOffsets - 1) * nColumnBlocks(nColumns) * Math.ceil(nCoils / 4) * nTaps * nCoils * 4 * 32;
}

/** The phase at column x of a shift by `shift` samples of k-space: the transform is centred. */
function columnAngle(shift: number, x: number, nColumns: number): number {
  return (2 * Math.PI * shift * (x - Math.floor(nColumns / 2))) / nColumns;
}
