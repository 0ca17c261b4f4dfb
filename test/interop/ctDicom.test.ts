/** The simulated CT before two judges: dicom3tools' dciodvfy and dcmtk's dcmdump. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateCt, CtScan } from '../../simulator/index.js';
import type { CtOptions } from '../../simulator/index.js';
import { derivedDicom, openCtOutput } from '../../src/delivery/index.js';
import { ball, smallParallel, smallScan } from '../simulator/ct/phantoms.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conus-ct-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function write(options: Partial<CtOptions>): Promise<string[]> {
  const body = ball(40, [3, -7, 120], 1800);
  const asked = { ...smallScan, ...options };
  const subject = { key: '4711', description: 'a ball', bodyPart: 'LSPINE' };
  const output = await openCtOutput(await mkdtemp(join(directory, 'scan-')), new CtScan(body, asked).options, subject, '0.1.0');
  const files = [];
  for (const slice of simulateCt(body, asked)) files.push(await output.write(slice));
  return files;
}

/** Both outputs of a tool; a tool that is not there is a failure. */
function run(tool: string, ...args: string[]): string {
  const { error, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

describe('the simulated CT', () => {
  it('is without error for dciodvfy, but for an attribute that is younger than its dictionary', async () => {
    // SyntheticData came into PS3.6 after the dictionary of the dciodvfy that Debian has.
    const young = /\(0x0008,0x001c\)/;
    const doses = { doseFractions: [1, 0.28, Infinity], kernels: ['soft', 'bone', 'ramLak'], nSlices: 2, sliceSpacingMm: 2.5 } as const;
    const files = [...(await write(doses)), ...(await write({ beam: smallParallel, sliceThicknessMm: 0.75, centreMm: [1 / 3, 2 / 3, 0] }))];
    expect(files).toHaveLength(19);
    for (const file of files) {
      const lines = run('dciodvfy', file).split('\n');
      expect(lines).toContain('CTImage');
      expect(lines.filter((line) => /^(Error|Abort)|not present in standard DICOM IOD - \(/.test(line) && !young.test(line))).toEqual([]);
    }
  });

  it('is without error after denoising, too: an image made from it', async () => {
    const young = /\(0x0008,0x001c\)|\(0x0018,0x1002\)/;
    const [file] = await write({});
    const source = await readFile(file!);
    const nPixels = smallScan.matrix! ** 2;
    const { bytes } = derivedDicom({
      source, values: new Float32Array(nPixels).fill(40), softwareVersion: '0.1.0', created: new Date(2024, 4, 6),
      derivation: {
        imageTypeMark: 'DENOISED', isSynthetic: false, seriesMark: 'DENOISED', description: 'Denoised at 70 %', quality: { light: 'green', reasons: [] },
        stages: [{ purpose: 'processing', manufacturer: 'Conus', modelName: 'ct-denoiser', softwareVersion: '1.0.0', modelSha256: 'ab'.repeat(32), description: 'Denoising' }],
      },
    });
    const made = join(directory, 'denoised.dcm');
    await writeFile(made, bytes);
    const lines = run('dciodvfy', made).split('\n');
    expect(lines).toContain('CTImage');
    expect(lines.filter((line) => /^(Error|Abort)|not present in standard DICOM IOD - \(/.test(line) && !young.test(line))).toEqual([]);
  });

  it('is a volume for dcentvfy: nothing contradicts itself between the files', async () => {
    const files = await write({ nSlices: 3, sliceSpacingMm: 4, doseFractions: [1, 0.5] });
    expect(run('dcentvfy', ...files).split('\n').filter((line) => /^Error/.test(line))).toEqual([]);
  });

  it('says to dcmdump that it is simulated', async () => {
    const [file] = await write({});
    const dump = run('dcmdump', '+L', file!);
    expect(dump).toMatch(/\(0010,0010\) PN \[SIMULATED\^PHANTOM\]/);
    expect(dump).toMatch(/\(0008,001c\) CS \[YES\]/);
    expect(dump).toMatch(/\(0028,1052\) DS \[-1024\]/);
    expect(dump).not.toMatch(/^[EWF]: /m);
  });
});
