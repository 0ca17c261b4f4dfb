import { describe, expect, it } from 'vitest';
import { CtScan, bodyOf, ellipsoid, moved, simulateCt } from '../../../simulator/index.js';
import type { Anatomy, CtOptions, CtSlice } from '../../../simulator/index.js';
import { tissueAt } from '../../../imaging/index.js';
import { ball, regionOf, smallParallel, smallScan } from './phantoms.js';

const quiet = { electronicNoiseQuanta: 0, quantaPerMasMm: 2e5 } as const;

/** Only the noise: the difference of two dose levels' slices from the one without noise. */
function noiseOf(body: ReturnType<typeof ball>, options: Partial<CtOptions>): Float32Array[] {
  const doseFractions = [...(options.doseFractions ?? [1]), Infinity];
  const slices = new CtScan(body, { ...smallScan, ...quiet, ...options, doseFractions }).slice(0);
  const truth = slices.at(-1)!.hounsfield;
  return slices.slice(0, -1).map(({ hounsfield }) => hounsfield.map((value, pixel) => value - truth[pixel]!));
}

const water = ball(100);

describe('noise', () => {
  it('has a variance of one over the dose', () => {
    const [full, half, low] = noiseOf(water, { doseFractions: [1, 0.5, 0.28] });
    const variance = (noise: Float32Array) => regionOf(noise, 128, 64, 64, 25).std ** 2;
    expect(variance(half!) / variance(full!)).toBeGreaterThan(2 * 0.85);
    expect(variance(half!) / variance(full!)).toBeLessThan(2 * 1.15);
    expect(variance(low!) / variance(full!)).toBeGreaterThan(0.85 / 0.28);
    expect(variance(low!) / variance(full!)).toBeLessThan(1.15 / 0.28);
  });

  it('has a variance of one over the thickness', () => {
    const std = (sliceThicknessMm: number) => regionOf(noiseOf(water, { sliceThicknessMm })[0]!, 128, 64, 64, 25).std;
    expect((std(1) / std(4)) ** 2).toBeGreaterThan(4 * 0.85);
    expect((std(1) / std(4)) ** 2).toBeLessThan(4 * 1.15);
  });

  it('is heightened by the electronics, the more the lower the dose', () => {
    const stdOf = (electronicNoiseQuanta: number) =>
      noiseOf(water, { electronicNoiseQuanta, doseFractions: [1, 0.28] }).map((noise) => regionOf(noise, 128, 64, 64, 25).std);
    const [quantum, both] = [stdOf(0), stdOf(60)];
    const [fullRatio, lowRatio] = both.map((std, dose) => std / quantum[dose]!);
    expect(fullRatio!).toBeGreaterThan(1.01);
    expect(lowRatio!).toBeGreaterThan(1.03 * fullRatio!);
  });

  it('is highest in the middle of a cylinder, and evened out by a bowtie', () => {
    const ratio = (bowtie: CtOptions['bowtie']) => {
      const [noise] = noiseOf(water, { bowtie, matrix: 128, fovMm: 256 });
      const edge = [[64, 19], [64, 109], [19, 64], [109, 64]].map(([column, row]) => regionOf(noise!, 128, column!, row!, 3).std);
      return Math.sqrt(edge.reduce((sum, std) => sum + std * std, 0) / 4) / regionOf(noise!, 128, 64, 64, 6).std;
    };
    const without = ratio(undefined);
    const matched = ratio({ waterDiameterMm: 200, leastShare: 0.01 });
    expect(without).toBeLessThan(0.8);
    expect(matched).toBeGreaterThan(1.2 * without);
    expect(Math.abs(Math.log(matched))).toBeLessThan(Math.abs(Math.log(without)));
  });

  it('rises with the frequency like |f|, and falls where the kernel ends (Kijewski & Judy 1987, doi 10.1088/0031-9155/32/5/003)', () => {
    const options = { beam: smallParallel, bowtie: undefined, fovMm: 128, kernels: ['soft'] } as const;
    const size = 64;
    const spectrum = new Float64Array(size / 2);
    for (let seed = 1; seed <= 6; seed++) {
      const [noise] = noiseOf(ball(75), { ...options, seed });
      radialSpectrum(noise!, 128, 32, size).forEach((power, bin) => (spectrum[bin]! += power));
    }
    // Bin k is k / 64 mm; |f| W², W being Hann's window, here up to what the channels can resolve.
    const nyquistPerMm = 1 / (2 * smallParallel.channelStepMm);
    const theory = spectrum.map((_, bin) => (bin / 64) * Math.cos((Math.PI / 2) * Math.min(1, bin / 64 / nyquistPerMm)) ** 4);
    const sum = (values: Float64Array) => values.subarray(2, 15).reduce((total, value) => total + value, 0);
    const scale = sum(spectrum) / sum(theory);
    for (let bin = 2; bin <= 13; bin++) {
      expect(spectrum[bin]! / (scale * theory[bin]!), `bin ${bin}`).toBeGreaterThan(0.75);
      expect(spectrum[bin]! / (scale * theory[bin]!), `bin ${bin}`).toBeLessThan(1.35);
    }
    expect(spectrum[24]!).toBeLessThan(0.01 * Math.max(...spectrum));
  });
});

