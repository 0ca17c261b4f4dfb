import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng, greyPicture, pointOf, volumeOf, windowBetween, writeNifti } from '../../../imaging/index.js';
import { readPicture } from '../../../src/simulation/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-picture-'));
});
afterAll(() => rm(folder, { recursive: true }));

const options = { pixelMm: 0.5, flipped: false };
/** 4 columns, 3 rows, brightest at the lower right. */
const values = Float32Array.from({ length: 12 }, (_, pixel) => 20 * pixel);

describe('readPicture', () => {
  it('takes a PNG as a sagittal slice: columns to posterior, rows to the feet', async () => {
    const path = join(folder, 'slice.png');
    await writeFile(path, encodePng(greyPicture(values, 3, 4, windowBetween(0, 255))));
    const { geometry, data } = await readPicture(path, options);
    expect(geometry.matrixSize).toEqual([4, 3, 1]);
    expect(geometry.fovMm.slice(0, 2)).toEqual([2, 1.5]);
    expect(data[11]).toBeGreaterThan(data[0]!);
    const [first, last] = [pointOf(geometry, [0, 0, 0]), pointOf(geometry, [3, 2, 0])];
    expect(last[1] - first[1]).toBeCloseTo(1.5, 9);
    expect(last[2] - first[2]).toBeCloseTo(-1, 9);
  });

  it('turns a picture with the feet on top over', async () => {
    const path = join(folder, 'flipped.png');
    await writeFile(path, encodePng(greyPicture(values, 3, 4, windowBetween(0, 255))));
    const [upright, flipped] = [await readPicture(path, options), await readPicture(path, { ...options, flipped: true })];
    expect([...flipped.data.subarray(8)]).toEqual([...upright.data.subarray(0, 4)]);
  });

  it('takes a NIfTI volume as it is', async () => {
    const path = join(folder, 'volume.nii.gz');
    const geometry = {
      centreMm: [3, -4, 5] as const, rowDirection: [0, 1, 0] as const, columnDirection: [0, 0, -1] as const, sliceDirection: [-1, 0, 0] as const,
      fovMm: [4, 3, 4] as const, matrixSize: [4, 3, 1] as const,
    };
    await writeFile(path, writeNifti(volumeOf(geometry, values), { gzip: true }));
    const volume = await readPicture(path, options);
    expect([...volume.data]).toEqual([...values]);
    pointOf(volume.geometry, [1, 2, 0]).forEach((value, axis) => expect(value).toBeCloseTo(pointOf(geometry, [1, 2, 0])[axis]!, 4));
  });

  it.each(['missing.png', 'broken.png', 'broken.nii.gz'])('refuses %s with a code', async (name) => {
    if (name !== 'missing.png') await writeFile(join(folder, name), 'no picture');
    await expect(readPicture(join(folder, name), options)).rejects.toThrow('CONUS_ERR_PICTURE');
  });
});
