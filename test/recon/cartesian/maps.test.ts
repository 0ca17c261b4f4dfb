import { describe, expect, it } from 'vitest';
import type { ReconImage, ReconImageKind } from '../../../recon/index.js';
import { GridScan, magnitudeOf, reconstructGrid } from './gridScan.js';

const size = 48;
const centre = (size / 2) * size + size / 2;
const base = { matrix: [size, size, 1], nCoils: 6, calibrationLines: 20 } as const;
const all = { gFactorMap: true, noiseMap: true, snrMap: true, coilMaps: true, psf: true } as const;
const ofKind = (images: readonly ReconImage[], kind: ReconImageKind) => images.filter((image) => image.kind === kind);
const psfOf = (scan: GridScan, parameters = {}) => ofKind(reconstructGrid(scan, { psf: true, ...parameters }).images, 'psf')[0]!.data;
const magnitudeAt = (psf: Float32Array, pixel: number) => Math.hypot(psf[2 * pixel]!, psf[2 * pixel + 1]!);

describe('the maps of a slice', () => {
  const { images } = reconstructGrid(new GridScan({ ...base, acceleration: 2, noiseStd: 0.01 }), all);

  it('come after their image, one of each kind and one coil map a coil', () => {
    expect(images.map(({ kind }) => kind)).toEqual(['image', 'gFactor', 'noise', 'snr', ...Array<string>(6).fill('coilMap'), 'psf']);
    expect(ofKind(images, 'coilMap').map(({ coil }) => coil)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('SNR is the image over its noise', () => {
    const [snr, noise] = [ofKind(images, 'snr')[0]!.data, ofKind(images, 'noise')[0]!.data];
    magnitudeOf(images[0]!).forEach((value, p) => expect(snr[p]! * noise[p]!).toBeCloseTo(value, 2));
  });

  it('coil maps have unit norm over the coils', () => {
    const maps = ofKind(images, 'coilMap');
    for (const pixel of [centre, centre + 5, centre - 7 * size]) {
      expect(maps.reduce((sum, { data }) => sum + magnitudeAt(data, pixel) ** 2, 0)).toBeCloseTo(1, 4);
    }
  });

  it('are left out, with a word, where there are no coil maps', () => {
    const rss = reconstructGrid(new GridScan(base), { ...all, combine: 'rss' });
    expect(rss.images.map(({ kind }) => kind)).toEqual(['image']);
    expect(rss.notices.map(({ code }) => code)).toContain('RECON_WARN_NO_MAPS');
  });
});

describe('the point-spread function', () => {
  it('of a fully sampled scan is a point', () => {
    const psf = psfOf(new GridScan(base));
    for (let pixel = 0; pixel < size * size; pixel++) expect(magnitudeAt(psf, pixel)).toBeCloseTo(pixel === centre ? 1 : 0, 4);
    expect(psf[2 * centre]).toBeCloseTo(1, 4);
  });

  it('of zero-filling has a ghost half a field of view away', () => {
    const psf = psfOf(new GridScan({ ...base, acceleration: 2, calibration: 'separate' }), { unalias: 'none' });
    // As high as the point but for what the coil maps of the two places have in common.
    const ghost = magnitudeAt(psf, centre - (size / 2) * size);
    expect(magnitudeAt(psf, centre)).toBeCloseTo(0.5, 3);
    expect(ghost).toBeGreaterThan(0.1);
    expect(ghost).toBeLessThan(0.5);
  });

  it('of GRAPPA has next to none of it', () => {
    const psf = psfOf(new GridScan({ ...base, acceleration: 2 }));
    expect(magnitudeAt(psf, centre)).toBeGreaterThan(0.97);
    expect(magnitudeAt(psf, centre - (size / 2) * size)).toBeLessThan(0.03);
  });

  it('of partial Fourier is wide along the lines where they stay zero, and not where they are completed', () => {
    const psf = psfOf(new GridScan({ ...base, partialFourier: 0.75 }), { partialFourier: 'zeroFill' });
    const neighbour = magnitudeAt(psf, centre + size);
    expect(neighbour / magnitudeAt(psf, centre)).toBeGreaterThan(0.2);
    const completed = psfOf(new GridScan({ ...base, partialFourier: 0.75 }), { partialFourier: 'pocs' });
    expect(magnitudeAt(completed, centre + size) / magnitudeAt(completed, centre)).toBeLessThan(0.15);
  });

  it('of an asymmetric echo is wide along the readout only', () => {
    const psf = psfOf(new GridScan({ ...base, echo: 0.75 }), { partialFourier: 'zeroFill' });
    expect(magnitudeAt(psf, centre + 1)).toBeGreaterThan(0.2 * magnitudeAt(psf, centre));
    expect(magnitudeAt(psf, centre + size)).toBeLessThan(1e-3);
  });
});
