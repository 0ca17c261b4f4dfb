/**
 * Which value within a grade is asked for.
 *
 *   prevalence   uniform over the grade
 *   uniform      for tests of grading: grades drawn evenly, and a third of the values within 10 % of a cut-off
 *
 * No target lies nearer to a cut-off than what can be measured there.
 */
import type { Random } from '../random.js';
import type { Measure } from './pathology.js';
import { uniform } from './pathology.js';

const nearShare = 1 / 3;
const nearCutoff = 0.1;

export type GradeSampling = 'prevalence' | 'uniform';

/** The values of a grade: from its healthier to its worse end. */
export function gradeRange({ scale, limits }: Pick<Measure, 'scale' | 'limits'>, grade: string): readonly [number, number] {
  const index = scale.grades.indexOf(grade);
  return [index === 0 ? limits[0] : scale.cutoffs[index - 1]!, index === scale.grades.length - 1 ? limits[1] : scale.cutoffs[index]!];
}

export function drawTarget(measure: Pick<Measure, 'scale' | 'limits' | 'tolerance'>, grade: string, random: Random, sampling: GradeSampling): number {
  const { scale, tolerance } = measure;
  const [healthier, worse] = gradeRange(measure, grade);
  const [low, high] = healthier < worse ? [healthier, worse] : [worse, healthier];
  const isCutoff = (value: number) => scale.cutoffs.includes(value);
  // Two tolerances: the dose's, and that of whoever measures again.
  const margin = Math.min(2 * tolerance, (high - low) / 3);
  const [from, to] = [low + (isCutoff(low) ? margin : 0), high - (isCutoff(high) ? margin : 0)];
  const [near, place] = [random.uniform() < nearShare, random.uniform()];
  const ends = [low, high].filter(isCutoff);
  if (sampling === 'prevalence' || !near || ends.length === 0) return from + place * (to - from);
  const end = ends[Math.floor(random.uniform() * ends.length)]!;
  return end === low
    ? uniform(random, from, Math.min(to, Math.max(from, end * (1 + nearCutoff))))
    : uniform(random, Math.max(from, Math.min(to, end * (1 - nearCutoff))), to);
}
