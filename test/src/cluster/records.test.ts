import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ClusterRecords, connectRedis, durabilityOf } from '../../../src/cluster/index.js';
import type { Records } from '../../../src/spool/index.js';
import { createLog } from '../../../src/log.js';
import { hasRedis, startRedis } from './redisServer.js';
import type { RedisServer } from './redisServer.js';

describe.skipIf(!hasRedis)('records that nodes share', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  let nHouses = 0;
  const house = () => `test${++nHouses}`;
  let nBoots = 0;
  async function node(prefix: string, patienceMs = 20_000): Promise<ClusterRecords & { readonly lost: unknown[] }> {
    const folder = mkdtempSync(join(tmpdir(), 'conus-node-'));
    const address = { redisUrl: server.url, prefix };
    const [redis, reader] = [await connectRedis(address), await connectRedis(address)];
    const lost: unknown[] = [];
    const records = await ClusterRecords.open({
      redis, reader, prefix, boot: `boot${++nBoots}`, folder, patienceMs, log: createLog('silent', { write: () => undefined }), onLost: (error) => lost.push(error),
    });
    onTestFinished(async () => {
      await records.close();
      redis.disconnect();
      rmSync(folder, { recursive: true, force: true });
    });
    return Object.assign(records, { lost });
  }

  it('shows what one node keeps to the others, and to one that comes later', async () => {
    const prefix = house();
    const [a, b] = [await node(prefix), await node(prefix)];
    await a.transaction(() => {
      a.table('things').put('x', { value: 1 });
      a.table('others').put(['k', 2], [1, 'two', null]);
    });
    await b.caughtUp();
    expect(b.table('things').get('x')).toEqual({ value: 1 });
    await b.transaction(() => b.table('things').remove('x'));
    const c = await node(prefix);
    expect(c.table('things').get('x')).toBeUndefined();
    expect([...c.table('others').range(['k'])]).toEqual([{ key: ['k', 2], value: [1, 'two', null] }]);
  });

  it('loses no count where several nodes count in one record', async () => {
    const prefix = house();
    const nodes = await Promise.all([node(prefix), node(prefix), node(prefix)]);
    const count = (records: Records) => records.transaction(() => {
      const table = records.table<number>('counts');
      const next = (table.get('n') ?? 0) + 1;
      table.put('n', next);
      return next;
    });
    const told = await Promise.all(nodes.flatMap((records) => Array.from({ length: 40 }, () => count(records))));
    expect([...told].sort((x, y) => x - y)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    expect(nodes.some(({ stats }) => stats.nConflicts > 0)).toBe(true);
  });

  it('keeps nothing of a transaction that throws, tells what is kept once, and what is not never', async () => {
    const a = await node(house());
    const table = a.table<number>('things');
    const told: string[] = [];
    const thrown = a.transaction(() => {
      table.put('x', 1);
      a.afterCommit(() => told.push('x'));
      throw new Error('no');
    });
    const kept = a.transaction(() => {
      // Of one that was undone nothing is seen by the next.
      expect(table.get('x')).toBeUndefined();
      table.put('y', 2);
      a.afterCommit(() => told.push('y'));
      return table.get('y');
    });
    await expect(thrown).rejects.toThrow('no');
    expect(await kept).toBe(2);
    expect(told).toEqual(['y']);
    expect(table.get('x')).toBeUndefined();
    expect(table.get('y')).toBe(2);
  });

  it('is the same as one map, whatever transactions two nodes run at once', async () => {
    const prefix = house();
    const [a, b] = [await node(prefix), await node(prefix)];
    const key = fc.constantFrom('a', 'ab', 'b', ['p', 1], ['p', 10], ['p', 'q']);
    const step = fc.record({ byA: fc.boolean(), from: key, to: key, add: fc.integer({ min: -3, max: 3 }) });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const name = `map${++round}`;
        // Moves a quantity between records: the sum stays, whatever the order in which they come.
        await Promise.all(steps.map(({ byA, from, to, add }) => {
          const records = byA ? a : b;
          const table = records.table<number>(name);
          return records.transaction(() => {
            table.put(from, (table.get(from) ?? 0) - add);
            table.put(to, (table.get(to) ?? 0) + add);
          });
        }));
        await Promise.all([a.caughtUp(), b.caughtUp()]);
        const [ofA, ofB] = [a, b].map((records) => [...records.table<number>(name).range()]);
        expect(ofA).toEqual(ofB);
        expect(ofA!.reduce((sum, { value }) => sum + value, 0)).toBe(0);
        const prefixed = [...a.table<number>(name).range(['p'])].map((found) => found.key);
        expect(prefixed).toEqual(ofA!.map((found) => found.key).filter((found) => typeof found !== 'string'));
      }),
      { numRuns: 20 },
    );
  });

  it('sees its own writes in ranges, in their order', async () => {
    const a = await node(house());
    const table = a.table<number>('r');
    await a.transaction(() => [['s', 1], ['s', 3], ['t', 1]].forEach((key, index) => table.put(key, index)));
    const seen = await a.transaction(() => {
      table.put(['s', 2], 9);
      table.remove(['s', 3]);
      table.put(['s', 10], 8);
      return [...table.range(['s'])].map(({ key }) => key);
    });
    expect(seen).toEqual([['s', 1], ['s', 2], ['s', 10]]);
  });

  it('tells every node everything in one order, each message after what was kept before it', async () => {
    const prefix = house();
    const nodes = await Promise.all([node(prefix), node(prefix), node(prefix)]);
    const heard: unknown[][] = nodes.map(() => []);
    nodes.forEach((records, index) => records.hear('news', ({ message }) => {
      const of = message as string;
      // What was kept before it was told is known.
      expect(records.table('facts').get(of)).toBe(true);
      heard[index]!.push(of);
    }));
    await Promise.all(nodes.flatMap((records, index) => Array.from({ length: 30 }, async (_, nth) => {
      const name = `${index}/${nth}`;
      records.table<boolean>('facts').put(name, true);
      await records.tell('news', name);
    })));
    await Promise.all(nodes.map((records) => records.caughtUp()));
    expect(heard[0]).toHaveLength(90);
    expect(heard[1]).toEqual(heard[0]);
    expect(heard[2]).toEqual(heard[0]);
    const late = await node(prefix);
    const again: unknown[] = [];
    late.hear('news', ({ message }) => again.push(message));
    expect(again).toEqual(heard[0]);
  });

  it('goes on after the server was away, keeps each transaction once, and loses none', async () => {
    const prefix = house();
    const [a, b] = [await node(prefix), await node(prefix)];
    const count = (records: ClusterRecords) => records.transaction(() => records.table<number>('counts').put('n', (records.table<number>('counts').get('n') ?? 0) + 1));
    const counting = Promise.all([a, b].flatMap((records) => Array.from({ length: 30 }, async (_, nth) => {
      await new Promise((resolve) => setTimeout(resolve, nth * 15));
      await count(records);
    })));
    await new Promise((resolve) => setTimeout(resolve, 150));
    await server.stop('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 400));
    await server.start();
    await counting;
    await a.caughtUp();
    expect(a.table('counts').get('n')).toBe(60);
  });

  it('gives up what it could not send in time, and nothing of that is kept later', async () => {
    const prefix = house();
    const a = await node(prefix, 1500);
    await server.stop();
    const waiting = a.transaction(() => a.table('things').put('x', 1));
    await expect(waiting).rejects.toMatchObject({ code: 'CLUSTER_ERR_AWAY' });
    a.table('things').put('y', 1);
    // Nobody waits as long again for each further one.
    const before = performance.now();
    await expect(a.flushed()).rejects.toMatchObject({ code: 'CLUSTER_ERR_AWAY' });
    expect(performance.now() - before).toBeLessThan(1000);
    // What is to be told waits for as long as it takes.
    const heard: unknown[] = [];
    a.hear('news', ({ message }) => heard.push(message));
    const told = a.tell('news', 'x');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heard).toEqual([]);
    await server.start();
    await told;
    expect(heard).toEqual(['x']);
    await a.transaction(() => a.table('things').put('z', 1));
    expect([...a.table('things').range()].map(({ key }) => key)).toEqual(['z']);
  });

  it('stops where the log does not go on as it did', async () => {
    const prefix = house();
    const a = await node(prefix);
    await a.transaction(() => a.table('things').put('x', 1));
    const { Redis } = await import('ioredis');
    const redis = new Redis(server.url);
    await redis.set(`{${prefix}}:counter`, 77);
    await expect(a.transaction(() => a.table('things').put('y', 1))).rejects.toMatchObject({ code: 'CLUSTER_ERR_BEHIND' });
    redis.disconnect();
    expect(a.lost).toHaveLength(1);
    await expect(a.transaction(() => 1)).rejects.toMatchObject({ code: 'CLUSTER_ERR_BEHIND' });
  });

  it('starts on several nodes at once, the first of which writes while the others look', async () => {
    for (let round = 0; round < 5; round++) {
      const prefix = house();
      const nodes = await Promise.all(Array.from({ length: 3 }, async () => {
        const records = await node(prefix);
        await records.transaction(() => records.table('things').put(String(Math.random()), 1));
        return records;
      }));
      await Promise.all(nodes.map((records) => records.caughtUp()));
      expect(nodes.map(({ lost }) => lost)).toEqual([[], [], []]);
      expect(nodes.map((records) => [...records.table('things').range()].length)).toEqual([3, 3, 3]);
    }
  });

  it('says that a server would lose what it acknowledged', async () => {
    const { Redis } = await import('ioredis');
    const redis = new Redis(server.url);
    expect(await durabilityOf(redis)).toEqual([]);
    await redis.config('SET', 'appendfsync', 'everysec');
    expect((await durabilityOf(redis)).map(({ code, message }) => [code, message.split(';')[0]])).toEqual([['CLUSTER_WARN_NOT_DURABLE', 'appendfsync everysec']]);
    await redis.config('SET', 'appendfsync', 'always');
    redis.disconnect();
  });

  it('refuses to start without a server', async () => {
    await expect(connectRedis({ redisUrl: 'redis://127.0.0.1:1' }, undefined, 300)).rejects.toMatchObject({ code: 'CLUSTER_ERR_REDIS' });
  });
});
