import { beforeAll, describe, expect, it } from 'vitest';
import { ctNoiseOfDose, estimateCtNoise } from '../../../recon/index.js';
import type { CtDose } from '../../../recon/index.js';
import { bodyOf, bowtieProfile, buildPatient, clinicalFanBeam, CtScan, defaultCtOptions, drawPatient, kernelWindow, lineSpacingMm, Random } from '../../../simulator/index.js';
import type { ReconstructionKernel, ScannedBody } from '../../../simulator/index.js';
import { ball } from '../../simulator/ct/phantoms.js';

const beam = clinicalFanBeam;
const size = 320;
const pixelMm = 0.5;
const quick = { beam, matrix: size, fovMm: size * pixelMm, bodyPixelMm: 1, planesPerSlice: 1 } as const;

interface Scanned {
  readonly noisy: Float32Array;
  readonly truth: Float32Array;
  readonly doseFraction: number;
  readonly kernel: ReconstructionKernel;
}

function scan(body: ScannedBody, options: ConstructorParameters<typeof CtScan>[1]): Scanned[] {
  const doseFractions = [...(options?.doseFractions ?? [0.28]), Infinity];
  const slices = new CtScan(body, { ...quick, ...options, doseFractions }).slice(0);
  const clean = new Map(slices.filter(({ doseFraction }) => doseFraction === Infinity).map(({ kernel, hounsfield }) => [kernel, hounsfield]));
  return slices
    .filter(({ doseFraction }) => doseFraction !== Infinity)
    .map(({ hounsfield, kernel, doseFraction }) => ({ noisy: hounsfield, truth: clean.get(kernel)!, doseFraction, kernel }));
}

