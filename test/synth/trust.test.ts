import { describe, expect, it } from 'vitest';
import { uncalibrated } from '../../synth/index.js';
import { gateFeatureNames, gateLight, gateScore, pairEvidence, type GateFeatures, type PairImages, type PairNumbers, type PairPredictions } from '../../synth/trust.js';
import { Random } from '../../simulator/index.js';

const [rows, columns, slices] = [48, 40, 3];
const nPixels = rows * columns;
const random = new Random(5);
/** Texture that both directions know. */
const t1w = Float32Array.from({ length: slices * nPixels }, () => 0.6 + 0.8 * random.uniform());
const t2w = Float32Array.from({ length: slices * nPixels }, () => 0.6 + 0.8 * random.uniform());
const quiet = new Float32Array(t1w.length).fill(0.01);
const images: PairImages = { slices, rows, columns, t1w, t2w, t1wNoise: quiet, t2wNoise: quiet };
const exact = (signal: Float32Array) => ({ signal, deviation: new Float32Array(signal.length).fill(0.05) });
const predictionsOf = (first: Float32Array, second: Float32Array): PairPredictions => ({
  t1w: exact(first), t2w: exact(second), t1wFit: exact(first), t2wFit: exact(second), t1wItself: first,
  doubt: new Float32Array(first.length).fill(-30), lnStatedOverTrue: new Float32Array(first.length),
});
const numbers: PairNumbers = { t2wOverT1w: undefined, misregistrationPixels: 0 };

describe('the evidence against a pair', () => {
  it('is none where the predictions are right, whatever their gains', () => {
    const { slices: found, z } = pairEvidence(images, predictionsOf(t1w.map((value) => 3 * value), t2w.map((value) => 0.2 * value)), numbers);
    for (const features of found) for (const name of gateFeatureNames) expect(features[name]).toBeCloseTo(0, 2);
    expect(z.every((value) => Math.abs(value) < 0.01)).toBe(true);
  });

  it('is the gain, where the scale is known and another one', () => {
    const predictions = predictionsOf(t1w, t2w.map((value) => value / 2));
    expect(pairEvidence(images, predictions, { ...numbers, t2wOverT1w: 0.5 }).slices[0]!.lnGain).toBeCloseTo(0, 3);
    expect(pairEvidence(images, predictions, { ...numbers, t2wOverT1w: 1 }).slices[0]!.lnGain).toBeCloseTo(Math.LN2, 3);
  });

  it('is in the slice and at the place where one image differs', () => {
    const inside = (voxel: number) => Math.floor(voxel / nPixels) === 2 && Math.hypot(Math.floor((voxel % nPixels) / columns) - 20, (voxel % columns) - 12) < 4;
    const other = t2w.map((value, voxel) => (inside(voxel) ? 2 * value : value));
    const { slices: found, z } = pairEvidence({ ...images, t2w: other }, predictionsOf(t1w, t2w), numbers);
    expect(found.map(({ peakT2w }) => peakT2w > 4)).toEqual([false, false, true]);
    expect(Math.max(...found.map(({ peakT1w }) => peakT1w))).toBeLessThan(0.01);
    const far = z.reduce((best, value, voxel) => (Math.abs(value) > Math.abs(z[best]!) ? voxel : best), 0);
    expect(inside(far)).toBe(true);
  });

  it('weighs little where the prediction is unsure', () => {
    const other = t2w.map((value) => 1.5 * value + 0.3);
    const unsure = { ...predictionsOf(t1w, t2w), t2w: { signal: t2w, deviation: new Float32Array(t2w.length).fill(2) } };
    expect(pairEvidence({ ...images, t2w: other }, unsure, numbers).slices[0]!.rmsT2w).toBeLessThan(0.2);
  });

  it('is an offset where one image was moved', () => {
    const moved = t2w.map((_, voxel) => t2w[Math.min(t2w.length - 1, voxel + 2)]!);
    const [features] = pairEvidence({ ...images, t2w: moved }, predictionsOf(t1w, t2w), numbers).slices;
    expect(features!.offsetT2w).toBeGreaterThan(0.6);
    expect(features!.offsetT1w).toBeCloseTo(0, 5);
  });

  it('is not in what shading left of both', () => {
    // Over more pixels than the window of the local gain has.
    const [shaded1, shaded2] = [t1w, t2w].map((image) => image.map((value, voxel) => value * Math.exp(0.015 * ((voxel % columns) - columns / 2))));
    const [features] = pairEvidence({ ...images, t1w: shaded1!, t2w: shaded2! }, predictionsOf(t1w, t2w), numbers).slices;
    expect(features!.peakT1w).toBeLessThan(2);
    expect(features!.rmsT2w).toBeLessThan(1);
  });

  it('is opposed where one image has what the other one takes from the prediction', () => {
    const inside = (voxel: number) => voxel < nPixels && Math.hypot(Math.floor(voxel / columns) - 20, (voxel % columns) - 20) < 4;
    const brighter = t2w.map((value, voxel) => (inside(voxel) ? 1.6 * value : value));
    // T1w as told by a T2w with the blob is brighter there than it was measured; T2w as told by T1w knows of no blob.
    const misled = t1w.map((value, voxel) => (inside(voxel) ? 1.6 * value : value));
    const found = (predictedT1w: Float32Array) => pairEvidence({ ...images, t2w: brighter }, predictionsOf(predictedT1w, t2w), numbers).slices[0]!;
    expect(found(misled).opposed).toBeGreaterThan(2);
    expect(found(t1w).opposed).toBeLessThan(0.5);
  });

  it('is a ring where something round lies in one image only, more than where a half of it is brighter', () => {
    const where = (share: (row: number, column: number) => number) => {
      const other = t2w.map((value, voxel) => value * (1 + (voxel < nPixels ? share(Math.floor(voxel / columns), voxel % columns) : 0)));
      return pairEvidence({ ...images, t2w: other }, predictionsOf(t1w, t2w), numbers).slices.map(({ ring }) => ring);
    };
    const [round, , untouched] = where((row, column) => (Math.hypot(row - 24, column - 20) < 4.6 ? 0.6 : 0));
    const [half] = where((_row, column) => (column < 20 ? 0.6 : 0));
    expect(round!).toBeGreaterThan(1.5 * half!);
    expect(untouched).toBeCloseTo(0, 5);
  });

  it('is what the network doubts, of as many places and as loud: one that is sure is as much as many that are not', () => {
    const doubted = (logit: (voxel: number) => number) => pairEvidence(images, { ...predictionsOf(t1w, t2w), doubt: Float32Array.from(t1w, (_, voxel) => logit(voxel)) }, numbers);
    const ofSlices = (logit: (voxel: number) => number) => doubted(logit).slices.map(({ doubt }) => doubt);
    const [one, , last] = ofSlices((voxel) => (voxel === 20 * columns + 20 ? 6 : -30));
    expect(one).toBeCloseTo(Math.log1p(Math.exp(6) / 30), 5);
    expect(last).toBeCloseTo(0, 5);
    const [many] = ofSlices((voxel) => (Math.hypot(Math.floor(voxel / columns) - 20, (voxel % columns) - 20) < 6 ? 1.3 : -30));
    expect(many! / one!).toBeGreaterThan(0.8);
    for (const loud of [1e4, 3e38]) expect(ofSlices(() => loud).every((value) => value > 30 && value < 40)).toBe(true);
  });

  it('is doubted in places, not in single pixels, and in tissue alone', () => {
    const at = (row: number, column: number) => nPixels + row * columns + column;
    const doubt = new Float32Array(t1w.length).fill(-8);
    for (let row = 10; row < 14; row++) for (let column = 30; column < 34; column++) doubt[at(row, column)] = 4;
    doubt[at(40, 10)] = 9;
    const { isDoubted } = pairEvidence(images, { ...predictionsOf(t1w, t2w), doubt }, numbers);
    expect([isDoubted[at(11, 31)], isDoubted[at(11, 36)], isDoubted[at(40, 10)], isDoubted[at(11, 31) - nPixels]]).toEqual([1, 0, 0, 0]);
    const dark = new Float32Array(t1w.length);
    expect(pairEvidence({ ...images, t1w: dark, t2w: dark }, { ...predictionsOf(t1w, t2w), doubt }, numbers).isDoubted.some((is) => is === 1)).toBe(false);
  });

  it('says of each slice what the network says of its echo time', () => {
    const lnStatedOverTrue = Float32Array.from(t1w, (_, voxel) => (Math.floor(voxel / nPixels) === 1 ? Math.log(90 / 102) : 0));
    const found = pairEvidence(images, { ...predictionsOf(t1w, t2w), lnStatedOverTrue }, numbers);
    expect(found.lnStatedOverTrue.map((value) => Math.round(90 * Math.expm1(-value)))).toEqual([0, 12, 0].map((ms) => expect.closeTo(ms, 0) as number));
  });
});

