import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { decode } from 'fast-png';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readNifti, volumeOf, writeNifti } from '../../imaging/index.js';
import type { ImageGeometry } from '../../imaging/index.js';
import { Random } from '../../simulator/index.js';
import { main } from '../../src/cli/index.js';
import { ExitCode } from '../../src/cli/exitCodes.js';
import { parseDicom } from '../../src/dicom/index.js';
import { uncalibrated } from '../../synth/index.js';
import { writeModel } from '../models/folders.js';
import { brightnessAsHu, ctManifest, oneTissue, synthesisManifest } from '../models/onnx.js';

let folder: string;
const at = (name: string) => join(folder, name);
const geometry: ImageGeometry = { centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0], fovMm: [96, 96, 12], matrixSize: [96, 96, 3] };

/** Discs of fat, fluid and muscle in a body of marrow, as T1w or T2w show them. */
function painted(signals: { readonly marrow: number; readonly fat: number; readonly fluid: number; readonly muscle: number }, seed: number) {
  const random = new Random(seed);
  const within = (x: number, y: number, cx: number, cy: number, r: number) => Math.hypot(x - cx, y - cy) < r;
  return volumeOf(geometry, Float32Array.from({ length: 96 * 96 * 3 }, (_, index) => {
    const [x, y] = [index % 96, Math.floor(index / 96) % 96];
    const signal = !within(x, y, 48, 48, 42) ? 0 : within(x, y, 30, 35, 13) ? signals.fat : within(x, y, 62, 34, 11) ? signals.fluid : within(x, y, 50, 68, 14) ? signals.muscle : signals.marrow;
    return Math.abs(signal + 8 * random.normal());
  }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-cli-synth-'));
  const model = writeModel(at('models'), 'one-tissue', oneTissue(), synthesisManifest);
  await writeFile(join(model, 'calibration.json'), JSON.stringify({ ...uncalibrated, gate: { ...uncalibrated.gate, amber: 10, red: 20 } }));
  writeModel(at('models'), 'plain-ct', brightnessAsHu(), ctManifest);
  await writeFile(at('t1.nii.gz'), writeNifti(painted({ marrow: 600, fat: 1000, fluid: 150, muscle: 350 }, 1)));
  await writeFile(at('t2.nii.gz'), writeNifti(painted({ marrow: 500, fat: 800, fluid: 1400, muscle: 200 }, 2)));
  await writeFile(at('t1.json'), JSON.stringify({ RepetitionTime: 0.62, EchoTime: 0.01, EchoTrainLength: 3, MagneticFieldStrength: 1.5 }));
  await writeFile(at('t2.json'), JSON.stringify({ RepetitionTime: 3.5, EchoTime: 0.1, MagneticFieldStrength: 1.5 }));
});
afterAll(() => rm(folder, { recursive: true }));

async function synth(...argv: string[]): Promise<{ code: ExitCode; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  const code = await main(['synth', '--models', at('models'), '--model', 'one-tissue', '--ct-model', 'plain-ct', ...argv], { stdin: Readable.from([]), stdout, stderr, showsProgress: false, stop: new AbortController().signal });
  stdout.end();
  stderr.end();
  return { code, out: await out, err: await err };
}
const pair = () => ['--t1', at('t1.nii.gz'), '--t2', at('t2.nii.gz')];

it('computes contrasts of NIfTI volumes, into one file each, and prints the light and where its numbers are from', async () => {
  const { code, out, err } = await synth(...pair(), '--to', 'stir,t2fs', '--ti', '165', '-o', at('syn.nii.gz'));
  expect([code, err]).toEqual([ExitCode.ok, '']);
  expect(out).toMatch(/t1w received, TR 620 ms, TE 10 ms, 3 echoes every 10 ms \(typical\)/);
  expect(out).toMatch(/relative scale estimated/);
  expect(out).toMatch(/quality light: (GREEN|AMBER)/);
  for (const name of ['syn-stir.nii.gz', 'syn-t2fs.nii.gz']) {
    const { geometry: made, data } = readNifti(await readFile(at(name)));
    expect(made.matrixSize).toEqual([96, 96, 3]);
    expect(Math.max(...data)).toBeGreaterThan(0);
  }
});

it('writes DICOM into a folder and pictures, with the maps where these are asked for', async () => {
  expect((await synth(...pair(), '--to', 'stir', '--trust-maps', '-o', `${at('dicom')}/`)).code).toBe(ExitCode.ok);
  const files = await readdir(at('dicom'));
  expect(files).toHaveLength(5 * 3);
  const first = await readFile(join(at('dicom'), files.sort()[0]!));
  const { facts } = await parseDicom(first);
  expect(facts).toMatchObject({ isSynthetic: true, seriesDescription: 'SYN STIR', imageType: ['DERIVED', 'PRIMARY', 'M', 'SYNTHETIC'] });
  expect(first.toString('latin1')).toMatch(/Synthetic STIR .* as the mean of two images: by its signal equation from tissue parameters that one-tissue/);
  const { code, out } = await synth(...pair(), '--to', 'stir', '-o', at('look.png'), '--json');
  expect(code).toBe(ExitCode.ok);
  expect(JSON.parse(out)).toMatchObject({ light: expect.stringMatching(/green|amber/) as string, files: [at('look.png')] });
  expect(decode(await readFile(at('look.png'))).width).toBeGreaterThan(96);
});

it('computes CT in Hounsfield units beside other contrasts, and says in which planes it may be measured', async () => {
  const { code, out } = await synth(...pair(), '--to', 'stir,ct', '--trust-maps', '-o', `${at('ct')}/`);
  expect(code).toBe(ExitCode.ok);
  expect(out).toMatch(/SYNTH_WARN_CT_PLANES: .*sagittal planes only/);
  const images = await Promise.all((await readdir(at('ct'))).map(async (file) => parseDicom(await readFile(join(at('ct'), file)))));
  const counts = new Map<string, number>();
  for (const { facts: { modality, seriesDescription } } of images) counts.set(`${modality} ${seriesDescription}`, 1 + (counts.get(`${modality} ${seriesDescription}`) ?? 0));
  expect(Object.fromEntries(counts)).toEqual({
    'CT SYN CT': 3, 'CT SYN CT HIGH': 3, 'CT SYN CT LOW': 3, 'MR SYN STIR': 3, 'MR SYN STIR FAT': 3, 'MR SYN STIR HIGH': 3, 'MR SYN STIR LOW': 3, 'MR SYN STIR PAIR': 3,
  });
  expect((await synth(...pair(), '--to', 'ct', '-o', at('ct.nii.gz'))).code).toBe(ExitCode.ok);
  const { data } = readNifti(await readFile(at('ct.nii.gz')));
  // Fluid is three times as bright as the mean of T2w.
  expect(Math.max(...data)).toBeGreaterThan(400);
  expect(data.every((value) => Number.isInteger(value) && value >= -1024 && value <= 3071)).toBe(true);
});

it('writes one multi-frame object a series where that is asked for, but of CT', async () => {
  expect((await synth(...pair(), '--to', 'stir,ct', '--enhanced', '-o', `${at('frames')}/`)).code).toBe(ExitCode.ok);
  const images = await Promise.all((await readdir(at('frames'))).map(async (file) => parseDicom(await readFile(join(at('frames'), file)))));
  expect(images.map(({ facts: { modality, nFrames } }) => `${modality} ${nFrames}`).sort()).toEqual(['CT 1', 'CT 1', 'CT 1', 'MR 3']);
});

it('computes no CT of coronal slices, and says why', async () => {
  const turned = (name: string) => {
    const { data } = readNifti(readFileSync(at(`${name}.nii.gz`)));
    writeFileSync(at(`${name}-cor.nii.gz`), writeNifti({ geometry: { ...geometry, rowDirection: [1, 0, 0], sliceDirection: [0, 1, 0] }, data: Float32Array.from(data) }));
    writeFileSync(at(`${name}-cor.json`), readFileSync(at(`${name}.json`)));
  };
  turned('t1');
  turned('t2');
  const coronal = ['--t1', at('t1-cor.nii.gz'), '--t2', at('t2-cor.nii.gz')];
  expect(await synth(...coronal, '--to', 'ct', '-o', at('none.nii.gz'))).toMatchObject({ code: ExitCode.input, err: expect.stringMatching(/^SYNTH_ERR_CT_INPUT/) as string });
  const { code, out } = await synth(...coronal, '--to', 'stir,ct', '-o', at('stir-alone.nii.gz'));
  expect(code).toBe(ExitCode.ok);
  expect(out).toMatch(/no CT: SYNTH_ERR_CT_INPUT/);
});

it.each<[string, () => string[], string, ExitCode]>([
  ['one series missing', () => ['--t2', at('t2.nii.gz'), '--to', 'stir', '-o', at('x.png')], 'SYNTH_ERR_SERIES_MISSING', ExitCode.input],
  ['T2w in the place of T1w', () => ['--t1', at('t2.nii.gz'), '--t2', at('t2.nii.gz'), '--to', 'stir', '-o', at('x.png')], 'SYNTH_ERR_CONTRAST', ExitCode.input],
  ['a file that is not there', () => ['--t1', at('none.nii'), '--t2', at('t2.nii.gz'), '--to', 'stir', '-o', at('x.png')], 'CONUS_ERR_INPUT', ExitCode.input],
  ['an inversion time that does not fit into TR', () => [...pair(), '--to', 'stir', '--ti', '9000', '-o', at('x.png')], 'SYNTH_ERR_WANTED', ExitCode.input],
  ['an output of no kind', () => [...pair(), '--to', 'stir', '-o', at('x.doc')], 'CONUS_ERR_OUTPUT', ExitCode.output],
])('refuses %s', async (_what, argv, code, exitCode) => {
  const { code: got, err } = await synth(...argv());
  expect([got, err.split(':')[0]]).toEqual([exitCode, code]);
});
