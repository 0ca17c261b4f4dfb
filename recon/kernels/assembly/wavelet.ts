// Daubechies-4 wavelet transform of complex64 images of any size, orthonormal, periodic:
//
//   low[i] = sum_j h_j x[2 i + j],   high[i] = sum_j g_j x[2 i + j],   j = 0..3, indexes mod m,
//   g = (h3, -h2, h1, -h0),   back: x[2 i + j] = sum over i of h_j low[i] + g_j high[i]
//
// over the even part m of a length n; the last sample of an odd length goes to the low band as it is. The
// low band of ceil(n / 2) comes first; the next level works on it. Daubechies I. Comm Pure Appl Math
// 1988;41:909-996. doi:10.1002/cpa.3160410705

const H0: f32 = 0.48296291314453414;
const H1: f32 = 0.83651630373780790;
const H2: f32 = 0.22414386804201338;
const H3: f32 = -0.12940952255126037;

/** One level, rows from `x` through `scratch` (as large) back to `x`; the image is its first nRows, nColumns. */
export function waveletAnalysis(x: usize, scratch: usize, nRows: i32, nColumns: i32, rowBytes: usize): void {
  const half = (nRows + 1) >> 1;
  const even = nRows & ~1;
  for (let i = 0; i < nRows >> 1; i++) {
    splitRows(
      x + rowBytes * (2 * i), x + rowBytes * (2 * i + 1), x + rowBytes * ((2 * i + 2) % even), x + rowBytes * ((2 * i + 3) % even),
      scratch + rowBytes * i, scratch + rowBytes * (half + i), nColumns,
    );
  }
  if (nRows & 1) memory.copy(scratch + rowBytes * (half - 1), x + rowBytes * even, (<usize>nColumns) << 3);
  for (let row = 0; row < nRows; row++) splitLine(scratch + rowBytes * row, x + rowBytes * row, nColumns);
}

/** The way back. */
export function waveletSynthesis(x: usize, scratch: usize, nRows: i32, nColumns: i32, rowBytes: usize): void {
  const half = (nRows + 1) >> 1;
  const nPairs = nRows >> 1;
  for (let row = 0; row < nRows; row++) joinLine(x + rowBytes * row, scratch + rowBytes * row, nColumns);
  for (let i = 0; i < nPairs; i++) {
    const before = (i + nPairs - 1) % nPairs;
    joinRows(
      scratch + rowBytes * before, scratch + rowBytes * (half + before), scratch + rowBytes * i, scratch + rowBytes * (half + i),
      x + rowBytes * (2 * i), x + rowBytes * (2 * i + 1), nColumns,
    );
  }
  if (nRows & 1) memory.copy(x + rowBytes * (nRows - 1), scratch + rowBytes * (half - 1), (<usize>nColumns) << 3);
}

@inline
function sum4(a: f32, x: v128, b: f32, y: v128, c: f32, z: v128, d: f32, w: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(a), x), f32x4.mul(f32x4.splat(b), y)),
    f32x4.add(f32x4.mul(f32x4.splat(c), z), f32x4.mul(f32x4.splat(d), w)),
  );
}

function splitRows(a: usize, b: usize, c: usize, d: usize, low: usize, high: usize, nColumns: i32): void {
  const end = (<usize>(nColumns & ~1)) << 3;
  for (let at: usize = 0; at < end; at += 16) {
    const va = v128.load(a + at);
    const vb = v128.load(b + at);
    const vc = v128.load(c + at);
    const vd = v128.load(d + at);
    v128.store(low + at, sum4(H0, va, H1, vb, H2, vc, H3, vd));
    v128.store(high + at, sum4(H3, va, -H2, vb, H1, vc, -H0, vd));
  }
  if (nColumns & 1) {
    const va = v128.load64_zero(a + end);
    const vb = v128.load64_zero(b + end);
    const vc = v128.load64_zero(c + end);
    const vd = v128.load64_zero(d + end);
    v128.store64_lane(low + end, sum4(H0, va, H1, vb, H2, vc, H3, vd), 0);
    v128.store64_lane(high + end, sum4(H3, va, -H2, vb, H1, vc, -H0, vd), 0);
  }
}

/** Rows 2 i and 2 i + 1 from the bands of i - 1 and of i. */
function joinRows(low0: usize, high0: usize, low1: usize, high1: usize, even: usize, odd: usize, nColumns: i32): void {
  const end = (<usize>(nColumns & ~1)) << 3;
  for (let at: usize = 0; at < end; at += 16) {
    const l0 = v128.load(low0 + at);
    const h0 = v128.load(high0 + at);
    const l1 = v128.load(low1 + at);
    const h1 = v128.load(high1 + at);
    v128.store(even + at, sum4(H2, l0, H1, h0, H0, l1, H3, h1));
    v128.store(odd + at, sum4(H3, l0, -H0, h0, H1, l1, -H2, h1));
  }
  if (nColumns & 1) {
    const l0 = v128.load64_zero(low0 + end);
    const h0 = v128.load64_zero(high0 + end);
    const l1 = v128.load64_zero(low1 + end);
    const h1 = v128.load64_zero(high1 + end);
    v128.store64_lane(even + end, sum4(H2, l0, H1, h0, H0, l1, H3, h1), 0);
    v128.store64_lane(odd + end, sum4(H3, l0, -H0, h0, H1, l1, -H2, h1), 0);
  }
}

