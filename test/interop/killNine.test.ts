/**
 * Nothing is lost. Exams are played to a service that is killed (SIGKILL) every few seconds and started
 * again, while the archive that it delivers to is away a third of the time. A client sends an exam
 * again until it is acknowledged with CLOSE; every tenth gives up after its first attempt. In the end:
 *
 *   - every acknowledged image is in the archive, once, with the pixels that the client got;
 *   - of an exam that was never acknowledged the archive has all images or none;
 *   - nothing else is in it, the outbox is empty, and no file is left half-written.
 *
 * CONUS_DURABLE_EXAMS says how many; `npm run test:durable` plays 200.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { Random } from '../../simulator/index.js';
import { playSession } from '../../src/cli/client.js';
import type { CliIo } from '../../src/cli/io.js';
import { Archive, archived, freePort, hashOf } from './archive.js';
import { conus } from './service.js';
import { simulated } from './streams.js';

const nExams = Number(process.env['CONUS_DURABLE_EXAMS'] ?? 12);
const CLIENTS = 6;
/** How long the service lives once it listens, and the archive is there and away, in ms. */
const lives = { min: 2000, max: 7000 };
const archiveIsThere = { min: 4000, max: 8000 };
const archiveIsAway = { min: 2500, max: 4500 };

const mainPath = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'conus-kill-nine-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const random = new Random(9);
const between = ({ min, max }: { min: number; max: number }) => min + (max - min) * random.uniform();
const pause = (ms: number, signal?: AbortSignal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);

/** A service that is started again whenever it is killed. */
class MortalService {
  readonly #parameters: readonly string[];
  #running: { readonly child: ChildProcess; readonly listening: Promise<unknown>; readonly closed: Promise<unknown[]> };
  nKilled = 0;
  log = '';

  constructor(port: number, ...parameters: readonly string[]) {
    this.#parameters = ['serve', '--port', String(port), '--json', '--threads', '1', ...parameters];
    this.#running = this.#start();
  }

  async listening(): Promise<void> {
    const { listening, closed } = this.#running;
    await Promise.race([listening, closed.then(() => Promise.reject(new Error(`the service ended: ${this.log.slice(-2000)}`)))]);
  }

  async killAndRestart(): Promise<void> {
    this.#running.child.kill('SIGKILL');
    await this.#running.closed;
    this.nKilled++;
    this.#running = this.#start();
  }

  /** @returns its exit code */
  async stop(): Promise<unknown> {
    this.#running.child.kill('SIGTERM');
    return (await this.#running.closed)[0];
  }

  #start() {
    const child = spawn(process.execPath, [mainPath, ...this.#parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.on('data', (data: Buffer) => {
      this.log += data.toString();
    });
    return { child, listening: once(child.stdout, 'data'), closed: once(child, 'close') };
  }
}

const quiet: CliIo = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), showsProgress: false, stop: new AbortController().signal };

interface Exam {
  readonly number: number;
  readonly nSlices: number;
  /** Hashes of their pixels; none where nothing was acknowledged. */
  readonly images: readonly string[];
}

const streamOf = (number: number) => simulated({ matrix: [64, 64], nCoils: 4, nSlices: 1 + (number % 3), noiseScanSamples: 1024, seed: number });

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

/**
 * One attempt.
 * @returns the images of an acknowledged session, else how many came before the connection ended; undefined where nobody listens
 */
async function attempt(stream: Uint8Array, port: number): Promise<string[] | number | undefined> {
  try {
    const { images, texts } = await playSession(pieces(stream), { host: '127.0.0.1', port }, undefined, quiet);
    const isKept = !texts.some((text) => text.startsWith('ERR') || text.includes('CONUS_WARN_NOT_KEPT'));
    return isKept ? images.map(({ data }) => hashOf(data)) : images.length;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return message.includes('ECONNREFUSED') ? undefined : Number(/after (\d+) images/.exec(message)?.[1] ?? 0);
  }
}

/** Until it is acknowledged; every tenth gives up when its first session is cut. */
async function play(number: number, port: number, counts: { attempts: number }): Promise<Exam> {
  const nSlices = 1 + (number % 3);
  const stream = streamOf(number);
  for (;;) {
    const answer = await attempt(stream, port);
    if (answer !== undefined) counts.attempts++;
    if (typeof answer === 'object') return { number, nSlices, images: answer };
    if (number % 10 === 9 && answer !== undefined) return { number, nSlices, images: [] };
    await pause(100 + 200 * Math.random());
  }
}

