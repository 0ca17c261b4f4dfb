import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CodedError, createMrdFile, isHdf5, openMrdFile, parseHeader, parseMessages, parseMeta, type Acquisition, type MrdFileReader, type MrdImage } from 'ismrmrd';
import { acquisition, acquisitions, image, imageDataTypes, imagesOf, waveforms } from './mrdRecords.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ismrmrd-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function reading<T>(path: string, read: (file: MrdFileReader) => T, group?: string): Promise<T> {
  const file = await openMrdFile(path, group === undefined ? {} : { group });
  try {
    return read(file);
  } finally {
    file.close();
  }
}

async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'no error';
}

async function writeAcquisitions(path: string, list: Iterable<Acquisition>): Promise<void> {
  const file = await createMrdFile(path);
  for (const item of list) file.appendAcquisition(item);
  await file.close();
}

describe('an HDF5 file', () => {
  it('gives back its header, acquisitions and waveforms, whatever they hold and however they are batched', async () => {
    const path = join(folder, 'raw.h5');
    const content = fc.record({
      xml: fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\0', '').replace(/^\uFEFF+/, '')),
      raw: fc.array(acquisitions, { maxLength: 12 }),
      waves: fc.array(waveforms, { maxLength: 6 }),
      writeBytes: fc.constantFrom(1, 1000, 2 ** 20),
      readBytes: fc.constantFrom(1, 1000, 2 ** 20),
      group: fc.constantFrom('dataset', 'scan_1', 'a'),
    });
    await fc.assert(
      fc.asyncProperty(content, async ({ xml, raw, waves, writeBytes, readBytes, group }) => {
        const file = await createMrdFile(path, { group, batchBytes: writeBytes });
        file.writeHeaderXml(xml);
        for (const item of raw) file.appendAcquisition(item);
        for (const item of waves) file.appendWaveform(item);
        await file.close();
        await reading(path, (found) => {
          expect(found.group).toBe(`/${group}`);
          expect(found.headerXml()).toBe(xml);
          expect([found.nAcquisitions, found.nWaveforms]).toEqual([raw.length, waves.length]);
          expect([...found.acquisitions({ batchBytes: readBytes })]).toEqual(raw);
          expect([...found.waveforms({ batchBytes: readBytes })]).toEqual(waves);
          expect(found.imageGroups).toEqual([]);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('keeps all 64 bits of a channel mask', async () => {
    const path = join(folder, 'mask.h5');
    const channelMask = Array.from({ length: 16 }, (_, i) => 0xffff_ffff_ffff_ffffn - BigInt(i));
    await writeAcquisitions(path, [acquisition(4, 1, { channelMask, flags: 1n << 63n })]);
    const [found] = await reading(path, (file) => [...file.acquisitions()]);
    expect(found!.header.channelMask).toEqual(channelMask);
    expect(found!.header.flags).toBe(1n << 63n);
  });

  it.each(imageDataTypes)('gives back images of %s', async (dataType) => {
    const path = join(folder, 'images.h5');
    await fc.assert(
      fc.asyncProperty(fc.array(imagesOf(dataType, [3, 2, 2], 2), { minLength: 1, maxLength: 10 }), async (images) => {
        const file = await createMrdFile(path);
        for (const item of images) file.appendImage(item);
        await file.close();
        await reading(path, (found) => {
          const [group] = found.imageGroups;
          expect(found.imageGroups).toEqual([{ name: `image_${images[0]!.header.imageSeriesIndex}`, nImages: images.length }]);
          expect([...found.images(group!.name)]).toEqual(images);
          expect(found.headerXml()).toBeUndefined();
          expect([...found.acquisitions()]).toEqual([]);
        });
      }),
      { numRuns: 10 },
    );
  });

  it('holds many image groups beside raw data, in any order of writing', async () => {
    const path = join(folder, 'mixed.h5');
    const file = await createMrdFile(path);
    const images = new Map<string, MrdImage[]>();
    for (let i = 0; i < 96; i += 1) {
      const dataType = imageDataTypes[i % 8]!;
      const item = image(dataType, [2 + (i % 8), 3, 1], { imageIndex: i, imageSeriesIndex: i % 32 });
      file.appendImage(item);
      images.set(`image_${i % 32}`, [...(images.get(`image_${i % 32}`) ?? []), item]);
      file.appendAcquisition(acquisition(4 + i, 2, { scanCounter: i }));
    }
    expect(await codeOf(() => file.appendImage(image('int16', [2, 2, 1]), 'one_more'))).toBe('MRD_ERR_HDF5_IMAGE_GROUPS');
    await file.close();
    await reading(path, (found) => {
      expect(found.imageGroups.length).toBe(32);
      for (const { name } of found.imageGroups) expect([...found.images(name)]).toEqual(images.get(name));
      expect([...found.acquisitions()].map(({ header }) => header.scanCounter)).toEqual(Array.from({ length: 96 }, (_, i) => i));
    });
  });

  it('shows nothing but the group that was asked for', async () => {
    const path = join(folder, 'plain.h5');
    await writeAcquisitions(path, [acquisition(4, 1)]);
    const { File, ready } = (await import('h5wasm/node')).default;
    await ready;
    const file = new File(path, 'r');
    try {
      expect(file.keys()).toEqual(['dataset']);
      expect(file.paths()).toEqual(['dataset', 'dataset/data']);
    } finally {
      file.close();
    }
  });

  it('starts anywhere, and stops where the reader does', async () => {
    const path = join(folder, 'some.h5');
    await writeAcquisitions(path, Array.from({ length: 20 }, (_, i) => acquisition(4, 1, { scanCounter: i })));
    await reading(path, (file) => {
      const counters = [];
      for (const { header } of file.acquisitions({ first: 7, batchBytes: 1200 })) {
        if (header.scanCounter === 12) break;
        counters.push(header.scanCounter);
      }
      expect(counters).toEqual([7, 8, 9, 10, 11]);
      expect([...file.acquisitions({ first: 20 })]).toEqual([]);
    });
  });

  it('copies samples when they are appended', async () => {
    const path = join(folder, 'reuse.h5');
    const file = await createMrdFile(path);
    const one = acquisition(8, 2);
    const expected = one.data.slice();
    file.appendAcquisition(one);
    one.data.fill(NaN);
    await file.close();
    const [found] = await reading(path, (reader) => [...reader.acquisitions()]);
    expect(found!.data).toEqual(expected);
  });

  it('is written and read in a small part of its size', async () => {
    const path = join(folder, 'big.h5');
    const { ready } = (await import('h5wasm/node')).default;
    const library = await ready;
    const before = library.HEAPU8.length;
    const n = 1100;
    await writeAcquisitions(path, function* () {
      for (let i = 0; i < n; i += 1) yield acquisition(512, 16, { scanCounter: i });
    }());
    const bytes = statSync(path).size;
    expect(bytes).toBeGreaterThan(64 * 2 ** 20);
    await reading(path, (file) => {
      let next = 0;
      for (const { header, data } of file.acquisitions({ batchBytes: 2 ** 20 })) {
        expect([header.scanCounter, data[1]]).toEqual([next, 1 + next / 8]);
        next += 1;
      }
      expect(next).toBe(n);
    });
    expect(library.HEAPU8.length - before).toBeLessThan(bytes / 3);
  });
});

describe('HDF5 errors', () => {
  it('tell a missing file, a file of another kind and a damaged one apart', async () => {
    expect(await codeOf(() => openMrdFile(join(folder, 'nowhere.h5')))).toBe('MRD_ERR_HDF5_OPEN');
    const other = join(folder, 'other.h5');
    writeFileSync(other, 'ISMRMRD');
    expect(await codeOf(() => openMrdFile(other))).toBe('MRD_ERR_HDF5_SIGNATURE');
    const cut = join(folder, 'cut.h5');
    await writeAcquisitions(cut, [acquisition(8, 2)]);
    writeFileSync(cut, readFileSync(cut).subarray(0, 600));
    expect(await codeOf(() => openMrdFile(cut))).toBe('MRD_ERR_HDF5_OPEN');
  });

  it('ask for the group where there is none or more than one', async () => {
    const path = join(folder, 'groups.h5');
    const { File, ready } = (await import('h5wasm/node')).default;
    await ready;
    const file = new File(path, 'w');
    file.create_group('a').create_dataset({ name: 'xml', data: ['<a/>'] });
    file.create_group('b').create_dataset({ name: 'xml', data: ['<b/>'] });
    file.create_group('c');
    file.close();
    expect(await codeOf(() => openMrdFile(path))).toBe('MRD_ERR_HDF5_GROUP');
    expect(await codeOf(() => openMrdFile(path, { group: 'x' }))).toBe('MRD_ERR_HDF5_GROUP');
    expect(await reading(path, (found) => found.headerXml(), 'b')).toBe('<b/>');
    expect(await codeOf(() => reading(path, (found) => [...found.images('image_0')], 'b'))).toBe('MRD_ERR_HDF5_GROUP');
  });

  it('refuse a layout that is not ISMRMRD', async () => {
    const path = join(folder, 'layout.h5');
    const { File, ready } = (await import('h5wasm/node')).default;
    await ready;
    const file = new File(path, 'w');
    file.create_group('dataset').create_dataset({ name: 'data', data: new Float32Array(4) });
    file.close();
    expect(await codeOf(() => reading(path, (found) => [...found.acquisitions()]))).toBe('MRD_ERR_HDF5_LAYOUT');
  });

  it('refuse records whose header and data disagree', async () => {
    const file = await createMrdFile(join(folder, 'lengths.h5'));
    const one = acquisition(8, 2);
    expect(await codeOf(() => file.appendAcquisition({ ...one, data: one.data.subarray(2) }))).toBe('MRD_ERR_HDF5_LENGTH');
    expect(await codeOf(() => file.appendAcquisition({ ...one, trajectory: new Float32Array(8) }))).toBe('MRD_ERR_HDF5_LENGTH');
    expect(await codeOf(() => file.appendImage({ ...image('int16', [2, 2, 1]), data: new Int16Array(3) }))).toBe('MRD_ERR_HDF5_LENGTH');
    expect(await codeOf(() => file.appendImage({ ...image('int16', [2, 2, 1]), data: new Uint16Array(4) }))).toBe('MRD_ERR_HDF5_LENGTH');
    await file.close();
  });

  it('refuse images that differ within a group, names that are no group names, and a second header', async () => {
    const file = await createMrdFile(join(folder, 'names.h5'));
    file.appendImage(image('int16', [2, 2, 1]), 'a');
    expect(await codeOf(() => file.appendImage(image('int16', [2, 3, 1]), 'a'))).toBe('MRD_ERR_HDF5_IMAGE_SERIES');
    expect(await codeOf(() => file.appendImage(image('uint16', [2, 2, 1]), 'a'))).toBe('MRD_ERR_HDF5_IMAGE_SERIES');
    for (const name of ['', '/', 'a/b', '..', '~', 'é', 'data', 'xml']) {
      expect(await codeOf(() => file.appendImage(image('int16', [2, 2, 1]), name))).toBe('MRD_ERR_HDF5_NAME');
    }
    file.writeHeaderXml('<a/>');
    expect(await codeOf(() => file.writeHeaderXml('<a/>'))).toBe('MRD_ERR_HDF5_TWICE');
    await file.close();
    expect(await codeOf(() => createMrdFile(join(folder, 'x.h5'), { group: 'a/b' }))).toBe('MRD_ERR_HDF5_NAME');
    expect(await codeOf(() => createMrdFile(join(folder, 'no', 'such', 'x.h5')))).toBe('MRD_ERR_HDF5_WRITE');
  });

  it('refuse the use of a file after it was closed', async () => {
    const path = join(folder, 'closed.h5');
    const writer = await createMrdFile(path);
    writer.appendAcquisition(acquisition(4, 1));
    await writer.close();
    await writer.close();
    expect(await codeOf(() => writer.appendAcquisition(acquisition(4, 1)))).toBe('MRD_ERR_HDF5_CLOSED');
    const reader = await openMrdFile(path);
    const rest = reader.acquisitions();
    reader.close();
    reader.close();
    expect(await codeOf(() => rest.next())).toBe('MRD_ERR_HDF5_CLOSED');
    expect(await codeOf(() => reader.headerXml())).toBe('MRD_ERR_HDF5_CLOSED');
  });
});

describe('isHdf5', () => {
  const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

  it('knows the signature, behind a user block too', () => {
    expect(isHdf5(Uint8Array.of(...signature))).toBe(true);
    expect(isHdf5(Uint8Array.of(...Array.from({ length: 512 }, () => 0), ...signature))).toBe(true);
  });

  it('refuses streams, fragments and nothing', () => {
    expect(isHdf5(new Uint8Array(0))).toBe(false);
    expect(isHdf5(Uint8Array.of(...signature.slice(0, 7)))).toBe(false);
    expect(isHdf5(Uint8Array.of(1, 0, ...signature))).toBe(false);
  });
});

const shared = new URL('../../../shared/data/', import.meta.url);
const files = (ending: string) =>
  existsSync(shared) ? readdirSync(shared, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending)) : [];
const pairs = files('.h5').filter((name) => existsSync(new URL(name.replace(/h5$/, 'bin'), shared)));

describe.runIf(pairs.length > 0)('files of third-party programs', () => {
  const pathOf = (name: string) => new URL(name, shared).pathname;

  it.each(pairs)('%s holds what the stream of the same scan holds', async (name) => {
    const messages = parseMessages(readFileSync(pathOf(name.replace(/h5$/, 'bin'))));
    await reading(pathOf(name), (file) => {
      const raw = messages.flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : []));
      expect([...file.acquisitions()]).toEqual(raw);
      const images = messages.flatMap((message) => (message.kind === 'image' ? [message.image] : []));
      const stored = file.imageGroups.flatMap((group) => [...file.images(group.name)]);
      const withMeta = ({ attributes, ...rest }: MrdImage) => ({ ...rest, meta: [...parseMeta(attributes)] });
      expect(stored.map(withMeta)).toEqual(images.map(withMeta));
      expect(raw.length + images.length).toBeGreaterThan(0);
      for (const message of messages) {
        if (message.kind === 'header') expect(parseHeader(file.headerXml()!)).toEqual(parseHeader(message.xml));
      }
    });
  });

  it.each(files('.h5'))('%s is read, written and read alike', async (name) => {
    const path = join(folder, 'copy.h5');
    const copy = await createMrdFile(path);
    const content = await reading(pathOf(name), (file) => ({
      xml: file.headerXml(),
      raw: [...file.acquisitions()],
      images: file.imageGroups.map((group) => [...file.images(group.name)]),
    }));
    if (content.xml !== undefined) copy.writeHeaderXml(content.xml);
    for (const item of content.raw) copy.appendAcquisition(item);
    for (const [i, group] of content.images.entries()) for (const item of group) copy.appendImage(item, `group_${i}`);
    await copy.close();
    await reading(path, (file) => {
      expect(file.headerXml()).toBe(content.xml);
      expect([...file.acquisitions()]).toEqual(content.raw);
      expect(file.imageGroups.map((group) => [...file.images(group.name)])).toEqual(content.images);
      expect(content.raw.length + content.images.length).toBeGreaterThan(0);
    });
  });
});
