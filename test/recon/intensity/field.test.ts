import { describe, expect, it } from 'vitest';
import { gainOf, gridOf } from '../../../recon/index.js';
import { smoothField } from '../../../recon/intensity/field.js';

const grid = gridOf([300, 240], 10);
const { rows, columns } = grid;
const plane = (p: number) => 0.3 + 0.02 * Math.floor(p / columns) - 0.03 * (p % columns);

describe('a smooth field', () => {
  it('has no less points than the spacing asks for, over the whole field of view', () => {
    expect([rows, columns]).toEqual([32, 24]);
    expect(grid.spacingMm).toEqual([300 / 32, 10]);
  });

  it('is a plane where it was measured to be one, and goes on as one within the range of what was measured', () => {
    const weights = Float64Array.from({ length: rows * columns }, (_, p) => (Math.hypot(Math.floor(p / columns) - 16, (p % columns) - 12) < 9 ? 1 : 0));
    const field = smoothField(weights.map((weight, p) => weight * plane(p)), weights, grid, 40);
    const measured = [...weights.keys()].filter((p) => weights[p] === 1);
    for (const p of measured) expect(field[p]!).toBeCloseTo(plane(p), 2);
    const range = [Math.min(...measured.map(plane)), Math.max(...measured.map(plane))];
    for (const value of field) expect(value >= range[0]! - 0.01 && value <= range[1]! + 0.01).toBe(true);
  });

  it('keeps waves longer than L and damps shorter ones', () => {
    const ones = new Float64Array(rows * columns).fill(1);
    const amplitude = (periodMm: number) => {
      const wave = ones.map((_, p) => Math.cos((2 * Math.PI * (p % columns) * 10) / periodMm));
      const field = smoothField(wave, ones, grid, 60);
      return field.reduce((sum, value, p) => sum + value * wave[p]!, 0) / wave.reduce((sum, value) => sum + value * value, 0);
    };
    expect(amplitude(240)).toBeGreaterThan(0.9);
    expect(amplitude(60)).toBeGreaterThan(0.4);
    expect(amplitude(60)).toBeLessThan(0.6);
    expect(amplitude(30)).toBeLessThan(0.2);
  });

  it('becomes a gain on the central pixels of the field of view', () => {
    const field = Float64Array.from({ length: rows * columns }, (_, p) => plane(p));
    const gain = gainOf(field, grid, [100, 96], [128, 96]);
    for (const [r, c] of [[50, 48], [20, 60], [80, 30]] as const) {
      const [row, column] = [16 + (r - 50) / 4, 12 + (c - 48) / 4];
      expect(Math.log(gain[r * 96 + c]!)).toBeCloseTo(0.3 + 0.02 * row - 0.03 * column, 4);
    }
  });
});
