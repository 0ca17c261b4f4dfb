import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clinicalFanBeam, CtScan, defaultCtOptions } from '../../simulator/index.js';
import type { CtOptions } from '../../simulator/index.js';
import { ExitCode } from '../../src/cli/exitCodes.js';
import { main } from '../../src/cli/index.js';
import { openCtOutput } from '../../src/delivery/index.js';
import { describeDicom, parseDicom } from '../../src/dicom/index.js';
import { muscleInFat } from '../simulator/ct/phantoms.js';

const size = 192;
const options: CtOptions = {
  ...defaultCtOptions, beam: { ...clinicalFanBeam, nViews: 492 }, matrix: size, fovMm: size, bodyPixelMm: 1, planesPerSlice: 1, nSlices: 3, doseFractions: [0.05, Infinity], seed: 3,
};
const exposureMas = Math.round(0.05 * options.tubeCurrentTimeMas);
let folder: string;
let truths: Float32Array[];
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-cli-denoise-'));
  const output = await openCtOutput(at('ct'), options, { key: 'k', description: 'two balls', bodyPart: 'ABDOMEN' }, '0.1.0');
  const scan = new CtScan(muscleInFat, options);
  const slices = [0, 1, 2].map((index) => scan.slice(index));
  for (const [noisy] of slices) await output.write(noisy!);
  truths = slices.map(([, clean]) => clean!.hounsfield);
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

