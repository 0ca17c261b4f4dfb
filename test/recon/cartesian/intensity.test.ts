import { hasFlag } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { fitScale, nRmse, scaled, thresholdMask } from '../../../imaging/index.js';
import { SimulatedScan, type ScanOptions } from '../../../simulator/index.js';
import { apply, magnitudeOf, reconstructGrid, transformMatrix } from './gridScan.js';
import { played, reconstructSimulated } from './simulated.js';

const n = 96;
const small: Partial<ScanOptions> = { matrix: [n, n], nCoils: 8, noiseStd: 0, readoutOversampling: 1 };

/** Object times body-coil sensitivity: all of the body coil's k-space, transformed by the definition. */
function bodyCoilImage(): Float32Array {
  const kspace = new Float64Array(2 * 2 * n * n);
  for (const { header, samples } of played(new SimulatedScan({ ...small, surfaceCoilLines: n })).readouts()) {
    if (!hasFlag(header.flags, 'surfaceCoilCorrection') || header.idx.set !== 1) continue;
    for (let channel = 0; channel < 2; channel++) {
      kspace.set(samples.subarray(2 * channel * n, 2 * (channel + 1) * n), 2 * (channel * n + header.idx.kspaceEncodeStep1) * n);
    }
  }
  const matrix = transformMatrix(n, n);
  const image = apply(matrix, n, n, apply(matrix, n, n, kspace, 2, n, true), 2 * n, 1, true);
  return Float32Array.from({ length: n * n }, (_, p) => Math.hypot(image[2 * p]!, image[2 * p + 1]!, image[2 * (n * n + p)]!, image[2 * (n * n + p) + 1]!));
}

const truth = bodyCoilImage();
const tissue = thresholdMask(truth, 0.1);
const errorOf = (image: Float32Array) => nRmse(scaled(image, fitScale(image, truth, tissue)), truth, tissue);
const kinds = ({ images }: ReturnType<typeof reconstructSimulated>, kind: string) => images.filter((image) => image.kind === kind);
const codes = ({ notices }: ReturnType<typeof reconstructSimulated>) => notices.map(({ code }) => code);

describe('intensity correction', () => {
  it('by the reference scan: the image is the object times the sensitivity of the body coil', () => {
    const scan = reconstructSimulated({ ...small, surfaceCoilLines: 32 }, { intensityCorrection: 'auto' });
    const [plain] = reconstructSimulated({ ...small, surfaceCoilLines: 32 }).images;
    expect(errorOf(magnitudeOf(plain!))).toBeGreaterThan(0.2);
    expect(errorOf(magnitudeOf(scan.images[0]!))).toBeLessThan(0.04);
    expect(scan.images[0]!.postProcessing).toEqual(['intensityScan']);
    expect(codes(scan)).toContain('RECON_INFO_INTENSITY');
    expect(codes(scan)).not.toContain('RECON_WARN_UNUSED_READOUTS');
  });

  it.each([
    ['accelerated and oversampled', { acceleration: 2, readoutOversampling: 2, phaseOversampling: 0.25 }, {}],
    ['with a backward readout every other line', { reverseOddLines: true }, {}],
    ['of compressed coils', {}, { coilCompression: 5 }],
    ['combined by root-sum-of-squares', {}, { combine: 'rss' }],
  ] as const)('holds for scans %s', (_, options, parameters) => {
    const { images } = reconstructSimulated({ ...small, ...options, surfaceCoilLines: 32 }, { ...parameters, intensityCorrection: 'scan' });
    expect(images[0]!.postProcessing).toEqual(['intensityScan']);
    expect(errorOf(magnitudeOf(images[0]!))).toBeLessThan(0.06);
  });

  it('leaves the SNR of each pixel as it is; the noise map has the gain of the image', () => {
    const options = { ...small, noiseStd: 0.01, acceleration: 2, surfaceCoilLines: 32 };
    const plain = reconstructSimulated(options, { noiseMap: true, snrMap: true });
    const even = reconstructSimulated(options, { noiseMap: true, snrMap: true, intensityCorrection: 'scan' });
    expect(kinds(even, 'snr')[0]!.data).toEqual(kinds(plain, 'snr')[0]!.data);
    const [before, after] = [plain, even].map((all) => {
      const [image, noise] = [kinds(all, 'image')[0]!, kinds(all, 'noise')[0]!];
      return magnitudeOf(image).map((value, p) => value / noise.data[p]!);
    });
    for (let p = 0; p < before!.length; p += 7) expect(after![p]!).toBeCloseTo(before![p]!, 2);
    expect(errorOf(magnitudeOf(kinds(even, 'image')[0]!))).toBeLessThan(0.1);
  });

  it('keeps one scale for all slices', () => {
    const options = { ...small, nSlices: 2, sliceSpacingMm: 40, surfaceCoilLines: 32 };
    const gains = (parameters: object) => reconstructSimulated(options, parameters).images.map(magnitudeOf);
    const [plain, even] = [gains({}), gains({ intensityCorrection: 'scan' })];
    const body = [0, 1].map((slice) => {
      const lines = [...played(new SimulatedScan({ ...options, surfaceCoilLines: n })).readouts()].filter(
        ({ header }) => hasFlag(header.flags, 'surfaceCoilCorrection') && header.idx.set === 1 && header.idx.slice === slice,
      );
      return Math.sqrt(lines.reduce((sum, { samples }) => sum + samples.reduce((s, v) => s + v * v, 0), 0));
    });
    const energy = (image: Float32Array) => Math.sqrt(image.reduce((sum, value) => sum + value * value, 0));
    expect(energy(even[1]!) / energy(even[0]!) / (body[1]! / body[0]!)).toBeCloseTo(1, 1);
    expect(energy(plain[1]!) / energy(plain[0]!)).not.toBeCloseTo(body[1]! / body[0]!, 2);
  });

  it('by an estimate, where no reference scan came: the shading is less, and what was done is recorded', () => {
    const [plain] = reconstructSimulated(small).images;
    const estimate = reconstructSimulated(small, { intensityCorrection: 'auto' });
    expect(estimate.images[0]!.postProcessing).toEqual(['intensityEstimate']);
    expect(errorOf(magnitudeOf(estimate.images[0]!))).toBeLessThan(0.75 * errorOf(magnitudeOf(plain!)));
  });

  it('is left out, and that is said, where a scan was asked for and none came', () => {
    const asked = reconstructSimulated(small, { intensityCorrection: 'scan' });
    expect(asked.images[0]!.postProcessing).toEqual([]);
    expect(codes(asked)).toContain('RECON_WARN_INTENSITY');
    expect(asked.images[0]!.data).toEqual(reconstructSimulated(small).images[0]!.data);
  });

  it('refuses reference lines with samples that are not finite', () => {
    const scan = played(new SimulatedScan({ ...small, surfaceCoilLines: 8 }));
    const broken = {
      ...scan,
      *readouts() {
        for (const { header, samples } of scan.readouts()) {
          if (hasFlag(header.flags, 'surfaceCoilCorrection')) samples[5] = NaN;
          yield { header, samples };
        }
      },
    };
    expect(() => reconstructGrid(broken, { intensityCorrection: 'auto' })).toThrow('RECON_ERR_NOT_FINITE');
  });
});
