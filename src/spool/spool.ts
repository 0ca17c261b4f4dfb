/**
 * The data directory: what must survive the end of the process at any moment.
 *
 *   spool.lmdb    records: tables, the outbox, who holds which object (with spool.lmdb-lock)
 *   objects/      DICOM instances by their SHA-256
 *   raw/          raw data as they came, where they are saved
 *
 * Every promise about a write resolves only when the disk holds it: commits wait for their flush
 * (overlappingSync off), files for theirs and for that of their folder.
 */
import { chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { open } from 'lmdb';
import { spoolError } from './errors.js';
import { diskFiles } from './files.js';
import type { Files } from './files.js';
import { lockDirectory } from './lock.js';
import type { Lock } from './lock.js';
import { FileObjectStore } from './objects.js';
import type { ObjectStore } from './objects.js';
import { Outbox } from './outbox.js';
import { defaultQuota, Room } from './room.js';
import type { QuotaOptions } from './room.js';
import { LmdbRecords } from './table.js';
import type { Records, Table } from './table.js';

/** Of the records in the database; a directory of a later one is refused. */
const SCHEMA_VERSION = 1;
/** Tables of the spool and of everybody who keeps something in it. */
const MAX_TABLES = 64;

/** Directories that this process owns: lmdb-js must not have the same database open twice for writing. */
const owned = new Set<string>();

export interface SpoolOptions extends QuotaOptions {
  /**
   * A server owns the directory: it locks it and removes what a crash left behind. A command that looks
   * at the directory of a server that runs, or changes its outbox, does not.
   */
  readonly owns: boolean;
  /** In place of the disk, for tests. */
  readonly files: Files;
}

export interface Spool {
  readonly directory: string;
  readonly outbox: Outbox;
  /** Content-addressed DICOM instances. */
  readonly objects: ObjectStore;
  readonly room: Room;
  readonly records: Records;
  /** Jobs whose attempt was cut by the end of the last process. */
  readonly nInterrupted: number;
  /** A durable table of records of its own for another folder. The same name is the same table. */
  table<T>(name: string): Table<T>;
  /** Over all tables; see Table.transaction. */
  transaction<Result>(work: () => Result): Promise<Result>;
  /** Everything that was put before is on the disk. @throws the first failure of a write since the last call */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a data directory, made where it is not there.
 * @throws CodedError SPOOL_ERR_LOCKED, SPOOL_ERR_SCHEMA, SPOOL_ERR_UNREADABLE
 */
export async function openSpool(directory: string, options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const { owns = true } = options;
  const path = resolve(directory);
  if (!owns) return opened(path, options, () => undefined);
  if (owned.has(path)) throw spoolError('SPOOL_ERR_LOCKED', 'a data directory that this server uses already');
  owned.add(path);
  const disown = () => owned.delete(path);
  return opened(path, options, disown).catch((error: unknown) => {
    disown();
    throw error;
  });
}

async function opened(directory: string, options: Partial<SpoolOptions>, closed: () => void): Promise<Spool> {
  const { owns = true, files = diskFiles, ...quota } = options;
  const records = await openRecords(directory, files);
  let lock: Lock | undefined;
  try {
    const about = records.table<{ readonly version: number }>('schema');
    await checkSchema(about);
    if (owns) lock = await lockDirectory(directory, records.table('owner'));
    const room = new Room({ ...defaultQuota, ...quota, freeBytes: () => files.freeBytes(directory) }, records.table('cleanable'));
    const objects = new FileObjectStore(join(directory, 'objects'), files, room, records.table('objects'));
    const outbox = new Outbox(records, objects);
    if (owns) await objects.recover();
    const nInterrupted = owns ? await outbox.interrupt() : 0;
    // The names of new folders, too, must last.
    if (owns) await files.syncFolder(directory);
    const tables = new Map<string, Table<unknown>>();
    return {
      directory, outbox, objects, room, records, nInterrupted,
      table<T>(name: string) {
        const table = tables.get(name) ?? records.table<unknown>(`own.${name}`);
        tables.set(name, table);
        return table as Table<T>;
      },
      transaction: (work) => records.transaction(work),
      flushed: () => records.flushed(),
      async close() {
        await records.flushed().finally(async () => {
          await lock?.release();
          await records.root.close();
          closed();
        });
      },
    };
  } catch (error) {
    await lock?.release();
    await records.root.close();
    throw error;
  }
}

async function openRecords(directory: string, files: Files): Promise<LmdbRecords> {
  try {
    await files.makeFolder(directory);
    await chmod(directory, 0o700);
    return new LmdbRecords(
      // eventTurnBatching: its own promise of a batch rejects unseen when a commit fails, which would end the process.
      open({ path: join(directory, 'spool.lmdb'), maxDbs: MAX_TABLES, overlappingSync: false, eventTurnBatching: false, encoding: 'json' }),
    );
  } catch (cause) {
    throw spoolError('SPOOL_ERR_UNREADABLE', `a data directory that cannot be opened (${(cause as Error).message})`, { cause });
  }
}

async function checkSchema(table: Table<{ readonly version: number }>): Promise<void> {
  const version = await table.transaction(() => {
    const found = table.get('schema');
    if (found === undefined) table.put('schema', { version: SCHEMA_VERSION });
    return found?.version ?? SCHEMA_VERSION;
  });
  if (version > SCHEMA_VERSION) throw spoolError('SPOOL_ERR_SCHEMA', `a data directory of schema ${version}; this version knows ${SCHEMA_VERSION}`);
}
