/**
 * Records that several nodes share, in memory, as src/cluster keeps them: each node has a replica that may lag behind, a transaction
 * runs on it and is kept only if what it read is still so, else it runs again on what is there now.
 */
import type { Key, Records, Table } from '../../../src/spool/index.js';

interface Cell {
  readonly key: Key;
  /** As JSON; undefined where it was removed. */
  readonly value: string | undefined;
  readonly version: number;
}

type State = ReadonlyMap<string, Cell>;

const nameOf = (table: string, key: Key) => JSON.stringify([table, key]);

export class SharedState {
  state: Map<string, Cell> = new Map();
  nConflicts = 0;
  /** After every commit. */
  onCommit: () => void = () => undefined;

  values<T>(table: string): { key: Key; value: T }[] {
    return valuesOf<T>(this.state, table);
  }
}

function valuesOf<T>(state: State, table: string): { key: Key; value: T }[] {
  const cells = [...state].filter(([name, { value }]) => (JSON.parse(name) as [string])[0] === table && value !== undefined);
  return cells.map(([, { key, value }]) => ({ key, value: JSON.parse(value!) as T })).sort((a, b) => compare(a.key, b.key));
}

function compare(a: Key, b: Key): number {
  const [left, right] = [[a].flat(), [b].flat()];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i] === right[i]) continue;
    if (left[i] === undefined || right[i] === undefined) return left[i] === undefined ? -1 : 1;
    if (typeof left[i] !== typeof right[i]) return typeof left[i] === 'number' ? -1 : 1;
    return left[i]! < right[i]! ? -1 : 1;
  }
  return 0;
}

export class OptimisticRecords implements Records {
  readonly #shared: SharedState;
  /** Waits, so that others may come between. */
  readonly #pause: (what: string) => Promise<unknown>;
  #replica: State = new Map();
  /** Of the transaction that runs. */
  #running: { readonly reads: Map<string, number>; readonly writes: Map<string, { key: Key; value: string | undefined }>; readonly toTell: (() => void)[] } | undefined;
  #later: Promise<unknown> = Promise.resolve();

  constructor(shared: SharedState, pause: (what: string) => Promise<unknown>) {
    this.#shared = shared;
    this.#pause = pause;
  }

  table<T>(name: string): Table<T> {
    const write = (key: Key, value: string | undefined) => {
      if (this.#running !== undefined) this.#running.writes.set(nameOf(name, key), { key, value });
      else this.#later = Promise.all([this.#later, this.transaction(() => write(key, value))]);
    };
    return {
      get: (key) => {
        const id = nameOf(name, key);
        const written = this.#running?.writes.get(id);
        if (written === undefined) this.#running?.reads.set(id, this.#replica.get(id)?.version ?? 0);
        const { value } = written ?? this.#replica.get(id) ?? { value: undefined };
        return value === undefined ? undefined : (JSON.parse(value) as T);
      },
      put: (key, value) => write(key, JSON.stringify(value)),
      remove: (key) => write(key, undefined),
      range: (prefix = '') => {
        const seen = new Map(this.#replica);
        for (const [id, { key, value }] of this.#running?.writes ?? []) seen.set(id, { key, value, version: -1 });
        const begins = (key: Key) => (typeof prefix === 'string' ? prefix === '' || (typeof key === 'string' && key.startsWith(prefix)) : prefix.every((part, i) => key[i] === part));
        return valuesOf<T>(seen, name).filter(({ key }) => begins(key));
      },
      transaction: (work) => this.transaction(work),
    };
  }

  async transaction<Result>(work: () => Result): Promise<Result> {
    for (;;) {
      const running = { reads: new Map<string, number>(), writes: new Map<string, { key: Key; value: string | undefined }>(), toTell: [] };
      await this.#pause('transaction');
      this.#running = running;
      let outcome: { result: Result } | { error: unknown };
      try {
        outcome = { result: work() };
      } catch (error) {
        outcome = { error };
      } finally {
        this.#running = undefined;
      }
      await this.#pause('commit');
      const holds = [...running.reads].every(([id, version]) => (this.#shared.state.get(id)?.version ?? 0) === version);
      if (holds && 'result' in outcome) {
        for (const [id, { key, value }] of running.writes) this.#shared.state.set(id, { key, value, version: (this.#shared.state.get(id)?.version ?? 0) + 1 });
        this.#shared.onCommit();
      } else if (!holds) {
        this.#shared.nConflicts++;
      }
      this.#replica = new Map(this.#shared.state);
      if (!holds) continue;
      if ('error' in outcome) throw outcome.error;
      for (const tell of running.toTell as (() => void)[]) tell();
      return outcome.result;
    }
  }

  afterCommit(run: () => void): void {
    if (this.#running === undefined) run();
    else this.#running.toTell.push(run);
  }

  async flushed(): Promise<void> {
    await this.#later;
  }
}
