import { describe, expect, it } from 'vitest';
import { Calendar } from '../../bench/capacity/calendar.js';
import { Cluster } from '../../bench/capacity/cluster.js';
import type { NodeOptions } from '../../bench/capacity/cluster.js';
import { Random } from '../../simulator/index.js';

const exponential = (random: Random, mean: number) => -mean * Math.log(1 - random.uniform());
const alone = (cores: number, concurrency: number): NodeOptions => ({ cores, mostSessions: Infinity, concurrency: { job: concurrency } });

interface Measured {
  /** Mean wait before work begins, s. */
  readonly waitS: number;
  /** From coming to the end, s. */
  readonly sojournS: number;
  readonly byPriority: ReadonlyMap<number, number>;
}

/** Poisson arrivals of jobs on one cluster; the first tenth is left out. */
function queueing(
  nodes: readonly NodeOptions[], { rate, serviceS, priority = () => 1, n = 150_000, seed = 5 }: { rate: number; serviceS: (random: Random) => number; priority?: (random: Random) => number; n?: number; seed?: number },
): Measured {
  const random = new Random(seed);
  const calendar = new Calendar();
  const cluster = new Cluster({ nodes }, calendar, new Random(seed + 1));
  let [nBegun, waits, nDone, sojourns] = [0, 0, 0, 0];
  const begun = new Map<number, { n: number; sum: number }>();
  cluster.onBegin = (_kind, waitedS) => {
    if (++nBegun > n / 10) waits += waitedS;
  };
  const arrive = (index: number) => {
    const at = calendar.now;
    const ofPriority = priority(random);
    cluster.add({
      kind: 'job', priority: ofPriority, stages: [{ cpuS: serviceS(random), mostCores: 1 }],
      done: () => {
        if (++nDone <= n / 10) return;
        sojourns += calendar.now - at;
        const entry = begun.get(ofPriority) ?? { n: 0, sum: 0 };
        entry.n++;
        entry.sum += calendar.now - at;
        begun.set(ofPriority, entry);
      },
    });
    if (index + 1 < n) calendar.enter(at + exponential(random, 1 / rate), () => arrive(index + 1));
  };
  calendar.enter(0, () => arrive(0));
  calendar.runUntil(Infinity);
  return { waitS: waits / (0.9 * n), sojournS: sojourns / (nDone - n / 10), byPriority: new Map([...begun].map(([key, entry]) => [key, entry.sum / entry.n])) };
}

/** Within so many percent. */
const expectWithin = (value: number, truth: number, percent: number) => expect(Math.abs(value / truth - 1), `${value} against ${truth}`).toBeLessThan(percent / 100);

describe('the simulation of a cluster agrees with the theory of queues', () => {
  it.each([0.5, 0.8])('on a queue before one server with constant work (M/D/1), load %s: Khinchine and Pollaczek', (load) => {
    const { waitS } = queueing([alone(1, 1)], { rate: load, serviceS: () => 1 });
    expectWithin(waitS, load / (2 * (1 - load)), 3);
  });

  it.each([
    ['four cores of one node', [alone(4, 4)]],
    ['four nodes of one core', [alone(1, 1), alone(1, 1), alone(1, 1), alone(1, 1)]],
  ])('on a queue before %s (M/M/4), load 0.8: Erlang', (_what, nodes) => {
    const [c, load] = [4, 0.8];
    const offered = c * load;
    let term = 1;
    let sum = 0;
    for (let k = 0; k < c; k++) {
      sum += term;
      term *= offered / (k + 1);
    }
    const waits = term / (1 - load) / (sum + term / (1 - load));
    const { waitS } = queueing(nodes, { rate: offered, serviceS: (random) => exponential(random, 1) });
    expectWithin(waitS, waits / (c * (1 - load)), 3);
  });

  it('on work that shares one core, load 0.7: the time depends on the mean of the work alone', () => {
    const load = 0.7;
    for (const serviceS of [(random: Random) => exponential(random, 1), (random: Random) => (random.uniform() < 0.9 ? 0.5 : 5.5)]) {
      const { sojournS, waitS } = queueing([alone(1, Infinity)], { rate: load, serviceS });
      expect(waitS).toBe(0);
      expectWithin(sojournS, 1 / (1 - load), 3);
    }
  });

  it('on two priorities before one server (M/M/1), load 0.6: Cobham', () => {
    const [high, low] = [0.3, 0.3];
    const { byPriority } = queueing([alone(1, 1)], { rate: high + low, serviceS: (random) => exponential(random, 1), priority: (random) => (random.uniform() < high / (high + low) ? 1 : 2) });
    const residual = high + low;
    expectWithin(byPriority.get(1)!, residual / (1 - high) + 1, 3);
    expectWithin(byPriority.get(2)!, residual / ((1 - high) * (1 - high - low)) + 1, 3);
  });
});

