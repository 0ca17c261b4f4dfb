// Hermitian positive definite systems in complex128, in place: A = L L^H, then A X = B.
//
// Long work is cut into calls: an engine that compiles twice, fast first and then well, takes the
// better code at the next call only.

/** Bytes of a complex128. */
const COMPLEX: usize = 16;

/** (re, im) of sum a conj(b), of direct = sum (ar br, ai bi) and crossed = sum (ar bi, ai br). */
@inline
function conjugateSum(direct: v128, crossed: v128): v128 {
  return f64x2(
    f64x2.extract_lane(direct, 0) + f64x2.extract_lane(direct, 1),
    f64x2.extract_lane(crossed, 1) - f64x2.extract_lane(crossed, 0),
  );
}

@inline
function swap(a: v128): v128 {
  return v128.shuffle<f64>(a, a, 1, 0);
}

/** a conj(b) */
@inline
function timesConjugate(a: v128, b: v128): v128 {
  return conjugateSum(f64x2.mul(a, b), f64x2.mul(a, swap(b)));
}

/**
 * Rows i and i + 1 of L over those of A's lower triangle, which is all that is read; i even, the rows
 * above finished. Two rows at a time, each against two rows above: every element loaded is used twice.
 * @param smallestPivot pivots (squares of L's diagonal) have to be above this
 * @returns -1, or the first row whose pivot is not (A is then spoilt)
 */
export function choleskyRows(matrix: usize, n: i32, i: i32, smallestPivot: f64): i32 {
  const rowBytes = COMPLEX * n;
  const two = i + 1 < n;
  const row0 = matrix + rowBytes * i;
  const row1 = two ? row0 + rowBytes : row0;
  for (let j = 0; j < i; j += 2) {
    const top0 = matrix + rowBytes * j;
    const top1 = top0 + rowBytes;
    let direct00 = f64x2.splat(0);
    let crossed00 = f64x2.splat(0);
    let direct01 = f64x2.splat(0);
    let crossed01 = f64x2.splat(0);
    let direct10 = f64x2.splat(0);
    let crossed10 = f64x2.splat(0);
    let direct11 = f64x2.splat(0);
    let crossed11 = f64x2.splat(0);
    const end = COMPLEX * j;
    for (let k: usize = 0; k < end; k += COMPLEX) {
      const a0 = v128.load(row0 + k);
      const a1 = v128.load(row1 + k);
      const b0 = v128.load(top0 + k);
      const b1 = v128.load(top1 + k);
      const s0 = swap(b0);
      const s1 = swap(b1);
      direct00 = f64x2.add(direct00, f64x2.mul(a0, b0));
      crossed00 = f64x2.add(crossed00, f64x2.mul(a0, s0));
      direct01 = f64x2.add(direct01, f64x2.mul(a0, b1));
      crossed01 = f64x2.add(crossed01, f64x2.mul(a0, s1));
      direct10 = f64x2.add(direct10, f64x2.mul(a1, b0));
      crossed10 = f64x2.add(crossed10, f64x2.mul(a1, s0));
      direct11 = f64x2.add(direct11, f64x2.mul(a1, b1));
      crossed11 = f64x2.add(crossed11, f64x2.mul(a1, s1));
    }
    finishTwo(row0, top0, top1, j, conjugateSum(direct00, crossed00), conjugateSum(direct01, crossed01));
    if (two) {
      finishTwo(row1, top0, top1, j, conjugateSum(direct10, crossed10), conjugateSum(direct11, crossed11));
    }
  }
  if (!finishDiagonal(row0, i, smallestPivot)) return i;
  if (two) {
    const at = row1 + COMPLEX * i;
    const below = f64x2.sub(v128.load(at), rowProduct(row1, row0, i));
    v128.store(at, f64x2.div(below, f64x2.splat(load<f64>(row0 + COMPLEX * i))));
    if (!finishDiagonal(row1, i + 1, smallestPivot)) return i + 1;
  }
  return -1;
}

/** L[row, j] and L[row, j + 1] from A and the sums over k < j. */
@inline
function finishTwo(row: usize, top0: usize, top1: usize, j: i32, sum0: v128, sum1: v128): void {
  const at = row + COMPLEX * j;
  const first = f64x2.div(f64x2.sub(v128.load(at), sum0), f64x2.splat(load<f64>(top0 + COMPLEX * j)));
  v128.store(at, first);
  const rest = f64x2.sub(
    f64x2.sub(v128.load(at, 16), sum1),
    timesConjugate(first, v128.load(top1 + COMPLEX * j)),
  );
  v128.store(at, f64x2.div(rest, f64x2.splat(load<f64>(top1 + COMPLEX * (j + 1)))), 16);
}

