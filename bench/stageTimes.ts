/**
 * What one exam costs: user CPU seconds and wall time of every stage, of the built service in processes of its own. The
 * stages are kept apart by what the service is told to do and by the silence between them:
 *
 *   reconstruction  a session without denoising and without a data folder, as fast as the socket takes it and paced
 *   denoising       what a session with it takes more, by the process of the models and by the service itself
 *   keeping         what a session with a data folder takes more
 *   delivery        after CLOSE of the first series: C-STORE to a second service
 *   synthesis       after CLOSE of the series that completes the pair, which is not delivered
 *   analysis        after CLOSE of the last series, none of which is delivered
 *
 * User CPU time of a process tells of work, not of who else was busy; wall times hold for this machine at that hour.
 *
 *   npm run build && npx tsx bench/stageTimes.ts EXAM-FOLDER --machine TEXT [-o bench/stageTimes.json]
 *
 * EXAM-FOLDER: what `conus simulate --protocol lumbar-fast --output EXAM-FOLDER` made, SERIES/raw.mrd.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { playSession } from '../src/cli/client.js';
import type { CliIo } from '../src/cli/io.js';
import type { StageTimes } from './stageTimesFile.js';

const mainPath = 'dist/src/main.js';
const seriesIds = ['sag-t1w', 'sag-t2w', 'ax-t2w'] as const;
/** Kernel ticks a second, as /proc counts them; 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;
/** How long a paced series takes: shorter than a scan, long enough that its lines come one by one. */
const PACED_S = 40;

/** User CPU seconds of the service and of the process of its models. */
interface Used {
  readonly service: number;
  readonly models: number;
}
const minus = (a: Used, b: Used): Used => ({ service: a.service - b.service, models: a.models - b.models });
const sum = ({ service, models }: Used) => service + models;

function fieldsOf(pid: number | string): { readonly parent: number; readonly userTicks: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), userTicks: Number(fields[11]) };
}

class MeasuredService {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(...options: readonly string[]): Promise<MeasuredService> {
    const child = spawn(process.execPath, [mainPath, 'serve', '--port', '0', '--json', '--log-level', 'error', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    for await (const piece of child.stdout) {
      text += String(piece);
      const port = (options.includes('--dicom-port') ? /"dicom": \{[^}]*"port": (\d+)/ : /"port": (\d+)/).exec(text)?.[1];
      if (port === undefined) continue;
      const service = new MeasuredService(child, Number(port));
      await service.quiet();
      return service;
    }
    throw new Error('the service did not start');
  }

  get used(): Used {
    const pid = this.#child.pid!;
    const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
      try {
        const fields = fieldsOf(name);
        return fields.parent === pid ? [fields.userTicks] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
    return { service: fieldsOf(pid).userTicks / TICKS_PER_S, models: children.reduce((total, ticks) => total + ticks, 0) / TICKS_PER_S };
  }

  /** Resolves when nothing was computed for some seconds. @returns when the last work ended, ms */
  async quiet(): Promise<number> {
    let last = sum(this.used);
    let changedAt = performance.now();
    while (performance.now() - changedAt < 3000) {
      await sleep(250);
      const now = sum(this.used);
      // Timers of an idle service take some ticks.
      if (now - last > 0.06) changedAt = performance.now();
      last = now;
    }
    return changedAt;
  }

  /** A series; what it took until CLOSE. */
  async send(path: string, paceUs?: number): Promise<Cost & { readonly lastReadoutToLastImageS: number }> {
    const before = this.used;
    const { totalMs, lastReadoutToLastImageMs } = paceUs === undefined ? await this.#play(path) : await this.#playPaced(path, paceUs);
    return { used: minus(this.used, before), wallS: totalMs / 1000, lastReadoutToLastImageS: lastReadoutToLastImageMs / 1000 };
  }

  async #play(path: string): Promise<{ readonly totalMs: number; readonly lastReadoutToLastImageMs: number }> {
    const io: CliIo = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, showsProgress: false, stop: new AbortController().signal };
    const { totalMs, lastReadoutToLastImageMs = NaN } = await playSession(createReadStream(path), { host: '127.0.0.1', port: this.port }, undefined, io);
    return { totalMs, lastReadoutToLastImageMs };
  }

  async #playPaced(path: string, paceUs: number): Promise<{ readonly totalMs: number; readonly lastReadoutToLastImageMs: number }> {
    const options = ['--port', String(this.port), '-o', join(folder, 'answer.mrd'), '--json', '--pace-us', String(Math.round(paceUs))];
    const { stdout } = await promisify(execFile)(process.execPath, [mainPath, 'send', path, ...options], { maxBuffer: 2 ** 26 });
    return JSON.parse(stdout) as { readonly totalMs: number; readonly lastReadoutToLastImageMs: number };
  }

