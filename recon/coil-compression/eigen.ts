/**
 * Eigenvalues and eigenvectors of a Hermitian matrix in float64:
 *
 *   A = U diag(lambda) U^H,   lambda[0] >= lambda[1] >= ...
 *
 * Householder reflections make A tridiagonal, a diagonal of phases makes that real, and the QL algorithm with
 * implicit shifts diagonalises it; its rotations and then the reflections are applied to the unit matrix.
 * Golub GH, Van Loan CF. Matrix Computations, 4th ed., 2013, sections 8.3 and 8.4; Dubrulle A, Martin RS,
 * Wilkinson JH. The implicit QL algorithm. Numer Math 1968;12:377-383. doi:10.1007/BF02165404
 */

export interface Eigensystem {
  /** Descending, float64 [n] */
  readonly values: Float64Array;
  /** Row v is the unit eigenvector of values[v]: complex128 interleaved, [n, n]. */
  readonly vectors: Float64Array;
}

const mostSteps = 60;

/** @param matrix complex128 interleaved, [n, n]; the lower triangle counts; left as it is */
export function hermitianEigensystem(matrix: Float64Array, n: number): Eigensystem {
  const a = matrix.slice();
  const diagonal = new Float64Array(n);
  const below = new Float64Array(n);
  const phases = tridiagonalise(a, n, diagonal, below);
  // Row v becomes the real eigenvector of the tridiagonal matrix.
  const real = new Float64Array(n * n);
  for (let i = 0; i < n; i++) real[i * n + i] = 1;
  diagonalise(diagonal, below, real, n);
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => diagonal[j]! - diagonal[i]!);
  const vectors = new Float64Array(2 * n * n);
  order.forEach((row, v) => {
    const vector = vectors.subarray(2 * v * n, 2 * (v + 1) * n);
    for (let i = 0; i < n; i++) {
      vector[2 * i] = real[row * n + i]! * phases[2 * i]!;
      vector[2 * i + 1] = real[row * n + i]! * phases[2 * i + 1]!;
    }
    reflectBack(a, n, vector);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors };
}

/**
 * A to H_(n-2) .. H_0 A H_0 .. H_(n-2), tridiagonal, H_k = 1 - 2 v_k v_k^H. v_k, of norm 1 or zero, takes the place of column k
 * below the diagonal.
 * @returns the phases D, complex [n], with D^H T D real and not negative beside the diagonal
 */