/** sum over k < count of a[k] conj(b[k]) */
function rowProduct(a: usize, b: usize, count: i32): v128 {
  let direct = f64x2.splat(0);
  let crossed = f64x2.splat(0);
  for (let k: usize = 0; k < COMPLEX * count; k += COMPLEX) {
    const va = v128.load(a + k);
    const vb = v128.load(b + k);
    direct = f64x2.add(direct, f64x2.mul(va, vb));
    crossed = f64x2.add(crossed, f64x2.mul(va, swap(vb)));
  }
  return conjugateSum(direct, crossed);
}

function finishDiagonal(row: usize, i: i32, smallestPivot: f64): bool {
  const at = row + COMPLEX * i;
  const pivot = load<f64>(at) - f64x2.extract_lane(rowProduct(row, row, i), 0);
  if (!(pivot > smallestPivot)) return false;
  v128.store(at, f64x2(sqrt(pivot), 0));
  return true;
}

/**
 * X over B, both complex128 [n, nRightSides].
 * @param factor L, from choleskyFactorize
 */
export function choleskySolve(factor: usize, n: i32, rightSides: usize, nRightSides: i32): void {
  const factorBytes = COMPLEX * n;
  const rowBytes = COMPLEX * nRightSides;
  // L Y = B, rows from the top: Y[i] = (B[i] - sum_k L[i, k] Y[k]) / L[i, i].
  for (let i = 0; i < n; i++) {
    const weights = factor + factorBytes * i;
    const pivot = f64x2.splat(load<f64>(weights + COMPLEX * i));
    for (let column = 0; column < nRightSides; column += 2) {
      const second: usize = column + 1 < nRightSides ? COMPLEX : 0;
      let at = rightSides + COMPLEX * column;
      let re0 = f64x2.splat(0);
      let im0 = f64x2.splat(0);
      let re1 = f64x2.splat(0);
      let im1 = f64x2.splat(0);
      for (let k = 0; k < i; k++) {
        const re = v128.load64_splat(weights + COMPLEX * k);
        const im = v128.load64_splat(weights + COMPLEX * k, 8);
        const y0 = v128.load(at);
        const y1 = v128.load(at + second);
        re0 = f64x2.add(re0, f64x2.mul(re, y0));
        im0 = f64x2.add(im0, f64x2.mul(im, y0));
        re1 = f64x2.add(re1, f64x2.mul(re, y1));
        im1 = f64x2.add(im1, f64x2.mul(im, y1));
        at += rowBytes;
      }
      const value0 = f64x2.div(f64x2.sub(v128.load(at), turned(re0, im0)), pivot);
      const value1 = f64x2.div(f64x2.sub(v128.load(at + second), turned(re1, im1)), pivot);
      v128.store(at, value0);
      v128.store(at + second, value1);
    }
  }
  // L^H X = Y, rows from the bottom; each finished row is taken off those above it, along a row of L.
  for (let i = n - 1; i >= 0; i--) {
    const weights = factor + factorBytes * i;
    const pivot = f64x2.splat(load<f64>(weights + COMPLEX * i));
    const row = rightSides + rowBytes * i;
    for (let column = 0; column < nRightSides; column++) {
      const at = row + COMPLEX * column;
      v128.store(at, f64x2.div(v128.load(at), pivot));
    }
    for (let k = 0; k < i; k++) {
      const re = v128.load64_splat(weights + COMPLEX * k);
      const im = f64x2.mul(v128.load64_splat(weights + COMPLEX * k, 8), f64x2(1, -1));
      let from = row;
      let to = rightSides + rowBytes * k;
      for (let column = 0; column < nRightSides; column++) {
        const x = v128.load(from);
        // conj(l) x = re x + im (x.im, -x.re)
        const product = f64x2.add(f64x2.mul(re, x), f64x2.mul(im, swap(x)));
        v128.store(to, f64x2.sub(v128.load(to), product));
        from += COMPLEX;
        to += COMPLEX;
      }
    }
  }
}

/** sum of l y, of re = sum l.re y and im = sum l.im y: i y is y swapped with the sign of its first part changed. */
@inline
function turned(re: v128, im: v128): v128 {
  return f64x2.add(re, f64x2.mul(swap(im), f64x2(-1, 1)));
}
