import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import { defaultReconParameters, leastScanBytes, planCartesian } from '../../../recon/index.js';
import { GridScan, magnitudeOf, noiseRatio, reconstructGrid } from './gridScan.js';

const manyCoils = { nCoils: 24, matrix: [32, 40, 1], calibrationLines: 16 } as const;

describe('a scan with many coils', () => {
  it.each([
    ['fully sampled', {}],
    ['with embedded calibration lines', { acceleration: 2 }],
    ['with separate calibration lines', { acceleration: 2, calibration: 'separate' }],
    ['without calibration lines', { acceleration: 2, calibration: 'none' }],
    ['of several slices, line by line', { acceleration: 2, nSlices: 3, interleaveSlices: true }],
    ['of several slices, one after the other', { acceleration: 2, nSlices: 3 }],
    ['of several averages', { nAverages: 2 }],
  ] as const)('%s: is the same with fewer virtual coils', (_, options) => {
    const scan = new GridScan({ ...manyCoils, ...options });
    const compressed = reconstructGrid(scan);
    const whole = reconstructGrid(scan, { coilCompression: 'off' });
    expect(compressed.images).toHaveLength(whole.images.length);
    compressed.images.forEach((image, i) => {
      expect(image).toMatchObject({ nCoils: 24, method: whole.images[i]!.method, counters: whole.images[i]!.counters });
      expect(image.nVirtualCoils).toBeLessThan(16);
      expect(nRmse(magnitudeOf(image), magnitudeOf(whole.images[i]!))).toBeLessThan(0.01);
    });
    expect(compressed.notices.map(({ code }) => code)).toContain('RECON_INFO_COIL_COMPRESSION');
  });

  it('gets as many virtual coils as are asked for', () => {
    const [image] = reconstructGrid(new GridScan(manyCoils), { coilCompression: 5 }).images;
    expect(image!.nVirtualCoils).toBe(5);
  });

  it('that breaks off before its centre is compressed by what has come', () => {
    const scan = new GridScan(manyCoils);
    const lines = [...scan.readouts()].slice(0, 6);
    const { images } = reconstructGrid({ options: scan.options, header: scan.header, nSamples: scan.nSamples, readouts: () => lines });
    expect(images[0]).toMatchObject({ method: 'zeroFilled', nMissingLines: 34 });
  });

  it('has a noise map that holds', () => {
    const ratio = noiseRatio({ ...manyCoils, acceleration: 2, calibration: 'separate', noiseStd: 0.02, noisyCalibration: false }, {}, 25);
    expect(ratio).toBeGreaterThan(0.96);
    expect(ratio).toBeLessThan(1.04);
  });

  it('takes a fraction of the memory, and that is known before', () => {
    const { header } = new GridScan({ nCoils: 64, matrix: [256, 256, 1], acceleration: 4, readoutOversampling: 1 });
    const bytes = (coilCompression: 'auto' | 'off') => leastScanBytes(planCartesian(header, { ...defaultReconParameters, coilCompression }).plan);
    expect(bytes('auto')).toBeLessThan(0.3 * bytes('off'));
  });
});
