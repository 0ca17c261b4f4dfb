/**
 * Cubic convolution interpolation (a = -1/2) from a coarse grid to a finer one over the same field of
 * view, both with position zero at index floor(n / 2); the coarse grid's edge values go on outside.
 * Keys RG. IEEE Trans Acoust Speech Signal Process 1981;29:1153-1160. doi:10.1109/TASSP.1981.1163711
 */

/** Four int32 indexes, then four float32 weights. */
export const POINT_BYTES = 32;

/**
 * @param nFine points that are wanted, the central ones of
 * @param nField points of the fine spacing in the field of view, which is
 * @param nCoarse points of the coarse grid
 * @returns POINT_BYTES a point
 */
export function interpolationPoints(nFine: number, nField: number, nCoarse: number): Uint8Array {
  const bytes = new Uint8Array(POINT_BYTES * nFine);
  const indexes = new Int32Array(bytes.buffer);
  const weights = new Float32Array(bytes.buffer);
  for (let i = 0; i < nFine; i++) {
    const position = Math.floor(nCoarse / 2) + ((i - Math.floor(nFine / 2)) * nCoarse) / nField;
    const left = Math.floor(position);
    const f = position - left;
    const taps = [
      -0.5 * f + f * f - 0.5 * f * f * f,
      1 - 2.5 * f * f + 1.5 * f * f * f,
      0.5 * f + 2 * f * f - 1.5 * f * f * f,
      -0.5 * f * f + 0.5 * f * f * f,
    ];
    taps.forEach((weight, tap) => {
      indexes[8 * i + tap] = Math.min(nCoarse - 1, Math.max(0, left - 1 + tap));
      weights[8 * i + 4 + tap] = weight;
    });
  }
  return bytes;
}

/** Columns that the kernels normalise together, as recon/kernels/assembly/upsample.ts has it. */
const tileColumns = 32;

/** What normalising the maps of a row takes. */
export function normalisationBytes(nCoils: number): number {
  return tileColumns * (8 * nCoils + 4);
}
