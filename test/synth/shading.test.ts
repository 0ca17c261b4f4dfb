import { describe, expect, it } from 'vitest';
import { estimateShading, withoutShading } from '../../synth/shading.js';
import golden from './shading.golden.json' with { type: 'json' };

const [rows, columns, slices] = [96, 80, 2];
const nPixels = rows * columns;
const lnFieldAt = (u: number, v: number) => 0.7 * u + 0.3 * v ** 2 - 0.2 * u ** 3 * v;
/** Discs of fluid and of a tissue on a background of another; air at the border. */
const tissueAt = (u: number, v: number) => {
  if (Math.abs(u) > 0.93 || Math.abs(v) > 0.93) return 0;
  if (Math.hypot(u - 0.1, v) < 0.25) return 3;
  return Math.hypot(u + 0.4, v - 0.3) < 0.3 ? 2 : 1;
};
const from = (index: number, size: number) => (2 * index) / (size - 1) - 1;
const u = (pixel: number) => from(pixel % columns, columns);
const v = (pixel: number) => from(Math.floor((pixel % nPixels) / columns), rows);
const lnField = (pixel: number) => lnFieldAt(u(pixel), v(pixel));
const tissueOf = (pixel: number) => tissueAt(u(pixel), v(pixel));
const t1wOf = [0.001, 0.3, 0.36, 0.08];
const t2wOf = [0.001, 0.12, 0.1, 0.7];

function images(shade: (pixel: number) => number) {
  const paint = (values: readonly number[], gain: number) =>
    Float32Array.from({ length: slices * nPixels }, (_, pixel) => gain * values[tissueOf(pixel)]! * Math.exp(shade(pixel)));
  return { t1w: paint(t1wOf, 400), t2w: paint(t2wOf, 1700) };
}

const spreadOf = (values: readonly number[]) => {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
};
const body = Array.from({ length: nPixels }, (_, pixel) => pixel).filter((pixel) => tissueOf(pixel) > 0);

describe('shading', () => {
  it('takes off a polynomial field: what tissues leave in the field does not depend on it', () => {
    const shaded = images(lnField);
    const even = images(() => 0);
    const found = estimateShading(shaded.t1w, shaded.t2w, rows, columns);
    const none = estimateShading(even.t1w, even.t2w, rows, columns);
    const difference = body.map((pixel) => Math.log(found.field[pixel]! / none.field[pixel]!) - lnField(pixel));
    expect(spreadOf(difference)).toBeLessThan(0.1 * spreadOf(body.map(lnField)));
  });

  it('leaves one tissue flat', () => {
    const { t1w, t2w } = images(lnField);
    const { field } = estimateShading(t1w, t2w, rows, columns);
    const flat = withoutShading(t2w, field, 1);
    const muscle = body.filter((pixel) => tissueOf(pixel) === 1).map((pixel) => Math.log(flat[pixel]!));
    expect(spreadOf(muscle)).toBeLessThan(0.1);
  });

  it('does not depend on the unit of the values', () => {
    const { t1w, t2w } = images(lnField);
    const one = estimateShading(t1w, t2w, rows, columns);
    const other = estimateShading(t1w.map((value) => 5 * value), t2w, rows, columns);
    expect(Math.max(...one.field.map((value, pixel) => Math.abs(other.field[pixel]! / value - 1)))).toBeLessThan(1e-4);
    expect(other.means[0] / one.means[0]).toBeCloseTo(5, 3);
    expect(other.means[1]).toBeCloseTo(one.means[1], 2);
  });

  it('has a mean of ln(field) of zero over the foreground, and means without it', () => {
    const { t1w, t2w } = images(lnField);
    const { field, means, meanOf } = estimateShading(t1w, t2w, rows, columns);
    const coarse = Array.from({ length: nPixels }, (_, pixel) => pixel)
      .filter((pixel) => pixel % columns % 4 === 0 && Math.floor(pixel / columns) % 4 === 0 && tissueOf(pixel) > 0);
    expect(coarse.reduce((sum, pixel) => sum + Math.log(field[pixel]!), 0) / coarse.length).toBeCloseTo(0, 5);
    expect(coarse.reduce((sum, pixel) => sum + t1w[pixel]! / field[pixel]!, 0) / coarse.length / means[0]).toBeCloseTo(1, 5);
    expect(meanOf(t2w)).toBe(means[1]);
  });

  it('fits nothing where there is hardly any foreground', () => {
    const { field, foregroundShare } = estimateShading(new Float32Array(nPixels), new Float32Array(nPixels), rows, columns);
    expect(field.every((value) => value === 1)).toBe(true);
    expect(foregroundShare).toBe(0);
  });

  it('does what models/training/synthesis/data.py does: the fields of these very discs, at every 36th pixel', () => {
    const { matrix, every, logField, means } = golden;
    const place = (pixel: number) => [from(pixel % matrix, matrix), from(Math.floor(pixel / matrix), matrix)] as const;
    const paint = (values: readonly number[]) => Float32Array.from({ length: matrix * matrix }, (_, pixel) =>
      values[tissueAt(...place(pixel))]! * Math.exp(lnFieldAt(...place(pixel))));
    const found = estimateShading(paint(t1wOf), paint(t2wOf), matrix, matrix);
    const perSide = matrix / every;
    logField.forEach((value, index) => {
      const [row, column] = [Math.floor(index / perSide), index % perSide].map((k) => golden.from + every * k) as [number, number];
      expect(Math.log(found.field[row * matrix + column]!)).toBeCloseTo(value, 2);
    });
    means.forEach((mean, series) => expect(found.means[series]! / mean).toBeCloseTo(1, 2));
  });
});
