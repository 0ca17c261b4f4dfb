import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import type { ReconImage } from '../../../recon/index.js';
import { GridScan, magnitudeOf, noiseRatio, reconstructGrid, type GridScanOptions } from './gridScan.js';

const small: Partial<GridScanOptions> = { matrix: [32, 40, 24], nCoils: 6, readoutOversampling: 1, calibrationLines: 18, calibrationPartitions: 12 };

function volumeOf(images: readonly ReconImage[]): Float32Array {
  return Float32Array.from(images.filter(({ kind }) => kind === 'image').flatMap((image) => [...magnitudeOf(image)]));
}

const cases: [string, Partial<GridScanOptions>, bound: number][] = [
  ['fully sampled', {}, 0.005],
  ['R = 2 x 1', { acceleration: 2 }, 0.01],
  ['R = 1 x 2', { sliceAcceleration: 2 }, 0.03],
  ['R = 2 x 2', { acceleration: 2, sliceAcceleration: 2 }, 0.03],
  ['R = 2 x 2, separate lines', { acceleration: 2, sliceAcceleration: 2, calibration: 'separate' }, 0.09],
  ['partial Fourier along the lines', { partialFourier: 6 / 8 }, 0.02],
  ['partial Fourier along the partitions', { slicePartialFourier: 6 / 8, matrix: [24, 32, 40], nCoils: 4 }, 0.02],
  ['partial Fourier along both, R = 2 x 1', { acceleration: 2, partialFourier: 6 / 8, slicePartialFourier: 6 / 8, matrix: [24, 40, 40] }, 0.04],
  ['slice oversampling', { sliceOversampling: 4 / 3, sliceAcceleration: 2 }, 0.02],
  ['averages', { nAverages: 2 }, 0.005],
];

describe('a 3D scan', () => {
  it.each(cases)('%s: gives the slices of the volume', (_, options, bound) => {
    const scan = new GridScan({ ...small, ...options });
    const { images } = reconstructGrid(scan);
    expect(images.map(({ counters }) => counters.slice)).toEqual(Array.from({ length: scan.options.matrix[2] }, (_, slice) => slice));
    expect(nRmse(volumeOf(images), scan.truth())).toBeLessThan(bound);
  });

  it('lays its slices one thickness apart about the centre of the slab', () => {
    const { images } = reconstructGrid(new GridScan(small));
    expect(images[12]!.geometry).toMatchObject({ centreMm: [0, 0, 0], matrixSize: [32, 40, 1], fovMm: [32, 40, 4] });
    expect(images[0]!.geometry!.centreMm[2]).toBe(-48);
    expect(images[23]!.geometry!.centreMm[2]).toBe(44);
  });

  it.each([
    ['R = 2 x 2, separate lines', { acceleration: 2, sliceAcceleration: 2, calibration: 'separate' }],
    ['partial Fourier along both', { partialFourier: 6 / 8, slicePartialFourier: 6 / 8 }],
  ] as const)('%s: has a noise map that holds', (_, options) => {
    const ratio = noiseRatio({ ...small, matrix: [16, 32, 32], nCoils: 4, ...options, noiseStd: 0.02, noisyCalibration: false }, {}, 8);
    expect(ratio).toBeGreaterThan(0.96);
    expect(ratio).toBeLessThan(1.04);
  });
});
