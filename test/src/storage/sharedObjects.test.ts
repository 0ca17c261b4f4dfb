import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Room } from '../../../src/spool/index.js';
import { SharedObjectStore } from '../../../src/storage/index.js';
import type { Blob, BlobStore } from '../../../src/storage/index.js';
import { storageError } from '../../../src/storage/errors.js';
import { objectConformance } from '../spool/objectConformance.js';
import type { ObjectsUnderTest } from '../spool/objectConformance.js';
import { OptimisticRecords, SharedState } from './optimisticRecords.js';

const bytesOf = (text: string) => new TextEncoder().encode(text.padEnd(100, '.'));
const refOf = (text: string) => createHash('sha256').update(bytesOf(text)).digest('hex');

/** In memory, with others' steps between its own. */
class MemoryStore implements BlobStore {
  readonly blobs: Map<string, Uint8Array>;
  readonly #pause: (what: string) => Promise<unknown>;
  /** Thrown by the next put, before or after the bytes are there. */
  failure: { readonly error: Error; readonly isThere: boolean } | undefined;

  constructor(blobs: Map<string, Uint8Array>, pause: (what: string) => Promise<unknown> = () => Promise.resolve()) {
    this.blobs = blobs;
    this.#pause = pause;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#pause('put');
    const { failure } = this;
    this.failure = undefined;
    if (failure === undefined || failure.isThere) this.blobs.set(key, bytes);
    await this.#pause('put');
    if (failure !== undefined) throw failure.error;
  }

  putFile = () => Promise.reject(new Error('no files'));
  readInto = () => Promise.reject(new Error('no files'));

  async get(key: string): Promise<Uint8Array> {
    await this.#pause('get');
    const bytes = this.blobs.get(key);
    if (bytes === undefined) throw storageError('STORAGE_ERR_MISSING', key);
    return bytes;
  }

  has = (key: string) => Promise.resolve(this.blobs.has(key));
  size = (key: string) => Promise.resolve(this.blobs.get(key)?.length);

  async remove(key: string): Promise<void> {
    await this.#pause('remove');
    this.blobs.delete(key);
    await this.#pause('remove');
  }

  async *list(prefix: string): AsyncIterable<Blob> {
    for (const [key, bytes] of this.blobs) if (key.startsWith(prefix)) yield await Promise.resolve({ key, nBytes: bytes.length, modifiedAt: 0 });
  }

  freeBytes = () => Promise.resolve(Infinity);
  check = () => Promise.resolve();
}

interface World {
  readonly shared: SharedState;
  readonly blobs: Map<string, Uint8Array>;
  readonly node: (boot: string, quotaBytes?: number) => { readonly objects: SharedObjectStore; readonly room: Room; readonly records: OptimisticRecords; readonly store: MemoryStore };
}

function world(pause: (what: string) => Promise<unknown> = () => Promise.resolve()): World {
  const [shared, blobs] = [new SharedState(), new Map<string, Uint8Array>()];
  return {
    shared, blobs,
    node: (boot, quotaBytes = 1e6) => {
      const records = new OptimisticRecords(shared, pause);
      const store = new MemoryStore(blobs, pause);
      const room = new Room({ quotaBytes, reserveBytes: 0, freeBytes: () => store.freeBytes() }, records.table('cleanable'));
      return { objects: new SharedObjectStore({ records, store, room, boot }), room, records, store };
    },
  };
}

const recordsOf = ({ shared }: World) => shared.values<{ key: string; pins: string[]; holders: string[] }>('objects');

/** What holds at every moment. */
function expectWhole(given: World): void {
  for (const { key, value } of recordsOf(given)) {
    const bytes = given.blobs.get(value.key);
    expect(bytes !== undefined && createHash('sha256').update(bytes).digest('hex') === key, `record ${key as string} without its bytes`).toBe(true);
  }
}

/** Nothing is in the store that no record has, and nothing is pinned. */
function expectTidy(given: World): void {
  expectWhole(given);
  expect([...given.blobs.keys()].sort()).toEqual(recordsOf(given).map(({ value }) => value.key).sort());
  expect(given.shared.values('objects.loose')).toEqual([]);
  expect(recordsOf(given).flatMap(({ value }) => value.pins)).toEqual([]);
}

