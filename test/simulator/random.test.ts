import { describe, expect, it } from 'vitest';
import { Random } from '../../simulator/index.js';

describe('Random', () => {
  it('is the same for the same seed, and another for another', () => {
    const draw = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 20 }, () => [random.uniform(), random.normal()]);
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('is uniform in [0, 1): moments, and ten equal bins by a chi-square test', () => {
    const random = new Random(1);
    const n = 100_000;
    const bins = new Array<number>(10).fill(0);
    let sum = 0;
    for (let draw = 0; draw < n; draw++) {
      const value = random.uniform();
      expect(value >= 0 && value < 1).toBe(true);
      bins[Math.floor(10 * value)]! += 1;
      sum += value;
    }
    expect(Math.abs(sum / n - 0.5)).toBeLessThan(4 / Math.sqrt(12 * n));
    const chiSquare = bins.reduce((total, count) => total + (count - n / 10) ** 2 / (n / 10), 0);
    expect(chiSquare).toBeLessThan(27.9); // 9 degrees of freedom, p = 0.001
  });

  it('is normal: mean, variance, kurtosis, no correlation of neighbours', () => {
    const random = new Random(2);
    const n = 200_000;
    const values = Float64Array.from({ length: n }, () => random.normal());
    const mean = (of: (x: number, index: number) => number) => values.reduce((sum, x, i) => sum + of(x, i), 0) / n;
    expect(Math.abs(mean((x) => x))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(mean((x) => x * x) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(mean((x) => x ** 4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    expect(Math.abs(mean((x, i) => x * values[(i + 1) % n]!))).toBeLessThan(4 / Math.sqrt(n));
  });
});