/** Mean power of a square region of an image by frequency, in cycles a region. */
function radialSpectrum(image: Float32Array, columns: number, first: number, size: number): Float64Array {
  const part = Float64Array.from({ length: 2 * size * size }, (_, at) => {
    const [row, column] = [Math.floor(at / 2 / size), Math.floor(at / 2) % size];
    const window = Math.sin((Math.PI * (row + 0.5)) / size) * Math.sin((Math.PI * (column + 0.5)) / size);
    return at % 2 === 0 ? window * image[(first + row) * columns + first + column]! : 0;
  });
  const transformed = transformedRows(transformedRows(part, size), size);
  const power = new Float64Array(size / 2);
  const counts = new Float64Array(size / 2);
  const signed = (k: number) => (k < size / 2 ? k : k - size);
  for (let at = 0; at < size * size; at++) {
    const bin = Math.round(Math.hypot(signed(Math.floor(at / size)), signed(at % size)));
    if (bin >= size / 2) continue;
    power[bin]! += transformed[2 * at]! ** 2 + transformed[2 * at + 1]! ** 2;
    counts[bin]! += 1;
  }
  return power.map((sum, bin) => sum / counts[bin]!);
}

/** The discrete Fourier transform of every row, transposed. */
function transformedRows(matrix: Float64Array, size: number): Float64Array {
  const result = new Float64Array(matrix.length);
  for (let row = 0; row < size; row++) {
    for (let k = 0; k < size; k++) {
      let [re, im] = [0, 0];
      for (let column = 0; column < size; column++) {
        const [a, b] = [matrix[2 * (row * size + column)]!, matrix[2 * (row * size + column) + 1]!];
        const angle = (-2 * Math.PI * k * column) / size;
        re += a * Math.cos(angle) - b * Math.sin(angle);
        im += a * Math.sin(angle) + b * Math.cos(angle);
      }
      result[2 * (k * size + row)] = re;
      result[2 * (k * size + row) + 1] = im;
    }
  }
  return result;
}

