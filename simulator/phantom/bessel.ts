/**
 * J1, the Bessel function of the first kind and order one, in double precision.
 *
 *   x < 14:  J1(x) = (x/2) Σ_k (-x²/4)^k / (k! (k+1)!)                      DLMF 10.2.2
 *   else:    J1(x) ~ sqrt(2/(πx)) (P cos ω - Q sin ω),  ω = x - 3π/4        DLMF 10.17.3
 *            P = Σ (-1)^k a_2k / x^2k,  Q = Σ (-1)^k a_2k+1 / x^2k+1
 *
 * (https://dlmf.nist.gov). At the seam the cancellation of the series and the smallest term of the
 * asymptotic expansion are both below 1e-11.
 */
const seam = 14;

/** J1(x)/x for x >= 0, which tends to 1/2 at zero. Absolute error below 1e-12. */
export function besselJ1OverX(x: number): number {
  return x < seam ? powerSeries(x) : besselJ1Asymptotic(x) / x;
}

function powerSeries(x: number): number {
  const step = -0.25 * x * x;
  let term = 0.5;
  let sum = 0.5;
  for (let k = 1; Math.abs(term) > 1e-17; k++) {
    term *= step * reciprocals[k]!;
    sum += term;
  }
  return sum;
}

/** 1 / (k (k + 1)); below the seam the series ends before these do. */
const reciprocals = Float64Array.from({ length: 64 }, (_, k) => (k === 0 ? 0 : 1 / (k * (k + 1))));

/** a_k(1) of DLMF 10.17.1, its sign (-1)^floor(k/2) included. */
const hankelCoefficients = Float64Array.from({ length: 24 }, (_, k) => {
  let coefficient = 1;
  for (let j = 1; j <= k; j++) coefficient *= (4 - (2 * j - 1) ** 2) / (8 * j);
  return k % 4 < 2 ? coefficient : -coefficient;
});

function besselJ1Asymptotic(x: number): number {
  const inverseSquare = 1 / (x * x);
  let p = 0;
  let q = 0;
  for (let k = hankelCoefficients.length - 2; k >= 0; k -= 2) {
    p = p * inverseSquare + hankelCoefficients[k]!;
    q = q * inverseSquare + hankelCoefficients[k + 1]!;
  }
  const omega = x - 0.75 * Math.PI;
  return Math.sqrt(2 / (Math.PI * x)) * (p * Math.cos(omega) - (q / x) * Math.sin(omega));
}