  /** What is computed from now on until it is quiet. */
  async untilQuiet(): Promise<Cost> {
    const before = this.used;
    const startedAt = performance.now();
    const endedAt = await this.quiet();
    return { used: minus(this.used, before), wallS: (endedAt - startedAt) / 1000 };
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGTERM');
    await closed;
  }
}

interface Cost {
  readonly used: Used;
  readonly wallS: number;
}

const { positionals: [examFolder], values: { machine, output } } = parseArgs({
  allowPositionals: true,
  options: { machine: { type: 'string' }, output: { type: 'string', short: 'o', default: 'bench/stageTimes.json' } },
});
if (examFolder === undefined || machine === undefined) throw new Error('usage: stageTimes.ts EXAM-FOLDER --machine TEXT [-o FILE]');
const folder = mkdtempSync(join(tmpdir(), 'conus-stages-'));
const raw = (id: string) => join(examFolder, id, 'raw.mrd');
const nReadouts = Object.fromEntries(
  (JSON.parse(readFileSync(join(examFolder, 'exam.json'), 'utf8')) as { series: { id: string; nReadouts: number }[] }).series.map(({ id, nReadouts }) => [id, nReadouts]),
);
const rounded = (seconds: number) => Math.round(100 * Math.max(0, seconds)) / 100;

try {
  const plain = await MeasuredService.start('--denoise', '0');
  // The first session is the compilers'.
  await plain.send(raw(seriesIds[0]));
  const unpaced = Object.fromEntries(await inTurn(seriesIds, async (id) => [id, await plain.send(raw(id))] as const));
  const paced = Object.fromEntries(await inTurn(seriesIds, async (id) => [id, await plain.send(raw(id), (1e6 * PACED_S) / nReadouts[id]!)] as const));
  await plain.stop();

  // Keeping alone, to tell it from denoising.
  const keeping = await MeasuredService.start('--denoise', '0', '--data', join(folder, 'kept'));
  await keeping.send(raw('sag-t1w'));
  const kept = await keeping.send(raw('sag-t1w'));
  await keeping.stop();

  const archive = await MeasuredService.start('--denoise', '0', '--dicom-port', '0', '--data', join(folder, 'archive'));
  const config = join(folder, 'conus.json');
  const destination = { kind: 'dicom', host: '127.0.0.1', port: archive.port, aeTitle: 'CONUS', rules: { roles: ['t1w'] } };
  writeFileSync(config, JSON.stringify({ dicom: { destinations: { archive: destination } }, synthesis: { waitS: 0 } }));
  const service = await MeasuredService.start('--config', config, '--data', join(folder, 'data'));
  await service.send(raw('sag-t1w'));
  await service.quiet();
  const denoised = { 'sag-t1w': await service.send(raw('sag-t1w')) } as Record<string, Awaited<ReturnType<MeasuredService['send']>>>;
  const delivery = await service.untilQuiet();
  denoised['sag-t2w'] = await service.send(raw('sag-t2w'));
  const synthesis = await service.untilQuiet();
  denoised['ax-t2w'] = await service.send(raw('ax-t2w'));
  const analysis = await service.untilQuiet();
  await service.stop();
  await archive.stop();

  const keepingS = kept.used.service - unpaced['sag-t1w']!.used.service;
  const stageTimes: StageTimes = {
    machine, cores: cpus().length, node: process.version,
    series: seriesIds.map((id) => ({
      id, megabytes: Math.round(statSync(raw(id)).size / 1e6),
      unpaced: { cpuS: rounded(sum(unpaced[id]!.used)), wallS: rounded(unpaced[id]!.wallS) },
      paced: { cpuS: rounded(sum(paced[id]!.used)), wallS: rounded(paced[id]!.wallS), lastReadoutToLastImageS: rounded(paced[id]!.lastReadoutToLastImageS) },
      denoising: { cpuS: rounded(sum(denoised[id]!.used) - sum(unpaced[id]!.used) - keepingS), modelsCpuS: rounded(denoised[id]!.used.models), wallS: rounded(denoised[id]!.wallS - unpaced[id]!.wallS) },
    })),
    keeping: { cpuS: rounded(keepingS), wallS: rounded(kept.wallS - unpaced['sag-t1w']!.wallS), of: 'sag-t1w' },
    delivery: { cpuS: rounded(sum(delivery.used)), wallS: rounded(delivery.wallS), of: 'sag-t1w, with its denoised series, by C-STORE' },
    synthesis: { cpuS: rounded(sum(synthesis.used)), modelsCpuS: rounded(synthesis.used.models), wallS: rounded(synthesis.wallS) },
    analysis: { cpuS: rounded(sum(analysis.used)), modelsCpuS: rounded(analysis.used.models), wallS: rounded(analysis.wallS) },
  };
  writeFileSync(output, `${JSON.stringify(stageTimes, null, 2)}\n`);
  console.log(JSON.stringify(stageTimes, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function inTurn<Item, Result>(items: readonly Item[], run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}
