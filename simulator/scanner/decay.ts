/**
 * A few curves for the many tissues: signals s_t(n) of tissue t at echo n as
 *
 *   s_t(n) ≈ Σ_p b_t,p c_p(n)
 *
 * with orthonormal curves c_p, chosen one by one as the curve that is described worst so far
 * (Gram-Schmidt with pivoting), until no signal is off by more than a share of the largest one. So the
 * images of b_p are made once, and the signal of every echo is a sum of them: relaxation along the
 * echo train at the cost of a few images instead of one an echo.
 */
export interface Curves {
  /** b, [tissue][p] */
  readonly coefficients: readonly (readonly number[])[];
  /** c, [p][n] */
  readonly curves: readonly (readonly number[])[];
}

/** Of the largest signal. */
export const decayTolerance = 1e-3;

/** @param signals [tissue][n] */
export function expandDecay(signals: readonly (readonly number[])[], tolerance = decayTolerance): Curves {
  const residuals = signals.map((signal) => [...signal]);
  const coefficients = signals.map((): number[] => []);
  const curves: number[][] = [];
  const largestOf = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const allowed = tolerance * Math.max(...signals.map(largestOf), 0);
  const nEchoes = signals[0]?.length ?? 0;
  for (;;) {
    const worst = residuals.reduce((so, residual, t) => (largestOf(residual) > largestOf(residuals[so]!) ? t : so), 0);
    const pivot = residuals[worst];
    if (pivot === undefined || largestOf(pivot) <= allowed || curves.length === nEchoes) return { coefficients, curves };
    const norm = Math.hypot(...pivot);
    const curve = pivot.map((value) => value / norm);
    curves.push(curve);
    residuals.forEach((residual, t) => {
      const share = residual.reduce((sum, value, n) => sum + value * curve[n]!, 0);
      coefficients[t]!.push(share);
      curve.forEach((value, n) => (residual[n]! -= share * value));
    });
  }
}