interface OutboxListing {
  readonly jobs: readonly { readonly state: string }[];
  readonly destinations: readonly { readonly tally: { readonly instancesDelivered: number; readonly instancesResent: number } }[];
  readonly cutSessions: readonly unknown[];
}

/** Does something again and again, with pauses, until it is over. */
async function repeatedly(over: AbortSignal, step: () => Promise<void>): Promise<void> {
  while (!over.aborted) await step();
}

it('loses nothing when it is killed again and again and its archive is away', { timeout: 120_000 + nExams * 30_000 }, async () => {
  const data = join(folder, 'data');
  const archive = new Archive(join(folder, 'archive'), await freePort());
  await archive.comes();
  const port = await freePort();
  const service = new MortalService(port, '--data', data, '--deliver-to', archive.destination);
  await service.listening();
  const over = new AbortController();
  const killing = repeatedly(over.signal, async () => {
    await service.listening();
    await pause(between(lives), over.signal);
    if (!over.signal.aborted) await service.killAndRestart();
  });
  let awayMs = 0;
  const startedAt = performance.now();
  const going = repeatedly(over.signal, async () => {
    await pause(between(archiveIsThere), over.signal);
    await archive.goes();
    const since = performance.now();
    await pause(between(archiveIsAway), over.signal);
    awayMs += performance.now() - since;
    await archive.comes();
  });

  const exams: Exam[] = [];
  const counts = { attempts: 0 };
  try {
    let next = 0;
    const client = async () => {
      while (next < nExams) exams.push(await play(next++, port, counts));
    };
    await Promise.race([Promise.all(Array.from({ length: CLIENTS }, client)), Promise.all([killing, going])]);
  } finally {
    over.abort();
    await Promise.all([killing, going]);
  }
  const playedMs = performance.now() - startedAt;
  await service.killAndRestart();
  await service.listening();

  const outbox = async () => JSON.parse((await conus(['outbox', 'list', '--data', data, '--json'])).toString()) as OutboxListing;
  let listing = await outbox();
  while (listing.jobs.length > 0) {
    expect(listing.jobs.filter(({ state }) => state === 'dead')).toEqual([]);
    await pause(500);
    listing = await outbox();
  }
  expect(await service.stop()).toBe(0);
  await archive.goes();

  const files = archive.files().map(archived);
  const acknowledged = exams.filter(({ images }) => images.length > 0);
  const images = acknowledged.flatMap((exam) => exam.images);
  const { instancesDelivered = 0, instancesResent = 0 } = listing.destinations[0]?.tally ?? {};
  console.log(
    [
      `exams: ${exams.length}, ${acknowledged.length} acknowledged, ${exams.length - acknowledged.length} given up by their clients; ${counts.attempts} attempts`,
      `service: killed ${service.nKilled} times in ${(playedMs / 1000).toFixed(0)} s; ${listing.cutSessions.length} sessions cut`,
      `archive: away ${((100 * awayMs) / playedMs).toFixed(0)} % of that time; holds ${files.length} instances, received ${archive.nReceived}`,
      `images: ${images.length} acknowledged to clients; ${instancesDelivered} delivered at first, ${instancesResent} sent again`,
    ].join('\n'),
  );

  expect(exams).toHaveLength(nExams);
  for (const exam of acknowledged) expect(exam.images, `exam ${exam.number}`).toHaveLength(exam.nSlices);
  // Each instance once, and each acknowledged image among them, once.
  expect(new Set(files.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(files.length);
  const nArchived = (pixels: string) => files.filter((file) => file.pixels === pixels).length;
  expect(images.filter((pixels) => nArchived(pixels) !== 1)).toEqual([]);
  // Of exams whose client gave up all or nothing; what they look like tells a service that nobody kills.
  const whole = new MortalService(port);
  await whole.listening();
  let nOthers = 0;
  for (const { number, images: known } of exams) {
    if (known.length > 0) continue;
    const expected = await attempt(streamOf(number), port);
    if (typeof expected !== 'object') throw new Error(`exam ${number} has no answer`);
    const found = expected.map(nArchived);
    expect([0, 1], `exam ${number}`).toContain(found[0]);
    expect(new Set(found).size, `exam ${number}`).toBe(1);
    nOthers += found.filter((n) => n === 1).length;
  }
  await whole.stop();
  expect(files.length).toBe(images.length + nOthers);
  expect(archive.nReceived).toBeGreaterThanOrEqual(files.length);
  expect(readdirSync(join(data, 'objects')).filter((name) => name.endsWith('.partial'))).toEqual([]);
});
