/**
 * What nodes do together: the exams of the chaos test, all at once, through haproxy to an archive, every one watched until it
 * is whole. Two nodes against one, each bound to a core of its own; or, with --before, one node alone against that of
 * another build. Runs alternate; each begins with empty folders and an exam that does not count. Needs haproxy, redis-server
 * and dcmtk, and a quiet machine.
 *
 *   npx tsx bench/nodes.ts [--exams 40] [--runs 3] [--before FOLDER]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Archive, freePort } from '../test/interop/archive.js';
import { Haproxy } from '../test/interop/cluster/haproxy.js';
import { allWhole } from '../test/interop/cluster/ledger.js';
import { Node, sharing } from '../test/interop/cluster/nodes.js';
import { scanAll } from '../test/interop/cluster/scanners.js';
import { prepareExams, writeSite } from '../test/interop/cluster/site.js';
import { startRedis } from '../test/src/cluster/redisServer.js';
import { median, printTable } from './report.js';

const { values: options } = parseArgs({ options: { exams: { type: 'string', default: '40' }, runs: { type: 'string', default: '3' }, before: { type: 'string' } } });
const [nExams, nRuns] = [Number(options.exams), Number(options.runs)];
const INSTANCES_EACH = 10;
/** Exams that are scanned one after the other, on a node that has nothing else to do. */
const nAlone = 8;

const folder = mkdtempSync(join(tmpdir(), 'conus-bench-nodes-'));
const site = await writeSite(folder);
const patients = await prepareExams(1 + nAlone + nExams);
const [warmUps, oneByOne, atOnce] = [patients.slice(0, 1), patients.slice(1, 1 + nAlone), patients.slice(1 + nAlone)];

interface Case {
  readonly name: string;
  /** One node a core; a node that may use all of them where there are none. */
  readonly cores: readonly number[];
  readonly isShared: boolean;
  readonly mainPath?: string;
}

interface Measured {
  readonly examsPerMinute: number;
  /** Processor time an exam: of the nodes and their networks; of all around them, scanners, balancer, redis-server and archive. */
  readonly cpuS: number;
  readonly aroundS: number;
  /** From the first byte of an exam to its last instance in the archive, exams one at a time. */
  readonly aloneMs: number;
}

let nMeasured = 0;
async function measured({ cores, isShared, mainPath }: Case): Promise<Measured> {
  const at = join(folder, `run${++nMeasured}`);
  const archive = new Archive(join(at, 'archive'), await freePort());
  await archive.comes();
  const redis = isShared ? await startRedis() : undefined;
  const nodes = await Promise.all((cores.length === 0 ? [undefined] : cores).map((core, i) => Node.start({
    name: `node${i + 1}`, folder: at, site, destination: archive.destination,
    ...(core !== undefined && { core }), ...(mainPath !== undefined && { mainPath }),
    ...(redis !== undefined && { sections: sharing(redis.url, at) }),
  })));
  const haproxy = await Haproxy.start(join(at, 'haproxy'), nodes);
  const port = haproxy.portOf('mrd');
  const arrived = async (nInstances: number) => {
    while (archive.arrivals.size < nInstances) await sleep(5);
  };
  let nScanned = 0;
  /** Until all of them are in the archive. */
  const scanned = async (those: typeof patients) => {
    const startedAt = performance.now();
    await scanAll(those, port);
    await arrived(INSTANCES_EACH * (nScanned += those.length));
    return performance.now() - startedAt;
  };
  await scanned(warmUps);
  const aloneMs: number[] = [];
  for (const patient of oneByOne) aloneMs.push(await scanned([patient]));
  const usedS = () => ({ nodes: nodes.reduce((sum, { pid }) => sum + cpuS(pid), 0), all: cpuS(process.pid) });
  const before = usedS();
  const togetherMs = await scanned(atOnce);
  const after = usedS();
  const ofNodesS = after.nodes - before.nodes;
  await allWhole(() => nodes[0]!.exams(), patients.length);

  await haproxy.stop();
  for (const node of nodes) await node.stop();
  await redis?.remove();
  await archive.goes();
  rmSync(at, { recursive: true });
  return { examsPerMinute: nExams / (togetherMs / 60_000), cpuS: ofNodesS / nExams, aroundS: (after.all - before.all - ofNodesS) / nExams, aloneMs: median(aloneMs) };
}

/** Processor time of a process and of those that it started, s. */
function cpuS(pid: number): number {
  const stats = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      // Behind the name of the program, which may hold anything: state, parent, …; utime and stime are fields 14 and 15.
      const fields = readFileSync(`/proc/${name}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');
      return [{ pid: Number(name), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
    } catch {
      return [];
    }
  });
  const ofTree = (root: number): number => stats.reduce((sum, { pid: one, parent, ticks }) => sum + (one === root ? ticks / 100 : parent === root ? ofTree(one) : 0), 0);
  return ofTree(pid);
}

/** Alternating, so that what else the machine does meets all of them. */
async function compared(title: string, cases: readonly Case[]): Promise<void> {
  const results = cases.map((): Measured[] => []);
  for (let run = 0; run < nRuns; run++) {
    for (const [i, one] of cases.entries()) {
      const result = await measured(one);
      results[i]!.push(result);
      console.log(`${one.name}: ${result.examsPerMinute.toFixed(1)} exams a minute, processor an exam ${result.cpuS.toFixed(2)} s and ${result.aroundS.toFixed(2)} s around, alone ${result.aloneMs.toFixed(0)} ms; load ${loadavg()[0]!.toFixed(1)}`);
    }
  }
  const of = (i: number, pick: (one: Measured) => number) => median(results[i]!.map(pick));
  printTable(title, ['', 'exams a minute', 'of the first', 'processor s an exam', 'around', 'alone ms'], cases.map(({ name }, i) => {
    const perMinute = of(i, ({ examsPerMinute }) => examsPerMinute);
    return [name, perMinute.toFixed(1), (perMinute / of(0, ({ examsPerMinute }) => examsPerMinute)).toFixed(2), of(i, ({ cpuS: used }) => used).toFixed(2), of(i, ({ aroundS }) => aroundS).toFixed(2), of(i, ({ aloneMs }) => aloneMs).toFixed(0)];
  }));
}

console.log(`load ${loadavg().map((load) => load.toFixed(1)).join(' ')}`);
if (options.before === undefined) {
  await compared(`${nExams} exams at once, medians of ${nRuns}`, [
    { name: 'one node, on one core', cores: [0], isShared: true },
    { name: 'two nodes, each on a core', cores: [0, 1], isShared: true },
  ]);
} else {
  await compared(`${nExams} exams at once on one node alone, medians of ${nRuns}`, [
    { name: 'before', cores: [], isShared: false, mainPath: resolve(options.before, 'dist/src/main.js') },
    { name: 'now', cores: [], isShared: false },
  ]);
}
rmSync(folder, { recursive: true });
