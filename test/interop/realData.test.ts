/**
 * Measured k-space where it lies beside the repository, a simulated scan of the same kind where it
 * does not, through `conus recon`: the folding is gone, and a plain Fourier transform is just that.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMrdFile, openMrdFile, parseMessages } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerIn } from './client.js';
import { distance, magnitudes } from './images.js';
import { float32Of, run, runPython } from './peers.js';
import { conus } from './service.js';
import { recording, simulated } from './streams.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-real-data-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The recording, or the stream in its place, as a file. */
async function measured(path: string, standIn: () => Uint8Array): Promise<string> {
  const found = recording(path);
  if (found !== undefined) return found;
  const file = join(folder, path.replaceAll('/', '-'));
  await writeFile(file, standIn());
  return file;
}

/** A field of view with room above and below the body, where a fold can be seen. */
const withRoom = { fovMm: [480, 720] as const, matrix: [96, 96] as const };
const accelerated = () => measured('kspace/grappa-16ch-epi-phantom/grappa16_R2_separate.mrd', () =>
  simulated({ ...withRoom, nCoils: 16, acceleration: 2, calibration: 'separate', noiseScanSamples: 0 }));
const fullySampled = () => measured('kspace/twixtools-siemens-gre-epi/gre.mrd', () => simulated({ nCoils: 2, noiseScanSamples: 0 }));

async function reconstructed(file: string, ...options: readonly string[]) {
  const [image] = answerIn(await conus(['recon', file, '-o', '-', '--denoise', '0', '--set', 'pixelType=float32', ...options])).images;
  if (image === undefined) throw new Error(`no image of ${file}`);
  const [columns, rows] = image.header.matrixSize;
  return { values: magnitudes(image), rows, columns };
}

/** Mean square where the object's fold lies and the object does not, over that of the object. */
function foldedEnergy(values: ArrayLike<number>, object: readonly boolean[], rows: number, columns: number): number {
  const energy = { object: 0, fold: 0 };
  const count = { object: 0, fold: 0 };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const from = ((row + rows / 2) % rows) * columns + column;
      const place = object[at] === true ? 'object' : object[from] === true ? 'fold' : undefined;
      if (place === undefined) continue;
      energy[place] += values[at]! ** 2;
      count[place] += 1;
    }
  }
  return energy.fold / count.fold / (energy.object / count.object);
}

describe('an accelerated scan of 16 coils with separate calibration lines', () => {
  it('is unfolded: where the fold was there is hardly anything', async () => {
    const file = await accelerated();
    const { values, rows, columns } = await reconstructed(file);
    const folded = await reconstructed(file, '--set', 'unalias=none', '--set', 'combine=rss');
    // Without unaliasing it is the transform of the lines that were measured.
    expect(distance(folded.values, float32Of(await runPython('reference.py', file, 'imaging')))).toBeLessThan(1e-5);
    // Blurred, but never folded: it tells where the object is.
    const calibration = float32Of(await runPython('reference.py', file, 'calibration'));
    expect(calibration.length).toBe(rows * columns);
    const threshold = 0.15 * calibration.reduce((largest, value) => Math.max(largest, value), 0);
    const object = Array.from(calibration, (value) => value > threshold);
    expect(foldedEnergy(folded.values, object, rows, columns)).toBeGreaterThan(0.5);
    expect(foldedEnergy(values, object, rows, columns)).toBeLessThan(0.01);
  });
});

describe('a fully sampled scan', () => {
  it("is with combine=rss numpy's Fourier transform and root-sum-of-squares, and Debian's of a file that Conus wrote", async () => {
    const file = await fullySampled();
    const { values } = await reconstructed(file, '--set', 'combine=rss');
    expect(distance(values, float32Of(await runPython('reference.py', file, 'imaging')))).toBeLessThan(1e-5);

    const copy = join(folder, 'copy.h5');
    const writer = await createMrdFile(copy);
    for (const message of parseMessages(await readFile(file))) {
      if (message.kind === 'header') writer.writeHeaderXml(message.xml);
      if (message.kind === 'acquisition') writer.appendAcquisition(message.acquisition);
    }
    await writer.close();
    const { values: fromFile } = await reconstructed(copy, '--set', 'combine=rss');
    expect(fromFile).toEqual(values);
    await run('ismrmrd_recon_cartesian_2d', [copy]);
    const reader = await openMrdFile(copy);
    const [theirs] = reader.imageGroups.flatMap(({ name }) => [...reader.images(name)]);
    reader.close();
    expect(distance(values, magnitudes(theirs!))).toBeLessThan(1e-5);
  });
});
