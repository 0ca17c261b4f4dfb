/**
 * The jobs of the embedded queue in the records of a data folder, and what a command beside the service asks of them.
 * The service that owns the folder has all of them in memory and keeps each change behind; a command changes the record
 * itself and leaves a note, which the service reads within a quarter of a second, so that it counts whether or not a
 * service runs.
 */
import { randomBytes } from 'node:crypto';
import type { Records, Table } from '../spool/index.js';
import { statsOf, noTally } from './stats.js';
import { added, cancelled, checked, listed, retried, shown } from './transitions.js';
import type { JobBoard, JobFilter, JobKind, JobStats, JobTally, KeptJob, NewJob } from './types.js';

export type Asked = 'add' | 'retry' | 'cancel' | 'drop';

interface Note {
  readonly id: string;
  readonly what: Asked;
}

export class JobShelf {
  readonly records: Records;
  readonly jobs: Table<KeptJob>;
  readonly tallies: Table<JobTally>;
  /** [when, something unique] */
  readonly #notes: Table<Note>;

  constructor(records: Records) {
    this.records = records;
    this.jobs = records.table('jobs.kept');
    this.tallies = records.table('jobs.tallies');
    this.#notes = records.table('jobs.notes');
  }

  all(): KeptJob[] {
    return [...this.jobs.range()].map(({ value }) => value);
  }

  /** In the order in which they were left. */
  notes(): { readonly key: readonly (string | number)[]; readonly note: Note }[] {
    return [...this.#notes.range()].map(({ key, value }) => ({ key: key as readonly (string | number)[], note: value }));
  }

  /** In a transaction. */
  leaveNote(id: string, what: Asked): void {
    this.#notes.put([Date.now(), randomBytes(6).toString('hex')], { id, what });
  }

  /** In a transaction. */
  removeNote(key: readonly (string | number)[]): void {
    this.#notes.remove(key);
  }

  tallyOf(kind: JobKind): JobTally {
    return this.tallies.get(kind) ?? noTally;
  }
}

/** What becomes of a job; undefined where it goes. Only such that change something count. */
export function afterAsking(job: KeptJob, what: Exclude<Asked, 'add'>): KeptJob | undefined {
  if (what === 'drop') return undefined;
  return what === 'retry' ? retried(job) : cancelled(job);
}

/** The embedded queue as a command beside the service has it: it does no jobs. */
export class JobsBeside implements JobBoard {
  readonly #shelf: JobShelf;

  constructor(records: Records) {
    this.#shelf = new JobShelf(records);
  }

  async add(job: NewJob): Promise<void> {
    const { id } = checked(job);
    await this.#shelf.records.transaction(() => {
      if (this.#shelf.jobs.get(id) !== undefined) return;
      this.#shelf.jobs.put(id, added(job, Date.now()));
      this.#shelf.leaveNote(id, 'add');
    });
  }

  list(filter?: JobFilter): Promise<KeptJob[]> {
    return Promise.resolve(listed(this.#all(), filter));
  }

  get(id: string): Promise<KeptJob | undefined> {
    const job = this.#shelf.jobs.get(id);
    return Promise.resolve(job === undefined ? undefined : shown(job, Date.now()));
  }

  stats(): Promise<JobStats[]> {
    return Promise.resolve(statsOf(this.#all(), (kind) => this.#shelf.tallyOf(kind)));
  }

  retry(ids: readonly string[]): Promise<number> {
    return this.#ask(ids, 'retry');
  }

  cancel(ids: readonly string[]): Promise<number> {
    return this.#ask(ids, 'cancel');
  }

  drop(ids: readonly string[]): Promise<number> {
    return this.#ask(ids, 'drop');
  }

  async close(): Promise<void> {
    await this.#shelf.records.flushed();
  }

  #all(): KeptJob[] {
    const now = Date.now();
    return this.#shelf.all().map((job) => shown(job, now));
  }

  #ask(ids: readonly string[], what: Exclude<Asked, 'add'>): Promise<number> {
    const { jobs, records } = this.#shelf;
    return records.transaction(() => {
      let changed = 0;
      for (const id of ids) {
        const job = jobs.get(id);
        if (job === undefined) continue;
        const after = afterAsking(job, what);
        if (after === job) continue;
        if (after === undefined) jobs.remove(id);
        else jobs.put(id, after);
        this.#shelf.leaveNote(id, what);
        changed++;
      }
      return changed;
    });
  }
}
