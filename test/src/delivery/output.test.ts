import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { openMrdFile, parseHeader, parseMessages } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeriesBook, openOutput } from '../../../src/delivery/index.js';
import { pointOf, readNifti } from '../../../imaging/index.js';
import { header, image, obliqueGeometry, settings } from './fixtures.js';

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

describe('an ISMRMRD file', () => {
  it('holds the header, and each series in a group of its own', async () => {
    const path = join(directory, 'images.h5');
    const sources = [image(), image({ kind: 'gFactor' }), image({ rows: 7, columns: 9 }), image()];
    const output = await openOutput(path, header(), settings);
    for (const source of sources) await output.write(source);
    expect((await output.close()).files).toEqual([path]);

    const book = new SeriesBook(header(), settings);
    const sent = sources.map((source) => book.message(source));
    const file = await openMrdFile(path);
    expect(parseHeader(file.headerXml() ?? '')).toEqual(header());
    expect(file.imageGroups).toEqual([
      { name: 'image_1', nImages: 2 },
      { name: 'image_2', nImages: 1 },
      { name: 'image_9', nImages: 1 },
    ]);
    const read = ['image_1', 'image_2', 'image_9'].flatMap((group) => [...file.images(group)]);
    const inGroups = [sent[0], sent[3], sent[1], sent[2]];
    expect(read.map((message) => message.data)).toEqual(inGroups.map((message) => message?.data));
    expect(read.map((message) => message.attributes)).toEqual(inGroups.map((message) => message?.attributes));
    file.close();
  });
});

describe('an MRD stream', () => {
  it('holds the images in order, of every pixel type, and ends with CLOSE', async () => {
    for (const pixelType of ['uint16', 'int16', 'float32', 'complex64'] as const) {
      const path = join(directory, `${pixelType}.mrd`);
      const output = await openOutput(path, header(), { ...settings, pixelType });
      await output.write(image());
      await output.write(image({ kind: 'noise' }));
      expect((await output.close()).files).toEqual([path]);

      const book = new SeriesBook(header(), { ...settings, pixelType });
      const sent = [book.message(image()), book.message(image({ kind: 'noise' }))];
      const messages = parseMessages(await readFile(path));
      expect(messages.map((message) => message.kind)).toEqual(['image', 'image', 'close']);
      const read = messages.flatMap((message) => (message.kind === 'image' ? [message.image] : []));
      expect(read.map((message) => message.data)).toEqual(sent.map((message) => message.data));
      expect(read.map((message) => message.attributes)).toEqual(sent.map((message) => message.attributes));
    }
  });
});

describe('NIfTI volumes', () => {
  const sliceAt = (slice: number, stepMm = 4.4, fill = slice + 1) => {
    const geometry = obliqueGeometry(10, 12);
    const [x, y, z] = geometry.sliceDirection;
    const [cx, cy, cz] = geometry.centreMm;
    const centreMm = [cx - slice * stepMm * x, cy - slice * stepMm * y, cz - slice * stepMm * z] as const;
    return image(
      { counters: { slice, contrast: 0, phase: 0, repetition: 0, set: 0, average: 0 }, geometry: { ...geometry, centreMm } },
      new Float32Array(120).fill(fill),
    );
  };

  it('stack the slices of a series, whatever their order, where they lie', async () => {
    const path = join(directory, 'stack.nii.gz');
    const output = await openOutput(path, header(), settings);
    for (const slice of [2, 0, 1, 3]) await output.write(sliceAt(slice));
    expect((await output.close()).files).toEqual([path]);
    const volume = readNifti(await readFile(path));
    expect(volume.geometry.matrixSize).toEqual([10, 12, 4]);
    for (let slice = 0; slice < 4; slice++) {
      expect(volume.data[slice * 120]).toBeCloseTo(slice + 1, 5);
      const there = pointOf(volume.geometry, [3, 5, slice]);
      const expected = pointOf(sliceAt(slice).geometry!, [3, 5, 0]);
      there.forEach((value, axis) => expect(value).toBeCloseTo(expected[axis]!, 3));
    }
  });

  it('keep apart maps, and blocks that are spaced differently', async () => {
    const output = await openOutput(join(directory, 'blocks.nii'), header(), settings);
    for (const slice of [0, 1, 2]) await output.write(sliceAt(slice));
    for (const slice of [10, 11]) await output.write(sliceAt(slice, 3));
    await output.write(image({ kind: 'noise' }));
    const { files } = await output.close();
    const sizes = await Promise.all(files.map(async (file) => readNifti(await readFile(file)).geometry.matrixSize[2]));
    expect(sizes).toEqual([3, 2, 1]);
  });

  it('say where the place in the patient is unknown', async () => {
    const output = await openOutput(join(directory, 'nowhere.nii'), header(), settings);
    await output.write(image({ geometry: undefined }));
    expect((await output.close()).notices.map(({ code }) => code)).toContain('CONUS_WARN_NIFTI_GEOMETRY');
  });
});
