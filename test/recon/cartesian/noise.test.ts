import { describe, expect, it } from 'vitest';
import { fitScale, nRmse } from '../../../imaging/index.js';
import { NoiseAccumulator } from '../../../recon/index.js';
import { GridScan, magnitudeOf, reconstructGrid, type SentReadout } from './gridScan.js';

const scan = new GridScan({ matrix: [40, 48, 1], nCoils: 8, noiseStd: 0.02 });
const truth = scan.truth();

/** Scales what one coil receives. */
function withCoil(coil: number, factor: number): Parameters<typeof reconstructGrid>[0] {
  return {
    header: scan.header, options: scan.options, nSamples: scan.nSamples,
    readouts: function* (): Generator<SentReadout> {
      for (const { header, samples } of scan.readouts()) {
        const scaled = samples.slice();
        const { nSamples } = header;
        for (let i = 2 * coil * nSamples; i < 2 * (coil + 1) * nSamples; i++) scaled[i] = factor * scaled[i]!;
        yield { header, samples: scaled };
      }
    },
  };
}

describe('a coil whose noise is far off', () => {
  it.each([['dead', 0], ['all but dead', 0.01], ['loud', 50]])('%s: is left out by name, and the image stands on the others', (_, factor) => {
    const { images, notices } = reconstructGrid(withCoil(3, factor));
    expect(images[0]).toMatchObject({ nCoils: 8, nVirtualCoils: 7, snrUnits: true });
    expect(notices.find(({ code }) => code === 'RECON_WARN_NOISE')?.message).toMatch(/Coil coil 3: .*left out/);
    const image = magnitudeOf(images[0]!);
    const object = Uint8Array.from(truth, (value) => (value > 0.3 ? 1 : 0));
    const scale = fitScale(image, truth, object);
    // The signal of seven of eight coils on a ring: the eighth leaves a shade.
    expect(nRmse(image.map((value) => value * scale), truth, object)).toBeLessThan(0.2);
  });

  it('is left out of a compressed array too', () => {
    const { images } = reconstructGrid(withCoil(3, 50), { coilCompression: 5 });
    expect(images[0]).toMatchObject({ nCoils: 8, nVirtualCoils: 5 });
  });
});

const unmeasured = {
  header: scan.header, options: scan.options, nSamples: scan.nSamples,
  readouts: function* (): Generator<SentReadout> {
    for (const readout of scan.readouts()) if ((readout.header.flags & (1n << 18n)) === 0n) yield readout;
  },
};

describe('a stored noise measurement', () => {
  const accumulator = new NoiseAccumulator(8);
  for (const { header, samples } of scan.readouts()) if ((header.flags & (1n << 18n)) !== 0n) accumulator.add(samples, header.nSamples);
  const names = Array.from({ length: 8 }, (_, coil) => `coil ${coil}`);
  const storedNoise = { measurementId: '1_2', coilNames: names, dwellTimeUs: 5, covariance: accumulator.covariance() };

  it('does what that of the scan itself would', () => {
    const { images, notices } = reconstructGrid({ ...unmeasured, storedNoise });
    expect(images[0]!.snrUnits).toBe(true);
    expect(nRmse(magnitudeOf(images[0]!), magnitudeOf(reconstructGrid(scan).images[0]!))).toBeLessThan(1e-6);
    expect(notices.map(({ code }) => code)).toContain('RECON_INFO_STORED_NOISE');
  });

  it('gives way to that of the scan itself', () => {
    const other = { ...storedNoise, covariance: { ...storedNoise.covariance, matrix: storedNoise.covariance.matrix.map((value) => 100 * value) } };
    const { images } = reconstructGrid({ ...unmeasured, readouts: () => scan.readouts(), storedNoise: other });
    expect(nRmse(magnitudeOf(images[0]!), magnitudeOf(reconstructGrid(scan).images[0]!))).toBeLessThan(1e-6);
  });

  it('of other coils is not used', () => {
    const { images } = reconstructGrid({ ...unmeasured, storedNoise: { ...storedNoise, coilNames: names.map((name) => `other ${name}`) } });
    expect(images[0]!.snrUnits).toBe(false);
  });
});

describe('the noise map of a scan without a noise measurement', () => {
  it('is in the unit of the image, told by the edge of k-space', () => {
    const { images, notices } = reconstructGrid(unmeasured, { noiseMap: true });
    const noise = images.find(({ kind }) => kind === 'noise')!.data;
    expect(noise[noise.length >> 1]! / 0.02).toBeGreaterThan(0.9);
    expect(noise[noise.length >> 1]! / 0.02).toBeLessThan(1.1);
    expect(notices.map(({ code }) => code)).toEqual(expect.arrayContaining(['RECON_WARN_NO_NOISE_SCAN', 'RECON_INFO_NOISE_ESTIMATE']));
  });
});