objectConformance('shared by nodes', (quotaBytes = 1e9) => {
  const given = world();
  let nBoots = 0;
  const opened = async (): Promise<ObjectsUnderTest> => {
    const boot = `boot${nBoots++}`;
    const { objects, room, records } = given.node(boot, quotaBytes);
    await records.transaction(() => undefined);
    return {
      objects, room,
      transaction: (work) => records.transaction(work),
      lying: () => [...given.blobs.keys()].map((key) => /^objects\/([0-9a-f]{64})-/.exec(key)![1]!),
      damage: (ref) => given.blobs.forEach((_, key) => key.includes(ref) && given.blobs.set(key, bytesOf('other'))),
      restart: async () => {
        const again = await opened();
        await (again.objects as SharedObjectStore).releasePins(boot);
        return again;
      },
    };
  };
  return opened();
});

/** What one user of a node does with one content. */
interface Deed {
  readonly node: 'a' | 'b';
  readonly content: 'x' | 'y';
  readonly then: 'hold' | 'discard' | 'holdTwice';
}

const deeds = fc.array(
  fc.record<Deed>({ node: fc.constantFrom('a', 'b'), content: fc.constantFrom('x', 'y'), then: fc.constantFrom('hold', 'discard', 'holdTwice') }),
  { minLength: 2, maxLength: 8 },
);

