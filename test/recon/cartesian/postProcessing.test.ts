import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import { GridScan, magnitudeOf, noiseRatio, reconstructGrid } from './gridScan.js';

const small = { matrix: [40, 48, 1], nCoils: 6 } as const;

describe('filters and the removal of Gibbs ringing', () => {
  it('are recorded in order, and change the image a little', () => {
    const scan = new GridScan(small);
    const [plain] = reconstructGrid(scan).images;
    const [image] = reconstructGrid(scan, { rawFilter: 'hann', rawFilterStrength: 0.5, gibbsRemoval: true }).images;
    expect(plain!.postProcessing).toEqual([]);
    expect(image!.postProcessing).toEqual(['gibbsRemoval', 'hann']);
    const change = nRmse(magnitudeOf(image!), magnitudeOf(plain!));
    expect(change).toBeGreaterThan(0.005);
    expect(change).toBeLessThan(0.2);
  });

  it('do not touch root-sum-of-squares images, and that is said', () => {
    const { images, notices } = reconstructGrid(new GridScan(small), { combine: 'rss', rawFilter: 'gaussian', gibbsRemoval: true });
    expect(images[0]!.postProcessing).toEqual([]);
    expect(notices.map(({ code }) => code)).toContain('RECON_WARN_NOT_FILTERED');
  });

  it.each([['interpolated', { interpolation: 2 }, {}], ['zero-filled', { partialFourier: 6 / 8 }, { partialFourier: 'zeroFill' }]] as const)(
    'leave the ringing of %s images, and say so',
    (_, options, parameters) => {
      const { images, notices } = reconstructGrid(new GridScan({ ...small, ...options }), { ...parameters, gibbsRemoval: true });
      expect(images[0]!.postProcessing).toEqual([]);
      expect(notices.map(({ code }) => code)).toContain('RECON_WARN_NOT_FILTERED');
    },
  );

  it.each([
    ['hann', {}],
    ['gaussian', { acceleration: 2, calibration: 'separate' }],
    ['hann', { partialFourier: 6 / 8, phaseOversampling: 1.25 }],
  ] as const)('%s: the noise map holds, %o', (rawFilter, options) => {
    const ratio = noiseRatio({ ...small, ...options, matrix: [32, 40, 1], noiseStd: 0.02, noisyCalibration: false }, { rawFilter }, 30);
    expect(ratio).toBeGreaterThan(0.96);
    expect(ratio).toBeLessThan(1.04);
  });
});
