/**
 * The profile of an excited slab as a finite Fourier series, so that what is excited stays exact:
 *
 *   P(w) = Σ_n p_n cos(2π n w / L),   p_n = d/L sinc(n d/L) · exp(-2 (π σ n / L)²)   (twice that for n > 0)
 *
 * a box of thickness d with edges softened by a Gaussian of standard deviation σ. The series ends where
 * the Gaussian has fallen to 1e-5. In k-space: F(k) becomes Σ_n p_n/2 (F(k - n/L) + F(k + n/L)).
 */
import type { Lattice3 } from '../phantom/ellipsoid.js';

export interface SlabProfile {
  readonly periodMm: number;
  /** p_n from n = 0 */
  readonly coefficients: Float64Array;
}

/** σ over the thickness: the profile falls from 90 to 10 per cent within a seventh of it. */
const edgeShare = 0.055;
const smallest = 1e-5;

export function slabProfile(thicknessMm: number, periodMm: number): SlabProfile {
  const sigmaMm = edgeShare * thicknessMm;
  const nHarmonics = Math.ceil((periodMm / (Math.PI * sigmaMm)) * Math.sqrt(-Math.log(smallest) / 2));
  const share = thicknessMm / periodMm;
  const coefficients = Float64Array.from({ length: nHarmonics + 1 }, (_, n) => {
    const x = Math.PI * n * share;
    const sinc = n === 0 ? 1 : Math.sin(x) / x;
    return (n === 0 ? 1 : 2) * share * sinc * Math.exp(-2 * ((Math.PI * sigmaMm * n) / periodMm) ** 2);
  });
  return { periodMm, coefficients };
}

export function slabProfileAt({ periodMm, coefficients }: SlabProfile, w: number): number {
  return coefficients.reduce((sum, p, n) => sum + p * Math.cos((2 * Math.PI * n * w) / periodMm), 0);
}

/**
 * @param values F, complex128 interleaved [2 halfW + 1, 2 halfV + 1, 2 halfU + 1], stepW = 1/L
 * @returns the same with as many planes fewer on either side as the profile has harmonics
 */
export function withSlabProfile(values: Float64Array, { halfU, halfV, halfW }: Lattice3, profile: SlabProfile): Float64Array {
  const { coefficients } = profile;
  const nHarmonics = coefficients.length - 1;
  const plane = 2 * (2 * halfU + 1) * (2 * halfV + 1);
  const nPlanes = 2 * (halfW - nHarmonics) + 1;
  const excited = new Float64Array(nPlanes * plane);
  for (let l = 0; l < nPlanes; l++) {
    const to = excited.subarray(l * plane, (l + 1) * plane);
    for (let n = -nHarmonics; n <= nHarmonics; n++) {
      const weight = coefficients[Math.abs(n)]! / (n === 0 ? 1 : 2);
      const from = values.subarray((l + nHarmonics + n) * plane, (l + nHarmonics + n + 1) * plane);
      for (let index = 0; index < plane; index++) to[index]! += weight * from[index]!;
    }
  }
  return excited;
}
