import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelHost, readModels } from '../../models/index.js';
import { Random } from '../../simulator/index.js';

const size = 128;
const nPixels = size * size;

/** Real parts, then imaginary parts, as the network takes them. */
type Planes = Float32Array;

const complexNoise = (seed: number, std = 1): Planes => {
  const random = new Random(seed);
  return Float32Array.from({ length: 2 * nPixels }, () => std * random.normal());
};

/** A body with an inner ring, a bar and small discs, of smooth phase; its signal is 1. */
const phantom: Planes = planesOf((row, column) => {
  const radius = Math.hypot(row - 64, (column - 64) * 1.2);
  const softly = (distance: number) => Math.min(1, Math.max(0, distance + 0.5));
  let signal = softly(55 - radius) - 0.4 * softly(35 - radius) + 0.3 * softly(20 - radius);
  signal += 0.3 * softly(3 - Math.abs(column - 40)) * softly(30 - Math.abs(row - 64));
  for (const [y, x] of [[40, 80], [60, 90], [90, 76]] as const) signal += 0.4 * softly(3 - Math.hypot(row - y, column - x));
  return signal;
});

function planesOf(signal: (row: number, column: number) => number): Planes {
  const planes = new Float32Array(2 * nPixels);
  for (let p = 0; p < nPixels; p++) {
    const [row, column] = [Math.floor(p / size), p % size];
    const phase = 0.02 * row - 0.01 * column + 0.5;
    planes[p] = signal(row, column) * Math.cos(phase);
    planes[nPixels + p] = signal(row, column) * Math.sin(phase);
  }
  return planes;
}

const times = (a: Planes, factor: number) => a.map((value) => factor * value);
const plus = (a: Planes, b: Planes) => a.map((value, p) => value + b[p]!);
const minus = (a: Planes, b: Planes) => a.map((value, p) => value - b[p]!);
const norm = (a: Planes) => Math.sqrt(a.reduce((sum, value) => sum + value ** 2, 0));
const largest = (a: Planes) => a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

let host: ModelHost;
beforeAll(async () => {
  host = new ModelHost((await readModels()).filter(({ id }) => id === 'mr-denoiser'), { threads: 1 });
});
afterAll(() => host.close());

async function denoise(image: Planes, noise: number | Float32Array, n = 1): Promise<Planes> {
  const map = typeof noise === 'number' ? new Float32Array(n * nPixels).fill(noise) : noise.slice();
  const { denoised } = await host.run('mr-denoiser', {
    image: { dims: [n, 2, size, size], data: image.slice() },
    noise: { dims: [n, 1, size, size], data: map },
  });
  return denoised!.data;
}

describe('the MR denoiser', () => {
  it.each([
    [5, 8],
    [10, 6],
    [20, 4],
    [40, 2],
    [100, 0.5],
  ])('gains at least so much on a phantom of SNR %i: %f dB', async (snr, gainDb) => {
    const truth = times(phantom, snr);
    const noise = complexNoise(snr);
    const error = minus(await denoise(plus(truth, noise), 1), truth);
    expect(20 * Math.log10(norm(noise) / norm(error))).toBeGreaterThan(gainDb);
  });

  it('knows of no units: what is scaled with its noise map comes out scaled', async () => {
    const image = plus(times(phantom, 10), complexNoise(2));
    const denoised = await denoise(image, 1);
    for (const factor of [1e-6, 1e6]) {
      const scaled = times(await denoise(times(image, factor), factor), 1 / factor);
      expect(largest(minus(scaled, denoised))).toBeLessThan(1e-3);
    }
  });

  it('follows the noise map: takes more where it says more, as after unaliasing', async () => {
    const map = Float32Array.from({ length: nPixels }, (_, p) => 1 + 2 * Math.exp(-(((p % size) - 64) ** 2) / 400));
    const noise = complexNoise(3).map((value, p) => value * map[p % nPixels]!);
    const truth = times(phantom, 20);
    const told = minus(await denoise(plus(truth, noise), map), truth);
    const untold = minus(await denoise(plus(truth, noise), 1), truth);
    expect(norm(told)).toBeLessThan(0.5 * norm(noise));
    expect(norm(told)).toBeLessThan(0.8 * norm(untold));
  });

  it('leaves an image without noise nearly as it is, though the map says SNR 60', async () => {
    const change = norm(minus(await denoise(phantom, 1 / 60), phantom)) / norm(phantom);
    expect(change).toBeLessThan(0.005);
    expect(largest(minus(await denoise(phantom, 0), phantom))).toBeLessThan(1e-3);
  });

  it('leaves little of pure noise, and nothing that stands out', async () => {
    const rest = await denoise(complexNoise(4), 1);
    expect(norm(rest) / Math.sqrt(rest.length)).toBeLessThan(0.15);
    expect(largest(rest)).toBeLessThan(1.5);
  });

  it('leaves the mean of what is flat', async () => {
    const flat = planesOf(() => 10);
    const noise = complexNoise(5);
    const change = minus(await denoise(plus(flat, noise), 1), plus(flat, noise));
    const along = change.reduce((sum, value, p) => sum + value * flat[p]!, 0) / 10 / nPixels;
    expect(Math.abs(along)).toBeLessThan(0.05);
  });

  it('keeps nearly all of an insert of 5 pixels that stands out of the noise, and makes none', async () => {
    const inside = (planes: Planes) => {
      const disc = planesOf((row, column) => (Math.hypot(row - 64, column - 64) < 4 ? 1 : 0));
      return planes.reduce((sum, value, p) => sum + value * disc[p]!, 0) / norm(disc) ** 2;
    };
    const noise = complexNoise(6);
    const background = planesOf(() => 20);
    const lesion = planesOf((row, column) => 20 + 8 * Math.min(1, Math.max(0, 5.5 - Math.hypot(row - 64, column - 64))));
    const [without, withIt] = [inside(await denoise(plus(background, noise), 1)), inside(await denoise(plus(lesion, noise), 1))];
    expect(withIt - without).toBeGreaterThan(0.9 * 8);
    expect(withIt - without).toBeLessThan(1.1 * 8);
    expect(Math.abs(without - 20)).toBeLessThan(0.5);
  });

  it('gives the same for a batch as for single images', async () => {
    const images = [plus(times(phantom, 10), complexNoise(7)), plus(times(phantom, 30), complexNoise(8))];
    const both = await denoise(Float32Array.from([...images[0]!, ...images[1]!]), 1, 2);
    for (const [k, image] of images.entries()) {
      expect(largest(minus(both.slice(k * 2 * nPixels, (k + 1) * 2 * nPixels), await denoise(image, 1)))).toBeLessThan(1e-3);
    }
  });
});
