/**
 * C-STORE over loopback, 256 x 256 objects of 16 bits: our sender and dcmtk's storescu, in turns, against dcmtk's storescp
 * with TCP_NODELAY and as it is shipped (its own Nagle delay then costs some 44 ms an object).
 *
 *   npx tsx bench/dicomStore.ts [objects] [rounds]
 *
 * Wall time an object, association included; storescu's has the start of its process in it, which is told apart.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreScu } from '../src/dicom/index.js';
import type { LoadedInstance } from '../src/dicom/index.js';
import { classicSlice, encode, EXPLICIT, MR, obliqueVolume, SERIES, STUDY } from '../test/src/dicom/fixtures.js';
import { median, printTable } from './report.js';

const [nObjects, nRounds] = [process.argv[2] ?? '40', process.argv[3] ?? '7'].map(Number) as [number, number];
const directory = await mkdtemp(join(tmpdir(), 'conus-dicom-bench-'));
const geometry = obliqueVolume(256, 256, nObjects);
const paths: string[] = [];
const instances: LoadedInstance[] = [];
for (let slice = 0; slice < nObjects; slice++) {
  const file = encode(classicSlice(geometry, slice));
  paths.push(join(directory, `${slice}.dcm`));
  await writeFile(paths[slice]!, file);
  instances.push({
    sopClassUid: MR, sopInstanceUid: `2.25.3003${slice + 1}`, seriesInstanceUid: SERIES, studyInstanceUid: STUDY, transferSyntaxUid: EXPLICIT,
    ref: '', nBytes: file.length, bytes: () => Promise.resolve(file),
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function withStorescp(env: Record<string, string>, work: (port: number) => Promise<void>): Promise<void> {
  const port = await freePort();
  const child = spawn('storescp', ['--ignore', String(port)], { stdio: 'ignore', env: { ...process.env, ...env } });
  for (let isOpen = false; !isOpen; await delay(50)) {
    const socket = connect({ host: '127.0.0.1', port });
    isOpen = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    socket.destroy();
  }
  await work(port);
  child.kill();
  await once(child, 'close');
}

const msOf = async (work: () => unknown): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

const rows: (string | number)[][] = [];
for (const [name, env] of [['TCP_NODELAY=1', { TCP_NODELAY: '1' }], ['as shipped', {}]] as const) {
  await withStorescp(env, async (port) => {
    const sender = new StoreScu({ host: '127.0.0.1', port, callingAe: 'CONUS', calledAe: 'ANY-SCP', timeoutMs: 60_000, maxAssociations: 1 });
    const storescu = async (files: readonly string[]) => {
      const child = spawn('storescu', ['127.0.0.1', String(port), ...files], { env: { ...process.env, ...env }, stdio: 'ignore' });
      const [status] = (await once(child, 'close')) as [number | null];
      if (status !== 0) throw new Error(`storescu ended with ${status}`);
    };
    const ours = async () => {
      const results = await sender.send(instances, new AbortController().signal);
      if (results.some(({ outcome }) => outcome !== 'stored')) throw new Error('not stored');
    };
    await ours();
    const times = { ours: [] as number[], storescu: [] as number[], start: [] as number[] };
    for (let round = 0; round < nRounds; round++) {
      times.ours.push((await msOf(ours)) / nObjects);
      times.storescu.push((await msOf(() => storescu(paths))) / nObjects);
      times.start.push((await msOf(() => storescu(paths.slice(0, 1)))) / nObjects);
    }
    const [oursMs, storescuMs, startMs] = [median(times.ours), median(times.storescu), median(times.start)];
    rows.push([name, oursMs.toFixed(2), storescuMs.toFixed(2), startMs.toFixed(2), (oursMs / storescuMs).toFixed(2)]);
  });
}
await rm(directory, { recursive: true });
printTable(`C-STORE, ${nObjects} objects of 256 x 256, medians of ${nRounds} rounds`, ['storescp', 'ours, ms an object', 'storescu, ms an object', 'of it one object and start', 'ours / storescu'], rows);
