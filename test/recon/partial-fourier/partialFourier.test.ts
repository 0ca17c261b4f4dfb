import { describe, expect, it } from 'vitest';
import {
  choosePartialFourier, completeKspace, fullExtent, kspaceWeights, meanSquareWeights, transformVolume,
  type Kernels, type PartialFourierMethod, type SampledExtent, type SampledVolume,
} from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { openSession } from '../parallelImaging.js';

const nRows = 96;
const nColumns = 80;
const fullSlice = fullExtent(1);
const methods = ['zeroFill', 'homodyne', 'pocs'] as const;

/** An object of ellipses, band-limited by nothing but its grid. */
function object(phaseAt: (row: number, column: number) => number): Float32Array {
  const image = new Float32Array(2 * nRows * nColumns);
  for (let r = 0; r < nRows; r++) {
    for (let c = 0; c < nColumns; c++) {
      const y = (2 * (r - nRows / 2)) / nRows;
      const x = (2 * (c - nColumns / 2)) / nColumns;
      let m = 0;
      for (const [cx, cy, a, b, v] of [[0, 0, 0.7, 0.8, 1], [0.2, 0.1, 0.2, 0.25, 0.6], [-0.3, -0.3, 0.1, 0.2, -0.5], [-0.1, 0.45, 0.25, 0.08, 0.8]] as const) {
        const radius = Math.hypot((x - cx) / a, (y - cy) / b);
        m += v * Math.min(1, Math.max(0, (1 - radius) * Math.min(a, b) * nRows * 0.25 + 0.5));
      }
      const phase = phaseAt(r, c);
      image[2 * (r * nColumns + c)] = m * Math.cos(phase);
      image[2 * (r * nColumns + c) + 1] = m * Math.sin(phase);
    }
  }
  return image;
}

function extentOf(n: number, sampledShare: number, side: 'first' | 'last' = 'last'): SampledExtent {
  const missing = Math.round(n * (1 - sampledShare));
  return side === 'last' ? { n, from: missing, end: n } : { n, from: 0, end: n - missing };
}

function withKspace<T>(image: Float32Array, volume: SampledVolume, noise: Float32Array | undefined, use: (kernels: Kernels, pointer: number) => T): T {
  const kernels = openSession();
  const pointer = kernels.arena.allocate(4 * image.length);
  const values = kernels.arena.f32(pointer, image.length);
  values.set(image);
  transformVolume(kernels, volume, pointer, 'forward');
  const [, rows, columns] = volume;
  for (let r = 0; r < nRows; r++) {
    for (let c = 0; c < nColumns; c++) {
      const at = 2 * (r * nColumns + c);
      const sampled = r >= rows.from && r < rows.end && c >= columns.from && c < columns.end;
      for (const i of [at, at + 1]) values[i] = sampled ? values[i]! + (noise?.[i] ?? 0) : 0;
    }
  }
  return use(kernels, pointer);
}

function complete(method: PartialFourierMethod, image: Float32Array, volume: SampledVolume, noise?: Float32Array): Float32Array {
  return withKspace(image, volume, noise, (kernels, pointer) => {
    completeKspace(kernels, method, volume, pointer);
    return kernels.arena.f32(pointer, image.length).slice();
  });
}

function error(image: Float32Array, truth: Float32Array): number {
  let difference = 0;
  let energy = 0;
  for (let i = 0; i < truth.length; i += 2) {
    difference += (Math.hypot(image[i]!, image[i + 1]!) - Math.hypot(truth[i]!, truth[i + 1]!)) ** 2;
    energy += truth[i]! ** 2 + truth[i + 1]! ** 2;
  }
  return Math.sqrt(difference / energy);
}

const smooth = (r: number, c: number): number => {
  const y = r / 48 - 1;
  const x = c / 40 - 1;
  return 0.6 + 0.8 * x - 0.5 * y + 0.9 * x * y + 0.7 * y * y;
};
/** Blocks of six pixels, each with a phase of its own. */
const blocky = (() => {
  const random = new Random(5);
  const blocks = Array.from({ length: 400 }, () => random.uniform() * 2);
  return (r: number, c: number): number => blocks[Math.floor(r / 6) * 20 + Math.floor(c / 6)]!;
})();

const cases: [string, SampledVolume][] = [
  ['5/8 of the rows', [fullSlice, extentOf(nRows, 5 / 8), fullExtent(nColumns)]],
  ['6/8 of the rows', [fullSlice, extentOf(nRows, 6 / 8), fullExtent(nColumns)]],
  ['6/8 of the rows, the other side', [fullSlice, extentOf(nRows, 6 / 8, 'first'), fullExtent(nColumns)]],
  ['7/8 of the rows', [fullSlice, extentOf(nRows, 7 / 8), fullExtent(nColumns)]],
  ['6/8 of the columns', [fullSlice, fullExtent(nRows), extentOf(nColumns, 6 / 8)]],
  ['6/8 of both', [fullSlice, extentOf(nRows, 6 / 8), extentOf(nColumns, 6 / 8)]],
];

