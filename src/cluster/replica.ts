/**
 * What this node knows of the shared tables: a copy in a database of its own, made anew at each start, so that reads
 * cost no way to the server. It may be behind by what the log has not brought yet, never by a part of a transaction.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import type { Key } from '../spool/index.js';

export interface Change {
  readonly table: string;
  readonly key: Key;
  /** Absent where the record was removed. */
  readonly value?: unknown;
}

export interface Versioned extends Change {
  /** Number of the transaction that wrote it. */
  readonly version: number;
}

type PlainKey = string | (string | number)[];
/** A record as it is stored: its version and its value. */
type Stored = readonly [version: number, value: unknown];

const MAX_TABLES = 64;
const LAST = '\uffff';

export class Replica {
  readonly #root: RootDatabase;
  readonly #tables = new Map<string, Database<Stored, PlainKey>>();
  #isClosed = false;

  private constructor(root: RootDatabase) {
    this.#root = root;
  }

  static async open(folder: string): Promise<Replica> {
    const path = join(folder, 'replica.lmdb');
    for (const file of [path, `${path}-lock`]) await rm(file, { force: true });
    // It is made anew at each start: nothing of it need last.
    return new Replica(open({ path, maxDbs: MAX_TABLES, noSync: true, encoding: 'json' }));
  }

  /** A record, and the number of the transaction that wrote it; 0 where there is none. */
  get(table: string, key: Key): { readonly version: number; readonly value: unknown } {
    if (this.#isClosed) return { version: 0, value: undefined };
    const [version, value] = this.#table(table).get(plain(key)) ?? [0, undefined];
    return { version, value };
  }

  *range(table: string, prefix: Key = ''): Iterable<{ key: Key; value: unknown }> {
    if (this.#isClosed) return;
    const options = prefix === '' ? {} : typeof prefix === 'string' ? { start: prefix, end: prefix + LAST } : { start: [...prefix], end: [...prefix, LAST] };
    for (const { key, value } of this.#table(table).getRange(options)) yield { key, value: value[1] };
  }

  /** Changes of one transaction or of several in their order; such as are known already change nothing. */
  apply(changes: readonly Versioned[]): void {
    this.#root.transactionSync(() => {
      for (const { table, key, value, version } of changes) {
        const database = this.#table(table);
        if ((database.get(plain(key))?.[0] ?? 0) > version) continue;
        if (value === undefined) database.removeSync(plain(key));
        else database.putSync(plain(key), [version, value]);
      }
    });
  }

  /** Whoever still asks after that finds nothing. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#root.close();
  }

  #table(name: string): Database<Stored, PlainKey> {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = this.#root.openDB<Stored, PlainKey>({ name, encoding: 'json' });
      this.#tables.set(name, table);
    }
    return table;
  }
}

const plain = (key: Key): PlainKey => (typeof key === 'string' ? key : [...key]);
