import { beforeAll, describe, expect, it } from 'vitest';
import { ctNoiseOfDose, estimateCtNoise, reachesBorder } from '../../../recon/index.js';
import type { CtBeam, CtExposure, CtWaterNoise } from '../../../recon/index.js';
import { bodyOf, buildPatient, clinicalFanBeam, CtScan, defaultCtOptions, drawPatient, Random } from '../../../simulator/index.js';
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
  const { waterPerMm, bowtie, sliceThicknessMm } = options;
  const beamOf = { bowtie, electronics: { quantaPerMasMm: options.quantaPerMasMm / beam.nViews, noiseQuanta: options.electronicNoiseQuanta / Math.sqrt(options.detectorRowMm) } };
  const kernels = ['soft', 'bone', 'ramLak'] as const;
  const exposureOf = (doseFraction: number) => ({ exposureMas: options.tubeCurrentTimeMas * doseFraction, sliceThicknessMm });
  const gridOf = (matrix: number, pixel: number) => ({ rows: matrix, columns: matrix, pixelMm: pixel, firstXMm: -Math.floor(matrix / 2) * pixel, firstYMm: -Math.floor(matrix / 2) * pixel });
  /** What a physicist measures once: noise in the middle of water, at full dose. */
  let water: ReadonlyMap<ReconstructionKernel, CtWaterNoise>;

  beforeAll(() => {
    const phantomMm = 150;
    const scanned = scan(ball(phantomMm / 2), { doseFractions: [1], kernels, seed: 6 });
    water = new Map(scanned.map(({ kernel, noisy, truth }) => {
      let [n, squares] = [0, 0];
      for (let p = 0; p < noisy.length; p++) {
        if (Math.hypot((p % size) - size / 2, Math.floor(p / size) - size / 2) * pixelMm > 15) continue;
        n++;
        squares += (noisy[p]! - truth[p]!) ** 2;
      }
      return [kernel, { ...exposureOf(1), phantomDiameterMm: phantomMm, noiseHu: Math.sqrt(squares / n), waterPerMm }];
    }));
  }, 60_000);

  it.each(kernels)('tells the noise of another dose all over another cylinder, kernel %s, within 10 %', (kernel) => {
    const [one] = scan(ball(70), { doseFractions: [0.28], kernels: [kernel], seed: 8 });
    const found = ratios(one!, ctNoiseOfDose(one!.noisy, gridOf(size, pixelMm), exposureOf(0.28), water.get(kernel)!, beamOf));
    expect(median(found)).toBeGreaterThan(0.9);
    expect(median(found)).toBeLessThan(1.1);
    expect(Math.max(...found) / Math.min(...found)).toBeLessThan(1.4);
  });

  it('tells the noise in a trunk, much thicker to the sides than the phantom, within 15 %', () => {
    const patient = buildPatient(drawPatient({ seed: 77 }, 1.5), 1.5);
    const [one] = scan(bodyOf(patient.anatomy), { doseFractions: [0.5], kernels: ['soft'], seed: 5, fovMm: 520, bodyPixelMm: 2 });
    expect(reachesBorder(one!.noisy, size, size)).toBe(false);
    const found = ratios(one!, ctNoiseOfDose(one!.noisy, gridOf(size, 520 / size), exposureOf(0.5), water.get('soft')!, beamOf));
    expect(found.length).toBeGreaterThan(10);
    expect(median(found)).toBeGreaterThan(0.85);
    expect(median(found)).toBeLessThan(1.15);
  }, 60_000);

  const cylinder = (diameterMm: number) => {
    const image = new Float32Array(size * size).fill(-1000);
    for (let p = 0; p < image.length; p++) {
      if (Math.hypot((p % size) - size / 2, Math.floor(p / size) - size / 2) * pixelMm < diameterMm / 2) image[p] = 0;
    }
    return image;
  };
  const ofWater = { exposureMas: 200, sliceThicknessMm: 5, phantomDiameterMm: 140, noiseHu: 6, waterPerMm: 0.0193 };
  const middle = (size * size + size) / 2;
  const inTheMiddle = (diameterMm: number, exposure: CtExposure, of: Partial<CtBeam> = {}) => ctNoiseOfDose(cylinder(diameterMm), gridOf(size, pixelMm), exposure, ofWater, of)[middle]!;

  it('gives the phantom what the phantom showed, and other exposures by the square root of mAs and mm', () => {
    expect(inTheMiddle(140, ofWater)).toBeCloseTo(6, 1);
    expect(inTheMiddle(140, { exposureMas: 50, sliceThicknessMm: 5 }) / inTheMiddle(140, ofWater)).toBeCloseTo(2, 6);
    expect(inTheMiddle(140, { exposureMas: 200, sliceThicknessMm: 1.25 }) / inTheMiddle(140, ofWater)).toBeCloseTo(2, 6);
    // exp(mu 40 mm / 2) more behind 40 mm more.
    expect(inTheMiddle(100, ofWater) / inTheMiddle(140, ofWater)).toBeCloseTo(Math.exp((-0.0193 * 40) / 2), 1);
  });

  it('does not know of electronics unless told, and then has more noise at little dose', () => {
    const starved = { exposureMas: 1, sliceThicknessMm: 5 };
    const electronics = { quantaPerMasMm: 20, noiseQuanta: 5 };
    expect(inTheMiddle(140, starved, { electronics: { ...electronics, noiseQuanta: 0 } })).toBeCloseTo(inTheMiddle(140, starved), 3);
    expect(inTheMiddle(140, starved, { electronics })).toBeGreaterThan(1.1 * inTheMiddle(140, starved));
  });

  it('has more noise at the rim behind a bowtie, and less without', () => {
    const rim = (size / 2) * size + size / 2 + Math.round(60 / pixelMm);
    const of = (beamWith: CtBeam) => ctNoiseOfDose(cylinder(140), gridOf(size, pixelMm), ofWater, ofWater, beamWith);
    const [without, behind] = [of({}), of({ bowtie: { waterDiameterMm: 140, leastShare: 0.03 } })];
    expect(without[rim]! / without[middle]!).toBeLessThan(0.9);
    expect(behind[rim]! / behind[middle]!).toBeGreaterThan(0.95);
  });

  it('tells a body that goes on outside of the image from one with a table', () => {
    const inside = cylinder(140);
    expect(reachesBorder(inside, size, size)).toBe(false);
    inside.fill(40, (size - 1) * size, (size - 1) * size + 0.1 * size);
    expect(reachesBorder(inside, size, size)).toBe(false);
    expect(reachesBorder(cylinder(200), size, size)).toBe(true);
  });
});
