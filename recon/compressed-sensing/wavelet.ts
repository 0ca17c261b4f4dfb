/**
 * The orthonormal wavelet transform of an image, Psi, over several levels, with a cyclic shift before it,
 * and the proximal map of its l1 norm (Psi^H Psi = 1):
 *
 *   prox(x) = Psi^H soft(Psi x, threshold),   soft(c, t) = c max(0, 1 - t / |c|)
 *
 * The lowest band, which is no sparse one, is left as it is. recon/kernels/assembly/wavelet.ts: Daubechies-4.
 */
import type { Kernels } from '../kernels/index.js';

export interface WaveletShape {
  readonly nRows: number;
  readonly nColumns: number;
  readonly nLevels: number;
}

/** Levels down to a lowest band of at least this many samples. */
const leastLowBand = 8;
const mostLevels = 4;

/** As many levels as say anything. */
export function waveletShape(nRows: number, nColumns: number): WaveletShape {
  let nLevels = 0;
  for (let n = Math.min(nRows, nColumns); n >= 2 * leastLowBand && nLevels < mostLevels; n = Math.ceil(n / 2)) nLevels++;
  return { nRows, nColumns, nLevels };
}

/** Extent of the low band that `level` works on. */
function bandOf(n: number, level: number): number {
  return Math.ceil(n / 2 ** level);
}

/**
 * Coefficients over the image, complex64 [nRows, nColumns]: the lowest band first, in the corner.
 * @param scratch as large as the image
 */
export function waveletTransform({ wasm }: Kernels, { nRows, nColumns, nLevels }: WaveletShape, image: number, scratch: number): void {
  for (let level = 0; level < nLevels; level++) {
    wasm.waveletAnalysis(image, scratch, bandOf(nRows, level), bandOf(nColumns, level), 8 * nColumns);
  }
}

/** The way back. */
export function inverseWaveletTransform({ wasm }: Kernels, { nRows, nColumns, nLevels }: WaveletShape, image: number, scratch: number): void {
  for (let level = nLevels - 1; level >= 0; level--) {
    wasm.waveletSynthesis(image, scratch, bandOf(nRows, level), bandOf(nColumns, level), 8 * nColumns);
  }
}

/**
 * The proximal map, in place, of the image shifted by `shift` rows and columns.
 * @param scratch twice as large as the image
 */
export function shrinkWavelets(
  kernels: Kernels, shape: WaveletShape, image: number, scratch: number, threshold: number,
  shift: { readonly rows: number; readonly columns: number },
): void {
  const { wasm } = kernels;
  const { nRows, nColumns, nLevels } = shape;
  const shifted = scratch;
  const spare = scratch + 8 * nRows * nColumns;
  wasm.rotateImage(image, shifted, nRows, nColumns, shift.rows % nRows, shift.columns % nColumns);
  waveletTransform(kernels, shape, shifted, spare);
  const lowRows = bandOf(nRows, nLevels);
  const lowColumns = bandOf(nColumns, nLevels);
  for (let row = 0; row < nRows; row++) {
    wasm.shrink(shifted + 8 * row * nColumns, row < lowRows ? lowColumns : 0, nColumns, threshold);
  }
  inverseWaveletTransform(kernels, shape, shifted, spare);
  wasm.rotateImage(
    shifted, image, nRows, nColumns, (nRows - (shift.rows % nRows)) % nRows, (nColumns - (shift.columns % nColumns)) % nColumns,
  );
}
