import { describe, expect, it } from 'vitest';
import { fatAt, nullingInversionTimeMs } from '../../imaging/index.js';
import { contrastEquation, synthesise, uncalibrated, type WantedContrast } from '../../synth/index.js';
import type { IntervalFactor } from '../../synth/calibration.js';
import { averageWith, imageTarget } from '../../synth/meanImage.js';
import { knowing, scan, sequences } from './phantom.js';

const stir: WantedContrast = { contrast: 'stir', sequence: sequences.stir };
const t2fs: WantedContrast = { contrast: 't2fs', sequence: sequences.t2w };
const nullMs = nullingInversionTimeMs(fatAt(1.5).t1Ms, sequences.stir);
const targetOf = (...wanted: WantedContrast[]) => imageTarget(wanted, wanted.map((one) => contrastEquation(one, 1.5)), 1.5);
const channelOf = (one: WantedContrast) => targetOf(one).channels[0];
const changed = (one: WantedContrast, sequence: Partial<WantedContrast['sequence']>) => ({ ...one, sequence: { ...one.sequence, ...sequence } });

describe('what the image network is asked for', () => {
  it('is told in logarithms of usual numbers, in the order of its training', () => {
    const { numbers, channels } = targetOf(t2fs, { ...stir, tiMs: 180 });
    const expected = [4500 / 5000, 45 / 50, 180 / 190, 99 / 110, 3500 / 4000, 100 / 75, 170 / 140, 1];
    numbers.forEach((value, k) => expect(value).toBeCloseTo(Math.log(expected[k]!), 6));
    expect([numbers.length, ...channels]).toEqual([8, 1, 0]);
  });

  it('is an ordinary one of what nobody wants, with its inversion at the null of fat', () => {
    const { numbers } = targetOf(t2fs);
    expect(numbers[2]).toBeCloseTo(Math.log(nullingInversionTimeMs(fatAt(1.5).t1Ms, { trMs: 5000, echoTrainLength: 11, echoSpacingMs: 10 }) / 190), 6);
    expect([0, 1, 3].map((k) => numbers[k]! + 0)).toEqual([0, 0, 0]);
    expect(targetOf({ ...stir, output: 'real' })).toEqual({ ...targetOf(), channels: [undefined] });
  });

  it('is within what it was trained on', () => {
    expect([stir, t2fs, { ...stir, tiMs: nullMs + 19 }, { ...stir, tiMs: nullMs - 19 }].map(channelOf)).toEqual([0, 1, 0, 0]);
    const beyond: WantedContrast[] = [
      { ...stir, output: 'real' }, { ...stir, tiMs: nullMs + 21 }, { ...stir, tiMs: nullMs - 21 },
      changed(stir, { trMs: 3400 }), changed(stir, { trMs: 6600 }), changed(stir, { teMs: 29 }), changed(stir, { teMs: 76 }), changed(stir, { echoTrainLength: 7 }),
      changed(stir, { echoTrainLength: 17 }), changed(stir, { echoSpacingMs: 6.9 }), changed(t2fs, { echoSpacingMs: 12.1 }), changed(t2fs, { teMs: 101 }),
      changed(t2fs, { trMs: 2400 }), { ...t2fs, contrast: 'pdfs' }, { ...t2fs, contrast: 't1fs' },
    ];
    for (const one of beyond) expect(channelOf(one)).toBeUndefined();
  });

  it('is the first sequence of several, and others are not its', () => {
    const later = changed(stir, { teMs: 60 });
    const { numbers, channels } = targetOf({ ...stir, tiMs: 60 }, later, stir, t2fs, later);
    expect(channels).toEqual([undefined, 0, undefined, 1, 0]);
    expect(numbers[1]).toBeCloseTo(Math.log(60 / 50), 6);
  });
});

describe('the mean of two images', () => {
  it('lies between both, and is as uncertain as they differ', () => {
    const predicted = { signal: Float32Array.of(0.4, -0.4, 0.2, 0), deviation: Float32Array.of(0.03, 0.03, 0.01, 0) };
    averageWith(predicted, Float32Array.of(0.32, 0.32, 0.2, 0.7));
    const expected = { signal: [0.36, 0.36, 0.2, 0], deviation: [0.05, 0.05, 0.01, 0] };
    for (const key of ['signal', 'deviation'] as const) predicted[key].forEach((value, k) => expect(value).toBeCloseTo(expected[key][k]!, 6));
  });
});

describe('with an image network that makes all a fifth brighter', () => {
  const brighter = knowing(1.5, { brightness: 1.2 });
  const images = async (wanted: WantedContrast[], network = brighter, combined?: Record<string, IntervalFactor>) =>
    (await synthesise(scan(), wanted, network, { deliverRed: true, calibration: { ...uncalibrated, ...(combined && { combined }) } })).series;

  it('images in its ranges are a tenth brighter, in the middle of wider intervals, and say so; others are as they were', async () => {
    const wanted = [stir, t2fs, changed(stir, { teMs: 50 }), { ...stir, output: 'real' as const }, { ...t2fs, contrast: 'pdfs' as const }];
    const [both, alone] = [await images(wanted), await images(wanted, knowing(1.5))];
    expect(both.map(({ madeBy }) => madeBy)).toEqual(['mean', 'mean', 'equation', 'equation', 'equation']);
    for (const [index, { volume, low, high }] of both.entries()) {
      const before = alone[index]!;
      expect([volume.data, low, high].every((values) => values.every(Number.isFinite))).toBe(true);
      if (index >= 2) expect([volume.data, low, high]).toEqual([before.volume.data, before.low, before.high]);
      else {
        for (let voxel = 0; voxel < low.length; voxel += 11) {
          const value = volume.data[voxel]!;
          expect(value).toBeCloseTo(1.1 * before.volume.data[voxel]!, 5);
          if (low[voxel]! > 0) expect((low[voxel]! + high[voxel]!) / 2).toBeCloseTo(value, 5);
          expect(high[voxel]! - value).toBeGreaterThanOrEqual(before.high[voxel]! - before.volume.data[voxel]! - 1e-6);
        }
      }
    }
  });

  it('intervals of means have factors of their own where the calibration has some', async () => {
    const ln2 = { offset: Math.LN2, terms: [] };
    const [[own, other], [plain]] = [await images([stir, changed(stir, { teMs: 50 })], brighter, { stir: ln2 }), await images([stir])];
    for (let voxel = 0; voxel < own!.high.length; voxel += 7) {
      expect(own!.high[voxel]! - own!.volume.data[voxel]!).toBeCloseTo(2 * (plain!.high[voxel]! - plain!.volume.data[voxel]!), 5);
    }
    expect(other).toEqual((await images([stir, changed(stir, { teMs: 50 })]))[1]);
  });
});
