/** Systems of linear equations with a symmetric positive definite matrix, by the factors L L' of Cholesky (Benoit 1924, doi 10.1007/BF03031308). */

/**
 * @param matrix A, [n, n], of which the lower triangle is read
 * @param right b, [n]
 * @returns x of A x = b, [n]; NaN where A is not positive definite
 */
export function solvePositive(matrix: Float64Array, right: Float64Array): Float64Array<ArrayBuffer> {
  const n = right.length;
  const lower = Float64Array.from(matrix);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = lower[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j]!;
    }
  }
  const solution = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) solution[i]! -= lower[i * n + k]! * solution[k]!;
    solution[i]! /= lower[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) solution[i]! -= lower[k * n + i]! * solution[k]!;
    solution[i]! /= lower[i * n + i]!;
  }
  return solution;
}
