import { describe, expect, it } from 'vitest';
import { b1RmsLimitUt, b1RmsUt, snrWeight } from '../../protocols/index.js';
import type { SeriesSource } from '../../protocols/index.js';
import { seriesOf, tseSource } from './examples.js';

const weight = (changes: Partial<SeriesSource>) => snrWeight(seriesOf({ ...tseSource, ...changes })) / snrWeight(seriesOf(tseSource));
const geometry = (changes: Partial<SeriesSource['geometry']>) => ({ geometry: { ...tseSource.geometry, ...changes } });

describe('snrWeight', () => {
  it('goes with the root of the time that signal is sampled', () => {
    expect(weight({ averages: 4 })).toBeCloseTo(2, 12);
    expect(weight({ acceleration: { factor: 2 } })).toBeCloseTo(Math.SQRT1_2, 12);
    expect(weight({ sequence: { ...tseSource.sequence, bandwidthHzPerPixel: 800 } })).toBeCloseTo(0.5, 12);
    expect(weight({ partialFourier: '5/8' })).toBeCloseTo(Math.sqrt(5 / 8), 12);
    expect(weight(geometry({ phaseOversampling: 1 }))).toBeCloseTo(Math.SQRT2, 12);
  });

  it('goes with the voxel that is measured, not with the pixels that are shown', () => {
    expect(weight(geometry({ slices: { count: 15, thicknessMm: 8 } }))).toBeCloseTo(2, 12);
    // Twice as large and half as many lines.
    expect(weight(geometry({ phaseResolution: 0.5 }))).toBeCloseTo(Math.SQRT2, 12);
    // Half the field of view at the same pixel: half the lines.
    expect(weight(geometry({ phaseFov: 0.5 }))).toBeCloseTo(Math.SQRT1_2, 12);
  });
});

describe('b1RmsUt', () => {
  const none = { adjustmentsS: 0, noiseScanS: 0 };
  const estimate = (sequence: { trMs?: number; refocusingAngleDeg?: number; flipAngleDeg?: number }, changes: Partial<SeriesSource> = {}) =>
    b1RmsUt(seriesOf({ ...tseSource, ...changes, sequence: { ...tseSource.sequence, ...sequence } }), none);

  it('by hand: 15 slices, 16 pulses of 180 and one of 90 degrees in 3 s', () => {
    // 180 degrees in 2 ms: pi / 267.522 / 0.002 = 5.872 uT.
    const perPulse = 5.8717 ** 2 * 0.002;
    expect(estimate({})).toBeCloseTo(Math.sqrt((15 * (16 + 0.25) * perPulse) / 3), 3);
  });

  it('goes with the angle and with the slices at once, and its limit with the inverse of the field', () => {
    expect(estimate({ refocusingAngleDeg: 90, flipAngleDeg: 45 })).toBeCloseTo(estimate({}) / 2, 9);
    expect(estimate({ trMs: 12_000 })).toBeCloseTo(estimate({}) / 2, 9);
    expect(estimate({}, { concatenations: 15 })).toBeCloseTo(estimate({}) / Math.sqrt(15), 9);
    expect(b1RmsLimitUt(3)).toBe(b1RmsLimitUt(1.5) / 2);
  });
});