describe('the light of a stack', () => {
  const gate = { ...uncalibrated.gate, amber: 1, red: 2 };
  const stack = (...high: number[]) => [...Array.from({ length: 15 - high.length }, () => 0), ...high];
  it('lets one slice of fifteen be beyond amber', () => {
    expect(gateLight(stack(1.5), gate)).toBe('green');
    expect(gateLight(stack(1.5, 1.2), gate)).toBe('amber');
    expect(gateLight(stack(2.5), gate)).toBe('amber');
    expect(gateLight(stack(2.5, 1.5), gate)).toBe('amber');
    expect(gateLight(stack(2.5, 2.1), gate)).toBe('red');
  });
  it('takes a single slice at its word', () => {
    expect(gateLight([1.5], gate)).toBe('amber');
    expect(gateLight([2.5], gate)).toBe('red');
  });
  it('is of the larger of two scores of logarithms', () => {
    const features = Object.fromEntries(gateFeatureNames.map((name) => [name, 0])) as Record<keyof GateFeatures, number>;
    const its = { ...gate, evidence: { bias: 0.5, weights: { peakT1w: 0.5, peakT2w: 0.5 } }, doubt: { bias: -1, weights: { doubt: 3 } } };
    expect(gateScore({ ...features, peakT1w: Math.E - 1, peakT2w: Math.E - 1 }, its)).toBeCloseTo(1.5, 6);
    expect(gateScore({ ...features, doubt: Math.E - 1 }, its)).toBeCloseTo(2, 6);
  });
});
