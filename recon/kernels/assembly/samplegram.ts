// The Gram matrix of readouts over their coils, in float64: of noise its covariance, of central lines their signal.

/** Bytes of a complex128. */
const COMPLEX: usize = 16;

/**
 * Adds sum_s x[a, s] conj(x[b, s]) over the samples from..end for every b <= a.
 * @param samples complex64 [nCoils, nSamples]
 * @param sum complex128 [nCoils, nCoils], the lower triangle
 */
export function addSampleGram(samples: usize, nCoils: i32, nSamples: i32, from: i32, end: i32, sum: usize): void {
  const coilBytes = (<usize>nSamples) << 3;
  const first = (<usize>from) << 3;
  const last = (<usize>end) << 3;
  for (let a = 0; a < nCoils; a++) {
    const x = samples + coilBytes * a;
    const row = sum + COMPLEX * a * nCoils;
    // Two coils at a time share what is read of the first; an odd one stands in for its own neighbour.
    for (let b = 0; b <= a; b += 2) {
      const y = samples + coilBytes * b;
      const z = b < a ? y + coilBytes : y;
      let direct0 = f64x2.splat(0);
      let crossed0 = f64x2.splat(0);
      let direct1 = f64x2.splat(0);
      let crossed1 = f64x2.splat(0);
      for (let s = first; s < last; s += 8) {
        const value = f64x2.promote_low_f32x4(v128.load64_zero(x + s));
        const swapped = v128.shuffle<f64>(value, value, 1, 0);
        const other0 = f64x2.promote_low_f32x4(v128.load64_zero(y + s));
        const other1 = f64x2.promote_low_f32x4(v128.load64_zero(z + s));
        direct0 = f64x2.add(direct0, f64x2.mul(value, other0));
        crossed0 = f64x2.add(crossed0, f64x2.mul(swapped, other0));
        direct1 = f64x2.add(direct1, f64x2.mul(value, other1));
        crossed1 = f64x2.add(crossed1, f64x2.mul(swapped, other1));
      }
      addTo(row + COMPLEX * b, direct0, crossed0);
      if (b < a) addTo(row + COMPLEX * (b + 1), direct1, crossed1);
    }
  }
}

/** Real parts are sums of (re re, im im), imaginary ones differences of (im re, re im). */
@inline
function addTo(at: usize, direct: v128, crossed: v128): void {
  const re = f64x2.extract_lane(direct, 0) + f64x2.extract_lane(direct, 1);
  const im = f64x2.extract_lane(crossed, 0) - f64x2.extract_lane(crossed, 1);
  v128.store(at, f64x2.add(v128.load(at), f64x2(re, im)));
}
