/** Debian's ismrmrd-tools as scanner and as second reconstruction; the ismrmrd package for Python carries streams between. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMrdFile, openMrdFile, parseMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/demo/conus.js';
import { answerIn, exchange } from './client.js';
import { distance, magnitudes } from './images.js';
import { run, runPython } from './peers.js';
import { conus, startService } from './service.js';
import { withConfig } from './streams.js';

const size = 64;
const nCoils = 4;

let folder: string;
let service: RunningServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-tools-'));
  service = await startService();
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

/** The generator's Shepp-Logan phantom, noisier by `-n`, in a file. */
async function generated(name: string, ...options: readonly string[]): Promise<string> {
  const path = join(folder, `${name}.h5`);
  await run('ismrmrd_generate_cartesian_shepp_logan', ['-m', String(size), '-c', String(nCoils), '-o', path, ...options]);
  return path;
}

/** The file as a stream that the ismrmrd package wrote. */
async function streamOf(file: string, config: string): Promise<Buffer> {
  const path = file.replace('.h5', '.mrd');
  await runPython('convert.py', 'stream', file, config, path);
  return readFile(path);
}

async function imagesIn(file: string): Promise<MrdImage[]> {
  const reader = await openMrdFile(file);
  try {
    return reader.imageGroups.flatMap(({ name }) => [...reader.images(name)]);
  } finally {
    reader.close();
  }
}

/** What ismrmrd_recon_cartesian_2d makes of a file: Fourier transform, root-sum-of-squares. */
async function reconstructedByDebian(file: string): Promise<MrdImage> {
  await run('ismrmrd_recon_cartesian_2d', [file]);
  const [image] = await imagesIn(file);
  if (image === undefined) throw new Error(`ismrmrd_recon_cartesian_2d put no image into ${file}`);
  return image;
}

describe("the generator's scan", () => {
  it('gives over a pipe and over TCP the image that Debian reconstructs, and the ismrmrd package writes it to a file', async () => {
    const file = await generated('full');
    const stream = await streamOf(file, 'default');
    const answer = join(folder, 'answer.mrd');
    const options = ['--set', 'combine=rss', '--set', 'pixelType=float32'];
    await conus(['recon', file, '-o', answer, '--denoise', '0', ...options]);
    const piped = await conus(['recon', '-', '-o', '-', '--denoise', '0', ...options], stream);
    const { images, texts } = answerIn(piped);
    expect(texts).toEqual([expect.stringMatching(/^WRN RECON_WARN_NO_NOISE_SCAN/), expect.stringMatching(/^WRN RECON_WARN_NO_GEOMETRY/)]);
    expect(images.map(({ header }) => header.matrixSize)).toEqual([[size, size, 1]]);

    const reference = magnitudes(await reconstructedByDebian(file));
    expect(distance(magnitudes(images[0]!), reference)).toBeLessThan(1e-5);

    const served = await exchange(service.port, await streamOf(file, 'simplefft'));
    expect(served.images.map(({ header }) => header.dataType)).toEqual(['uint16']);
    expect(distance(magnitudes(served.images[0]!), reference)).toBeLessThan(1e-3);

    const readBack = join(folder, 'answer.h5');
    await runPython('convert.py', 'file', answer, readBack);
    expect((await imagesIn(readBack)).map(({ data }) => data)).toEqual([images[0]!.data]);
  });

  it('is unaliased where the generator accelerates, with its noise readout and without', async () => {
    const reference = magnitudes(await reconstructedByDebian(await generated('clean', '-n', '0')));
    const scans = {
      R2: { options: ['-a', '2', '-w', '16'], nImages: 2, bound: 0.08 },
      R2noise: { options: ['-a', '2', '-w', '16', '-C', '-r', '2'], nImages: 4, bound: 0.08 },
      R3: { options: ['-a', '3', '-w', '24', '-C'], nImages: 3, bound: 0.16 },
    };
    for (const [name, { options, nImages, bound }] of Object.entries(scans)) {
      const stream = await streamOf(await generated(name, '-n', '0.01', ...options), 'Generic_Cartesian_Grappa.xml');
      const { images, texts } = await exchange(service.port, stream);
      expect(texts.filter((text) => text.startsWith('ERR'))).toEqual([]);
      // The generator numbers the interleaved shots as repetitions; the one that is ready first comes first.
      expect(images.map(({ header }) => header.repetition).sort()).toEqual(Array.from({ length: nImages }, (_, i) => i));
      for (const image of images) expect([name, distance(magnitudes(image), reference) < bound]).toEqual([name, true]);
      const folded = await exchange(service.port, withConfig(stream, '{"parameters": {"unalias": "none"}}'));
      for (const image of folded.images) expect(distance(magnitudes(image), reference)).toBeGreaterThan(0.28);
    }
  });

  it('may carry a trajectory beside its Cartesian samples', async () => {
    const plain = await generated('plain', '-n', '0');
    const withTrajectory = await generated('trajectory', '-n', '0', '-k');
    const [image, same] = await Promise.all(
      [plain, withTrajectory].map(async (file) => (await exchange(service.port, await streamOf(file, 'default'))).images[0]!),
    );
    expect(same!.data).toEqual(image!.data);
  });
});

describe('a file that Conus wrote', () => {
  it('is reconstructed by Debian as the original is, to the last bit', async () => {
    const original = await generated('original');
    const copy = join(folder, 'copy.h5');
    const reader = await openMrdFile(original);
    const writer = await createMrdFile(copy);
    writer.writeHeaderXml(reader.headerXml()!);
    for (const acquisition of reader.acquisitions()) writer.appendAcquisition(acquisition);
    await writer.close();
    reader.close();
    expect((await reconstructedByDebian(copy)).data).toEqual((await reconstructedByDebian(original)).data);
  });

  it('of images is read by the ismrmrd package', async () => {
    const images = join(folder, 'images.h5');
    const copy = join(folder, 'images-copy.h5');
    await conus(['recon', await generated('source'), '-o', images, '--denoise', '0', '--set', 'pixelType=complex64']);
    await runPython('convert.py', 'copy', images, copy);
    const [before, after] = await Promise.all([images, copy].map(imagesIn));
    expect(before).toHaveLength(1);
    // The package lays the attributes out in its own way: what they say is compared.
    const said = (image: MrdImage) => ({ ...image, attributes: [...parseMeta(image.attributes)] });
    expect(after!.map(said)).toEqual(before!.map(said));
  });
});
