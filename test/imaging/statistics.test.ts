import { describe, expect, it } from 'vitest';
import { percentileAmong, percentileOf, percentileWindow, ranked } from '../../imaging/index.js';
import { Random } from '../../simulator/random.js';

const random = new Random(11);
const samples = {
  'any values': Float64Array.from({ length: 2001 }, () => random.normal()),
  'many equal ones': Float32Array.from({ length: 2000 }, () => Math.floor(4 * random.uniform())),
  'ascending ones': Float64Array.from({ length: 500 }, (_, k) => k),
  'descending ones': Float64Array.from({ length: 501 }, (_, k) => -k),
  'one value': Float32Array.of(3),
};

describe('what is at a rank', () => {
  for (const [name, values] of Object.entries(samples)) {
    it(`is what sorting puts there, of ${name}`, () => {
      const sorted = values.slice().sort();
      for (const rank of [0, 1, values.length >> 1, values.length - 1].filter((at) => at < values.length)) expect(ranked(values.slice(), rank)).toBe(sorted[rank]);
      for (const percent of [0, 1, 33, 90, 100]) expect(percentileAmong(values.slice(), percent)).toBe(percentileOf(sorted, percent));
    });
    it(`loses none of ${name}`, () => {
      const reordered = values.slice();
      ranked(reordered, values.length >> 1);
      expect(reordered.sort()).toEqual(values.slice().sort());
    });
  }
});

describe('a window between percentiles', () => {
  it('is the same of stored values as of numbers, and leaves out what is not finite', () => {
    const stored = Int16Array.from({ length: 3001 }, () => Math.round(4000 * random.normal()));
    expect(percentileWindow(stored, 2, 98)).toEqual(percentileWindow(Array.from(stored), 2, 98));
    expect(percentileWindow(stored)).toEqual(percentileWindow([...stored, NaN, Infinity]));
    expect(percentileWindow(new Int16Array(9).fill(-7))).toEqual({ centre: -7, width: 1 });
    expect(percentileWindow(new Int16Array(0))).toEqual(percentileWindow([]));
  });
});
