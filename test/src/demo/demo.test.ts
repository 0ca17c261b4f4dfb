import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDemo } from '../../../src/demo/demo.js';

const mainPath = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));
const scan = { matrix: [64, 48] as const, nSlices: 2, nCoils: 6, acceleration: 2, calibrationLines: 16, noiseStd: 0.005 };

describe('the demo', () => {
  let directory: string;
  const lines: string[] = [];
  const valueOf = (name: string) => Number(lines.find((line) => line.startsWith(name))!.split(/\s{2,}/)[1]!.split(' ')[0]);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conus-demo-'));
    const print = (line: string) => lines.push(line);
    await runDemo({ conus: { mainPath, announce: print }, outputDirectory: directory, input: { scan }, print });
  }, 180_000);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('gets a conventional and a denoised image a slice over the socket, nearer to the truth than zero-filling', () => {
    expect(valueOf('images')).toBe(2 * scan.nSlices);
    expect(valueOf('nRMSE of Conus')).toBeLessThan(0.7 * valueOf('nRMSE of zero-filled'));
    expect(valueOf('SSIM of Conus')).toBeGreaterThan(valueOf('SSIM of zero-filled'));
    expect(lines.some((line) => line.startsWith('last readout to last image'))).toBe(true);
    expect(lines.some((line) => line.startsWith('stage '))).toBe(true);
  });

  it('writes ISMRMRD files, DICOM files and pictures', async () => {
    const names = await readdir(directory);
    expect(names).toEqual(expect.arrayContaining(['images.h5', 'images.mrd', 'maps.h5', 'truth.h5', 'zero-filled.h5', 'montage.png']));
    expect(await readdir(join(directory, 'dicom'))).toHaveLength(2 * scan.nSlices);
    const picture = decode(await readFile(join(directory, 'montage.png')));
    expect(picture.channels).toBe(3);
    // Truth, zero-filled, conventional, denoised, the errors of both, g-factor.
    expect(picture.width).toBeGreaterThan(7 * 160);
  });

  it('says which commands it ran', () => {
    const commands = lines.filter((line) => line.startsWith('conus ')).map((line) => line.split(' ')[1]);
    expect(commands).toEqual(['serve', 'send', 'send', 'recon', 'recon', 'recon', 'recon', 'compare', 'compare']);
  });
});
