/**
 * How much of a denoised image is shown:
 *
 *   y = x + s (D(x) - x),   0 <= s <= 1,
 *
 * on complex data. s = 0 gives x and s = 1 gives D(x), both bit for bit; what is between is linear in s.
 */

/**
 * @param noisy @param denoised of one length and the same units
 * @param strength s, from 0 to 1
 */
export function blend(noisy: Float32Array, denoised: Float32Array, strength: number): Float32Array<ArrayBuffer> {
  if (strength <= 0) return noisy.slice();
  if (strength >= 1) return denoised.slice();
  const blended = new Float32Array(noisy.length);
  for (let i = 0; i < blended.length; i++) blended[i] = noisy[i]! + strength * (denoised[i]! - noisy[i]!);
  return blended;
}
