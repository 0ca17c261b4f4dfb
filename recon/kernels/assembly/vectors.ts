// Complex vectors, complex64 interleaved, any length: what iterative reconstruction does between transforms.

/** Bytes of what two elements at a time cover. */
@inline
function paired(n: i32): usize {
  return (<usize>(n & ~1)) << 3;
}

@inline
function timesTwo(a: v128, b: v128): v128 {
  const re = v128.shuffle<f32>(a, a, 0, 0, 2, 2);
  const im = f32x4.mul(v128.shuffle<f32>(a, a, 1, 1, 3, 3), f32x4(-1, 1, -1, 1));
  return f32x4.add(f32x4.mul(re, b), f32x4.mul(im, v128.shuffle<f32>(b, b, 1, 0, 3, 2)));
}

@inline
function conjugateTimesTwo(a: v128, b: v128): v128 {
  const re = v128.shuffle<f32>(a, a, 0, 0, 2, 2);
  const im = f32x4.mul(v128.shuffle<f32>(a, a, 1, 1, 3, 3), f32x4(1, -1, 1, -1));
  return f32x4.add(f32x4.mul(re, b), f32x4.mul(im, v128.shuffle<f32>(b, b, 1, 0, 3, 2)));
}

/** out = a b */
export function multiplyVectors(a: usize, b: usize, out: usize, n: i32): void {
  const end = paired(n);
  for (let at: usize = 0; at < end; at += 16) v128.store(out + at, timesTwo(v128.load(a + at), v128.load(b + at)));
  if (n & 1) v128.store64_lane(out + end, timesTwo(v128.load64_zero(a + end), v128.load64_zero(b + end)), 0);
}

/** sum += conj(a) b */
export function addConjugateProduct(a: usize, b: usize, sum: usize, n: i32): void {
  const end = paired(n);
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(sum + at, f32x4.add(v128.load(sum + at), conjugateTimesTwo(v128.load(a + at), v128.load(b + at))));
  }
  if (n & 1) {
    const product = conjugateTimesTwo(v128.load64_zero(a + end), v128.load64_zero(b + end));
    v128.store64_lane(sum + end, f32x4.add(v128.load64_zero(sum + end), product), 0);
  }
}

/** x[i] *= weights[i]; weights float32 */
export function weighVector(x: usize, weights: usize, n: i32): void {
  const end = paired(n);
  for (let at: usize = 0; at < end; at += 16, weights += 8) {
    const w = v128.load64_zero(weights);
    v128.store(x + at, f32x4.mul(v128.load(x + at), v128.shuffle<f32>(w, w, 0, 0, 1, 1)));
  }
  if (n & 1) v128.store64_lane(x + end, f32x4.mul(v128.load64_zero(x + end), v128.load32_splat(weights)), 0);
}

/** y = a x + b y */
export function addScaled(a: f32, x: usize, b: f32, y: usize, n: i32): void {
  const va = f32x4.splat(a);
  const vb = f32x4.splat(b);
  const end = paired(n);
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(y + at, f32x4.add(f32x4.mul(va, v128.load(x + at)), f32x4.mul(vb, v128.load(y + at))));
  }
  if (n & 1) {
    const sum = f32x4.add(f32x4.mul(va, v128.load64_zero(x + end)), f32x4.mul(vb, v128.load64_zero(y + end)));
    v128.store64_lane(y + end, sum, 0);
  }
}

/** Re sum conj(a) b, in float64 */
export function realProduct(a: usize, b: usize, n: i32): f64 {
  let sum = f64x2.splat(0);
  for (let at: usize = 0; at < (<usize>n) << 3; at += 8) {
    const x = f64x2.promote_low_f32x4(v128.load64_zero(a + at));
    const y = f64x2.promote_low_f32x4(v128.load64_zero(b + at));
    sum = f64x2.add(sum, f64x2.mul(x, y));
  }
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** out = z - step (a - b) */
export function descend(z: usize, a: usize, b: usize, step: f32, out: usize, n: i32): void {
  const s = f32x4.splat(step);
  const end = paired(n);
  for (let at: usize = 0; at < end; at += 16) {
    const slope = f32x4.sub(v128.load(a + at), v128.load(b + at));
    v128.store(out + at, f32x4.sub(v128.load(z + at), f32x4.mul(s, slope)));
  }
  if (n & 1) {
    const slope = f32x4.sub(v128.load64_zero(a + end), v128.load64_zero(b + end));
    v128.store64_lane(out + end, f32x4.sub(v128.load64_zero(z + end), f32x4.mul(s, slope)), 0);
  }
}

/** z = x + momentum (x - before), before = x */
export function extrapolate(x: usize, before: usize, momentum: f32, z: usize, n: i32): void {
  const m = f32x4.splat(momentum);
  const end = paired(n);
  for (let at: usize = 0; at < end; at += 16) {
    const now = v128.load(x + at);
    v128.store(z + at, f32x4.add(now, f32x4.mul(m, f32x4.sub(now, v128.load(before + at)))));
    v128.store(before + at, now);
  }
  if (n & 1) {
    const now = v128.load64_zero(x + end);
    v128.store64_lane(z + end, f32x4.add(now, f32x4.mul(m, f32x4.sub(now, v128.load64_zero(before + end)))), 0);
    v128.store64_lane(before + end, now, 0);
  }
}