describe('a k-space that was sampled in part', () => {
  it.each(cases)('%s: is completed where the phase is smooth', (_, volume) => {
    const truth = object(smooth);
    const [zeroFilled, detected, projected] = methods.map((method) => error(complete(method, truth, volume), truth));
    expect(detected).toBeLessThan(0.5 * zeroFilled!);
    expect(projected).toBeLessThan(0.4 * zeroFilled!);
    expect(withKspace(truth, volume, undefined, (kernels, pointer) => choosePartialFourier(kernels, volume, pointer).method)).not.toBe('zeroFill');
  });

  it.each(cases)('%s: is zero-filled where the phase is not, which is then the better choice', (_, volume) => {
    const truth = object(blocky);
    const [zeroFilled, detected, projected] = methods.map((method) => error(complete(method, truth, volume), truth));
    expect(zeroFilled).toBeLessThan(Math.min(detected!, projected!));
    expect(withKspace(truth, volume, undefined, (kernels, pointer) => choosePartialFourier(kernels, volume, pointer).method)).toBe('zeroFill');
  });

  it('is zero-filled where there is nothing but noise', () => {
    const random = new Random(8);
    const noise = Float32Array.from({ length: 2 * nRows * nColumns }, () => random.normal());
    const [, volume] = cases[1]!;
    const choice = withKspace(noise.map(() => 0), volume, noise, (kernels, pointer) => choosePartialFourier(kernels, volume, pointer));
    expect(choice.method).toBe('zeroFill');
  });

  it('that was sampled in full stays as it is', () => {
    const truth = object(smooth);
    const volume: SampledVolume = [fullSlice, fullExtent(nRows), fullExtent(nColumns)];
    for (const method of ['zeroFill', 'pocs'] as const) expect(error(complete(method, truth, volume), truth)).toBeLessThan(1e-5);
  });

  it('is completed along partitions too', () => {
    // The partitions take the place of the rows: [nRows, 1, nColumns].
    const truth = object(smooth);
    const [, [, rows, columns]] = cases[1]!;
    const volume: SampledVolume = [rows, fullExtent(1), columns];
    const byRows = complete('homodyne', truth, cases[1]![1]);
    const kernels = openSession();
    const pointer = kernels.arena.allocate(4 * truth.length);
    kernels.arena.f32(pointer, truth.length).set(truth);
    transformVolume(kernels, volume, pointer, 'forward');
    kernels.arena.f32(pointer, 2 * rows.from * nColumns).fill(0);
    completeKspace(kernels, 'homodyne', volume, pointer);
    expect(error(kernels.arena.f32(pointer, truth.length), byRows)).toBeLessThan(1e-5);
  });
});

describe('the weights of the samples', () => {
  it.each(cases)('%s: a sample and its conjugate count twice together', (_, volume) => {
    const weights = kspaceWeights(volume, true);
    const mirrored = (i: number, n: number) => (2 * Math.floor(n / 2) - i + n) % n;
    for (let r = 0; r < nRows; r++) {
      for (let c = 0; c < nColumns; c++) {
        const sum = weights[r * nColumns + c]! + weights[mirrored(r, nRows) * nColumns + mirrored(c, nColumns)]!;
        if (sum > 0) expect(sum).toBeCloseTo(2, 5);
      }
    }
  });

  it('tell the noise along the phase', () => {
    const [, volume] = cases[1]!;
    const powers = meanSquareWeights(kspaceWeights(volume, true), nColumns);
    const expected = Math.sqrt(powers.reduce((sum, power) => sum + power, 0) / nRows);
    const random = new Random(4);
    const truth = object(smooth).map((value) => 100 * value);
    const quiet = complete('homodyne', truth, volume);
    let squares = 0;
    let count = 0;
    for (let replica = 0; replica < 8; replica++) {
      const noisy = complete('homodyne', truth, volume, Float32Array.from(truth, () => random.normal()));
      for (let i = 0; i < truth.length; i += 2) {
        const magnitude = Math.hypot(quiet[i]!, quiet[i + 1]!);
        if (magnitude < 30) continue;
        squares += ((noisy[i]! - quiet[i]!) * quiet[i]! + (noisy[i + 1]! - quiet[i + 1]!) * quiet[i + 1]!) ** 2 / magnitude ** 2;
        count++;
      }
    }
    // Some 30,000 values, correlated within a pixel or two.
    expect(Math.sqrt(squares / count) / expected).toBeGreaterThan(0.97);
    expect(Math.sqrt(squares / count) / expected).toBeLessThan(1.03);
  });
});