describe('objects that nodes share', () => {
  it('are never lost to whoever put and holds them, whatever comes between, and leave nothing behind', async () => {
    let nConflicts = 0;
    await fc.assert(
      fc.asyncProperty(deeds, fc.scheduler(), async (plan, scheduler) => {
        const given = world((what) => scheduler.schedule(Promise.resolve(), what));
        given.shared.onCommit = () => expectWhole(given);
        const nodes = { a: given.node('a'), b: given.node('b') };
        // Both nodes are in want of room all the time: everything that nobody holds is cleaned again and again.
        let isBusy = true;
        for (const { room } of Object.values(nodes)) await room.reserve(0);
        const clean = async ({ room, records }: (typeof nodes)['a']) => {
          while (isBusy) {
            await room.reserve(2e6).catch((error: { code: string }) => expect(error.code).toBe('SPOOL_ERR_FULL'));
            // Catches up with the other node.
            await records.transaction(() => undefined);
            await new Promise((resolve) => setImmediate(resolve));
          }
        };
        for (const { store } of Object.values(nodes)) {
          const remove = store.remove.bind(store);
          store.remove = async (key) => {
            expect(recordsOf(given).map(({ value }) => value.key)).not.toContain(key);
            await remove(key);
          };
        }
        const use = async ({ node, content, then }: Deed, user: string) => {
          const { objects, records } = nodes[node];
          const ref = await objects.put(bytesOf(content));
          expect(ref).toBe(refOf(content));
          if (then === 'discard') return objects.discard([ref]);
          await records.transaction(() => {
            objects.hold(ref, `session/${user}`);
            if (then === 'holdTwice') objects.hold(ref, `job/${user}`);
          });
          expect(objects.holders(ref)).toContain(`session/${user}`);
          expect(Buffer.from(await objects.read(ref)).equals(bytesOf(content))).toBe(true);
          await records.transaction(() => {
            objects.release(ref, `session/${user}`);
            objects.release(ref, `job/${user}`);
          });
        };
        const work = plan.map(async (deed, index) => {
          for (let time = 0; time < 6; time++) await use(deed, `${index}.${time}`);
        });
        const worked = Promise.all(work).finally(() => (isBusy = false));
        await scheduler.waitFor(Promise.all([worked, ...Object.values(nodes).map(clean)]));
        await scheduler.waitFor(Promise.all(Object.values(nodes).map(({ records }) => records.flushed())));
        expectTidy(given);
        nConflicts += given.shared.nConflicts;
      }),
      { numRuns: 150 },
    );
    // Else nothing came between.
    expect(nConflicts).toBeGreaterThan(100);
  });

  it('that somebody put again stay while others clean, until that one holds or discards them', async () => {
    const given = world();
    const [a, b] = [given.node('a'), given.node('b')];
    const catchUp = async () => {
      for (const { records } of [a, b]) await records.transaction(() => undefined);
    };
    const clean = async () => {
      await catchUp();
      for (const { room } of [a, b]) await expect(room.reserve(2e6)).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
      await catchUp();
    };
    const use = async ({ objects, records }: typeof a, holder: string) => {
      await records.transaction(() => ['session', 'job'].forEach((kind) => objects.hold(refOf('x'), `${kind}/${holder}`)));
      await records.transaction(() => ['session', 'job'].forEach((kind) => objects.release(refOf('x'), `${kind}/${holder}`)));
    };
    await a.objects.put(bytesOf('x'));
    await a.objects.put(bytesOf('x'));
    await catchUp();
    await b.objects.put(bytesOf('x'));
    await catchUp();
    // Three have put it; two come to hold it and let go, each with two holders in one transaction.
    await use(a, '1');
    await clean();
    await use(b, '2');
    await clean();
    await use(a, '3');
    expect(a.objects.has(refOf('x'))).toBe(true);
    await clean();
    expect([a.objects.has(refOf('x')), given.blobs.size]).toEqual([false, 0]);
    expectTidy(given);
  });

  it('of a node that died are given up, and whoever was only taken for dead goes on as if nothing had been', async () => {
    await fc.assert(
      fc.asyncProperty(deeds, fc.scheduler(), async (plan, scheduler) => {
        const given = world((what) => scheduler.schedule(Promise.resolve(), what));
        given.shared.onCommit = () => expectWhole(given);
        const nodes = { a: given.node('a'), b: given.node('b') };
        const work = plan.map(async ({ node, content }, index) => {
          const { objects, records } = nodes[node];
          const ref = await objects.put(bytesOf(content));
          // Also where it was taken for dead meanwhile.
          await records.transaction(() => objects.hold(ref, `session/${index}`));
          expect(Buffer.from(await objects.read(ref)).equals(bytesOf(content))).toBe(true);
        });
        const takenOver = (async () => {
          for (let round = 0; round < 3; round++) {
            await nodes.b.records.transaction(() => undefined);
            await nodes.b.objects.releasePins('a');
          }
        })();
        await scheduler.waitFor(Promise.all([...work, takenOver]));
        for (const { records } of Object.values(nodes)) await scheduler.waitFor(records.flushed());
        for (const boot of ['a', 'b']) await scheduler.waitFor(nodes.b.objects.releasePins(boot));
        await scheduler.waitFor(nodes.b.records.flushed());
        expectTidy(given);
      }),
      { numRuns: 200 },
    );
  });

  it('that a node left half written when it died are removed by another', async () => {
    const given = world();
    const [dead, alive] = [given.node('dead'), given.node('alive')];
    // Killed after the bytes, before the record: nothing comes after the error.
    dead.store.failure = { error: new Error('killed'), isThere: true };
    const records = dead.records.transaction.bind(dead.records);
    let nTransactions = 0;
    dead.records.transaction = (work) => (nTransactions++ === 0 ? records(work) : Promise.reject(new Error('killed')));
    await expect(dead.objects.put(bytesOf('half'))).rejects.toThrow('killed');
    expect([given.blobs.size, given.shared.values('objects.loose')]).toMatchObject([1, [{ value: { writer: 'dead' } }]]);
    await alive.records.transaction(() => undefined);
    await alive.objects.releasePins('dead');
    await alive.records.flushed();
    expectTidy(given);
    expect(given.blobs.size).toBe(0);
  });

  it.each([false, true])('that a store failed to take are not there, and may be put again (bytes there: %s)', async (isThere) => {
    const given = world();
    const { objects, store, records, room } = given.node('a');
    store.failure = { error: storageError('STORAGE_ERR_UNREACHABLE', 'nothing'), isThere };
    await expect(objects.put(bytesOf('x'))).rejects.toMatchObject({ code: 'STORAGE_ERR_UNREACHABLE' });
    store.failure = { error: storageError('STORAGE_ERR_FULL', 'nothing'), isThere };
    await expect(objects.put(bytesOf('x'))).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
    await records.flushed();
    expectTidy(given);
    expect(room.state).toMatchObject({ usedBytes: 0, isFull: true });
    const ref = await objects.put(bytesOf('x'));
    await records.transaction(() => objects.hold(ref, 'test'));
    expectTidy(given);
    expect(room.state).toMatchObject({ usedBytes: 100, isFull: false });
  });

  it('are counted over all nodes, and make room for one another', async () => {
    const given = world();
    const [a, b] = [given.node('a', 250), given.node('b', 250)];
    for (const text of ['1', '2']) {
      const ref = await a.objects.put(bytesOf(text));
      await a.records.transaction(() => a.objects.hold(ref, 'test'));
    }
    await b.records.transaction(() => undefined);
    await expect(b.objects.put(bytesOf('3'))).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
    expect(b.room.state).toEqual({ usedBytes: 200, quotaBytes: 250, isFull: true });
    await a.records.transaction(() => a.objects.release(refOf('1'), 'test'));
    await b.records.transaction(() => undefined);
    await b.objects.put(bytesOf('3'));
    await b.records.flushed();
    expect([b.objects.has(refOf('1')), b.objects.has(refOf('2')), given.blobs.size]).toEqual([false, true, 2]);
  });
});
