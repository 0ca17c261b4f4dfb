/**
 * Many scanners at once, as on a bad night: each scans a patient in two series from which a third is computed, all of them
 * through haproxy, and sends again what was not acknowledged. In the end every exam is whole and the archive has each
 * instance once, with the pixels that one quiet node made of the same scans one after the other.
 *
 * Once one node alone does so; once three that share a redis-server, one of which is killed while it scans, and the
 * redis-server is killed and started again.
 *
 * CONUS_CHAOS_EXAMS says how many exams (`npm run test:chaos`: 50), CONUS_CHAOS_NODES how many nodes; CONUS_CHAOS_SEED changes when what happens.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Random } from '../../../simulator/index.js';
import { startRedis } from '../../src/cluster/redisServer.js';
import { Archive, freePort } from '../archive.js';
import { endAll } from './daemon.js';
import { Haproxy } from './haproxy.js';
import { allWhole, difference, holdingsOf, jobsLeft, none, undelivered } from './ledger.js';
import { Node, sharing } from './nodes.js';
import { scanAll } from './scanners.js';
import { prepareExams, writeSite } from './site.js';
import type { Patient, Site } from './site.js';

const nExams = Number(process.env['CONUS_CHAOS_EXAMS'] ?? 20);
const nNodes = Number(process.env['CONUS_CHAOS_NODES'] ?? 3);
const random = new Random(Number(process.env['CONUS_CHAOS_SEED'] ?? 1));
/** When so many scans are acknowledged, a node is killed, and the redis-server. */
const [nUntilNode, nUntilRedis] = [0.5, 0.9].map((most) => 1 + Math.floor(2 * nExams * (most - 0.4 * random.uniform())));
const longestMs = 120_000 + nExams * 20_000;
/** One node alone is given a third of them: it has them for longer. */
const nAlone = Math.ceil(nExams / 3);
/** Of T1w and T2w conventional and denoised, and of what is computed from them; two slices each. */
const INSTANCES_EACH = 10;

const folder = mkdtempSync(join(tmpdir(), 'conus-chaos-'));
let site: Site;
let patients: readonly Patient[];
/** Hashes of pixels by SOP instance UID: of all patients, and of those that one node is given. */
let truth: ReadonlyMap<string, string>;
let truthAlone: ReadonlyMap<string, string>;

const archives: Archive[] = [];
async function newArchive(name: string): Promise<Archive> {
  const archive = new Archive(join(folder, name, 'archive'), await freePort());
  archives.push(archive);
  await archive.comes();
  return archive;
}

beforeAll(async () => {
  site = await writeSite(folder);
  patients = await prepareExams(nExams);
  const archive = await newArchive('quiet');
  const node = await Node.start({ name: 'quiet', folder: join(folder, 'quiet'), site, destination: archive.destination });
  // Two at once: a node is quiet with that, and it takes half of the time.
  const scanned = async (those: readonly Patient[], nInAll: number) => {
    expect((await scanAll(those, node.mrd, { atOnce: 2 })).troubles).toEqual(new Map());
    await allWhole(() => node.exams(), nInAll);
    return holdingsOf(archive);
  };
  truthAlone = await scanned(patients.slice(0, nAlone), nAlone);
  truth = await scanned(patients.slice(nAlone), nExams);
  await node.stop();
  await archive.goes();
  expect(truthAlone.size).toBe(nAlone * INSTANCES_EACH);
  expect(truth.size).toBe(nExams * INSTANCES_EACH);
}, longestMs);
afterAll(async () => {
  await endAll();
  for (const archive of archives) await archive.goes();
  rmSync(folder, { recursive: true, force: true });
});

it('one node alone takes them all at once, and makes of them what it makes of each alone', { timeout: longestMs }, async () => {
  const archive = await newArchive('alone');
  const node = await Node.start({ name: 'node1', folder: join(folder, 'alone'), site, destination: archive.destination });
  const haproxy = await Haproxy.start(join(folder, 'haproxy'), [node]);
  const night = await scanAll(patients.slice(0, nAlone), haproxy.portOf('mrd'));
  await allWhole(() => node.exams(), nAlone);
  console.log(`${nAlone} exams through one node: acknowledged after ${(night.tookMs / 1000).toFixed(1)} s, ${night.nAttempts} attempts`, night.troubles);
  await haproxy.stop();
  await node.stop();
  await archive.goes();
  expect(difference(holdingsOf(archive), truthAlone)).toEqual(none);
  // Nobody was away: nothing came twice.
  expect(archive.nReceived).toBe(truthAlone.size);
  expect(night.nAttempts).toBe(2 * nAlone);
});

it('several nodes lose nothing, and do nothing twice, when one of them is killed and their redis-server, too', { timeout: longestMs }, async () => {
  const at = join(folder, 'cluster');
  const archive = await newArchive('cluster');
  const redis = await startRedis();
  onTestFinished(() => redis.remove());
  const nodes = await Promise.all(Array.from({ length: nNodes }, (_, i) => Node.start({
    name: `node${i + 1}`, folder: at, site, destination: archive.destination, sections: sharing(redis.url, at),
  })));
  const haproxy = await Haproxy.start(join(at, 'haproxy'), nodes);
  const [mortal, witness, ...others] = nodes as [Node, Node, ...Node[]];
  let nCut = 0;
  const troubles: Promise<void>[] = [];
  const startedAt = performance.now();
  try {
    const night = await scanAll(patients, haproxy.portOf('mrd'), {
      acknowledged: (n) => {
        if (n === nUntilNode) {
          troubles.push((async () => {
            nCut = (await haproxy.seen())[mortal.name]!.nNow;
            await mortal.kill();
          })());
        }
        if (n === nUntilRedis) {
          troubles.push((async () => {
            await redis.stop('SIGKILL');
            await sleep(1000);
            await redis.start();
          })());
        }
      },
    });
    await Promise.all(troubles);
    const exams = await allWhole(() => witness.exams(), nExams);
    const wholeMs = performance.now() - startedAt;
    expect(await undelivered(witness)).toEqual([]);
    expect((await jobsLeft(witness)).filter((job) => job.startsWith('dead'))).toEqual([]);
    // What the killed node had taken is found done by others when its locks are old.
    await expect.poll(() => jobsLeft(witness), { timeout: 90_000, interval: 2000 }).toEqual([]);
    // Every node has the same book.
    const byId = (told: typeof exams) => new Map(told.map((exam) => [exam.id, exam]));
    for (const other of others) expect(byId(await other.exams())).toEqual(byId(exams));
    console.log(
      `${nExams} exams through ${nNodes} nodes: acknowledged after ${(night.tookMs / 1000).toFixed(1)} s, whole after ${(wholeMs / 1000).toFixed(1)} s, ${night.nAttempts} attempts; ${nCut} scans cut with their node after ${nUntilNode}, redis killed after ${nUntilRedis}; ` +
        `${archive.nReceived} transmissions of ${truth.size} instances`,
      night.troubles,
    );
  } catch (error) {
    for (const { name, log } of nodes) writeFileSync(`${tmpdir()}/conus-chaos-${name}.log`, log);
    throw new Error(`${(error as Error).message}\n${nodes.map(({ name, log }) => `${name}: ${log.split('\n').filter((line) => /"level":[56]0/.test(line)).slice(-5).join('\n')}`).join('\n')}`, { cause: error });
  }
  await haproxy.stop();
  for (const node of [witness, ...others]) await node.stop();
  await archive.goes();
  expect(difference(holdingsOf(archive), truth)).toEqual(none);
  expect(nCut).toBeGreaterThan(0);
});
