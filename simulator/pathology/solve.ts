/**
 * The dose at which what is measured on the label maps is what was asked for: bisection.
 *
 *   find d in [d0, d1] with |m(d) - target| <= tolerance,   m monotone
 *
 * 1. A dose at which the healthy end is already no better than the target, or the worst still better, ends the
 *    search there.
 * 2. Halve; after `mostSteps` the best dose so far is taken.
 *
 * Whether the grade was met is for the caller to see: m jumps by pixels, and pathologies bear on one another.
 */
import type { Measure } from './pathology.js';

const mostSteps = 14;

export interface Solution {
  readonly dose: number;
  readonly value: number;
}

/** @param evaluate what is measured at a dose; undefined where there is nothing to measure */
export function solveDose(measure: Pick<Measure, 'doses' | 'tolerance'>, target: number, evaluate: (dose: number) => number | undefined, guess?: number): Solution | undefined {
  const { doses: [healthy, worst], tolerance } = measure;
  const known = new Map<number, number>();
  const at = (dose: number) => {
    const value = known.get(dose) ?? evaluate(dose);
    if (value !== undefined) known.set(dose, value);
    return value;
  };
  const best = (): Solution | undefined => {
    const sorted = [...known].sort(([, a], [, b]) => Math.abs(a - target) - Math.abs(b - target));
    return sorted[0] === undefined ? undefined : { dose: sorted[0][0], value: sorted[0][1] };
  };
  const isDone = (value: number | undefined) => value === undefined || Math.abs(value - target) <= tolerance;
  if (guess !== undefined && isDone(at(guess))) return best();
  const [atHealthy, atWorst] = [at(healthy), at(worst)];
  if (atHealthy === undefined || atWorst === undefined || isDone(atHealthy) || isDone(atWorst)) return best();
  const rises = atWorst > atHealthy;
  const isBeyond = (value: number) => (rises ? value > target : value < target);
  if (isBeyond(atHealthy) || !isBeyond(atWorst)) return best();
  let [below, beyond] = [healthy, worst];
  for (let step = 0; step < mostSteps; step++) {
    const middle = (below + beyond) / 2;
    const value = at(middle);
    if (isDone(value)) break;
    if (isBeyond(value!)) beyond = middle;
    else below = middle;
  }
  return best();
}
