import { describe, expect, it } from 'vitest';
import { parseCalibration, uncalibrated } from '../../synth/index.js';
import { plainInterval } from '../../synth/calibration.js';
import { intervalOf } from '../../synth/interval.js';
import { Random } from '../../simulator/index.js';

const n = 20_000;
const random = new Random(3);
const truths = Float32Array.from({ length: n }, (_, k) => (k % 100) / 200 - 0.1);
const deviation = new Float32Array(n).fill(0.05);
const told = truths.map((truth) => truth + 0.05 * random.normal());
const coverage = (isMagnitude: boolean, table = plainInterval) => {
  const { low, high } = intervalOf(told, deviation, isMagnitude, table);
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
    expect(intervalOf(Float32Array.of(-0.01, 0.3), Float32Array.of(0.05, 0.05), true, plainInterval).low).toEqual(Float32Array.of(0, Math.fround(0.3) - 1.6448536269514722 * Math.fround(0.05)));
  });
  it('is as much wider as the calibration says, by width and brightness', () => {
    const table = { widthEdges: [1], brightnessEdges: [0.1], factors: [[2, 3], [4, 5]] };
    const half = (signal: number, sigma: number) => {
      const { low, high } = intervalOf(Float32Array.of(signal), Float32Array.of(sigma), false, table);
      return (high[0]! - low[0]!) / 2 / 1.6448536269514722 / sigma;
    };
    expect(half(0.05, 0.01)).toBeCloseTo(2, 4);
    expect(half(0.3, 0.01)).toBeCloseTo(3, 4);
    expect(half(0.05, 0.2)).toBeCloseTo(4, 4);
    expect(half(0.3, 0.5)).toBeCloseTo(5, 4);
  });
});

describe('a calibration', () => {
  it('is read back as it was written', () => {
    const calibration = { ...uncalibrated, interval: { stir: { widthEdges: [0.5], brightnessEdges: [], factors: [[1.2], [0.9]] } } };
    expect(parseCalibration(JSON.parse(JSON.stringify(calibration)))).toEqual(calibration);
  });
  it('is refused where factors do not fit their edges, edges do not ascend, or a weight is missing', () => {
    const broken = [
      { ...uncalibrated, interval: { stir: { widthEdges: [0.5], brightnessEdges: [], factors: [[1.2]] } } },
      { ...uncalibrated, interval: { stir: { widthEdges: [0.5, 0.2], brightnessEdges: [], factors: [[1], [1], [1]] } } },
      { ...uncalibrated, gate: { ...uncalibrated.gate, weights: { peakT1w: 1 } } },
    ];
    for (const json of broken) expect(() => parseCalibration(json)).toThrow(expect.objectContaining({ code: 'SYNTH_ERR_CALIBRATION' }) as Error);
  });
});
