/**
 * Tables that nodes share (Records of src/spool): kept by a Redis server, with a replica on each node.
 *
 * A transaction runs on the replica and notes what it read and what it wrote. The server keeps it only if nothing that it
 * read has changed since (optimistic concurrency: Kung and Robinson 1981, doi 10.1145/319566.319567); else the replica
 * catches up and it runs again. Of ranges only the records that were also read by their keys are guarded. What comes while
 * a commit is under way goes together with the next one.
 *
 * Every commit is an entry of one log, with the messages that were told along with it. Each node reads the log in its
 * order: so whoever hears a message finds in the tables everything that was kept before it was told, and all nodes hear
 * all messages in one order.
 */
import type { Redis } from 'ioredis';
import type { Logger } from '../log.js';
import type { Key, Records, Table } from '../spool/index.js';
import { clusterError } from './errors.js';
import { Overlay } from './overlay.js';
import { Replica } from './replica.js';
import type { Change, Versioned } from './replica.js';
import { commitScript } from './script.js';

export interface ClusterRecordsOptions {
  readonly redis: Redis;
  /** A connection of its own: reading the log occupies it. */
  readonly reader: Redis;
  readonly prefix: string;
  /** Of this run of this node. */
  readonly boot: string;
  /** For the replica. */
  readonly folder: string;
  /** How long transactions wait for a server that is away; one is given up only where it was not sent. */
  readonly patienceMs: number;
  readonly log: Logger;
  /** The node cannot go on. */
  readonly onLost: (error: unknown) => void;
}

export interface Told {
  readonly message: unknown;
  /** By this run of this node. */
  readonly isOwn: boolean;
  /** Its place in the log: later ones are greater. */
  readonly place: readonly [number, number];
}

type Hearer = (told: Told) => void;

interface Pending {
  readonly work: (overlay: Overlay) => unknown;
  readonly message?: { readonly topic: string; readonly message: unknown };
  readonly settle: (result: unknown, toTell: readonly (() => void)[]) => void;
  readonly fail: (error: unknown) => void;
}

interface Entry {
  readonly id: string;
  readonly number: number;
  readonly boot: string;
  readonly changes: readonly Change[];
  readonly messages: readonly (readonly [topic: string, message: unknown])[];
}

/** As the client has it once the script is defined. */
interface Committer {
  conusCommit(nKeys: number, ...keysAndArguments: readonly (string | number)[]): Promise<[isKept: number, number?: number, entry?: string]>;
}

/** Entries of the log that are kept: a node that was away for longer starts anew. */
const LONGEST_LOG = 10_000;
const MOST_TOGETHER = 256;
/** Runs of transactions that others' always come before. */
const MOST_RUNS = 100;
/** How many entries before the present a node that starts hears again. */
const HEARD_AGAIN = 2000;
const READ_BLOCK_MS = 1000;
const AWAY_LOOK_MS = 250;
const nothing: readonly never[] = [];

export interface ClusterRecordStats {
  readonly nCommits: number;
  readonly nConflicts: number;
  /** From the wish to write to its being kept and read here, of the last commit. */
  readonly lastCommitMs: number;
}

export class ClusterRecords implements Records {
  readonly #options: ClusterRecordsOptions;
  readonly #replica: Replica;
  readonly #tables = new Map<string, Table<unknown>>();
  readonly #hearers = new Map<string, Set<Hearer>>();
  #pending: Pending[] = [];
  #isDraining = false;
  #awaySince: number | undefined;
  /** Of the transaction that runs. */
  #overlay: Overlay | undefined;
  #toTell: (() => void)[] | undefined;
  #nth = 0;
  #position: string;
  /** Of the entry that was read last; undefined before the first one. */
  #number: number | undefined;
  readonly #waiting: { readonly id: string; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #later: Promise<unknown> = Promise.resolve();
  #laterFailure: unknown;
  #nFailed = 0;
  #isClosed = false;
  #lost: unknown;
  #reading: Promise<void> = Promise.resolve();
  #stats = { nCommits: 0, nConflicts: 0, lastCommitMs: 0 };
  #heardBefore: Entry[] = [];