/** Root mean square of the noise, and of a noise map, over soft tissue in squares of 32 pixels: ratios of map to noise. */
function ratios({ noisy, truth }: Scanned, map: Float32Array): number[] {
  const found: number[] = [];
  for (let row = 0; row < size; row += 32) {
    for (let column = 0; column < size; column += 32) {
      let [n, noise, told] = [0, 0, 0];
      for (let r = row; r < row + 32; r++) {
        for (let at = r * size + column, end = at + 32; at < end; at++) {
          if (Math.abs(truth[at]!) > 200) continue;
          n++;
          noise += (noisy[at]! - truth[at]!) ** 2;
          told += map[at]! ** 2;
        }
      }
      if (n > 500) found.push(Math.sqrt(told / noise));
    }
  }
  return found;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

describe('estimateCtNoise', () => {
  let scans: Scanned[];
  beforeAll(() => {
    const patient = buildPatient(drawPatient({ seed: 77 }, 1.5), 1.5);
    scans = scan(bodyOf(patient.anatomy), { doseFractions: [1, 0.28], kernels: ['soft', 'bone'], seed: 5 });
  }, 60_000);

  // The texture of the simulated tissue is about half of the noise of a full dose and a soft kernel.
  it.each([
    ['soft', 1, 1.25],
    ['bone', 1, 1.15],
    ['soft', 0.28, 1.15],
    ['bone', 0.28, 1.15],
  ] as const)('tells the true noise of soft tissue in a simulated trunk: kernel %s, dose %f, at most %f times', (kernel, doseFraction, most) => {
    const one = scans.find((each) => each.kernel === kernel && each.doseFraction === doseFraction)!;
    const found = ratios(one, estimateCtNoise(one.noisy, size, size, pixelMm)!);
    expect(found.length).toBeGreaterThan(10);
    expect(median(found)).toBeGreaterThan(0.85);
    expect(median(found)).toBeLessThan(most);
  });

  it('follows the dose, whatever the anatomy', () => {
    const [full, low] = scans.filter(({ kernel }) => kernel === 'bone');
    const levelOf = ({ noisy }: Scanned) => estimateCtNoise(noisy, size, size, pixelMm)![100 * size + 60]!;
    expect(levelOf(low!) / levelOf(full!)).toBeGreaterThan(0.85 / Math.sqrt(0.28));
    expect(levelOf(low!) / levelOf(full!)).toBeLessThan(1.15 / Math.sqrt(0.28));
  });

  it('scales with the deviations from a level of soft tissue and does not see the level', () => {
    const random = new Random(3);
    const image = Float32Array.from({ length: 128 * 128 }, () => 8 * random.normal());
    const level = estimateCtNoise(image, 128, 128, 0.5)![0]!;
    expect(estimateCtNoise(image.map((value) => 3 * value), 128, 128, 0.5)![0]! / level).toBeCloseTo(3, 4);
    expect(estimateCtNoise(image.map((value) => value + 60), 128, 128, 0.5)![0]! / level).toBeCloseTo(1, 3);
  });

  it('finds noise that doubles from one side to the other', () => {
    const random = new Random(4);
    const truth = (column: number) => 10 * 2 ** (column / 255);
    const image = Float32Array.from({ length: 256 * 256 }, (_, p) => 50 + truth(p % 256) * random.normal());
    const map = estimateCtNoise(image, 256, 256, 0.5)!;
    const ratio = (column: number) => map[128 * 256 + column]! / truth(column);
    expect(ratio(200) / ratio(56)).toBeGreaterThan(0.9);
    expect(ratio(200) / ratio(56)).toBeLessThan(1.1);
  });

  it('tells nothing of an image without soft tissue', () => {
    expect(estimateCtNoise(new Float32Array(64 * 64).fill(-1000), 64, 64, 0.5)).toBeUndefined();
    expect(estimateCtNoise(new Float32Array(9), 3, 3, 0.5)).toBeUndefined();
  });
});

describe('ctNoiseOfDose', () => {
  const options = defaultCtOptions;
  const doseOf = (kernel: ReconstructionKernel, doseFraction: number): CtDose => {
    const profile = bowtieProfile(beam, options.bowtie, options.waterPerMm);
    const quanta = (options.quantaPerMasMm * options.tubeCurrentTimeMas * doseFraction * options.sliceThicknessMm) / beam.nViews;
    const spacingMm = lineSpacingMm(beam);
    return {
      nViews: beam.nViews,
      lineSpacingMm: spacingMm,
      quantaAt: (distanceMm) => {
        const angle = Math.asin(Math.max(-1, Math.min(1, distanceMm / beam.sourceIsocentreMm)));
        const channel = Math.round(angle / beam.channelStepRad + (beam.nChannels - 1) / 2 - beam.channelOffset);
        return quanta * profile[Math.max(0, Math.min(beam.nChannels - 1, channel))]!;
      },
      electronicNoiseQuanta: options.electronicNoiseQuanta * Math.sqrt(options.sliceThicknessMm / options.detectorRowMm),
      kernelWindow: (frequency) => kernelWindow(kernel, frequency, 1 / (2 * spacingMm)),
      waterPerMm: options.waterPerMm,
    };
  };
  const grid = { rows: size, columns: size, pixelMm, firstXMm: -(size / 2) * pixelMm, firstYMm: -(size / 2) * pixelMm };

  it('tells the simulated noise all over a cylinder of water, of every kernel, within 10 %', () => {
    for (const one of scan(ball(76), { doseFractions: [0.28], kernels: ['soft', 'bone', 'ramLak'], seed: 6 })) {
      const found = ratios(one, ctNoiseOfDose(one.noisy, grid, doseOf(one.kernel, one.doseFraction)));
      expect(median(found)).toBeGreaterThan(0.9);
      expect(median(found)).toBeLessThan(1.1);
      expect(Math.max(...found) / Math.min(...found)).toBeLessThan(1.4);
    }
  });

  it('is pi² v / (12 n a²) in the middle of water, with the ramp alone', () => {
    const water = new Float32Array(size * size).fill(-1000);
    for (let p = 0; p < water.length; p++) {
      if (Math.hypot((p % size) - size / 2, Math.floor(p / size) - size / 2) * pixelMm < 70) water[p] = 0;
    }
    const dose: CtDose = { nViews: 720, lineSpacingMm: 0.6, quantaAt: () => 1e5, electronicNoiseQuanta: 0, kernelWindow: () => 1, waterPerMm: 0.0193 };
    const variance = Math.exp(140 * 0.0193) / 1e5;
    const expected = (1000 / 0.0193) * Math.sqrt((Math.PI ** 2 * variance) / (12 * 720 * 0.6 ** 2));
    expect(ctNoiseOfDose(water, grid, dose)[(size * size + size) / 2]! / expected).toBeCloseTo(1, 1);
  });
});
