/** `conus serve --dicom-port`, `conus dicom` and `conus inspect` of DICOM files. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExitCode, main } from '../../src/cli/index.js';
import { classicSeries, classicSlice, encode, obliqueVolume, SERIES } from './dicom/fixtures.js';

let directory: string;
let series: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conus-cli-dicom-'));
  series = await mkdtemp(join(directory, 'series-'));
  const files = classicSeries();
  for (const [i, file] of files.entries()) await writeFile(join(series, `${i}.dcm`), file);
  await writeFile(join(series, 'readme.txt'), 'no DICOM');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function running(parameters: readonly string[]) {
  const said = { out: '', err: '' };
  const stop = new AbortController();
  const into = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[name] += chunk.toString();
        done();
      },
    });
  const ended = main(parameters, { stdin: Readable.from([]), stdout: into('out'), stderr: into('err'), showsProgress: false, stop: stop.signal });
  return { said, ended, stop: () => stop.abort() };
}

async function conus(...parameters: readonly string[]): Promise<{ code: ExitCode; out: string; err: string }> {
  const { said, ended } = running(parameters);
  const code = await ended;
  return { code, ...said };
}

describe('conus inspect', () => {
  it('tells series and stacks of a folder, and nothing of the patient', async () => {
    const { code, out } = await conus('inspect', series, '--json');
    expect(code).toBe(ExitCode.ok);
    const [read] = (JSON.parse(out) as { series: Record<string, unknown>[] }).series;
    expect(read).toMatchObject({ seriesInstanceUid: SERIES, images: 5, modality: 'MR', echoTimeMs: 82.1, stacks: [{ slices: 5, matrix: [10, 12, 5], voxelMm: [26, 25, 4.5] }] });
    expect(out + (await conus('inspect', series)).out).not.toMatch(/Geheim|SECRET|19610203|4711/);
  });

  it('tells what is refused, and why', async () => {
    const folder = await mkdtemp(join(directory, 'broken-'));
    await writeFile(join(folder, 'a.dcm'), encode(classicSlice(obliqueVolume(), 0, { ImagePositionPatient: undefined })));
    const { out } = await conus('inspect', folder, '--json');
    expect(JSON.parse(out)).toMatchObject({ series: [], notRead: [{ code: 'DICOM_ERR_GEOMETRY' }] });
  });
});

describe('conus dicom', () => {
  it('sends to a service that was started with --dicom-port, which answers echoes', async () => {
    const serve = running(['serve', '--port', '0', '--dicom-port', '0', '--data', join(directory, 'data'), '--threads', '1', '--json']);
    await expect.poll(() => serve.said.out, { timeout: 60_000 }).toContain('dicom');
    const { dicom } = JSON.parse(serve.said.out) as { dicom: { host: string; port: number } };
    const destination = `dicom://CONUS@${dicom.host}:${dicom.port}`;
    expect((await conus('dicom', 'echo', destination)).code).toBe(ExitCode.ok);
    const sent = await conus('dicom', 'send', series, destination, '--json');
    expect(sent.code).toBe(ExitCode.ok);
    expect(JSON.parse(sent.out)).toMatchObject({ series: 1, stored: 5, failures: [], notRead: [] });
    serve.stop();
    expect(await serve.ended).toBe(ExitCode.ok);
    expect(serve.said.err).not.toMatch(/Geheim|SECRET|19610203/);
    expect((await conus('dicom', 'echo', destination)).code).toBe(ExitCode.output);
  });

  it('sends into a folder by its name in the configuration', async () => {
    const config = join(directory, 'conus.json');
    const archive = join(directory, 'archive');
    await writeFile(config, JSON.stringify({ dicom: { destinations: { archive: { kind: 'folder', folder: archive } } } }));
    expect((await conus('dicom', 'send', series, 'archive', '--config', config)).code).toBe(ExitCode.ok);
    expect(await readdir(join(archive, SERIES))).toHaveLength(5);
    expect((await conus('dicom', 'echo', 'nowhere', '--config', config)).code).toBe(ExitCode.usage);
  });

  it('tells where a configuration is wrong', async () => {
    const config = join(directory, 'wrong.json');
    await writeFile(config, JSON.stringify({ dicom: { destinations: { a: { kind: 'dicom', host: 'x', port: 0, aeTitle: 'A' } } } }));
    const { code, err } = await conus('dicom', 'echo', 'a', '--config', config);
    expect(code).toBe(ExitCode.usage);
    expect(err).toContain('dicom.destinations.a');
  });
});