function tridiagonalise(a: Float64Array, n: number, diagonal: Float64Array, below: Float64Array): Float64Array {
  const phases = new Float64Array(2 * n);
  if (n > 0) phases[0] = 1;
  const v = new Float64Array(2 * n);
  const p = new Float64Array(2 * n);
  for (let k = 0; k < n - 1; k++) {
    let energy = 0;
    for (let i = k + 1; i < n; i++) {
      v[2 * i] = a[2 * (i * n + k)]!;
      v[2 * i + 1] = a[2 * (i * n + k) + 1]!;
      energy += v[2 * i]! ** 2 + v[2 * i + 1]! ** 2;
    }
    const norm = Math.sqrt(energy);
    const first = Math.hypot(v[2 * k + 2]!, v[2 * k + 3]!);
    const [re, im] = first > 0 ? [v[2 * k + 2]! / first, v[2 * k + 3]! / first] : [1, 0];
    // The element beside the diagonal becomes -(re + i im) norm.
    below[k] = norm;
    phases[2 * k + 2] = -(phases[2 * k]! * re - phases[2 * k + 1]! * im);
    phases[2 * k + 3] = -(phases[2 * k]! * im + phases[2 * k + 1]! * re);
    v[2 * k + 2] = (first + norm) * re;
    v[2 * k + 3] = (first + norm) * im;
    const length = Math.sqrt(energy - first * first + (first + norm) ** 2);
    const scale = length > 0 ? 1 / length : 0;
    for (let i = k + 1; i < n; i++) {
      a[2 * (i * n + k)] = v[2 * i] = scale * v[2 * i]!;
      a[2 * (i * n + k) + 1] = v[2 * i + 1] = scale * v[2 * i + 1]!;
    }
    reflectRest(a, n, k + 1, v, p);
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[2 * (i * n + i)]!;
  return phases;
}

/** The lower triangle of B = H B H from row `from` on: B - 2 v q^H - 2 q v^H, q = p - (v^H p) v, p = B v. */
function reflectRest(a: Float64Array, n: number, from: number, v: Float64Array, p: Float64Array): void {
  p.fill(0);
  for (let i = from; i < n; i++) {
    const [vRe, vIm] = [v[2 * i]!, v[2 * i + 1]!];
    let re = a[2 * (i * n + i)]! * vRe;
    let im = a[2 * (i * n + i)]! * vIm;
    for (let j = from, at = 2 * (i * n + from); j < i; j++, at += 2) {
      const bRe = a[at]!;
      const bIm = a[at + 1]!;
      re += bRe * v[2 * j]! - bIm * v[2 * j + 1]!;
      im += bRe * v[2 * j + 1]! + bIm * v[2 * j]!;
      p[2 * j] = p[2 * j]! + bRe * vRe + bIm * vIm;
      p[2 * j + 1] = p[2 * j + 1]! + bRe * vIm - bIm * vRe;
    }
    p[2 * i] = p[2 * i]! + re;
    p[2 * i + 1] = p[2 * i + 1]! + im;
  }
  let overlap = 0;
  for (let i = 2 * from; i < 2 * n; i++) overlap += v[i]! * p[i]!;
  for (let i = 2 * from; i < 2 * n; i++) p[i] = 2 * (p[i]! - overlap * v[i]!);
  for (let i = from; i < n; i++) {
    const [vRe, vIm, qRe, qIm] = [v[2 * i]!, v[2 * i + 1]!, p[2 * i]!, p[2 * i + 1]!];
    for (let j = from, at = 2 * (i * n + from); j <= i; j++, at += 2) {
      const [wRe, wIm, rRe, rIm] = [v[2 * j]!, v[2 * j + 1]!, p[2 * j]!, p[2 * j + 1]!];
      a[at] = a[at]! - (vRe * rRe + vIm * rIm + qRe * wRe + qIm * wIm);
      a[at + 1] = a[at + 1]! - (vIm * rRe - vRe * rIm + qIm * wRe - qRe * wIm);
    }
  }
}

/** x <- H_0 .. H_(n-2) x */
function reflectBack(a: Float64Array, n: number, x: Float64Array): void {
  for (let k = n - 2; k >= 0; k--) {
    let re = 0;
    let im = 0;
    for (let i = k + 1, at = 2 * ((k + 1) * n + k); i < n; i++, at += 2 * n) {
      re += a[at]! * x[2 * i]! + a[at + 1]! * x[2 * i + 1]!;
      im += a[at]! * x[2 * i + 1]! - a[at + 1]! * x[2 * i]!;
    }
    for (let i = k + 1, at = 2 * ((k + 1) * n + k); i < n; i++, at += 2 * n) {
      x[2 * i] = x[2 * i]! - 2 * (a[at]! * re - a[at + 1]! * im);
      x[2 * i + 1] = x[2 * i + 1]! - 2 * (a[at]! * im + a[at + 1]! * re);
    }
  }
}

/**
 * QL with implicit shifts of the real tridiagonal matrix: `d` becomes its eigenvalues, the rows of `z` are rotated along.
 * @param e element i beside d[i] and d[i + 1]; overwritten
 */
function diagonalise(d: Float64Array, e: Float64Array, z: Float64Array, n: number): void {
  for (let first = 0; first < n; first++) {
    for (let step = 0; step < mostSteps; step++) {
      let last = first;
      while (last < n - 1 && Math.abs(e[last]!) > Number.EPSILON * (Math.abs(d[last]!) + Math.abs(d[last + 1]!))) last++;
      if (last === first) break;
      const half = (d[first + 1]! - d[first]!) / (2 * e[first]!);
      let g = d[last]! - d[first]! + e[first]! / (half + Math.sign(half || 1) * Math.hypot(half, 1));
      let s = 1;
      let c = 1;
      let shift = 0;
      let i = last - 1;
      for (; i >= first; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] = d[i + 1]! - shift;
          e[last] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - shift;
        const t = (d[i]! - g) * s + 2 * c * b;
        shift = s * t;
        d[i + 1] = g + shift;
        g = c * t - b;
        for (let k = 0, at = i * n, next = at + n; k < n; k++, at++, next++) {
          const upper = z[next]!;
          const lower = z[at]!;
          z[next] = s * lower + c * upper;
          z[at] = c * lower - s * upper;
        }
      }
      if (i >= first) continue;
      d[first] = d[first]! - shift;
      e[first] = g;
      e[last] = 0;
    }
  }
}
