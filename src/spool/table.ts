/**
 * Typed JSON records by key in the spool's database. Reads see what is committed, and within a
 * transaction what it has written itself. A transaction happens as a whole or not at all, over all
 * tables of the spool; the promise of one resolves when the disk holds it.
 */
import type { Database, RootDatabase } from 'lmdb';
import { spoolError } from './errors.js';

/** A string, or parts that sort one after the other, numbers before strings. */
export type Key = string | readonly (string | number)[];

export interface Table<T> {
  get(key: Key): T | undefined;
  /** Durable after `Spool.flushed()`, which is also where a failed write is told. */
  put(key: Key, value: T): void;
  /** Removing what is not there is no error. */
  remove(key: Key): void;
  /**
   * Records in the order of their keys: those whose string key starts with the prefix, or whose key of
   * parts has the prefix's as its first ones. All of them without a prefix.
   */
  range(prefix?: Key): Iterable<{ readonly key: Key; readonly value: T }>;
  /** Runs `work` at once with everything it writes; a throw undoes all of it. Resolves when the disk holds it. */
  transaction<Result>(work: () => Result): Promise<Result>;
}

/** Tables, and what holds over all of them. Two are there: in the database of a data folder (below), and shared by nodes (src/cluster). */
export interface Records {
  /** The same name is the same table. */
  table<T>(name: string): Table<T>;
  /**
   * See Table.transaction; over all tables. Where nodes share the records, `work` runs again if what it read with `get`
   * was changed meanwhile: it must do nothing but read and write tables.
   */
  transaction<Result>(work: () => Result): Promise<Result>;
  /** In a transaction: runs once, when that is kept, and never if it is not. Outside of one, at once. */
  afterCommit(run: () => void): void;
  /** Everything that was put before is kept. @throws the first failure of a write since the last call */
  flushed(): Promise<void>;
}

/** Sorts after every key that is made of text. */
const LAST = '\uffff';

/** In a database of this process, and what became of writes that nobody waits for. */
export class LmdbRecords implements Records {
  readonly root: RootDatabase;
  /** What the transaction that runs has to tell. */
  #toTell: (() => void)[] | undefined;
  #pending: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;

  constructor(root: RootDatabase) {
    this.root = root;
  }

  table<T>(name: string): Table<T> {
    return new LmdbTable<T>(this, this.root.openDB<T, (string | number)[] | string>({ name, encoding: 'json' }));
  }

  async transaction<Result>(work: () => Result): Promise<Result> {
    const toTell: (() => void)[] = [];
    try {
      // childTransaction: lmdb-js keeps what a plain one wrote before it threw.
      const result = await this.root.childTransaction(() => {
        const outer = this.#toTell;
        this.#toTell = toTell;
        try {
          return work();
        } finally {
          this.#toTell = outer;
        }
      });
      for (const tell of toTell) tell();
      return result;
    } catch (error) {
      throw await toldOf(error);
    }
  }

  afterCommit(run: () => void): void {
    if (this.#toTell === undefined) run();
    else this.#toTell.push(run);
  }

  /** A write whose outcome is asked for later, by flushed(). */
  later(write: Promise<unknown>): void {
    const settled = write.catch(async (error: unknown) => {
      const told = await toldOf(error);
      this.#failure ??= told instanceof Error ? told : new Error(String(told));
    });
    this.#pending = Promise.all([this.#pending, settled]);
  }

  /** @throws the first failure of a write since the last call */
  async flushed(): Promise<void> {
    await this.#pending;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }
}

/** What is thrown for an error; lmdb-js hides why a commit failed in a promise of its own, which rejects. */
async function toldOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<unknown> };
  if (commitError === undefined) return error;
  const cause = await commitError.catch((reason: unknown) => reason);
  return spoolError('SPOOL_ERR_COMMIT', `a disk that did not (${cause instanceof Error ? cause.message : 'unknown'})`, { cause });
}

class LmdbTable<T> implements Table<T> {
  readonly #records: LmdbRecords;
  readonly #database: Database<T, (string | number)[] | string>;

  constructor(records: LmdbRecords, database: Database<T, (string | number)[] | string>) {
    this.#records = records;
    this.#database = database;
  }

  get(key: Key): T | undefined {
    return this.#database.get(mutable(key));
  }

  put(key: Key, value: T): void {
    this.#records.later(this.#database.put(mutable(key), value));
  }

  remove(key: Key): void {
    this.#records.later(this.#database.remove(mutable(key)));
  }

  *range(prefix: Key = ''): Iterable<{ key: Key; value: T }> {
    const options =
      prefix === '' ? {} : typeof prefix === 'string' ? { start: prefix, end: prefix + LAST } : { start: [...prefix], end: [...prefix, LAST] };
    yield* this.#database.getRange(options) as Iterable<{ key: Key; value: T }>;
  }

  transaction<Result>(work: () => Result): Promise<Result> {
    return this.#records.transaction(work);
  }
}

function mutable(key: Key): (string | number)[] | string {
  return typeof key === 'string' ? key : [...key];
}
