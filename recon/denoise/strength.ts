/**
 * How much of a denoised image is shown:
 *
 *   y = x + s (D(x) - x),   0 <= s <= 1,
 *
 * on complex data. s = 0 gives x and s = 1 gives D(x), both bit for bit; what is between is linear in s. An image whose
 * quality light is not green may be shown with a smaller s than was asked for.
 */
import type { QualityLight } from './types.js';

/**
 * What becomes of a denoised image whose light is not green: it is shown as was asked for, no more of it is shown than so many
 * per cent, or none, so that the conventional image stands alone.
 */
export type LightFallback = 'deliver' | 'end' | number;

export interface LightFallbacks {
  readonly onAmber: LightFallback;
  readonly onRed: LightFallback;
}

/** How much of an image is shown, per cent: as was asked for, or less where its light says so. */
export function strengthAt(light: QualityLight, askedPercent: number, fallbacks: LightFallbacks): number {
  const fallback = fallbackAt(light, fallbacks);
  return typeof fallback === 'number' ? Math.min(askedPercent, fallback) : askedPercent;
}

export function fallbackAt(light: QualityLight, { onAmber, onRed }: LightFallbacks): LightFallback {
  return light === 'green' ? 'deliver' : light === 'amber' ? onAmber : onRed;
}

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