/** A line -> its two bands; the line's bytes and the bands' are apart. */
function splitLine(line: usize, out: usize, n: i32): void {
  const half = (n + 1) >> 1;
  const nPairs = n >> 1;
  const high = out + ((<usize>half) << 3);
  // Two outputs at a time from samples 2 i .. 2 i + 5; the last ones go round.
  let i = 0;
  for (; i + 2 < nPairs; i += 2) {
    const at = line + ((<usize>i) << 4);
    const first = v128.load(at);
    const second = v128.load(at, 16);
    const third = v128.load(at, 32);
    const a = v128.shuffle<f64>(first, second, 0, 2);
    const b = v128.shuffle<f64>(first, second, 1, 3);
    const c = v128.shuffle<f64>(second, third, 0, 2);
    const d = v128.shuffle<f64>(second, third, 1, 3);
    v128.store(out + ((<usize>i) << 3), sum4(H0, a, H1, b, H2, c, H3, d));
    v128.store(high + ((<usize>i) << 3), sum4(H3, a, -H2, b, H1, c, -H0, d));
  }
  for (; i < nPairs; i++) {
    const at = line + ((<usize>i) << 4);
    const next = line + ((<usize>((i + 1) % nPairs)) << 4);
    const a = v128.load64_zero(at);
    const b = v128.load64_zero(at, 8);
    const c = v128.load64_zero(next);
    const d = v128.load64_zero(next, 8);
    v128.store64_lane(out + ((<usize>i) << 3), sum4(H0, a, H1, b, H2, c, H3, d), 0);
    v128.store64_lane(high + ((<usize>i) << 3), sum4(H3, a, -H2, b, H1, c, -H0, d), 0);
  }
  if (n & 1) v128.store64_lane(out + ((<usize>nPairs) << 3), v128.load64_zero(line + ((<usize>nPairs) << 4)), 0);
}

function joinLine(line: usize, out: usize, n: i32): void {
  const half = (n + 1) >> 1;
  const nPairs = n >> 1;
  const high = line + ((<usize>half) << 3);
  for (let i = 0; i < nPairs && i < 1; i++) joinPair(line, high, nPairs - 1, 0, out);
  let i = 1;
  for (; i + 1 < nPairs; i += 2) {
    const at = (<usize>i) << 3;
    const l0 = v128.load(line + at - 8);
    const l1 = v128.load(line + at);
    const h0 = v128.load(high + at - 8);
    const h1 = v128.load(high + at);
    const even = sum4(H2, l0, H1, h0, H0, l1, H3, h1);
    const odd = sum4(H3, l0, -H0, h0, H1, l1, -H2, h1);
    v128.store(out + 2 * at, v128.shuffle<f64>(even, odd, 0, 2));
    v128.store(out + 2 * at, v128.shuffle<f64>(even, odd, 1, 3), 16);
  }
  for (; i < nPairs; i++) joinPair(line, high, i - 1, i, out);
  if (n & 1) v128.store64_lane(out + ((<usize>nPairs) << 4), v128.load64_zero(line + ((<usize>nPairs) << 3)), 0);
}

@inline
function joinPair(low: usize, high: usize, before: i32, i: i32, out: usize): void {
  const l0 = v128.load64_zero(low + ((<usize>before) << 3));
  const l1 = v128.load64_zero(low + ((<usize>i) << 3));
  const h0 = v128.load64_zero(high + ((<usize>before) << 3));
  const h1 = v128.load64_zero(high + ((<usize>i) << 3));
  const to = out + ((<usize>i) << 4);
  v128.store64_lane(to, sum4(H2, l0, H1, h0, H0, l1, H3, h1), 0);
  v128.store64_lane(to, sum4(H3, l0, -H0, h0, H1, l1, -H2, h1), 0, 8);
}

/** Soft threshold of the magnitude, x max(0, 1 - threshold / |x|), from column `from` on of one row. */
export function shrink(row: usize, from: i32, end: i32, threshold: f32): void {
  const t = f32x4.splat(threshold);
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  // Keeps 0 / 0 out.
  const least = f32x4.splat(1e-30);
  const last = row + ((<usize>end) << 3);
  let at = row + ((<usize>from) << 3);
  for (; at + 8 < last; at += 16) {
    const x = v128.load(at);
    const squares = f32x4.mul(x, x);
    const energy = f32x4.add(squares, v128.shuffle<f32>(squares, squares, 1, 0, 3, 2));
    const factor = f32x4.max(zero, f32x4.sub(one, f32x4.div(t, f32x4.max(least, f32x4.sqrt(energy)))));
    v128.store(at, f32x4.mul(x, factor));
  }
  if (at < last) {
    const re = load<f32>(at);
    const im = load<f32>(at, 4);
    const factor = max<f32>(0, 1 - threshold / max<f32>(1e-30, sqrt<f32>(re * re + im * im)));
    store<f32>(at, re * factor);
    store<f32>(at, im * factor, 4);
  }
}

/** out[(r + rows) mod nRows, (k + columns) mod nColumns] = x[r, k]; 0 <= rows < nRows, 0 <= columns < nColumns */
export function rotateImage(x: usize, out: usize, nRows: i32, nColumns: i32, rows: i32, columns: i32): void {
  const rowBytes = (<usize>nColumns) << 3;
  const shift = (<usize>columns) << 3;
  for (let row = 0; row < nRows; row++) {
    const to = out + rowBytes * ((row + rows) % nRows);
    memory.copy(to + shift, x, rowBytes - shift);
    memory.copy(to, x + rowBytes - shift, shift);
    x += rowBytes;
  }
}