  private constructor(options: ClusterRecordsOptions, replica: Replica, position: string, number: number | undefined) {
    this.#options = options;
    this.#replica = replica;
    this.#position = position;
    this.#number = number;
    // Also where nobody asks for anything meanwhile.
    options.redis.on('close', () => (this.#awaySince ??= performance.now()));
    options.redis.on('ready', () => (this.#awaySince = undefined));
  }

  /** @throws CodedError CLUSTER_ERR_REDIS */
  static async open(options: ClusterRecordsOptions): Promise<ClusterRecords> {
    const { redis, folder, prefix } = options;
    redis.defineCommand('conusCommit', { lua: commitScript });
    const replica = await Replica.open(folder);
    const last = (await redis.xrevrange(keyOf(prefix, 'log'), '+', '-', 'COUNT', HEARD_AGAIN)).reverse().map((raw) => entryOf(raw, prefix));
    // What is written meanwhile is in the log as well.
    for (const key of await redis.smembers(keyOf(prefix, 'tables'))) await load(redis, key, tableOfKey(prefix, key), replica);
    const end = last.at(-1);
    const records = new ClusterRecords(options, replica, end?.id ?? '0-0', end?.number);
    records.#heardBefore = last;
    records.#reading = records.#read();
    return records;
  }

  get stats(): ClusterRecordStats {
    return this.#stats;
  }

  table<T>(name: string): Table<T> {
    const table = this.#tables.get(name) ?? this.#newTable(name);
    this.#tables.set(name, table);
    return table as Table<T>;
  }

  transaction<Result>(work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#add({
        work: () => work(), fail: reject,
        settle: (result, toTell) => {
          try {
            for (const tell of toTell) tell();
          } finally {
            resolve(result as Result);
          }
        },
      });
    });
  }

  afterCommit(run: () => void): void {
    if (this.#toTell === undefined) run();
    else this.#toTell.push(run);
  }

  /** What failed before this was called was logged then. */
  async flushed(): Promise<void> {
    const nBefore = this.#nFailed;
    await this.#later;
    if (this.#nFailed > nBefore) throw this.#laterFailure;
  }

  /** After everything that was put before. Resolves when it was heard here. */
  tell(topic: string, message: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#add({ work: () => undefined, message: { topic, message }, settle: () => resolve(), fail: reject });
    });
  }

  /** Also of what was told before, back to shortly before this node started, at once; by the first one of a topic only. */
  hear(topic: string, hearer: Hearer): void {
    const hearers = this.#hearers.get(topic) ?? new Set();
    this.#hearers.set(topic, hearers.add(hearer));
    const before = this.#heardBefore;
    this.#heardBefore = before.filter(({ messages }) => messages.some(([of]) => of !== topic));
    for (const entry of before) for (const [of, message] of entry.messages) if (of === topic) hearer({ message, isOwn: false, place: placeOf(entry.id) });
  }

  /** Resolves when everything is known here that was kept anywhere before. */
  async caughtUp(): Promise<void> {
    const [last] = await this.#options.redis.xrevrange(keyOf(this.#options.prefix, 'log'), '+', '-', 'COUNT', 1);
    if (last !== undefined) await this.#reached(last[0]);
  }

  /** Whether the server has been away for longer than anybody waits. */
  get isGivenUp(): boolean {
    return this.#awaySince !== undefined && performance.now() - this.#awaySince > this.#options.patienceMs;
  }

