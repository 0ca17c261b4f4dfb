/** What transactions that are not kept yet would write, over what is kept: they see their own writes and those of the ones before them. */
import { compareKeys } from 'lmdb';
import type { Change, Replica } from './replica.js';
import type { Key } from '../spool/index.js';

export interface Read {
  readonly table: string;
  readonly key: Key;
  readonly version: number;
}

/** As one text: the same for the same key of the same table. */
const nameOf = (table: string, key: Key) => JSON.stringify([table, key]);

export class Overlay {
  readonly #replica: Pick<Replica, 'get' | 'range'>;
  #writes = new Map<string, Change>();
  /** What was read of the replica, and so must not have changed. */
  readonly #reads = new Map<string, Read>();

  constructor(replica: Pick<Replica, 'get' | 'range'>) {
    this.#replica = replica;
  }

  get reads(): readonly Read[] {
    return [...this.#reads.values()];
  }

  get writes(): readonly Change[] {
    return [...this.#writes.values()];
  }

  get(table: string, key: Key): unknown {
    const name = nameOf(table, key);
    const written = this.#writes.get(name);
    // A value of its own, as the database gives: whoever changes it changes nothing here.
    if (written !== undefined) return structuredClone(written.value);
    const { version, value } = this.#replica.get(table, key);
    if (!this.#reads.has(name)) this.#reads.set(name, { table, key, version });
    return value;
  }

  put(table: string, key: Key, value: unknown): void {
    // As it comes back from a database: undefined fields are not there.
    this.#writes.set(nameOf(table, key), { table, key, value: JSON.parse(JSON.stringify(value)) });
  }

  remove(table: string, key: Key): void {
    this.#writes.set(nameOf(table, key), { table, key });
  }

  *range(table: string, prefix: Key = ''): Iterable<{ key: Key; value: unknown }> {
    const own = [...this.#writes.values()].filter((write) => write.table === table && startsWith(write.key, prefix));
    if (own.length === 0) {
      yield* this.#replica.range(table, prefix);
      return;
    }
    const written = new Set(own.map(({ key }) => JSON.stringify(key)));
    const found = [...this.#replica.range(table, prefix)].filter(({ key }) => !written.has(JSON.stringify(key)));
    for (const { key, value } of own) if (value !== undefined) found.push({ key, value: structuredClone(value) });
    yield* found.sort((a, b) => compareKeys(mutable(a.key), mutable(b.key)));
  }

  /** Runs work; where it throws, what it wrote is as if it had not been. */
  attempt<Result>(work: () => Result): Result {
    const before = new Map(this.#writes);
    try {
      return work();
    } catch (error) {
      this.#writes = before;
      throw error;
    }
  }
}

function startsWith(key: Key, prefix: Key): boolean {
  if (prefix === '') return true;
  if (typeof prefix === 'string') return typeof key === 'string' && key.startsWith(prefix);
  return typeof key !== 'string' && prefix.every((part, index) => key[index] === part);
}

const mutable = (key: Key) => (typeof key === 'string' ? key : [...key]);
