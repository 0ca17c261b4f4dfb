import { describe, expect, it } from 'vitest';
import { Random, bowtieProfile, channelDistanceMm, measure, poisson } from '../../../simulator/index.js';
import { smallFan } from './phantoms.js';

describe('poisson', () => {
  it.each([0.02, 0.7, 4, 9.99, 10, 23.5, 400, 3e4, 2e6])('has the mean and the variance of %s', (mean) => {
    const random = new Random(3);
    const n = 60_000;
    let [sum, squares] = [0, 0];
    for (let draw = 0; draw < n; draw++) {
      const deviation = poisson(mean, random) - mean;
      sum += deviation;
      squares += deviation * deviation;
    }
    expect(Math.abs(sum / n)).toBeLessThan(4 * Math.sqrt(mean / n));
    // The variance of (k - m)² is m + 2 m².
    expect(Math.abs(squares / n - mean)).toBeLessThan(4 * Math.sqrt((mean + 2 * mean * mean) / n));
  });

  it.each([0.7, 6, 10.5, 40, 1500])('is distributed as it should be by a chi-square test (mean %s)', (mean) => {
    const random = new Random(11);
    const n = 200_000;
    const counts = new Map<number, number>();
    for (let draw = 0; draw < n; draw++) {
      const count = poisson(mean, random);
      counts.set(count, (counts.get(count) ?? 0) + 1);
    }
    // Bins of at least 20 expected draws; the tails go to the outermost ones.
    let logFactorial = 0;
    let [expected, observed, chiSquare, bins, seenExpected, seenObserved] = [0, 0, 0, 0, 0, 0];
    for (let k = 0; k < 4 * mean + 40; k++) {
      if (k > 1) logFactorial += Math.log(k);
      expected += n * Math.exp(k * Math.log(mean) - mean - logFactorial);
      observed += counts.get(k) ?? 0;
      if (expected < 20 || n - seenExpected - expected < 20) continue;
      chiSquare += (observed - expected) ** 2 / expected;
      bins++;
      seenExpected += expected;
      seenObserved += observed;
      [expected, observed] = [0, 0];
    }
    const [restExpected, restObserved] = [n - seenExpected, n - seenObserved];
    chiSquare += (restObserved - restExpected) ** 2 / restExpected;
    // p = 0.0001, by the cube root of Wilson and Hilferty.
    expect(chiSquare).toBeLessThan(bins * (1 - 2 / (9 * bins) + 3.72 * Math.sqrt(2 / (9 * bins))) ** 3);
  });

  it('counts nothing of nothing', () => {
    const random = new Random(1);
    expect(Array.from({ length: 100 }, () => poisson(0, random)).every((count) => count === 0)).toBe(true);
  });
});

const water = 0.0193;
const open = bowtieProfile(smallFan, undefined, water);
const still = { quantaPerReading: 1e5, electronicNoiseQuanta: 0, crosstalk: 0 };

/** Moments of the error over many equal readings; neighbours' product beside them. */
function errorOf(lineIntegral: number, detection: typeof still, profile = open) {
  const nViews = 100;
  const measured = measure(new Float32Array(nViews * 300).fill(lineIntegral), profile, detection, new Random(5));
  let [sum, squares, products] = [0, 0, 0];
  measured.forEach((value, at) => {
    sum += value - lineIntegral;
    squares += (value - lineIntegral) ** 2;
    if (at > 0) products += (value - lineIntegral) * (measured[at - 1]! - lineIntegral);
  });
  return { mean: sum / measured.length, variance: squares / measured.length, correlation: products / squares };
}

describe('measure', () => {
  it('has the variance of counting, exp(p) / I', () => {
    for (const lineIntegral of [0, 2, 4.5]) {
      const { mean, variance } = errorOf(lineIntegral, still);
      const expected = Math.exp(lineIntegral) / 1e5;
      expect(variance / expected).toBeGreaterThan(0.95);
      expect(variance / expected).toBeLessThan(1.06);
      expect(Math.abs(mean)).toBeLessThan(expected + 4 * Math.sqrt(expected / 30_000));
    }
  });

  it('adds the electronics, exp(2 p) (sigma / I)²', () => {
    const detection = { ...still, electronicNoiseQuanta: 40 };
    const expected = Math.exp(4.5) / 1e5 + Math.exp(9) * (40 / 1e5) ** 2;
    expect(errorOf(4.5, detection).variance / expected).toBeCloseTo(1, 1);
  });

  it('correlates neighbours by crosstalk', () => {
    const x = 0.1;
    const { correlation, variance } = errorOf(2, { ...still, crosstalk: x });
    expect(errorOf(2, still).correlation).toBeCloseTo(0, 1);
    expect(correlation).toBeCloseTo((2 * x * (1 - 2 * x)) / ((1 - 2 * x) ** 2 + 2 * x * x), 1);
    expect(variance / (Math.exp(2) / 1e5)).toBeCloseTo((1 - 2 * x) ** 2 + 2 * x * x, 1);
  });

  it('stays finite where nothing gets through, and nearly unbiased where little does', () => {
    const noisy = { ...still, electronicNoiseQuanta: 3 };
    expect(Number.isFinite(errorOf(40, noisy).variance)).toBe(true);
    expect(Math.abs(errorOf(9.5, noisy).mean)).toBeLessThan(0.1);
  });

  it('leaves what it is given as it is', () => {
    const projections = new Float32Array(600).fill(1);
    measure(projections, open, still, new Random(1));
    expect(projections.every((value) => value === 1)).toBe(true);
  });
});

describe('bowtieProfile', () => {
  it('makes all channels behind its cylinder of water count the same', () => {
    const diameterMm = 300;
    const profile = bowtieProfile(smallFan, { waterDiameterMm: diameterMm, leastShare: 1e-6 }, water);
    profile.forEach((share, channel) => {
      const t = channelDistanceMm(smallFan, channel);
      const path = Math.sqrt(Math.max(0, diameterMm ** 2 - 4 * t * t));
      expect(share * Math.exp(-water * path)).toBeCloseTo(Math.exp(-water * diameterMm), 10);
    });
  });

  it('never lets through less than its thickest part', () => {
    const profile = bowtieProfile(smallFan, { waterDiameterMm: 400, leastShare: 0.03 }, water);
    expect(Math.min(...profile)).toBe(0.03);
    expect(Math.max(...profile)).toBeGreaterThan(0.999);
  });
});
