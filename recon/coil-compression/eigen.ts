/**
 * Eigenvalues and eigenvectors of a Hermitian matrix by cyclic Jacobi rotations:
 *
 *   A = U diag(lambda) U^H,   lambda[0] >= lambda[1] >= ...
 *
 * Each rotation makes one element zero; sweeps converge quadratically. For the matrices of coil arrays, up to a few hundred rows.
 * Golub GH, Van Loan CF. Matrix Computations, 4th ed., 2013, section 8.5.
 */

export interface Eigensystem {
  /** Descending, float64 [n] */
  readonly values: Float64Array;
  /** Row v is the unit eigenvector of values[v]: complex128 interleaved, [n, n]. */
  readonly vectors: Float64Array;
}

const mostSweeps = 30;
const negligible = 1e-26;

/** @param matrix complex128 interleaved, Hermitian, [n, n]; left as it is */
export function hermitianEigensystem(matrix: Float64Array, n: number): Eigensystem {
  const a = matrix.slice();
  // Row v of u is the conjugate of what becomes eigenvector v.
  const u = new Float64Array(2 * n * n);
  for (let i = 0; i < n; i++) u[2 * i * (n + 1)] = 1;
  for (let sweep = 0; sweep < mostSweeps && offDiagonalShare(a, n) > negligible; sweep++) {
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(a, u, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[2 * j * (n + 1)]! - a[2 * i * (n + 1)]!);
  const vectors = new Float64Array(2 * n * n);
  order.forEach((row, v) => {
    for (let i = 0; i < n; i++) {
      vectors[2 * (v * n + i)] = u[2 * (row * n + i)]!;
      vectors[2 * (v * n + i) + 1] = -u[2 * (row * n + i) + 1]!;
    }
  });
  return { values: Float64Array.from(order, (i) => a[2 * i * (n + 1)]!), vectors };
}

function offDiagonalShare(a: Float64Array, n: number): number {
  let off = 0;
  let all = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const power = a[2 * (i * n + j)]! ** 2 + a[2 * (i * n + j) + 1]! ** 2;
      all += power;
      if (i !== j) off += power;
    }
  }
  return all > 0 ? off / all : 0;
}

/** A <- J A J^H and U <- J U with the rotation J of the rows p and q that makes A[p, q] zero. */
function rotate(a: Float64Array, u: Float64Array, n: number, p: number, q: number): void {
  const re = a[2 * (p * n + q)]!;
  const im = a[2 * (p * n + q) + 1]!;
  const magnitude = Math.hypot(re, im);
  if (magnitude === 0) return;
  const theta = (a[2 * q * (n + 1)]! - a[2 * p * (n + 1)]!) / (2 * magnitude);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  // Rows: p' = c p - s e q, q' = s conj(e) p + c q, with e = A[p, q] / |A[p, q]|.
  const eRe = re / magnitude;
  const eIm = im / magnitude;
  mixRows(a, n, p, q, c, s, eRe, eIm);
  mixColumns(a, n, p, q, c, s, eRe, eIm);
  mixRows(u, n, p, q, c, s, eRe, eIm);
}

function mixRows(m: Float64Array, n: number, p: number, q: number, c: number, s: number, eRe: number, eIm: number): void {
  for (let k = 0; k < n; k++) {
    const atP = 2 * (p * n + k);
    const atQ = 2 * (q * n + k);
    const [pRe, pIm, qRe, qIm] = [m[atP]!, m[atP + 1]!, m[atQ]!, m[atQ + 1]!];
    m[atP] = c * pRe - s * (eRe * qRe - eIm * qIm);
    m[atP + 1] = c * pIm - s * (eRe * qIm + eIm * qRe);
    m[atQ] = s * (eRe * pRe + eIm * pIm) + c * qRe;
    m[atQ + 1] = s * (eRe * pIm - eIm * pRe) + c * qIm;
  }
}

function mixColumns(m: Float64Array, n: number, p: number, q: number, c: number, s: number, eRe: number, eIm: number): void {
  for (let k = 0; k < n; k++) {
    const atP = 2 * (k * n + p);
    const atQ = 2 * (k * n + q);
    const [pRe, pIm, qRe, qIm] = [m[atP]!, m[atP + 1]!, m[atQ]!, m[atQ + 1]!];
    m[atP] = c * pRe - s * (eRe * qRe + eIm * qIm);
    m[atP + 1] = c * pIm - s * (eRe * qIm - eIm * qRe);
    m[atQ] = s * (eRe * pRe - eIm * pIm) + c * qRe;
    m[atQ + 1] = s * (eRe * pIm + eIm * pRe) + c * qIm;
  }
}
