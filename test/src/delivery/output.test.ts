import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOutput } from '../../../src/delivery/index.js';
import { header, image, settings } from './fixtures.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conus-output-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('the name of an output', () => {
  it('tells its kind', async () => {
    await mkdir(join(directory, 'there.mrd'));
    for (const name of ['new', 'slash.d/', 'there.mrd']) {
      const output = await openOutput(join(directory, name), header(), settings);
      await output.write(image());
      expect((await output.close()).files).toEqual([join(directory, name, 'IM-0001-0001.dcm')]);
    }
  });

  it('is refused where it tells nothing', async () => {
    await expect(openOutput(join(directory, 'image.jpg'), header(), settings)).rejects.toThrow('CONUS_ERR_OUTPUT_KIND');
  });
});

describe('pictures', () => {
  it('one image has the name itself, several are numbered', async () => {
    const path = join(directory, 'one.png');
    const output = await openOutput(path, header(), settings);
    await output.write(image());
    expect(await readdir(directory)).toContain('one.png');
    await output.write(image());
    await output.write(image({ kind: 'gFactor' }));
    const { files } = await output.close();
    expect(files).toEqual(['000', '001', '002'].map((number) => join(directory, `one-${number}.png`)));
    expect(await readdir(directory)).not.toContain('one.png');
  });

  it('are windowed alike over a series: grey for images, colours for maps', async () => {
    const output = await openOutput(join(directory, 'grey.png'), header(), settings);
    await output.write(image());
    await output.write(image({}, new Float32Array(120).fill(50)));
    await output.write(image({ kind: 'noise' }));
    const pictures = await Promise.all((await output.close()).files.map(async (file) => decode(await readFile(file))));
    expect(pictures.map(({ width, height, channels }) => [width, height, channels])).toEqual([
      [10, 12, 1],
      [10, 12, 1],
      [10, 12, 3],
    ]);
    const gradient = [...(pictures[0]?.data ?? [])];
    expect(gradient).toEqual([...gradient].sort((a, b) => a - b));
    expect(gradient.at(-1)).toBe(255);
    expect(gradient[59]).toBe(pictures[1]?.data[0]);
  });
});