async function run(...argv: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await main(['denoise', ...argv], { stdin: Readable.from([]), stdout, stderr, showsProgress: false, stop: new AbortController().signal });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

async function imagesOf(name: string) {
  const files = (await readdir(at(name))).sort();
  return Promise.all(files.map(async (file) => {
    const bytes = await readFile(join(at(name), file));
    return { file, ...(await parseDicom(bytes)), attributes: describeDicom(bytes).header.attributes, values: (await parseDicom(bytes)).frames[0]!.values() };
  }));
}

/** In muscle. */
function errorOf(values: Float32Array, truth: Float32Array): number {
  let [n, squares] = [0, 0];
  for (let p = 0; p < values.length; p++) {
    if (Math.hypot((p % size) - size / 2, Math.floor(p / size) - size / 2) > 45) continue;
    n++;
    squares += (values[p]! - truth[p]!) ** 2;
  }
  return Math.sqrt(squares / n);
}

describe('conus denoise', () => {
  it('writes a second series of each CT series, with half of the noise or less, where the first one lies', async () => {
    const { code, stdout } = await run(at('ct'), '-o', at('estimated'), '--json');
    expect(code).toBe(ExitCode.ok);
    const { series } = JSON.parse(stdout) as { series: { nImages: number; files: string[]; strengthPercent: number; noiseSource: string; lights: object }[] };
    expect(series).toMatchObject([{ nImages: 3, strengthPercent: 75, noiseSource: 'estimated', lights: { red: 0 } }]);
    const [before, after] = [await imagesOf('ct'), await imagesOf('estimated')];
    expect(after.map(({ file }) => file)).toEqual(before.map((_, index) => `IM-0101-000${index + 1}.dcm`));
    after.forEach(({ frames, values, identity, attributes }, index) => {
      expect(frames[0]!.plane).toEqual(before[index]!.frames[0]!.plane);
      expect(errorOf(values, truths[index]!)).toBeLessThan(0.5 * errorOf(before[index]!.values, truths[index]!));
      expect(identity.seriesInstanceUid).toBe(after[0]!.identity.seriesInstanceUid);
      expect(identity.seriesInstanceUid).not.toBe(before[0]!.identity.seriesInstanceUid);
      expect(attributes.texts('ImageType')).toEqual(['DERIVED', 'PRIMARY', 'AXIAL', 'DENOISED']);
      expect(attributes.text('SeriesDescription')).toMatch(/ DN75$/);
      expect(attributes.text('DerivationDescription')).toContain('noise estimated from the image');
      expect(attributes.text('ImageComments')).toMatch(/quality light GREEN.*research software/);
    });
  }, 60_000);

  it('takes the noise of dose and kernel where the configuration describes the scanner', async () => {
    // The first slice is its own phantom: so much noise is in the middle of it.
    const [before] = await imagesOf('ct');
    const noiseHu = errorOf(before!.values, truths[0]!);
    const kernel = { kernel: 'SOFT', tubeVoltageKv: 120, phantomDiameterMm: 160, exposureMas, sliceThicknessMm: 3, noiseHu };
    await writeFile(at('conus.json'), JSON.stringify({ ct: { scanners: [{ kernels: [kernel] }] } }));
    const { code, stdout } = await run(at('ct'), '-o', at('byDose'), '--denoise', '100', '--config', at('conus.json'), '--json');
    expect(code).toBe(ExitCode.ok);
    expect(JSON.parse(stdout)).toMatchObject({ series: [{ strengthPercent: 100, noiseSource: 'dose', remarks: [] }] });
    const [byDose, estimated] = [await imagesOf('byDose'), await imagesOf('estimated')];
    byDose.forEach(({ values }, index) => expect(errorOf(values, truths[index]!)).toBeLessThan(errorOf(estimated[index]!.values, truths[index]!)));
  }, 60_000);

  it('leaves every pixel at strength 0', async () => {
    expect((await run(at('ct'), '-o', at('none'), '--denoise', '0')).code).toBe(ExitCode.ok);
    const [before, after] = [await imagesOf('ct'), await imagesOf('none')];
    after.forEach(({ values }, index) => expect(values).toEqual(before[index]!.values));
  }, 60_000);

  it('goes on with the other series where a file of one is broken, and says which', async () => {
    await mkdir(at('two'));
    for (const name of await readdir(at('ct'))) await copyFile(join(at('ct'), name), join(at('two'), name));
    const bytes = await readFile(join(at('ct'), 'IM-0001-0002.dcm'));
    // Another series by its identifier; and half of a file.
    const uid = (await imagesOf('ct'))[1]!.identity.seriesInstanceUid;
    const changed = Buffer.from(bytes.toString('latin1').replaceAll(uid, `${uid.slice(0, -1)}${uid.endsWith('1') ? '2' : '1'}`), 'latin1');
    await writeFile(join(at('two'), 'IM-0009-0001.dcm'), changed);
    await writeFile(join(at('two'), 'IM-0009-0002.dcm'), changed.subarray(0, changed.length / 2));
    const { code, stdout } = await run(at('two'), '-o', at('twoOut'), '--json');
    expect(code).toBe(ExitCode.ok);
    const { series, notRead } = JSON.parse(stdout) as { series: { files: string[] }[]; notRead: { path: string; why: string }[] };
    // Of the same number in the scanner's list, and nothing written over.
    expect(series.map(({ files }) => files.length)).toEqual([3, 1]);
    expect((await imagesOf('twoOut')).map(({ identity }) => identity.seriesInstanceUid)).toHaveLength(4);
    expect(notRead).toMatchObject([{ path: expect.stringContaining('IM-0009-0002') as unknown, why: expect.stringContaining('DICOM_ERR') as unknown }]);
  }, 60_000);

  it('never writes where its sources lie', async () => {
    const before = await imagesOf('ct');
    const { code, stderr } = await run(at('ct'), '-o', at('ct'));
    expect(code).toBe(ExitCode.output);
    expect(stderr).toContain('CONUS_ERR_OUTPUT');
    expect((await imagesOf('ct')).map(({ values }) => values)).toEqual(before.map(({ values }) => values));
  }, 60_000);

  it('says what is no CT image, and ends with 2 where there is none or a model is missing', async () => {
    await writeFile(at('notes.txt'), 'nothing');
    expect(await run(at('notes.txt'), '-o', at('nothing'))).toMatchObject({ code: ExitCode.input, stderr: expect.stringContaining('CONUS_ERR_INPUT') as unknown });
    expect(await run(at('absent'), '-o', at('nothing'))).toMatchObject({ code: ExitCode.input });
    const { code, stderr } = await run(at('ct'), '-o', at('nothing'), '--model', 'none-of-these');
    expect(code).toBe(ExitCode.input);
    expect(stderr).toContain('there is no denoiser for CT');
    await expect(readdir(at('nothing'))).rejects.toThrow();
  });
});
