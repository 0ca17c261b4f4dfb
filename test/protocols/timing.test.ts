import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { examTimingOf, resolveInversionTimes, timingOf, trainMs } from '../../protocols/index.js';
import type { SeriesSource } from '../../protocols/index.js';
import { protocolOf, seriesOf, stirSource, tseSource } from './examples.js';

const preparation = { adjustmentsS: 10, noiseScanS: 1 };
const none = { adjustmentsS: 0, noiseScanS: 0 };
const timed = (changes: Partial<SeriesSource> = {}) => timingOf(seriesOf({ ...tseSource, ...changes }), none);
const sliced = (count: number, trMs: number, changes: Partial<SeriesSource> = {}) =>
  timed({
    geometry: { ...tseSource.geometry, slices: { count, thicknessMm: 4 } },
    sequence: { ...tseSource.sequence, trMs },
    ...changes,
  });

describe('scan times by hand', () => {
  it('of a fast spin echo', () => {
    // 1.5 + 16.5 * 10 + 3 = 169.5 ms, 17 of them in 3 s; 320 lines in 20 shots of 3 s.
    expect(timingOf(seriesOf(tseSource), preparation)).toEqual({
      trainMs: 169.5, nSlices: 15, slicesPerRepetition: 17, concatenations: 1, nLines: 320, shots: 20,
      adjustmentsMs: 10_000, noiseScanMs: 1000, dummiesMs: 0, calibrationMs: 0, imagingMs: 60_000, totalMs: 71_000,
    });
  });

  it('of a STIR, whose inversion time is part of the train', () => {
    // 5 + 160 + 165 + 3 = 333 ms, 18 of them in 6 s.
    const stir = seriesOf({ ...stirSource, averages: 2, dummies: 1 });
    expect(timingOf(stir, none)).toMatchObject({ trainMs: 333, slicesPerRepetition: 18, dummiesMs: 6000, imagingMs: 240_000 });
  });

  it('of gradient echoes: one line a shot', () => {
    const geometry = { ...tseSource.geometry, matrix: { readout: 256, phase: 192 } };
    const gre = { ...tseSource, geometry, sequence: { kind: 'spoiledGre', trMs: 500, teMs: 12, flipAngleDeg: 30, bandwidthHzPerPixel: 200 } } as const;
    // 1.5 + 12 + 2.5 + 3 = 19 ms, 26 of them in 500 ms; 192 lines of 500 ms.
    expect(timingOf(seriesOf(gre), none)).toMatchObject({ trainMs: 19, slicesPerRepetition: 26, shots: 192, imagingMs: 96_000 });
    const dixon = { ...gre, sequence: { kind: 'dixonGre', trMs: 500, teMs: [4.8, 9.6], flipAngleDeg: 30, bandwidthHzPerPixel: 250 } } satisfies SeriesSource;
    expect(trainMs(seriesOf(dixon).sequence)).toBeCloseTo(1.5 + 9.6 + 2 + 3, 9);
  });

  it('of fat saturation: 20 ms a train', () => {
    const saturated = seriesOf({ ...tseSource, sequence: { ...tseSource.sequence, fatSuppression: 'spectral' } });
    expect(trainMs(saturated.sequence)).toBe(189.5);
  });

  it('of R = 2 with embedded and with separate calibration lines', () => {
    // 160 lines of the lattice and 12 between them: 172 lines, 11 shots; 24 separate lines: 2 shots more.
    const embedded = timed({ acceleration: { factor: 2, calibration: 'embedded', calibrationLines: 24 } });
    expect(embedded).toMatchObject({ nLines: 172, shots: 11, imagingMs: 33_000, calibrationMs: 0 });
    const separate = timed({ acceleration: { factor: 2, calibration: 'separate', calibrationLines: 24 }, averages: 2 });
    expect(separate).toMatchObject({ nLines: 160, shots: 10, imagingMs: 60_000, calibrationMs: 6000 });
  });

  it('of more slices than fit: in concatenations of whole slices', () => {
    // 3 trains of 169.5 ms fit in 600 ms: 7 slices take 3 runs, though 7 * 169.5 / 600 is below 2.
    expect(sliced(7, 600)).toMatchObject({ slicesPerRepetition: 3, concatenations: 3, imagingMs: 3 * 600 * 20 });
    expect(() => sliced(7, 600, { concatenations: 2 })).toThrow('PROTOCOL_ERR_TIMING');
    expect(sliced(7, 600, { concatenations: 4 }).imagingMs).toBe(4 * 600 * 20);
    expect(() => sliced(1, 160)).toThrow('PROTOCOL_ERR_TIMING');
  });

  it('of an exam is the sum of its series', () => {
    const exam = protocolOf(tseSource, stirSource);
    expect(examTimingOf(exam)).toMatchObject({ series: [{ id: 'sag-t2w' }, { id: 'sag-stir' }], totalMs: 71_000 + 131_000 });
  });
});

describe('scan times', () => {
  const single = { sequence: { ...tseSource.sequence, echoTrainLength: 1, teMs: 10 } } as const;

  it('fall with R and with the echo train, and rise with averages and TR', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), (factor, averages) => {
        const accelerated = timed({ ...single, acceleration: { factor }, averages });
        const full = timed({ ...single, averages });
        // 320 lines: R leaves every R-th, to a line.
        expect(Math.abs(full.imagingMs / factor - accelerated.imagingMs)).toBeLessThan(3000 * averages);
        expect(timed({ ...single, acceleration: { factor: 2 * factor }, averages }).imagingMs).toBeLessThan(accelerated.imagingMs);
        expect(full.imagingMs).toBe(averages * timed(single).imagingMs);
      }),
    );
    expect(timed({ sequence: { ...tseSource.sequence, echoTrainLength: 8, teMs: 80 } }).imagingMs).toBe(2 * timed().imagingMs);
    expect(timed({ sequence: { ...tseSource.sequence, trMs: 6000 } }).imagingMs).toBe(2 * timed().imagingMs);
  });

  it('have as few concatenations as fit, and the slices always fit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 200, max: 6000 }), (count, trMs) => {
        const { concatenations, trainMs: train } = sliced(count, trMs);
        expect(Math.ceil(count / concatenations) * train).toBeLessThanOrEqual(trMs);
        if (concatenations > 1) expect(Math.ceil(count / (concatenations - 1)) * train).toBeGreaterThan(trMs);
      }),
    );
  });

  it('need an inversion time in ms, which resolveInversionTimes writes', () => {
    const exam = protocolOf({ ...stirSource, sequence: { ...stirSource.sequence, tiMs: 'auto' } }, tseSource);
    expect(() => examTimingOf(exam)).toThrow('PROTOCOL_ERR_INVERSION_TIME');
    const resolved = resolveInversionTimes(exam, (sequence, fieldStrengthT) => sequence.trMs / 40 + fieldStrengthT);
    expect(resolved.series.map(({ sequence }) => ('tiMs' in sequence ? sequence.tiMs : undefined))).toEqual([152, undefined]);
    expect(examTimingOf(resolved).totalMs).toBeGreaterThan(0);
  });
});
