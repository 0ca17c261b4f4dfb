import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseCalibration, uncalibrated } from '../../synth/index.js';
import { plainInterval, type IntervalFactor } from '../../synth/calibration.js';
import { intervalOf } from '../../synth/interval.js';
import { Random } from '../../simulator/index.js';

const n = 20_000;
const random = new Random(3);
const truths = Float32Array.from({ length: n }, (_, k) => (k % 100) / 200 - 0.1);
const deviation = new Float32Array(n).fill(0.05);
const told = truths.map((truth) => truth + 0.05 * random.normal());
const mapsOf = (length: number, fat = 0.3, lnT2Ms = 4) =>
  ({ fatFraction: new Float32Array(length).fill(fat), lnT1Ms: new Float32Array(length).fill(7), lnT2Ms: new Float32Array(length).fill(lnT2Ms) });
const coverage = (isMagnitude: boolean, factor = plainInterval) => {
  const { low, high } = intervalOf(told, deviation, isMagnitude, factor, mapsOf(n));
  return truths.reduce((sum, truth, k) => {
    const value = isMagnitude ? Math.abs(truth) : truth;
    return sum + (value >= low[k]! && value <= high[k]! ? 1 : 0);
  }, 0) / n;
};

describe('the interval', () => {
  it('holds nine of ten true values of a normal deviation', () => {
    expect(coverage(false)).toBeGreaterThan(0.89);
    expect(coverage(false)).toBeLessThan(0.91);
  });
  it('holds at least as many of magnitudes, which cannot be below zero', () => {
    expect(coverage(true)).toBeGreaterThan(0.89);
    expect(coverage(true)).toBeLessThan(0.95);
    expect(intervalOf(Float32Array.of(-0.01, 0.3), Float32Array.of(0.05, 0.05), true, plainInterval, mapsOf(2)).low).toEqual(Float32Array.of(0, Math.fround(0.3) - 1.6448536269514722 * Math.fround(0.05)));
  });
  it('is as much wider as the calibration says, between knots in proportion and beyond them constant', () => {
    const factor: IntervalFactor = {
      offset: 0.1,
      terms: [{ of: ['fatFraction', 'lnT2Ms'], knots: [[0.2, 0.6], [3, 5]], values: [0, 1, 2, 4] }, { of: ['lnSize'], knots: [[-2, -1]], values: [0.5, 0.5] }],
    };
    const lnFactor = (fat: number, lnT2Ms: number) => {
      const { low, high } = intervalOf(Float32Array.of(0.3), Float32Array.of(0.01), false, factor, mapsOf(1, fat, lnT2Ms));
      return Math.log((high[0]! - low[0]!) / 2 / 1.6448536269514722 / 0.01) - 0.6;
    };
    expect(lnFactor(0.2, 3)).toBeCloseTo(0, 4);
    expect(lnFactor(0.2, 4)).toBeCloseTo(0.5, 4);
    expect(lnFactor(0.4, 3)).toBeCloseTo(1, 4);
    expect(lnFactor(0.4, 4)).toBeCloseTo(1.75, 4);
    expect(lnFactor(0.9, 9)).toBeCloseTo(4, 4);
    expect(lnFactor(0, 0)).toBeCloseTo(0, 4);
  });
  it('is nothing where nothing was predicted', () => {
    const { low, high } = intervalOf(Float32Array.of(0), Float32Array.of(0), true, plainInterval, mapsOf(1));
    expect([low[0], high[0]]).toEqual([0, 0]);
  });
  it('is what the calibration reckons with (interval.py)', async () => {
    type Lists = Record<'signal' | 'deviation' | 'fatFraction' | 'lnT1Ms' | 'lnT2Ms' | 'low' | 'high', number[]>;
    const { factor, ...lists } = JSON.parse(await readFile(new URL('interval.golden.json', import.meta.url), 'utf8')) as Lists & { factor: IntervalFactor };
    const [signal, sigma, fatFraction, lnT1Ms, lnT2Ms] = (['signal', 'deviation', 'fatFraction', 'lnT1Ms', 'lnT2Ms'] as const).map((name) => Float32Array.from(lists[name])) as [
      Float32Array, Float32Array, Float32Array, Float32Array, Float32Array,
    ];
    const { low, high } = intervalOf(signal, sigma, true, factor, { fatFraction, lnT1Ms, lnT2Ms });
    low.forEach((value, pixel) => expect(value).toBeCloseTo(lists.low[pixel]!, 5));
    high.forEach((value, pixel) => expect(value).toBeCloseTo(lists.high[pixel]!, 5));
  });
});

describe('a calibration', () => {
  it('is read back as it was written', () => {
    const calibration = { ...uncalibrated, interval: { stir: { offset: 0.2, terms: [{ of: ['lnWidth' as const], knots: [[-2, -1]], values: [0.1, 0.3] }] } } };
    expect(parseCalibration(JSON.parse(JSON.stringify(calibration)))).toEqual(calibration);
  });
  it('is refused where values do not fit their knots, knots do not ascend, or a weight is missing', () => {
    const broken = [
      { ...uncalibrated, interval: { stir: { offset: 0, terms: [{ of: ['lnWidth'], knots: [[-2, -1]], values: [0.1] }] } } },
      { ...uncalibrated, interval: { stir: { offset: 0, terms: [{ of: ['lnWidth'], knots: [[-1, -2]], values: [0.1, 0.2] }] } } },
      { ...uncalibrated, interval: { stir: { offset: 0, terms: [{ of: ['lnWidth', 'lnSize'], knots: [[-2, -1]], values: [0.1, 0.2] }] } } },
      { ...uncalibrated, gate: { ...uncalibrated.gate, weights: { peakT1w: 1 } } },
    ];
    for (const json of broken) expect(() => parseCalibration(json)).toThrow(expect.objectContaining({ code: 'SYNTH_ERR_CALIBRATION' }) as Error);
  });
});
