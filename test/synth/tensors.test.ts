import { describe, expect, it } from 'vitest';
import type { Tensors } from '../../models/index.js';
import { doubled, examVector, halved, predictMaps } from '../../synth/tensors.js';
import { sequences } from './phantom.js';

const [slices, rows, columns] = [5, 19, 33];
const ramp = Float32Array.from({ length: slices * rows * columns }, (_, voxel) => voxel + 1);
const exam = examVector({ t1w: sequences.t1w, t2w: sequences.t2w, fieldStrengthT: 3, pixelMm: 0.85, hasFatFraction: false }, { t1w: true, t2w: true });

const target = new Float32Array(8);

/** A network whose ln PD is the logarithm of T1w, whose deviations are T2w, whose images are both of them, and whose doubts are their upper left pixels of 2 x 2. */
function echo({ images }: Tensors): Promise<Tensors> {
  const { dims, data } = images!;
  const [n, , paddedRows, paddedColumns] = dims as [number, number, number, number];
  const padded = paddedRows * paddedColumns;
  const plane = (k: number, channel: number) => data.subarray((4 * k + channel) * padded, (4 * k + channel + 1) * padded);
  const maps = new Float32Array(n * 4 * padded);
  const spread = new Float32Array(n * 8 * padded);
  const contrasts = new Float32Array(n * 2 * padded);
  const doubt = new Float32Array((n * 2 * padded) / 4);
  for (let k = 0; k < n; k++) {
    maps.set(plane(k, 0).map(Math.log), 4 * k * padded);
    for (let map = 0; map < 8; map++) spread.set(plane(k, 1).map((value) => value * (map + 1)), (8 * k + map) * padded);
    for (const channel of [0, 1]) {
      contrasts.set(plane(k, channel), (2 * k + channel) * padded);
      const isUpperLeft = (_: number, pixel: number) => Math.floor(pixel / paddedColumns) % 2 === 0 && (pixel % paddedColumns) % 2 === 0;
      doubt.set(plane(k, channel).filter(isUpperLeft), ((2 * k + channel) * padded) / 4);
    }
  }
  return Promise.resolve({
    maps: { dims: [n, 4, paddedRows, paddedColumns], data: maps }, spread: { dims: [n, 8, paddedRows, paddedColumns], data: spread },
    doubt: { dims: [n, 2, paddedRows / 2, paddedColumns / 2], data: doubt }, contrasts: { dims: [n, 2, paddedRows, paddedColumns], data: contrasts },
  });
}

describe('the way into the network and back', () => {
  for (const slicesPerRun of [1, 2, 5]) {
    it(`keeps every voxel in its place with ${slicesPerRun} slices at once`, async () => {
      const shapes: (readonly number[])[] = [];
      const run = (inputs: Tensors) => { shapes.push(inputs['images']!.dims); return echo(inputs); };
      const images = { slices, rows, columns, t1w: ramp, t2w: ramp.map((value) => 2 * value), fatFraction: undefined, fatSuppressed: undefined };
      for (let first = 0; first < slices; first += slicesPerRun) {
        const n = Math.min(slicesPerRun, slices - first);
        const { protonDensity, fatFraction, spread, doubt, contrasts } = await predictMaps(images, exam, target, run, first, n);
        const own = ramp.subarray(first * rows * columns, (first + n) * rows * columns);
        expect(protonDensity.length).toBe(own.length);
        expect(Math.max(...protonDensity.map((value, voxel) => Math.abs(value / own[voxel]! - 1)))).toBeLessThan(1e-5);
        expect(fatFraction.every((value) => value === 0.5)).toBe(true);
        expect(spread[7]).toEqual(own.map((value) => 16 * value));
        expect(contrasts).toEqual([own, own.map((value) => 2 * value)]);
        // Odd last rows and columns have no place among 2 x 2 pixels.
        const upperLeft = own.filter((_, voxel) => [Math.floor(voxel / columns) % rows, voxel % columns].every((at, axis) => at % 2 === 0 && at < [18, 32][axis]!));
        expect(doubt).toEqual([upperLeft, upperLeft.map((value) => 2 * value)]);
      }
      expect(shapes.every(([, , r, c]) => r === 32 && c === 48)).toBe(true);
      expect(shapes.reduce((sum, [n]) => sum + n!, 0)).toBe(slices);
    });
  }

  it('fills up by reflection', async () => {
    const seen: Float32Array[] = [];
    const run = (inputs: Tensors) => { seen.push(inputs['images']!.data); return echo(inputs); };
    await predictMaps({ slices, rows, columns, t1w: ramp, t2w: ramp, fatFraction: undefined, fatSuppressed: undefined }, exam, target, run, 0, 1);
    const at = (row: number, column: number) => seen[0]![row * 48 + column]!;
    expect([at(0, 33), at(0, 34), at(19, 0), at(21, 5)]).toEqual([at(0, 31), at(0, 30), at(17, 0), at(15, 5)]);
  });

  it('refuses a network of another shape', async () => {
    const run = () => Promise.resolve({ maps: { dims: [1], data: new Float32Array(1) } });
    const images = { slices, rows, columns, t1w: ramp, t2w: ramp, fatFraction: undefined, fatSuppressed: undefined };
    await expect(predictMaps(images, exam, target, run, 0, 1)).rejects.toMatchObject({ code: 'SYNTH_ERR_NETWORK' });
  });
});

describe('the exam in numbers', () => {
  const numbers = { t1w: sequences.t1w, t2w: sequences.t2w, fieldStrengthT: 3 as const, pixelMm: 1.7, hasFatFraction: true, t2wOverT1w: 0.5, fatSuppressed: { ...sequences.t2w, teMs: 40 }, fatSuppressedOverT2w: 0.25 };
  const rounded = (vector: Float32Array) => Array.from(vector, (value) => Number(value.toFixed(3)));
  it('is what the training has, in its order', () => {
    expect(rounded(examVector(numbers, { t1w: true, t2w: true }))).toEqual([
      0, 0, 0, 0, 0, 0, 1, 1, -0.693, 1, 1, -0.693, 1, -1.386, 0.693, 0.6, 1, 1,
    ]);
  });
  it('knows no scale between an image and one that is left out', () => {
    expect(rounded(examVector(numbers, { t1w: true, t2w: false })).slice(7)).toEqual([0, 0, 1, 1, -0.693, 0, 0, 0.693, 0.6, 1, 0]);
    expect(rounded(examVector(numbers, { t1w: false, t2w: true })).slice(7, 9)).toEqual([0, 0]);
  });
});

describe('averaging over 2 x 2', () => {
  it('keeps the mean, and comes back in place', () => {
    const half = halved(ramp, slices, rows, columns);
    expect(half.length).toBe(slices * 9 * 16);
    expect(half[0]).toBe((ramp[0]! + ramp[1]! + ramp[columns]! + ramp[columns + 1]!) / 4);
    expect(halved(doubled(half, slices, 18, 32), slices, 18, 32)).toEqual(half);
    expect(doubled(half, slices, rows, columns)[columns - 1]).toBe(half[15]);
  });
});
