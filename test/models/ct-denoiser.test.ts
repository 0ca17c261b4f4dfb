import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelHost, readModels } from '../../models/index.js';
import { backproject, Random, ViewFilter } from '../../simulator/index.js';
import type { ParallelBeam } from '../../simulator/index.js';

const size = 192;
const pixelMm = 0.6;
const noiseHu = 20;
const beam: ParallelBeam = { kind: 'parallel', nChannels: 320, channelStepMm: 0.6, channelOffset: 0.25, nViews: 240 };
const grid = { rows: size, columns: size, pixelMm, firstXMm: (-size / 2) * pixelMm, firstYMm: (-size / 2) * pixelMm };
const noiseMap = new Float32Array(size * size).fill(noiseHu);

/** What becomes of white noise in the projections: correlated as in CT images, of `noiseHu`. */
function noiseOf(seed: number): Float32Array {
  const random = new Random(seed);
  const projections = Float32Array.from({ length: beam.nViews * beam.nChannels }, () => random.normal());
  const noise = backproject(new ViewFilter(beam, 'soft').apply(projections), grid);
  const scale = noiseHu / std(noise);
  return noise.map((value) => scale * value);
}

/** A disc on a level, its edge one pixel wide: HU. */
const disc = (levelHu: number, contrastHu: number, radius: number) =>
  Float32Array.from({ length: size * size }, (_, p) => {
    const distance = Math.hypot((p % size) - size / 2, Math.floor(p / size) - size / 2);
    return levelHu + contrastHu * Math.min(1, Math.max(0, radius - distance + 0.5));
  });

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const std = (values: Float32Array) => {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / values.length);
};
const plus = (a: Float32Array, b: Float32Array) => a.map((value, p) => value + b[p]!);
const minus = (a: Float32Array, b: Float32Array) => a.map((value, p) => value - b[p]!);
const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

let host: ModelHost;
beforeAll(async () => {
  host = new ModelHost((await readModels()).filter(({ id }) => id === 'ct-denoiser'), { threads: 1 });
});
afterAll(() => host.close());

async function denoise(image: Float32Array, noise = noiseMap): Promise<Float32Array> {
  const dims = [1, 1, size, size];
  const { denoised } = await host.run('ct-denoiser', { image: { dims, data: image.slice() }, noise: { dims, data: noise.slice() } });
  return denoised!.data;
}

describe('the CT denoiser', () => {
  it('at least halves noise as filtered backprojection makes it, and leaves the level of what is flat within 1 HU', async () => {
    for (const levelHu of [-100, 50, 300]) {
      const noise = noiseOf(levelHu + 1000);
      const denoised = await denoise(noise.map((value) => value + levelHu));
      expect(std(denoised)).toBeLessThan(noiseHu / 2);
      expect(Math.abs(mean(denoised) - mean(noise) - levelHu)).toBeLessThan(1);
    }
  });

  it('does not see the offset of the Hounsfield scale, and scales with image and noise', async () => {
    const image = plus(disc(0, 100, 30), noiseOf(1));
    const denoised = await denoise(image);
    const shifted = await denoise(image.map((value) => value + 1024));
    expect(largest(minus(shifted.map((value) => value - 1024), denoised))).toBeLessThan(0.05);
    const scaled = await denoise(image.map((value) => 4 * value), noiseMap.map((value) => 4 * value));
    expect(largest(minus(scaled.map((value) => value / 4), denoised))).toBeLessThan(0.01);
  });

  it('takes no more than the noise: leaves an image as it is where its noise map is 0', async () => {
    const image = disc(-100, 1000, 40);
    expect(largest(minus(await denoise(image, new Float32Array(size * size)), image))).toBe(0);
    expect(largest(minus(await denoise(image, new Float32Array(size * size).fill(0.1)), image))).toBeLessThan(1);
  });

  it('keeps an edge of bone as sharp as it is: the error there is below the noise', async () => {
    const truth = disc(50, 1000, 50);
    const denoised = await denoise(plus(truth, noiseOf(2)));
    const error = minus(denoised, truth).filter((_, p) => {
      const distance = Math.hypot((p % size) - size / 2, Math.floor(p / size) - size / 2);
      return Math.abs(distance - 50) < 3;
    });
    expect(std(error)).toBeLessThan(noiseHu);
    expect(Math.abs(mean(error))).toBeLessThan(2);
  });

  it('invents no disc where there is none, and keeps most of one that stands out of the noise', async () => {
    const noise = noiseOf(3);
    const inside = (values: Float32Array) => mean(values.filter((_, p) => Math.hypot((p % size) - size / 2, Math.floor(p / size) - size / 2) < 6));
    const plain = await denoise(noise);
    const lesion = await denoise(plus(noise, disc(0, 60, 8)));
    expect(inside(lesion) - inside(plain)).toBeGreaterThan(0.75 * 60);
    expect(inside(lesion) - inside(plain)).toBeLessThan(1.1 * 60);
    expect(Math.abs(inside(plain) - inside(noise))).toBeLessThan(4);
  });

  it('gives the same for a batch as for single images', async () => {
    const images = [plus(disc(0, 200, 20), noiseOf(4)), plus(disc(-100, 50, 60), noiseOf(5))];
    const both = Float32Array.from([...images[0]!, ...images[1]!]);
    const dims = [2, 1, size, size];
    const { denoised } = await host.run('ct-denoiser', { image: { dims, data: both }, noise: { dims, data: Float32Array.from([...noiseMap, ...noiseMap]) } });
    for (const [k, image] of images.entries()) {
      expect(largest(minus(denoised!.data.slice(k * size * size, (k + 1) * size * size), await denoise(image)))).toBeLessThan(0.01);
    }
  });
});
