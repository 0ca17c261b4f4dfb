/** The data directory of a node that shares its records and objects with others: what stays in it is its own. */
import { join, resolve } from 'node:path';
import { open } from 'lmdb';
import { diskFiles } from './files.js';
import { lockDirectory } from './lock.js';
import type { Lock } from './lock.js';
import type { ObjectStore } from './objects.js';
import { Outbox } from './outbox.js';
import { defaultQuota, Room } from './room.js';
import type { QuotaOptions } from './room.js';
import type { Spool } from './spool.js';
import { LmdbRecords } from './table.js';
import type { Records } from './table.js';

/** @throws CodedError SPOOL_ERR_LOCKED where another process has the directory */
export async function lockNodeDirectory(directory: string): Promise<Lock> {
  const path = resolve(directory);
  await diskFiles.makeFolder(path);
  const own = new LmdbRecords(open({ path: join(path, 'node.lmdb'), encoding: 'json' }));
  try {
    const lock = await lockDirectory(path, own.table('owner'));
    return {
      async release() {
        await lock.release();
        await own.root.close();
      },
    };
  } catch (error) {
    await own.root.close();
    throw error;
  }
}

export interface SharedSpoolOptions {
  readonly directory: string;
  readonly records: Records;
  readonly objectsIn: (room: Room) => ObjectStore;
  /** Of all nodes together. */
  readonly quota?: Partial<QuotaOptions> | undefined;
  /** Bytes that the store still takes. */
  readonly freeBytes: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Of what other nodes do nothing is interrupted: each job belongs to the node that the queue gave it to. */
export function sharedSpool({ directory, records, objectsIn, quota, freeBytes, close }: SharedSpoolOptions): Spool {
  const room = new Room({ ...defaultQuota, ...quota, freeBytes }, records.table('cleanable'));
  const objects = objectsIn(room);
  return {
    directory: resolve(directory), records, room, objects, outbox: new Outbox(records, objects), nInterrupted: 0,
    table: (name) => records.table(`own.${name}`),
    transaction: (work) => records.transaction(work),
    flushed: () => records.flushed(),
    async close() {
      await records.flushed().finally(close);
    },
  };
}
