import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { openMrdFile, parseMessages } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng, greyPicture, pointOf, readNifti, windowBetween } from '../../imaging/index.js';
import { truthSchema } from '../../simulator/index.js';
import { ExitCode, main } from '../../src/cli/index.js';
import { loadUnresolvedProtocol } from '../../src/protocols/index.js';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);

/** The standard protocol at a size that tests can afford. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-simulate-'));
  const { series, ...protocol } = await loadUnresolvedProtocol('lumbar-fast');
  const [t1w, t2w] = series.map((one) => ({
    ...one,
    averages: 1,
    acceleration: { factor: 2, calibration: 'embedded', calibrationLines: 16 },
    geometry: { ...one.geometry, matrix: { readout: 64, phase: 64 }, phaseResolution: 1, slices: { ...one.geometry.slices, count: 3 } },
  }));
  await writeFile(at('tiny.json'), JSON.stringify({ ...protocol, basedOn: undefined, name: 'tiny', coil: { nChannels: 4 }, series: [t1w, t2w], synthesise: [], analyse: [] }));
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

interface Ran {
  readonly code: ExitCode;
  readonly out: Buffer;
  readonly err: string;
}

async function conus(argv: readonly string[], stdout?: PassThrough, stop = new AbortController().signal): Promise<Ran> {
  const [out, err]: [Buffer[], string[]] = [[], []];
  const into = (take: (chunk: Buffer) => void) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        take(Buffer.from(chunk));
        done();
      },
    });
  const code = await main(argv, {
    stdin: Readable.from([]),
    stdout: stdout ?? into((chunk) => out.push(chunk)),
    stderr: into((chunk) => err.push(chunk.toString())),
    showsProgress: false,
    stop,
  });
  return { code, out: Buffer.concat(out), err: err.join('') };
}

const simulate = (...options: string[]) => conus(['simulate', '--protocol', at('tiny.json'), ...options]);

describe('conus simulate', () => {
  it('gives the same bytes for the same seed, whatever the number of threads, and others for another', async () => {
    const stream = async (seed: string, threads: string) =>
      (await simulate('--series', 'sag-t2w', '--seed', seed, '--threads', threads, '-o', '-')).out;
    const first = await stream('5', '1');
    expect(first.length).toBeGreaterThan(100_000);
    expect((await stream('5', '2')).equals(first)).toBe(true);
    expect((await stream('6', '2')).equals(first)).toBe(false);
  });

  it('fills a folder with raw data, truth and images on one grid', async () => {
    const ran = await simulate('--seed', '3', '--pathology', 'modic1:L4-L5,haemangioma:L2', '--write', 'raw,h5,truth,images,dicom', '-o', at('exam'), '--json');
    expect(ran.err).not.toContain('ERR');
    expect(ran.code).toBe(ExitCode.ok);
    const { files } = JSON.parse(ran.out.toString()) as { files: string[] };
    for (const file of files) expect((await readFile(file)).length).toBeGreaterThan(100);

    const truth = truthSchema.parse(JSON.parse(await readFile(at('exam', 'truth.json'), 'utf8')));
    expect(truth.findings.map(({ kind }) => kind).sort()).toEqual(['haemangioma', 'modic1']);
    const record = JSON.parse(await readFile(at('exam', 'exam.json'), 'utf8')) as { simulated: boolean; series: { id: string; scanS: number }[] };
    expect(record.simulated).toBe(true);
    expect(record.series.map(({ id }) => id)).toEqual(['sag-t1w', 'sag-t2w']);

    const volume = async (name: string) => readNifti(await readFile(at('exam', 'sag-t2w', name)));
    const [labels, lesions, images, t2] = [await volume('truth-labels.nii.gz'), await volume('truth-lesions.nii.gz'), await volume('images.nii.gz'), await volume('truth-t2Ms.nii.gz')];
    expect(labels.geometry.matrixSize).toEqual(images.geometry.matrixSize);
    // Images may stack their slices the other way round: compare where voxels lie.
    const corners = ({ geometry }: typeof labels) => [pointOf(geometry, [0, 0, 0]), pointOf(geometry, [63, 63, 2])].map(([x, y, z]) => [Math.abs(x), y, z].map((value) => value.toFixed(2)));
    expect(corners(images)).toEqual(corners(labels));
    expect(new Set(lesions.data).size).toBeGreaterThan(1);
    expect(Math.max(...t2.data)).toBeGreaterThan(1000);
    const { structures } = JSON.parse(await readFile(at('exam', 'labels.json'), 'utf8')) as { structures: { code: number }[] };
    const codes = new Set([0, ...structures.map(({ code }) => code)]);
    for (const code of new Set(labels.data)) expect(codes).toContain(code);

    const file = await openMrdFile(at('exam', 'sag-t2w', 'raw.h5'));
    const nInFile = [...file.acquisitions()].length;
    file.close();
    const nInStream = [...parseMessages(await readFile(at('exam', 'sag-t2w', 'raw.mrd')))].filter(({ kind }) => kind === 'acquisition').length;
    expect(nInFile).toBe(nInStream);
    expect((await readdir(at('exam', 'sag-t2w', 'dicom'))).length).toBe(3);
  }, 120_000);

  it('plays to a server like a scanner and keeps the answer', async () => {
    const stop = new AbortController();
    const stdout = new PassThrough();
    const serving = conus(['serve', '--port', '0', '--threads', '1', '--log-level', 'silent', '--json'], stdout, stop.signal);
    const [hello] = (await once(stdout, 'data')) as [Buffer];
    const { port } = JSON.parse(hello.toString()) as { port: number };
    try {
      const ran = await simulate('--series', 'sag-t2w', '--snr', '0', '--to', `127.0.0.1:${port}`, '-o', at('played'), '--write', '', '--json');
      expect(ran.code).toBe(ExitCode.ok);
      expect(JSON.parse(ran.out.toString())).toMatchObject({ series: [{ id: 'sag-t2w', nImages: 3 }] });
      const images = [...parseMessages(await readFile(at('played', 'sag-t2w', 'answer.mrd')))].filter(({ kind }) => kind === 'image');
      expect(images).toHaveLength(3);
    } finally {
      stop.abort();
      await serving;
    }
  }, 120_000);

  it('scans a picture, and puts its labels on the grid of the scan', async () => {
    const values = Float32Array.from({ length: 128 * 128 }, (_, pixel) => (Math.hypot((pixel % 128) - 70, Math.floor(pixel / 128) - 50) < 25 ? 200 : 20));
    await writeFile(at('picture.png'), encodePng(greyPicture(values, 128, 128, windowBetween(0, 255))));
    const labels = values.map((value) => (value > 100 ? 7 : 0));
    await writeFile(at('labels.png'), encodePng(greyPicture(labels, 128, 128, windowBetween(0, 255))));
    const ran = await simulate(
      '--series', 'sag-t1w', '--from-image', at('picture.png'), '--labels', at('labels.png'), '--pixel-mm', '2', '--snr', '0', '--write', 'images,truth', '-o', at('picture'),
    );
    expect(ran.code).toBe(ExitCode.ok);
    const [images, grid] = [readNifti(await readFile(at('picture', 'sag-t1w', 'images.nii.gz'))), readNifti(await readFile(at('picture', 'sag-t1w', 'truth-labels.nii.gz')))];
    // A picture is one slice, whatever the protocol has.
    expect([images, grid].map(({ geometry }) => geometry.matrixSize)).toEqual([[64, 64, 1], [64, 64, 1]]);
    const mean = (label: number) => {
      const inside = [...images.data].filter((_, pixel) => grid.data[pixel] === label);
      return inside.reduce((sum, value) => sum + value, 0) / inside.length;
    };
    expect(new Set(grid.data)).toEqual(new Set([0, 7]));
    expect(mean(7)).toBeGreaterThan(3 * mean(0));
  }, 120_000);

  it.each<[string, string[], ExitCode, string]>([
    ['nowhere to go', [], ExitCode.usage, 'CONUS_ERR_SIMULATION_OUTPUT'],
    ['several series for one file', ['-o', 'x.mrd'], ExitCode.usage, 'CONUS_ERR_SIMULATION_OUTPUT'],
    ['a series that is none', ['--series', 'ax-t9', '-o', 'x.mrd'], ExitCode.usage, 'CONUS_ERR_SERIES'],
    ['a pathology that is none', ['--pathology', 'hiccups:L4', '--series', 'sag-t2w', '-o', '-'], ExitCode.usage, 'SIM_ERR_PATHOLOGY'],
    ['a picture that is none', ['--from-image', 'nothing.nii.gz', '--series', 'sag-t2w', '-o', '-'], ExitCode.input, 'CONUS_ERR_PICTURE'],
    ['CT of a picture', ['--from-image', 'test/fixtures', '--write', 'ct', '-o', 'x'], ExitCode.input, 'CONUS_ERR_PICTURE'],
    ['a folder that cannot be', ['--series', 'sag-t2w', '--snr', '0', '-o', '/dev/null/x'], ExitCode.output, 'CONUS_ERR_OUTPUT'],
    ['something to write that is nothing', ['--write', 'gold', '-o', 'x'], ExitCode.usage, 'raw'],
  ])('refuses %s', async (_name, options, code, message) => {
    const ran = await simulate(...options);
    expect(ran.err).toContain(message);
    expect(ran.code).toBe(code);
  });
});
