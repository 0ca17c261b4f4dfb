import fc from 'fast-check';
import { expect, it } from 'vitest';
import { reflected, runTiled, spansOf } from '../../models/index.js';
import type { Manifest, Tensor, Tensors } from '../../models/index.js';

const tilings = fc
  .record({ overlap: fc.integer({ min: 0, max: 12 }), more: fc.integer({ min: 1, max: 30 }), length: fc.integer({ min: 1, max: 300 }) })
  .map(({ overlap, more, length }) => ({ overlap, size: 3 * overlap + more, length: Math.max(length, 3 * overlap + more) }));

it('weighs every pixel with exactly 1, with tiles that overlap as asked for and stay inside', () => {
  fc.assert(
    fc.property(tilings, ({ length, size, overlap }) => {
      const spans = spansOf(length, size, overlap);
      const sum = new Float64Array(length);
      for (const { start, weights } of spans) weights.forEach((weight, at) => (sum[start + at]! += weight));
      expect(sum.every((total) => total === 1)).toBe(true);
      expect([spans[0]!.start, spans.at(-1)!.start]).toEqual([0, length - size]);
      for (let tile = 1; tile < spans.length; tile++) expect(spans[tile - 1]!.start + size - spans[tile]!.start).toBeGreaterThanOrEqual(overlap);
    }),
  );
});

it('mirrors about the border pixels, as often as it takes', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((index) => reflected(index, 4))).toEqual([0, 1, 2, 3, 2, 1, 0, 1, 2]);
  expect([0, 1, 5].map((index) => reflected(index, 1))).toEqual([0, 0, 0]);
});

const cases = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 1, max: 70 }),
  columns: fc.integer({ min: 1, max: 70 }),
  multipleOf: fc.constantFrom(1, 4, 8),
  overlap: fc.integer({ min: 0, max: 8 }),
  isTiled: fc.boolean(),
  mostAtOnce: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 1, max: 1000 }),
});

const patchOf = ({ multipleOf, overlap, isTiled }: { multipleOf: number; overlap: number; isTiled: boolean }): Manifest['patch'] => ({
  multipleOf, overlap, ...(isTiled ? { size: 24 } : {}),
});

function images(n: number, channels: number, rows: number, columns: number, seed: number): Tensor {
  const data = Float32Array.from({ length: n * channels * rows * columns }, (_, index) => Math.sin(seed * (index + 1)) * 1000);
  return { dims: [n, channels, rows, columns], data };
}

it('gives images back as they are from a network that changes nothing, to float32 rounding', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ n, rows, columns, mostAtOnce, seed, ...form }) => {
      const image = images(n, 2, rows, columns, seed);
      const patch = patchOf(form);
      const { same } = await runTiled(
        ({ image: tiles }) => {
          expect(tiles!.dims[2]! % patch.multipleOf + (tiles!.dims[3]! % patch.multipleOf)).toBe(0);
          expect(Math.max(tiles!.dims[2]!, tiles!.dims[3]!)).toBeLessThanOrEqual(patch.size ?? Infinity);
          expect(tiles!.dims[0]).toBeLessThanOrEqual(mostAtOnce);
          return Promise.resolve({ same: tiles! });
        },
        { image },
        patch,
        mostAtOnce,
      );
      expect(same!.dims).toEqual(image.dims);
      // The sum w a + (1 - w) a is rounded in float64, then to float32.
      const worst = same!.data.reduce((largest, value, index) => Math.max(largest, Math.abs(value - image.data[index]!)), 0);
      expect(worst).toBeLessThanOrEqual(1000 * 2 ** -24);
    }),
    { numRuns: 60 },
  );
});

/** Each pixel plus half its left and a quarter of its upper neighbour, zero beyond the border. */
function smear({ dims, data }: Tensor): Tensor {
  const [n, channels, rows, columns] = dims as [number, number, number, number];
  const out = new Float32Array(data.length);
  for (let plane = 0; plane < n * channels; plane++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const at = (plane * rows + row) * columns + column;
        out[at] = data[at]! + (column > 0 ? 0.5 * data[at - 1]! : 0) + (row > 0 ? 0.25 * data[at - columns]! : 0);
      }
    }
  }
  return { dims, data: out };
}

it('gives the same as the whole image where what a pixel is computed from lies within its tiles', async () => {
  // Reach of the network: one pixel. The blending lies half an overlap and more from the border of a tile.
  const image = images(2, 2, 61, 50, 7);
  const patch: Manifest['patch'] = { size: 24, overlap: 6, multipleOf: 8 };
  const tiled = await runTiled(({ image: tiles }) => Promise.resolve({ out: smear(tiles!) }), { image }, patch, 3);
  const whole = smear(image);
  const isSame = tiled['out']!.data.every((value, index) => Math.abs(value - whole.data[index]!) <= 2000 * 2 ** -24);
  expect(isSame).toBe(true);
});

it('gives several inputs the same tiles, and refuses inputs of different sizes', async () => {
  const inputs: Tensors = { image: images(1, 2, 40, 33, 3), noise: images(1, 1, 40, 33, 4) };
  const { sum } = await runTiled(
    ({ image, noise }) => {
      const nPixels = noise!.data.length / noise!.dims[0]!;
      const data = image!.data.map((value, index) => value + noise!.data[Math.floor(index / (2 * nPixels)) * nPixels + (index % nPixels)]!);
      return Promise.resolve({ sum: { dims: image!.dims, data } });
    },
    inputs,
    { size: 16, overlap: 4, multipleOf: 8 },
    2,
  );
  const nPixels = 40 * 33;
  expect(sum!.data.every((value, index) => Math.abs(value - (inputs['image']!.data[index]! + inputs['noise']!.data[index % nPixels]!)) < 1e-3)).toBe(true);
  const wrong = runTiled(() => Promise.resolve({}), { image: images(1, 2, 8, 8, 1), noise: images(1, 1, 8, 9, 1) }, { overlap: 0, multipleOf: 1 });
  await expect(wrong).rejects.toThrow(/MODEL_ERR_INPUT/);
});

it('hands an image that is one tile to the network as it is, and its outputs back as they are', async () => {
  const inputs: Tensors = { image: images(1, 2, 16, 24, 5) };
  const answer: Tensors = { out: images(1, 1, 16, 24, 6) };
  const outputs = await runTiled((given) => Promise.resolve(given['image'] === inputs['image'] ? answer : {}), inputs, { overlap: 0, multipleOf: 8 });
  expect(outputs).toBe(answer);
});