describe('a scan', () => {
  const several = { ...smallScan, matrix: 64, nSlices: 3, sliceSpacingMm: 20, doseFractions: [1, 0.28], kernels: ['soft', 'bone'] } as const;

  it('gives every slice at every dose with every kernel, feet first', () => {
    const slices = [...simulateCt(water, several)];
    expect(slices.map(({ sliceIndex, doseFraction, kernel }) => `${sliceIndex} ${doseFraction} ${kernel}`)).toEqual(
      [0, 1, 2].flatMap((slice) => [`${slice} 1 soft`, `${slice} 1 bone`, `${slice} 0.28 soft`, `${slice} 0.28 bone`]),
    );
    expect(slices.filter((_, index) => index % 4 === 0).map(({ geometry }) => geometry.centreMm[2])).toEqual([-20, 0, 20]);
  });

  it('is the same for the same seed in any order of the slices, and another for another', () => {
    const all = [...simulateCt(water, several)];
    const last = new CtScan(water, several).slice(2);
    expect(last).toEqual(all.slice(8));
    const other = new CtScan(water, { ...several, seed: 2 }).slice(2);
    expect(other[0]!.hounsfield).not.toEqual(last[0]!.hounsfield);
  });

  it('has noise of its own in every slice and dose', () => {
    const noise = (options: Partial<CtOptions>) => noiseOf(water, options);
    const [a, b] = noise({ doseFractions: [1, 1] });
    let [cross, power] = [0, 0];
    a!.forEach((value, pixel) => {
      cross += value * b![pixel]!;
      power += value * value;
    });
    expect(Math.abs(cross / power)).toBeLessThan(0.1);
  });

  it('puts the body where it is, wherever the table is', () => {
    const body = ball(30, [40, -25, 0], 1300);
    for (const isocentreMm of [[0, 0], [25, -60]] as const) {
      const [slice] = new CtScan(body, { ...smallScan, isocentreMm, doseFractions: [Infinity] }).slice(0);
      let [mass, x, y] = [0, 0, 0];
      slice!.hounsfield.forEach((value, pixel) => {
        if (value < -200) return;
        mass += 1;
        x += ((pixel % 128) - 64) * 2;
        y += (Math.floor(pixel / 128) - 64) * 2;
      });
      expect(x / mass).toBeCloseTo(40, 0);
      expect(y / mass).toBeCloseTo(-25, 0);
      expect(regionOf(slice!.hounsfield, 128, 84, 51, 5).mean).toBeCloseTo(300, -1);
    }
  });

  it('averages what lies in the thickness of a slice', () => {
    // A thick slice over the top of a ball: the share of planes inside is the share of water.
    const [slice] = new CtScan(ball(40), { ...smallScan, doseFractions: [Infinity], centreMm: [0, 0, 40], sliceThicknessMm: 10, planesPerSlice: 20 }).slice(0);
    expect(regionOf(slice!.hounsfield, 128, 64, 64, 2).mean).toBeCloseTo(-500, -2);
  });

  it('refuses what it cannot do, and names it', () => {
    const broken: Partial<CtOptions>[] = [
      { matrix: 1 }, { doseFractions: [] }, { doseFractions: [0] }, { kernels: [] }, { crosstalk: 0.5 }, { fovMm: NaN },
      { seed: -1 }, { bowtie: { waterDiameterMm: 300, leastShare: 0 } }, { isocentreMm: [600, 0] }, { bodyPixelMm: 0.001 },
    ];
    for (const options of broken) expect(() => new CtScan(water, options), JSON.stringify(options)).toThrow(/SIM_ERR_OPTION/);
    for (const slice of [-1, 3, 0.5]) expect(() => new CtScan(water, several).slice(slice)).toThrow(/SIM_ERR_OPTION/);
  });
});

describe('an anatomy', () => {
  it('has the HU of its tissues', () => {
    const tissues = new Map((['muscle', 'cortex', 'visceralFat'] as const).map((name) => [name, tissueAt(name, 3)]));
    const anatomy: Anatomy = {
      tissues,
      structures: [
        { name: 'body', solid: ellipsoid([110, 80, 500]), tissue: 'muscle' },
        { name: 'fat', solid: moved([-50, 0, 0], ellipsoid([25, 25, 500])), tissue: 'visceralFat' },
        { name: 'bone', solid: moved([40, 20, 0], ellipsoid([22, 22, 500])), tissue: 'cortex' },
      ],
    };
    const [slice]: CtSlice[] = new CtScan(bodyOf(anatomy), { ...smallScan, bodyPixelMm: 1, doseFractions: [Infinity] }).slice(0);
    const at = (xMm: number, yMm: number) => regionOf(slice!.hounsfield, 128, 64 + xMm / 2, 64 + yMm / 2, 3).mean;
    expect(at(-50, 0)).toBeCloseTo(tissues.get('visceralFat')!.hounsfield, -1);
    expect(at(0, -40)).toBeCloseTo(tissues.get('muscle')!.hounsfield, -1);
    expect(Math.abs(at(40, 20) / tissues.get('cortex')!.hounsfield - 1)).toBeLessThan(0.02);
    expect(at(0, 100)).toBeCloseTo(-1000, -2);
  });

  it('without a description of a tissue is refused: it would be air', () => {
    const structures = [{ name: 'vein', solid: ellipsoid([9, 9, 9]), tissue: 'blood' }];
    expect(() => bodyOf({ structures, tissues: new Map() })).toThrow(/SIM_ERR_TISSUE.*blood in vein/);
  });
});
