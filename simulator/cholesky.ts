/**
 * Cholesky factorisation of a Hermitian, positive definite matrix, A = L Lᴴ with L lower triangular,
 * and what it is good for here: colouring noise (L n), whitening (L⁻¹ x), solving (L⁻ᴴ L⁻¹ b).
 * Golub & Van Loan, Matrix Computations, 4th edition, section 4.2. Matrices are complex128
 * interleaved [n, n].
 */
import { simulatorError } from './errors.js';

/** @throws SIM_ERR_NOT_POSITIVE_DEFINITE */
export function choleskyFactor(matrix: Float64Array, n: number): Float64Array {
  const factor = new Float64Array(2 * n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      let re = matrix[2 * (row * n + column)]!;
      let im = matrix[2 * (row * n + column) + 1]!;
      for (let k = 0; k < column; k++) {
        const a = 2 * (row * n + k);
        const b = 2 * (column * n + k);
        re -= factor[a]! * factor[b]! + factor[a + 1]! * factor[b + 1]!;
        im -= factor[a + 1]! * factor[b]! - factor[a]! * factor[b + 1]!;
      }
      const at = 2 * (row * n + column);
      if (row > column) {
        const pivot = factor[2 * (column * n + column)]!;
        factor[at] = re / pivot;
        factor[at + 1] = im / pivot;
      } else if (re > 0 && Number.isFinite(re)) {
        factor[at] = Math.sqrt(re);
      } else {
        throw simulatorError('SIM_ERR_NOT_POSITIVE_DEFINITE', `pivot ${re} in row ${row} of ${n}`);
      }
    }
  }
  return factor;
}

/** L⁻¹ b in place; b is complex128 [n]. */
export function solveLower(factor: Float64Array, n: number, b: Float64Array): void {
  for (let row = 0; row < n; row++) {
    let re = b[2 * row]!;
    let im = b[2 * row + 1]!;
    for (let k = 0; k < row; k++) {
      const lRe = factor[2 * (row * n + k)]!;
      const lIm = factor[2 * (row * n + k) + 1]!;
      re -= lRe * b[2 * k]! - lIm * b[2 * k + 1]!;
      im -= lRe * b[2 * k + 1]! + lIm * b[2 * k]!;
    }
    const pivot = factor[2 * (row * n + row)]!;
    b[2 * row] = re / pivot;
    b[2 * row + 1] = im / pivot;
  }
}

/** L⁻ᴴ b in place; b is complex128 [n]. */
export function solveUpper(factor: Float64Array, n: number, b: Float64Array): void {
  for (let row = n - 1; row >= 0; row--) {
    let re = b[2 * row]!;
    let im = b[2 * row + 1]!;
    for (let k = row + 1; k < n; k++) {
      const lRe = factor[2 * (k * n + row)]!;
      const lIm = -factor[2 * (k * n + row) + 1]!;
      re -= lRe * b[2 * k]! - lIm * b[2 * k + 1]!;
      im -= lRe * b[2 * k + 1]! + lIm * b[2 * k]!;
    }
    const pivot = factor[2 * (row * n + row)]!;
    b[2 * row] = re / pivot;
    b[2 * row + 1] = im / pivot;
  }
}
