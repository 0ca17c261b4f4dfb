import { describe, expect, it } from 'vitest';
// The Bessel function is no part of the simulator's face.
import { besselJ1OverX } from '../../simulator/phantom/bessel.js';

/** J1(x) by its integral, (1/π) ∫ cos(t - x sin t) dt from 0 to π; the trapezoidal rule is exact to rounding. */
function byIntegral(x: number): number {
  const n = 2000;
  let sum = 0;
  for (let step = 0; step < n; step++) {
    const t = (Math.PI * (step + 0.5)) / n;
    sum += Math.cos(t - x * Math.sin(t));
  }
  return sum / n;
}

describe('J1(x)/x', () => {
  it('is 1/2 at zero', () => expect(besselJ1OverX(0)).toBe(0.5));

  it('agrees with the integral, on both sides of the seam', () => {
    for (let x = 0.1; x < 800; x *= 1.03) {
      expect(Math.abs(besselJ1OverX(x) - byIntegral(x) / x)).toBeLessThan(1e-12);
    }
    for (const x of [13.9, 13.999, 14, 14.001, 14.1]) {
      expect(Math.abs(besselJ1OverX(x) - byIntegral(x) / x)).toBeLessThan(1e-12);
    }
  });

  it('has the first zero of J1', () => expect(Math.abs(besselJ1OverX(3.8317059702075123))).toBeLessThan(1e-15));
});