describe('a simulated cluster', () => {
  const of = (nodes: readonly NodeOptions[], lanes = {}) => {
    const calendar = new Calendar();
    return { calendar, cluster: new Cluster({ nodes, lanes, missedAfterS: 30 }, calendar, new Random(1)) };
  };

  it('lets one model run at a time on a node, on as many cores as it has threads', () => {
    const { calendar, cluster } = of([alone(4, 4)]);
    const ended: number[] = [];
    for (let job = 0; job < 3; job++) cluster.add({ kind: 'job', priority: 1, stages: [{ cpuS: 10, mostCores: 2, usesModels: true }], done: () => ended.push(calendar.now) });
    calendar.runUntil(100);
    expect(ended).toEqual([5, 10, 15]);
  });

  it('runs no second job with the same model on a node', () => {
    const { calendar, cluster } = of([alone(4, 4)]);
    const ended: number[] = [];
    for (const model of ['a', 'a', 'b']) cluster.add({ kind: 'job', priority: 1, model, stages: [{ cpuS: 10, mostCores: 1 }], done: () => ended.push(calendar.now) });
    calendar.runUntil(100);
    expect(ended).toEqual([10, 10, 20]);
  });

  it('keeps a lane to its number over all nodes, and lets others pass', () => {
    const { calendar, cluster } = of([alone(2, 4), alone(2, 4)], { slow: 1 });
    const ended: string[] = [];
    for (const lane of ['slow', 'slow', 'fast']) cluster.add({ kind: 'job', priority: 1, lane, stages: [{ waitS: 10 }], done: () => ended.push(`${lane} ${calendar.now}`) });
    calendar.runUntil(100);
    expect(ended).toEqual(['slow 10', 'fast 10', 'slow 20']);
  });

  it('loses nothing with a node: sessions are told at once, jobs begin again elsewhere when it is missed', () => {
    const { calendar, cluster } = of([alone(1, 1), alone(1, 1)]);
    const told: string[] = [];
    for (let job = 0; job < 2; job++) cluster.add({ kind: 'job', priority: 1, stages: [{ cpuS: 10, mostCores: 1 }], done: () => told.push(`job ${calendar.now}`) });
    const open = (): void => cluster.openSession((node, run, close) => node.through([{ waitS: 8 }], run, () => {
      close();
      told.push(`session ${calendar.now}`);
    }), () => {
      told.push(`lost ${calendar.now}`);
      open();
    });
    open();
    calendar.enter(5, () => cluster.kill(cluster.nodes.find(({ nSessions }) => nSessions === 1)!));
    calendar.runUntil(100);
    expect(told).toEqual(['lost 5', 'job 10', 'session 13', 'job 45']);
  });

  it('has sessions wait where every node is full', () => {
    const { calendar, cluster } = of([{ cores: 1, mostSessions: 1, concurrency: {} }]);
    const ended: number[] = [];
    for (let session = 0; session < 3; session++) {
      cluster.openSession((node, run, close) => node.through([{ waitS: 10 }], run, () => {
        ended.push(calendar.now);
        close();
      }), () => undefined);
    }
    calendar.runUntil(100);
    expect(ended).toEqual([10, 20, 30]);
  });
});