  /** Keeps and tells what was asked for before, as far as the server is there. */
  async close(): Promise<void> {
    await this.#later;
    while ((this.#isDraining || this.#pending.length > 0) && this.#options.redis.status === 'ready') await new Promise((resolve) => setTimeout(resolve, 10));
    this.#isClosed = true;
    this.#options.reader.disconnect();
    // A read that waits for a connection to come back is never answered once that is given up.
    await Promise.race([this.#reading, new Promise((resolve) => setTimeout(resolve, READ_BLOCK_MS).unref())]);
    await this.#replica.close();
  }

  #newTable(name: string): Table<unknown> {
    const blind = (write: (overlay: Overlay) => void) => {
      if (this.#overlay !== undefined) return write(this.#overlay);
      const kept = new Promise<void>((resolve, reject) => this.#add({ work: write, settle: () => resolve(), fail: reject }));
      const settled = kept.catch((error: unknown) => {
        this.#nFailed++;
        this.#laterFailure = error;
        this.#options.log.error({ table: name, code: (error as { code?: string }).code ?? 'unknown' }, 'a record could not be kept');
      });
      this.#later = Promise.all([this.#later, settled]);
    };
    return {
      get: (key) => (this.#overlay === undefined ? this.#replica.get(name, key).value : this.#overlay.get(name, key)),
      put: (key, value) => blind((overlay) => overlay.put(name, key, value)),
      remove: (key) => blind((overlay) => overlay.remove(name, key)),
      range: (prefix) => (this.#overlay ?? this.#replica).range(name, prefix),
      transaction: (work) => this.transaction(work),
    };
  }

  #add(pending: Pending): void {
    if (this.#lost !== undefined || this.#isClosed) {
      pending.fail(this.#lost ?? clusterError('CLUSTER_ERR_AWAY', 'a node that is closing'));
      return;
    }
    this.#pending.push(pending);
    void this.#drain();
  }

  async #drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    // What is asked for in one turn goes together.
    await Promise.resolve();
    try {
      while (this.#pending.length > 0) {
        if (!(await this.#isThere())) continue;
        await this.#commit(this.#pending.splice(0, MOST_TOGETHER));
      }
    } finally {
      this.#isDraining = false;
    }
  }

  /** Whether the server is; where it has been away for too long, all is given up but what is to be told. */
  async #isThere(): Promise<boolean> {
    const { redis, patienceMs } = this.#options;
    if (this.#lost === undefined && redis.status === 'ready') {
      this.#awaySince = undefined;
      return true;
    }
    this.#awaySince ??= performance.now();
    const isOver = this.#lost !== undefined || this.#isClosed;
    const givenUp = this.#pending.filter(({ message }) => isOver || (this.isGivenUp && message === undefined));
    this.#pending = this.#pending.filter((pending) => !givenUp.includes(pending));
    for (const { fail } of givenUp) fail(this.#lost ?? clusterError('CLUSTER_ERR_AWAY', `none for ${Math.round(patienceMs / 1000)} s`));
    if (this.#pending.length > 0) await new Promise((resolve) => setTimeout(resolve, AWAY_LOOK_MS));
    return false;
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    const startedAt = performance.now();
    for (let run = 0; run < MOST_RUNS; run++) {
      const overlay = new Overlay(this.#replica);
      const outcomes = batch.map((pending) => this.#run(pending, overlay));
      const messages = batch.flatMap(({ message }, index) => (message === undefined || 'error' in outcomes[index]! ? [] : [[message.topic, message.message]]));
      let kept: boolean;
      try {
        kept = await this.#send(overlay, messages);
      } catch (error) {
        for (const { fail } of batch) fail(error);
        return;
      }
      if (kept) {
        this.#stats = { ...this.#stats, nCommits: this.#stats.nCommits + 1, lastCommitMs: performance.now() - startedAt };
        batch.forEach(({ settle, fail }, index) => {
          const outcome = outcomes[index]!;
          if ('error' in outcome) fail(outcome.error);
          else settle(outcome.result, outcome.toTell);
        });
        return;
      }
      this.#stats = { ...this.#stats, nConflicts: this.#stats.nConflicts + 1 };
      await this.caughtUp();
    }
    for (const { fail } of batch) fail(clusterError('CLUSTER_ERR_CONTENTION', `${MOST_RUNS} runs of a transaction, each of them too late`));
  }

  #run({ work }: Pending, overlay: Overlay): { readonly result: unknown; readonly toTell: readonly (() => void)[] } | { readonly error: unknown } {
    const toTell: (() => void)[] = [];
    this.#overlay = overlay;
    this.#toTell = toTell;
    try {
      return { result: overlay.attempt(() => work(overlay)), toTell };
    } catch (error) {
      return { error };
    } finally {
      this.#overlay = undefined;
      this.#toTell = undefined;
    }
  }

  /** @returns whether it is kept, and then it is known here */
  async #send({ reads, writes }: Overlay, messages: readonly unknown[]): Promise<boolean> {
    const { redis, prefix, boot } = this.#options;
    const tables = [...new Set([...writes, ...reads].map(({ table }) => table))];
    const indexOf = new Map(tables.map((table, index) => [table, index + 1]));
    const keys = ['log', 'counter', 'commits', 'tables', ...tables.map((table) => `table:${table}`)].map((key) => keyOf(prefix, key));
    const told = [
      ...reads.flatMap(({ table, key, version }) => ['r', indexOf.get(table)!, JSON.stringify(key), String(version)]),
      ...writes.flatMap(({ table, key, value }) =>
        value === undefined ? ['d', indexOf.get(table)!, JSON.stringify(key)] : ['w', indexOf.get(table)!, JSON.stringify(key), JSON.stringify(value)]),
    ];
    if (told.length === 0 && messages.length === 0) return true;
    this.#nth++;
    const [isKept, , entry] = await (redis as unknown as Committer).conusCommit(keys.length, ...keys, boot, this.#nth, LONGEST_LOG, JSON.stringify(messages), ...told);
    if (isKept === 1 && entry !== undefined && entry !== '') await this.#reached(entry);
    return isKept === 1;
  }

  #reached(id: string): Promise<void> {
    if (compareIds(this.#position, id) >= 0) return Promise.resolve();
    if (this.#lost !== undefined) return Promise.reject(this.#lost as Error);
    return new Promise((resolve, reject) => this.#waiting.push({ id, resolve, reject }));
  }

  async #read(): Promise<void> {
    const { reader, prefix } = this.#options;
    while (!this.#isClosed && this.#lost === undefined) {
      const found = await reader.xread('COUNT', 500, 'BLOCK', READ_BLOCK_MS, 'STREAMS', keyOf(prefix, 'log'), this.#position).catch(() => undefined);
      if (found === undefined) {
        // A connection that is closed, or a server that is away.
        await new Promise((resolve) => setTimeout(resolve, AWAY_LOOK_MS));
        continue;
      }
      if (this.#isClosed) return;
      for (const raw of found?.[0]?.[1] ?? []) {
        const entry = entryOf(raw, prefix);
        if (this.#number !== undefined && entry.number !== this.#number + 1) return this.#loseTrack(`entry ${entry.number} after ${this.#number}`);
        this.#take(entry);
      }
    }
  }

  #take({ id, number, boot, changes, messages }: Entry): void {
    this.#replica.apply(changes.map((change) => ({ ...change, version: number })));
    this.#position = id;
    this.#number = number;
    // Before anybody hears, it is kept for whoever comes to.
    if (messages.some(([topic]) => !this.#hearers.has(topic))) this.#heardBefore.push({ id, number, boot, changes: [], messages });
    for (const [topic, message] of messages) {
      for (const hear of this.#hearers.get(topic) ?? nothing) hear({ message, isOwn: boot === this.#options.boot, place: placeOf(id) });
    }
    // Those that wait are few, and all wait for something near.
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      if (compareIds(this.#position, this.#waiting[index]!.id) >= 0) this.#waiting.splice(index, 1)[0]!.resolve();
    }
  }

  #loseTrack(got: string): void {
    this.#lost = clusterError('CLUSTER_ERR_BEHIND', got);
    this.#options.onLost(this.#lost);
    for (const { fail } of this.#pending.splice(0)) fail(this.#lost);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#lost);
  }
}

/** In one slot, whatever the rest of it says. */
export const keyOf = (prefix: string, name: string) => `{${prefix}}:${name}`;
const tableOfKey = (prefix: string, key: string) => key.slice(keyOf(prefix, 'table:').length);

async function load(redis: Redis, key: string, table: string, replica: Replica): Promise<void> {
  let cursor = '0';
  do {
    const [next, flat] = await redis.hscan(key, cursor, 'COUNT', 1000);
    const found: Versioned[] = [];
    for (let index = 0; index < flat.length; index += 2) {
      const raw = flat[index + 1]!;
      const bar = raw.indexOf('|');
      found.push({ table, key: JSON.parse(flat[index]!) as Key, value: JSON.parse(raw.slice(bar + 1)), version: Number(raw.slice(0, bar)) });
    }
    replica.apply(found);
    cursor = next;
  } while (cursor !== '0');
}

function entryOf([id, flat]: [string, string[]], prefix: string): Entry {
  const fields = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2) fields.set(flat[index]!, flat[index + 1]!);
  const names = (JSON.parse(fields.get('tables')!) as string[] | Record<string, never>);
  const changes = JSON.parse(fields.get('changes')!) as [number, Key, unknown?][];
  return {
    id, number: Number(fields.get('number')), boot: fields.get('boot')!,
    changes: changes.map(([index, key, ...value]) => ({ table: tableOfKey(prefix, (names as string[])[index - 1]!), key, ...(value.length > 0 && { value: value[0] }) })),
    messages: JSON.parse(fields.get('messages')!) as [string, unknown][],
  };
}

function placeOf(id: string): readonly [number, number] {
  const [ms, nth] = id.split('-');
  return [Number(ms), Number(nth)];
}

function compareIds(a: string, b: string): number {
  const [[aMs, aNth], [bMs, bNth]] = [placeOf(a), placeOf(b)];
  return aMs - bMs || aNth - bNth;
}
