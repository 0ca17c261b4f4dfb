import { describe, expect, it } from 'vitest';
import { Random } from '../../../simulator/index.js';
import { gradeRange, drawTarget } from '../../../simulator/pathology/severity.js';
import { solveDose } from '../../../simulator/pathology/solve.js';
import { gradeOf, marginOf, scales } from '../../../simulator/truth/index.js';

describe('grades', () => {
  it('give the better grade on a cut-off where less is worse, the worse one where more is', () => {
    expect([130, 129.9, 100, 76, 75.9].map((area) => gradeOf(scales.centralCanal, area))).toEqual(['normal', 'mild', 'mild', 'moderate', 'severe']);
    expect([0.19, 0.2, 0.25, 0.4].map((loss) => gradeOf(scales.genant, loss))).toEqual(['0', '1', '2', '3']);
    expect(marginOf(scales.centralCanal, 105)).toBeCloseTo(0.05, 12);
  });

  it.each(Object.entries(scales))('of %s are one more than its cut-offs, which are in order', (_, { grades, cutoffs, worse }) => {
    expect(grades.length).toBe(cutoffs.length + 1);
    const sorted = [...cutoffs].sort((a, b) => (worse === 'above' ? a - b : b - a));
    expect([...cutoffs]).toEqual(sorted);
  });
});

describe('drawing a value within a grade', () => {
  const measure = { scale: scales.centralCanal, limits: [190, 38] as const, tolerance: 1 };

  it.each(['prevalence', 'uniform'] as const)('stays in it (%s)', (sampling) => {
    const random = new Random(1);
    for (const grade of scales.centralCanal.grades) {
      const [from, to] = gradeRange(measure, grade);
      for (let i = 0; i < 300; i++) {
        const target = drawTarget(measure, grade, random, sampling);
        expect(gradeOf(scales.centralCanal, target)).toBe(grade);
        expect(target).toBeLessThanOrEqual(from);
        expect(target).toBeGreaterThanOrEqual(to);
      }
    }
  });

  it('puts a third and more within a tenth of a cut-off for tests of grading', () => {
    const random = new Random(2);
    const near = (sampling: 'prevalence' | 'uniform') =>
      Array.from({ length: 3000 }, () => marginOf(scales.centralCanal, drawTarget(measure, 'severe', random, sampling))).filter((margin) => margin <= 0.1).length / 3000;
    const byChance = near('prevalence');
    // A third on purpose, and of the rest what falls there anyway.
    expect(near('uniform')).toBeCloseTo(1 / 3 + (2 / 3) * byChance, 1);
  });
});

describe('solving for a dose', () => {
  it.each([['rising', (d: number) => d ** 3], ['falling', (d: number) => 5 - d ** 3]] as const)('finds it on a %s curve', (_, curve) => {
    let asked = 0;
    const solution = solveDose({ doses: [0, 2], tolerance: 0.01 }, 2.5, (dose) => {
      asked++;
      return curve(dose);
    });
    expect(solution!.value).toBeCloseTo(2.5, 1);
    expect(Math.abs(solution!.value - 2.5)).toBeLessThanOrEqual(0.01);
    expect(asked).toBeLessThan(18);
  });

  it('takes the nearest end where the target is out of reach', () => {
    expect(solveDose({ doses: [0, 1], tolerance: 0.01 }, 9, (dose) => dose)).toEqual({ dose: 1, value: 1 });
    expect(solveDose({ doses: [0, 1], tolerance: 0.01 }, -9, (dose) => dose)).toEqual({ dose: 0, value: 0 });
  });

  it('comes as near as a curve with steps lets it', () => {
    const solution = solveDose({ doses: [0, 1], tolerance: 0.001 }, 0.5, (dose) => Math.round(7 * dose) / 7);
    expect([3 / 7, 4 / 7]).toContain(solution!.value);
  });

  it('says where nothing can be measured', () => {
    expect(solveDose({ doses: [0, 1], tolerance: 0.1 }, 0.5, () => undefined)).toBeUndefined();
  });
});
