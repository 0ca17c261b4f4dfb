/** The network that is shipped, on the phantom: nothing of its training, and not even a spine, but the tissues of one. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelHost, readModels } from '../../models/index.js';
import { parseCalibration, synthesise, type RunModel, type SynthesisResult } from '../../synth/index.js';
import { columns, nPixels, scan, sequences, tissueOf } from './phantom.js';

let host: ModelHost;
let result: SynthesisResult;

beforeAll(async () => {
  host = new ModelHost((await readModels()).filter(({ id }) => id === 'synthesis-maps'), { threads: 1 });
  const run: RunModel = (inputs) => host.run('synthesis-maps', inputs, { timeoutMs: 120_000 });
  const file = new URL('../../models/synthesis-maps/calibration.json', import.meta.url);
  const calibration = parseCalibration(JSON.parse(await readFile(file, 'utf8')));
  const stir = { contrast: 'stir' as const, sequence: sequences.stir };
  result = await synthesise(scan(), [stir, { contrast: 't2fs', sequence: sequences.t2w }, { ...stir, tiMs: 60 }], run, { calibration, deliverRed: true });
}, 300_000);
afterAll(() => host.close());

/** Median over what lies well within one tissue of the middle slice. */
function middle(data: Float32Array, name: string): number {
  const values: number[] = [];
  for (let pixel = 0; pixel < nPixels; pixel++) {
    const [row, column] = [Math.floor(pixel / columns), pixel % columns];
    const isInside = [-2, 0, 2].every((down) => [-2, 0, 2].every((right) => tissueOf(row + down, column + right) === name));
    if (isInside) values.push(data[nPixels + pixel]!);
  }
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

describe('synthesis-maps', () => {
  it('gives finite fat fractions and intervals about its contrasts', () => {
    expect(result.fatFraction.data.every((value) => value >= 0 && value <= 1)).toBe(true);
    for (const { volume, low, high } of result.series) {
      expect(volume.data.every((value, voxel) => low[voxel]! <= value && value <= high[voxel]!)).toBe(true);
    }
  });
  it('makes fat dark and fluid bright in STIR and in T2 with fat saturation', () => {
    for (const { volume } of result.series.slice(0, 2)) {
      expect(middle(volume.data, 'subcutaneousFat')).toBeLessThan(0.25 * middle(volume.data, 'csf'));
      expect(middle(volume.data, 'cancellousBone')).toBeLessThan(0.6 * middle(volume.data, 'csf'));
    }
    expect(middle(result.series[0]!.volume.data, 'subcutaneousFat')).toBeLessThan(0.1);
  });
  it('tells fat from muscle', () => {
    expect(middle(result.fatFraction.data, 'subcutaneousFat')).toBeGreaterThan(0.3 + middle(result.fatFraction.data, 'muscle'));
  });
  it('gives fat that is bright again far from its null', () => {
    const [atNull, , off] = result.series.map(({ volume }) => middle(volume.data, 'subcutaneousFat')) as [number, number, number];
    expect(off).toBeGreaterThan(1.5 * atNull);
  });
});
