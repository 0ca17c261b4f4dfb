import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import { GridScan, magnitudeOf, noiseRatio, reconstructGrid, type GridScanOptions } from './gridScan.js';

const small: Partial<GridScanOptions> = { matrix: [48, 64, 1] };

describe('an image that is solved for', () => {
  it.each([
    ['sense', {}, 0.03],
    ['sense', { calibration: 'separate' }, 0.03],
    ['sense', { calibration: 'repetitions', nRepetitions: 2 }, 0.03],
    ['sense', { nSlices: 2, interleaveSlices: true }, 0.03],
    ['sense', { phaseOversampling: 1.25, interpolation: 1.5 }, 0.03],
    ['sense', { partialFourier: 6 / 8 }, 0.03],
    ['sense', { nAverages: 2, calibrationLines: 24 }, 0.03],
    ['l1', {}, 0.03],
    ['l1', { phaseOversampling: 1.25 }, 0.03],
  ] as const)('by %s is the image, R = 2, %j', (unalias, options, bound) => {
    const scan = new GridScan({ ...small, acceleration: 2, ...options });
    const { images, notices } = reconstructGrid(scan, { unalias });
    expect(images.length).toBeGreaterThan(0);
    const truth = scan.truth();
    const brightest = truth.reduce((most, value) => Math.max(most, value), 0);
    const body = Uint8Array.from(truth, (value) => (value > 0.1 * brightest ? 1 : 0));
    for (const image of images) {
      expect(image).toMatchObject({ method: unalias, accelerationPhase: 2, nMissingLines: 0, hasPhase: true });
      const scale = 1 + 0.2 * image.counters.slice;
      expect(nRmse(magnitudeOf(image).map((value) => value / scale), truth, body)).toBeLessThan(bound);
    }
    expect(notices.filter(({ severity }) => severity !== 'info').map(({ code }) => code)).toEqual(['RECON_WARN_NO_NOISE_SCAN']);
  });

  it('has less noise by l1 than by sense, and by sense than by GRAPPA, fourfold accelerated', () => {
    const scan = new GridScan({ ...small, nCoils: 12, acceleration: 4, calibrationLines: 24, noiseStd: 0.03 });
    const quiet = new GridScan({ ...small, nCoils: 12, noiseStd: 0.03 }).truth();
    const brightest = quiet.reduce((most, value) => Math.max(most, value), 0);
    const body = Uint8Array.from(quiet, (value) => (value > 0.1 * brightest ? 1 : 0));
    const [grappa, sense, l1] = (['grappa', 'sense', 'l1'] as const).map((unalias) => {
      const image = magnitudeOf(reconstructGrid(scan, { unalias }).images[0]!);
      const scale = image.reduce((sum, value, i) => sum + value * quiet[i]! * body[i]!, 0) / image.reduce((sum, value, i) => sum + value * value * body[i]!, 0);
      return nRmse(image.map((value) => value * scale), quiet, body);
    });
    expect(sense!).toBeLessThan(grappa!);
    expect(l1!).toBeLessThan(0.9 * sense!);
  });

  it('by sense has a noise map that holds', () => {
    const ratio = noiseRatio({ ...small, acceleration: 2, calibration: 'separate', noiseStd: 0.02, noisyCalibration: false }, { unalias: 'sense' }, 25);
    expect(ratio).toBeGreaterThan(0.96);
    expect(ratio).toBeLessThan(1.04);
  });

  it('by l1 has maps that say how they were made', () => {
    const scan = new GridScan({ ...small, acceleration: 2, noiseStd: 0.02 });
    const { images, notices } = reconstructGrid(scan, { unalias: 'l1', noiseMap: true, gFactorMap: true, snrMap: true });
    expect(images.map(({ kind, noiseMapMethod }) => [kind, noiseMapMethod])).toEqual([
      ['image', undefined], ['gFactor', 'perturbation'], ['noise', 'perturbation'], ['snr', 'perturbation'],
    ]);
    expect(notices.filter(({ severity }) => severity === 'warning')).toEqual([]);
  });

  it('without calibration lines is zero-filled instead, and that is said', () => {
    const scan = new GridScan({ ...small, acceleration: 2, calibration: 'none' });
    const { images, notices } = reconstructGrid(scan, { unalias: 'sense' });
    expect(images[0]).toMatchObject({ method: 'zeroFilled', hasPhase: false });
    expect(notices.map(({ code }) => code)).toContain('RECON_WARN_NO_CALIBRATION');
  });

  it('needs coil maps: combine=rss asks in vain', () => {
    const scan = new GridScan({ ...small, acceleration: 2 });
    expect(reconstructGrid(scan, { unalias: 'sense', combine: 'rss' }).images[0]).toMatchObject({ method: 'sense', hasPhase: true });
  });
});

describe.each(['espirit', 'inati'] as const)('%s maps where coils are only combined', (coilMapMethod) => {
  it.each([{}, { acceleration: 2 }])('give the image that Walsh maps give, %j', (options) => {
    const scan = new GridScan({ ...small, ...options });
    const [walsh] = reconstructGrid(scan, { coilMapMethod: 'walsh' }).images;
    const [other] = reconstructGrid(scan, { coilMapMethod }).images;
    expect(nRmse(magnitudeOf(other!), magnitudeOf(walsh!))).toBeLessThan(0.02);
    expect(nRmse(magnitudeOf(other!), scan.truth())).toBeLessThan(0.01);
  });
});

describe('the maps beside an image that is solved for', () => {
  it('by sense: coil maps of norm 1 in the body, and a point that stays a point', () => {
    const scan = new GridScan({ ...small, acceleration: 2, phaseOversampling: 1.25, interpolation: 1.5 });
    const { images } = reconstructGrid(scan, { unalias: 'sense', coilMaps: true, psf: true, senseIterations: 30 });
    const [image] = images.filter(({ kind }) => kind === 'image');
    const coilMaps = images.filter(({ kind }) => kind === 'coilMap');
    const centre = Math.floor(image!.rows / 2) * image!.columns + Math.floor(image!.columns / 2);
    expect(coilMaps).toHaveLength(scan.options.nCoils);
    expect(coilMaps.reduce((sum, { data }) => sum + data[2 * centre]! ** 2 + data[2 * centre + 1]! ** 2, 0)).toBeCloseTo(1, 3);
    const [psf] = images.filter(({ kind }) => kind === 'psf');
    const spread = magnitudeOf({ ...psf!, kind: 'image' });
    const largest = spread.reduce((most, value) => Math.max(most, value), 0);
    expect(spread.indexOf(largest)).toBe(centre);
  });
});
