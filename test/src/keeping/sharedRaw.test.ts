import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { SessionKeeper, storedRaw } from '../../../src/keeping/index.js';
import type { Spool } from '../../../src/spool/index.js';
import { DirectoryStore } from '../../../src/storage/index.js';
import { storageError } from '../../../src/storage/errors.js';
import { roomyFiles, spoolIn, temporaryFolder } from '../spool/data.js';

const silent = pino({ level: 'silent' });

interface Node {
  readonly keeper: SessionKeeper;
  readonly spool: Spool;
  readonly store: DirectoryStore;
  /** A recording as it is on the disk when its session ends. */
  readonly record: (name: string, bytes: Uint8Array) => string;
}

async function nodeIn(folder: string, shared: string, quotaBytes = 1e6): Promise<Node> {
  const spool = await spoolIn(folder, { quotaBytes, reserveBytes: 0, files: roomyFiles });
  const store = new DirectoryStore(shared);
  const keeper = new SessionKeeper({ spool, destinationsFor: () => [], log: silent, store });
  await keeper.recover();
  return {
    keeper, spool, store,
    record(name, bytes) {
      mkdirSync(keeper.raw.folder, { recursive: true });
      const path = join(keeper.raw.folder, name);
      writeFileSync(path, bytes);
      return path;
    },
  };
}

const acknowledged = ({ spool, keeper }: Node, name: string, nBytes: number) => spool.transaction(() => keeper.raw.add(name, nBytes, true));
const isBrought = (path: string) => vi.waitFor(() => expect(existsSync(path)).toBe(false), { timeout: 5000 });

it('is brought to the store when its session has ended, and lent to whoever asks', async () => {
  const node = await nodeIn(temporaryFolder(), temporaryFolder());
  const { keeper, store } = node;
  const bytes = randomBytes(1000);
  const path = node.record('a.mrd', bytes);
  await acknowledged(node, 'a.mrd', 1000);
  keeper.raw.recorded(path);
  await isBrought(path);
  expect(bytes.equals(await store.get('raw/a.mrd'))).toBe(true);
  const borrowed = await keeper.raw.borrow('a.mrd');
  if (borrowed === undefined || borrowed === 'elsewhere') throw new Error('not there');
  expect([borrowed.nBytes, bytes.equals(await readFile(borrowed.path))]).toEqual([1000, true]);
  await borrowed.giveBack();
  expect(existsSync(borrowed.path)).toBe(false);
  expect(await keeper.raw.borrow('../spool.lmdb')).toBeUndefined();
  expect(await keeper.raw.borrow('none.mrd')).toBeUndefined();
  await keeper.close();
});

it('stays on its node while the store is away, and is lent from there', async () => {
  const node = await nodeIn(temporaryFolder(), temporaryFolder());
  const { keeper, store } = node;
  const bytes = randomBytes(1000);
  let nAttempts = 0;
  vi.spyOn(store, 'putFile').mockImplementation((key, path) => (++nAttempts < 3 ? Promise.reject(storageError('STORAGE_ERR_UNREACHABLE', 'nothing')) : new DirectoryStore(temporary).putFile(key, path)));
  const temporary = temporaryFolder();
  const path = node.record('a.mrd', bytes);
  keeper.raw.recorded(path);
  await vi.waitFor(() => expect(nAttempts).toBe(1), { timeout: 10_000 });
  const borrowed = await keeper.raw.borrow('a.mrd');
  if (borrowed === undefined || borrowed === 'elsewhere') throw new Error('not there');
  await isBrought(path);
  expect(nAttempts).toBe(3);
  // What was lent is there until it is given back.
  expect(bytes.equals(await readFile(borrowed.path))).toBe(true);
  await keeper.close();
});

it('that a crash left on its node is brought at the next start, and only once', async () => {
  const [folder, shared] = [temporaryFolder(), temporaryFolder()];
  const bytes = randomBytes(1000);
  mkdirSync(join(folder, 'raw'));
  writeFileSync(join(folder, 'raw', 'cut.mrd.partial'), bytes);
  writeFileSync(join(folder, 'raw', 'empty.mrd.partial'), '');
  // Stored before the crash, but not said to be so.
  writeFileSync(join(folder, 'raw', 'half.mrd'), bytes);
  await new DirectoryStore(shared).put('raw/half.mrd', bytes);
  const node = await nodeIn(folder, shared);
  await vi.waitFor(() => expect(readdirSync(join(folder, 'raw'))).toEqual([]), { timeout: 5000 });
  expect(bytes.equals(await node.store.get('raw/cut.mrd'))).toBe(true);
  expect(await node.store.has('raw/empty.mrd')).toBe(false);
  expect([storedRaw(node.spool, '/of/another/node/raw/cut.mrd'), storedRaw(node.spool, 'none.mrd'), storedRaw(node.spool, undefined)]).toEqual(['cut.mrd', undefined, undefined]);
  // Nobody acknowledged them: they stay.
  await expect(node.spool.objects.put(new Uint8Array(1e6))).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
  expect([await node.store.has('raw/cut.mrd'), await node.store.has('raw/half.mrd')]).toEqual([true, true]);
  expect(node.spool.room.state.usedBytes).toBe(2000);
  await node.keeper.close();
});

it.each(['before', 'after'])('goes when its room is needed, once its session was acknowledged (%s it was brought)', async (when) => {
  const node = await nodeIn(temporaryFolder(), temporaryFolder(), 2000);
  const path = node.record('a.mrd', randomBytes(1000));
  if (when === 'before') await acknowledged(node, 'a.mrd', 1000);
  node.keeper.raw.recorded(path);
  await isBrought(path);
  await vi.waitFor(() => expect(node.spool.table<{ storedAt?: number }>('raw').get('a.mrd')?.storedAt).toBeGreaterThan(0), { timeout: 10_000 });
  if (when === 'after') await acknowledged(node, 'a.mrd', 1000);
  await node.spool.objects.put(new Uint8Array(1500));
  expect(await node.store.has('raw/a.mrd')).toBe(false);
  expect(node.spool.table('raw').get('a.mrd')).toBeUndefined();
  expect(await node.keeper.raw.borrow('a.mrd')).toBeUndefined();
  await node.keeper.close();
});

it('is known to be with another node as long as that has not brought it', async () => {
  const node = await nodeIn(temporaryFolder(), temporaryFolder());
  await acknowledged(node, 'b.mrd', 1000);
  expect(await node.keeper.raw.borrow('b.mrd')).toBe('elsewhere');
  await node.keeper.close();
});
