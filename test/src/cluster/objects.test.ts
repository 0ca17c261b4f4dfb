/** Objects in a shared directory whose records are on a Redis server: the suite of all stores, and several nodes at once. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ClusterRecords, connectRedis } from '../../../src/cluster/index.js';
import { createLog } from '../../../src/log.js';
import { Room } from '../../../src/spool/index.js';
import { DirectoryStore, SharedObjectStore } from '../../../src/storage/index.js';
import { bytesOf } from '../spool/data.js';
import { objectConformance } from '../spool/objectConformance.js';
import type { ObjectsUnderTest } from '../spool/objectConformance.js';
import { hasRedis, startRedis } from './redisServer.js';
import type { RedisServer } from './redisServer.js';

describe.skipIf(!hasRedis)('objects on several nodes', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  let nNodes = 0;
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'conus-node-'));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  async function node(prefix: string, shared: string, quotaBytes = 1e9) {
    const address = { redisUrl: server.url, prefix };
    const [redis, reader] = [await connectRedis(address), await connectRedis(address)];
    const boot = `boot${++nNodes}`;
    const records = await ClusterRecords.open({
      redis, reader, prefix, boot, folder: folder(), patienceMs: 20_000, log: createLog('silent', { write: () => undefined }), onLost: () => undefined,
    });
    onTestFinished(async () => {
      await records.close();
      redis.disconnect();
    });
    const store = new DirectoryStore(shared);
    const room = new Room({ quotaBytes, reserveBytes: 0, freeBytes: () => Promise.resolve(Infinity) }, records.table('cleanable'));
    return { boot, records, room, objects: new SharedObjectStore({ records, store, room, boot }) };
  }

  const filesIn = (shared: string) => readdirSync(join(shared, 'objects'));

  objectConformance('on Redis', (quotaBytes = 1e9) => {
    const [prefix, shared] = [`suite${++nNodes}`, folder()];
    const opened = async (): Promise<ObjectsUnderTest> => {
      const { boot, records, room, objects } = await node(prefix, shared, quotaBytes);
      return {
        objects, room,
        transaction: (work) => records.transaction(work),
        lying: () => filesIn(shared).map((name) => name.slice(0, 64)),
        damage: (ref) => writeFileSync(join(shared, 'objects', filesIn(shared).find((name) => name.startsWith(ref))!), 'other'),
        restart: async () => {
          const again = await opened();
          await (again.objects as SharedObjectStore).releasePins(boot);
          await again.transaction(() => undefined);
          return again;
        },
      };
    };
    return opened();
  });

  it('are never lost to whoever put and holds them, however much is cleaned meanwhile', { timeout: 60_000 }, async () => {
    const [prefix, shared] = ['many', folder()];
    const nodes = await Promise.all([node(prefix, shared), node(prefix, shared), node(prefix, shared)]);
    let isBusy = true;
    let nCleaned = 0;
    const clean = async ({ room }: (typeof nodes)[0]) => {
      for (; isBusy; nCleaned++) {
        await expect(room.reserve(2e9)).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const use = async ({ objects, records }: (typeof nodes)[0], user: number) => {
      for (let time = 0; time < 8; time++) {
        const text = `content ${(user + time) % 3}`;
        const [ref, holder] = [await objects.put(bytesOf(text)), `user/${user}`];
        await records.transaction(() => objects.hold(ref, holder));
        expect(Buffer.from(await objects.read(ref)).toString()).toBe(text);
        await records.transaction(() => objects.release(ref, holder));
      }
    };
    const work = Promise.all(Array.from({ length: 6 }, (_, user) => use(nodes[user % 3]!, user))).finally(() => (isBusy = false));
    await Promise.all([work, ...nodes.map(clean)]);
    expect(nCleaned).toBeGreaterThan(10);
    for (const { records } of nodes) await records.flushed();
    const [first] = nodes;
    await first!.records.caughtUp();
    const kept = [...first!.records.table<{ key: string; pins: string[] }>('objects').range()].map(({ value }) => value);
    expect(kept.flatMap(({ pins }) => pins)).toEqual([]);
    expect(kept.map(({ key }) => key).sort()).toEqual(filesIn(shared).map((name) => `objects/${name}`).sort());
  });
});
