import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import type { ScanOptions } from '../../../simulator/index.js';
import { magnitudeOf } from './gridScan.js';
import { reconstructSimulated } from './simulated.js';

const small: Partial<ScanOptions> = { matrix: [64, 64], nCoils: 6, noiseStd: 0, nSlices: 1 };
const epi = { phaseErrorRad: 0.6, delaySamples: 0.8, phaseCorrectionReadouts: 3 };
const [plain] = reconstructSimulated(small).images;
const errorOf = (options: Partial<ScanOptions>) => nRmse(magnitudeOf(reconstructSimulated({ ...small, ...options }).images[0]!), magnitudeOf(plain!));

describe('an echo-planar scan', () => {
  it('is without ghosts (epi_2d)', () => {
    expect(errorOf({ epi })).toBeLessThan(0.005);
  });

  it.each([
    ['accelerated, with separate calibration lines', { acceleration: 2, calibration: 'separate', calibrationLines: 32 }],
    ['of several averages (generic_grappa_epi_ave)', { acceleration: 2, calibration: 'separate', calibrationLines: 32, nAverages: 2 }],
    ['of several slices and repetitions', { nSlices: 2, nRepetitions: 2, sliceSpacingMm: 1e-6 }],
    ['with partial Fourier', { partialFourier: 6 / 8 }],
  ] as const)('%s: is without ghosts', (_, options) => {
    const ideal = { phaseErrorRad: 0, delaySamples: 0, phaseCorrectionReadouts: 3 };
    const [reference] = reconstructSimulated({ ...small, ...options, epi: ideal }).images;
    const [image] = reconstructSimulated({ ...small, ...options, epi }).images;
    expect(nRmse(magnitudeOf(image!), magnitudeOf(reference!))).toBeLessThan(0.01);
  });

  it('is compressed like any other', () => {
    const options = { ...small, nCoils: 20, epi };
    const [whole] = reconstructSimulated(options, { coilCompression: 'off' }).images;
    const [image] = reconstructSimulated(options, { coilCompression: 8 }).images;
    expect(image!.nVirtualCoils).toBe(8);
    expect(nRmse(magnitudeOf(image!), magnitudeOf(whole!))).toBeLessThan(0.02);
  });

  it('has its ghost, and that is said, where no phase-correction readouts came', () => {
    const { images, notices } = reconstructSimulated({ ...small, epi: { ...epi, phaseCorrectionReadouts: 0 } });
    expect(nRmse(magnitudeOf(images[0]!), magnitudeOf(plain!))).toBeGreaterThan(0.05);
    expect(notices.map(({ code }) => code)).toContain('RECON_WARN_GHOST');
  });
});

describe('readouts that are no line of an image', () => {
  it('are left out and counted by kind, those of other coils too', () => {
    const { images, notices } = reconstructSimulated({ ...small, dummyReadouts: 3, navigatorReadouts: 2, surfaceCoilLines: 8 });
    expect(nRmse(magnitudeOf(images[0]!), magnitudeOf(plain!))).toBeLessThan(1e-5);
    const said = notices.find(({ code }) => code === 'RECON_WARN_UNUSED_READOUTS')?.message;
    for (const part of ['3 dummyScan', '2 navigation', '16 surfaceCoilCorrection']) expect(said).toContain(part);
  });
});
