import { readFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { ExitCode, main } from '../../src/cli/index.js';
import { modelManifestPage } from '../../src/modelManifestPage.js';
import { temporaryFolder, writeModel } from '../models/folders.js';
import { alwaysNotANumber, identity } from '../models/onnx.js';

async function models(...argv: string[]): Promise<{ code: ExitCode; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  const code = await main(['models', ...argv], { stdin: Readable.from([]), stdout, stderr, showsProgress: false, stop: new AbortController().signal });
  stdout.end();
  stderr.end();
  return { code, out: await out, err: await err };
}

function site(): string {
  const folder = temporaryFolder();
  writeModel(folder, 'good', identity());
  writeModel(folder, 'bad', alwaysNotANumber());
  return folder;
}

it('lists and shows the models of a site beside those of the program', async () => {
  const folder = site();
  const listed = await models('list', '--models', folder);
  expect(listed.out).toMatch(/^good +1\.2\.3 +denoise-mr +Apache-2\.0 +listed /m);
  const shown = await models('show', 'good', '--models', folder);
  expect(shown.out).toMatch(/input +image \[n, 2, rows, columns\]/);
  const absent = await models('show', 'absent', '--models', folder);
  expect([absent.code, absent.err.split(':')[0]]).toEqual([ExitCode.usage, 'MODEL_ERR_UNKNOWN']);
});

it('check tells which models are in order, and why others are not', async () => {
  const folder = site();
  const checked = await models('check', 'good', 'bad', '--models', folder);
  expect(checked.code).toBe(ExitCode.input);
  expect(checked.out).toMatch(/^good .* ready /m);
  expect(checked.out).toMatch(/^bad .* refused /m);
  expect(checked.out).toMatch(/^bad: MODEL_ERR_OUTPUT_NAN/m);
  expect((await models('check', 'good', '--models', folder)).code).toBe(ExitCode.ok);
});

it('bench measures every number of threads and images', async () => {
  const { out } = await models('bench', 'good', '--models', site(), '--size', '64x40', '--threads', '1,2', '--batch', '1,3', '--runs', '3', '--json');
  const { latencies } = JSON.parse(out) as { latencies: { threads: number; images: number; medianMs: number; runMs: number }[] };
  expect(latencies.map(({ threads, images }) => [threads, images])).toEqual([[1, 1], [1, 3], [2, 1], [2, 3]]);
  for (const { medianMs, runMs } of latencies) expect(medianMs > 0 && runMs > 0).toBe(true);
});

it('keeps the page about manifests up to date', () => {
  expect(readFileSync(new URL('../../docs/model-manifest.md', import.meta.url), 'utf8')).toBe(modelManifestPage());
});
