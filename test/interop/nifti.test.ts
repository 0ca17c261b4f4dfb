/** NIfTI files before nibabel: it reads ours, we read its. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { affineRas, readNifti, volumeOf, writeNifti } from '../../imaging/index.js';
import type { NiftiWriteOptions } from '../../imaging/index.js';
import { oblique } from '../imaging/grids.js';
import { float32Of, runPython } from './peers.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-nifti-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Seen {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly affine: readonly number[];
  readonly sform: readonly number[];
  readonly qform: readonly number[];
  readonly codes: readonly number[];
  readonly zooms: readonly number[];
  readonly unit: string;
}

const right = { ...oblique, sliceDirection: oblique.sliceDirection.map((value) => -value) as unknown as typeof oblique.sliceDirection };
const stored = Float32Array.from({ length: 440 }, (_, i) => i % 97);

function expectAffine(got: readonly number[], expected: readonly number[], digits = 4): void {
  for (let i = 0; i < 12; i++) expect(got[i]).toBeCloseTo(expected[i]!, digits);
}

describe('nibabel reads what we write', () => {
  const cases: Readonly<Record<string, readonly [NiftiWriteOptions, typeof oblique]>> = {
    'float32, left-handed': [{}, oblique],
    'float32, right-handed, gzipped': [{ gzip: true }, right],
    'int16 with slope and intercept': [{ dataType: 'int16', slope: 0.25, intercept: -8 }, oblique],
    'uint16': [{ dataType: 'uint16' }, right],
    'uint8, gzipped': [{ dataType: 'uint8', gzip: true }, oblique],
  };
  it.each(Object.entries(cases))('%s', async (name, [options, geometry]) => {
    const file = join(folder, `${name.replaceAll(/\W/g, '')}.nii${options.gzip === true ? '.gz' : ''}`);
    await writeFile(file, writeNifti(volumeOf(geometry, stored), options));
    const answer = await runPython('nifti.py', 'read', file);
    const end = answer.indexOf('\n');
    const seen = JSON.parse(answer.subarray(0, end).toString()) as Seen;
    expect(seen.shape).toEqual(geometry.matrixSize);
    expect(seen.dtype).toBe(options.dataType ?? 'float32');
    expect(seen.codes).toEqual([1, 1]);
    expect(seen.unit).toBe('mm');
    seen.zooms.forEach((zoom, axis) => expect(zoom).toBeCloseTo(geometry.fovMm[axis]! / geometry.matrixSize[axis]!, 5));
    for (const affine of [seen.affine, seen.sform, seen.qform]) expectAffine(affine, affineRas(geometry));
    expect(float32Of(answer.subarray(end + 1))).toEqual(stored);
  });
});

describe('we read what nibabel writes', () => {
  const cases = [
    ['<u1', 'sform', 'nii', null, null], ['<i1', 'qform', 'nii.gz', null, null], ['<i2', 'sform', 'nii.gz', 0.5, 3], ['>i2', 'qform', 'nii', 2, -100],
    ['<u2', 'qform', 'nii.gz', null, null], ['<i4', 'sform', 'nii', null, null], ['>u4', 'sform', 'nii.gz', null, null], ['<i8', 'qform', 'nii', null, null],
    ['<f4', 'sform', 'nii.gz', null, null], ['>f4', 'qform', 'nii', null, null], ['>f8', 'sform', 'nii.gz', 10, 1],
  ] as const;
  it.each(cases)('%s by %s in .%s, slope %s, intercept %s', async (dtype, form, ending, slope, inter) => {
    for (const geometry of [oblique, right]) {
      const file = join(folder, `theirs.${ending}`);
      const affine = affineRas(geometry).slice(0, 12);
      await runPython('nifti.py', 'write', file, JSON.stringify({ shape: geometry.matrixSize, dtype, affine, form, slope, inter }));
      const read = readNifti(await readFile(file));
      expect(read.geometry.matrixSize).toEqual(geometry.matrixSize);
      expectAffine(affineRas(read.geometry), affine);
      expect(read.data).toEqual(stored.map((value) => value * (slope ?? 1) + (inter ?? 0)));
    }
  });
});
