import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExitCode, main } from '../../src/cli/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-protocols-'));
});
afterAll(() => rm(folder, { recursive: true }));

const lumbar = new URL('../../protocols/exams/lumbar-fast.json', import.meta.url);

async function protocols(...argv: string[]): Promise<{ code: ExitCode; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  const code = await main(['protocols', ...argv], { stdin: Readable.from([]), stdout, stderr, showsProgress: false, stop: new AbortController().signal });
  stdout.end();
  stderr.end();
  return { code, out: await out, err: await err };
}

const seconds = (minutes: string) => {
  const [whole, rest] = minutes.split(':');
  return 60 * Number(whole) + Number(rest);
};

describe('conus protocols', () => {
  it('list tells minutes and what is synthesised', async () => {
    const { code, out } = await protocols('list');
    expect(code).toBe(ExitCode.ok);
    expect(out).toMatch(/^lumbar-fast +lumbar +1\.5 T +3 +stir +\d+:\d\d /m);
    const rows = JSON.parse((await protocols('list', '--json')).out) as { name: string; synthesised: string[] }[];
    expect(rows.find(({ name }) => name === 'lumbar-standard')).toMatchObject({ nSeries: 4, synthesised: [] });
  });

  it('show tells everything, with inversion times in ms', async () => {
    const { out } = await protocols('show', 'lumbar-standard');
    expect(out).toMatch(/TI \/ ms +- +- +\d+ +-/);
    expect(out).toMatch(/source: .*doi/);
    const json = JSON.parse((await protocols('show', 'lumbar-fast', '--json')).out) as { name: string; timing: { series: unknown[] } };
    expect(json.name).toBe('lumbar-fast');
    expect(json.timing.series).toHaveLength(3);
  });

  it('show counts the minutes of what is synthesised and not scanned', async () => {
    const standard = JSON.parse((await protocols('show', 'lumbar-standard', '--json')).out) as { timing: { series: { id: string; totalMs: number }[] } };
    const stirMs = standard.timing.series.find(({ id }) => id === 'sag-stir')!.totalMs;
    const { out } = await protocols('show', 'lumbar-fast');
    expect(out).toMatch(/synthesised: stir from sag-t1w, sag-t2w, TR 5500 ms, TE 54 ms, TI auto, 16 echoes every 9 ms, .*, in place of sag-stir of \d+:\d\d min/);
    expect(seconds(/not scanned against lumbar-standard: (\d+:\d\d) min/.exec(out)![1]!)).toBe(Math.round(stirMs / 1000));
    const { notScanned } = JSON.parse((await protocols('show', 'lumbar-fast', '--json')).out) as { notScanned: unknown[] };
    expect(notScanned).toEqual([{ id: 'syn-stir', standsFor: 'sag-stir', savedS: stirMs / 1000 }]);
    expect((await protocols('show', 'lumbar-standard')).out).not.toMatch(/not scanned/);
    // Each of two syntheses of one contrast stands for a series of its own.
    const whole = JSON.parse((await protocols('show', 'whole-spine-fast', '--json')).out) as { notScanned: { standsFor: string }[] };
    expect(new Set(whole.notScanned.map(({ standsFor }) => standsFor)).size).toBe(2);
  });

  it('show --against names what is not scanned, and its rows add up', async () => {
    const { code, out } = await protocols('show', 'lumbar-fast', '--against', 'lumbar-standard');
    expect(code).toBe(ExitCode.ok);
    expect(out).toMatch(/sag-stir .*100 %.*not scanned: synthesised from sag-t1w and sag-t2w/);
    for (const [, against, ours, saved, percent] of out.matchAll(/ (\d+:\d\d) +(\d+:\d\d) +(\d+:\d\d) +(\d+) %/g)) {
      expect(seconds(saved!)).toBe(seconds(against!) - seconds(ours!));
      expect(Math.abs(100 * seconds(saved!) / seconds(against!) - Number(percent))).toBeLessThan(1);
    }
    expect([...out.matchAll(/ %/g)]).toHaveLength(6);
    const json = JSON.parse((await protocols('show', 'lumbar-fast', '--against', 'lumbar-standard', '--json')).out) as { series: { fate: string }[] };
    expect(json.series.map(({ fate }) => fate)).toEqual(['scanned', 'scanned', 'synthesised', 'scanned']);
    expect((await protocols('show', 'lumbar-standard', '--against', 'lumbar-fast')).out).toMatch(/sag-stir +0:00 +\d+:\d\d +-\d+:\d\d +- +- +added/);
  });

  it('check tells what is wrong, with its place, and exits with 2', async () => {
    expect(await protocols('check', fileURLToPath(lumbar))).toMatchObject({ code: ExitCode.ok, out: expect.stringMatching(/^lumbar-fast: valid, \d+:\d\d min\n$/) as string });
    const broken = join(folder, 'lumbar-fast.json');
    await writeFile(broken, (await readFile(lumbar, 'utf8')).replace('"trMs": 620', '"trMs": -1').replace('"title"', '"titel"'));
    const { code, out } = await protocols('check', broken);
    expect(code).toBe(ExitCode.input);
    expect(out).toMatch(/PROTOCOL_ERR_VALUE at series\.0\.sequence\.trMs: got -1; expected .*; correct the value/);
    expect(out).toMatch(/PROTOCOL_ERR_KEY at titel/);
    expect(JSON.parse((await protocols('check', broken, '--json')).out)).toMatchObject({ isValid: false });
    expect((await protocols('show', broken)).code).toBe(ExitCode.input);
    expect((await protocols('check', join(folder, 'nothing.json'))).code).toBe(ExitCode.input);
    expect((await protocols('show', 'nonesuch')).code).toBe(ExitCode.usage);
  });

  it('schema prints the JSON Schema', async () => {
    expect(JSON.parse((await protocols('schema')).out)).toMatchObject({ type: 'object', additionalProperties: false });
    expect((await protocols('schema', '--markdown')).out).toMatch(/^# Exam protocols\n/);
  });

  it('works from the built program', async () => {
    const built = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [built, 'protocols', 'list', '--json'], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual(JSON.parse((await protocols('list', '--json')).out));
  });
});
