/**
 * The queue of a service that is alone: in memory, and behind that in its data folder. Nobody waits for the disk: a job
 * is looked at as soon as it is added, and what changed since is written in one transaction while the next changes
 * gather. A crash costs at most the last of these; what was running then is done again.
 */
import { hostname } from 'node:os';
import type { Logger } from '../log.js';
import type { Reason, Records } from '../spool/index.js';
import { cancelledReason, reasonOf } from './errors.js';
import { admitted } from './gate.js';
import type { JobLimits } from './limits.js';
import { afterAsking, JobShelf } from './shelf.js';
import { statsOf } from './stats.js';
import { added, again, begun, checked, failed, inOrder, interrupted, listed, shown } from './transitions.js';
import { FinalFailure } from './types.js';
import type { JobFilter, JobKind, JobPerformer, JobQueue, JobStats, JobTally, KeptJob, NewJob, PerformOptions } from './types.js';

export interface EmbeddedJobsOptions {
  readonly records: Records;
  readonly limits: JobLimits;
  readonly log: Logger;
  /** Name of this node. */
  readonly node?: string;
  /** In [0, 1). */
  readonly random?: () => number;
}

interface Performer extends PerformOptions {
  readonly perform: JobPerformer;
}

interface Running {
  readonly job: KeptJob;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

const LOOK_EVERY_MS = 250;
const KEEP_PROGRESS_EVERY_MS = 1000;
const KEEP_AGAIN_AFTER_MS = 1000;
/** For what runs to end when the service does. */
const GRACE_MS = 10_000;

export class EmbeddedJobs implements JobQueue {
  readonly #options: EmbeddedJobsOptions;
  readonly #shelf: JobShelf;
  readonly #random: () => number;
  readonly #jobs: Map<string, KeptJob>;
  readonly #tallies = new Map<JobKind, JobTally>();
  readonly #performers = new Map<JobKind, Performer>();
  readonly #running = new Map<string, Running>();
  /** Ids whose records are behind. */
  readonly #behind = new Set<string>();
  #isTallyBehind = false;
  #keeping: Promise<void> = Promise.resolve();
  #nextKeeping: Promise<void> | undefined;
  #trouble: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looks = false;
  #hearing = false;
  #closing: Promise<void> | undefined;
  #isClosed = false;

  /** Of the process that owns the records; there is one for them. */
  constructor(options: EmbeddedJobsOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#shelf = new JobShelf(options.records);
    this.#jobs = new Map(this.#shelf.all().sort(inOrder).map((job) => [job.id, job]));
    for (const job of this.#jobs.values()) if (job.state === 'active') this.#set(interrupted(job));
  }

  add(job: NewJob): Promise<void> {
    const { id } = checked(job);
    if (!this.#jobs.has(id)) {
      this.#jobs.set(id, added(job, Date.now()));
      this.#behind.add(id);
      this.#lookSoon();
    }
    return this.#keep();
  }

  perform(kind: JobKind, perform: JobPerformer, options: PerformOptions = {}): void {
    this.#performers.set(kind, { ...options, perform });
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#hear();
      this.#look();
    }, LOOK_EVERY_MS);
    this.#hear();
    this.#lookSoon();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  list(filter?: JobFilter): Promise<KeptJob[]> {
    return Promise.resolve(listed(this.#shown(), filter));
  }

  get(id: string): Promise<KeptJob | undefined> {
    const job = this.#jobs.get(id);
    return Promise.resolve(job === undefined ? undefined : shown(job, Date.now()));
  }

  stats(): Promise<JobStats[]> {
    return Promise.resolve(statsOf(this.#shown(), (kind) => this.#tallyOf(kind)));
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

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort();
    await Promise.race([Promise.all(running.map(({ ended }) => ended)), new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]);
    this.#isClosed = true;
    await this.#keep();
  }

  async #ask(ids: readonly string[], what: 'retry' | 'cancel' | 'drop'): Promise<number> {
    const changed = ids.filter((id) => this.#apply(id, what)).length;
    await this.#keep();
    return changed;
  }

  /** @returns whether that changed something */
  #apply(id: string, what: 'retry' | 'cancel' | 'drop'): boolean {
    const job = this.#jobs.get(id);
    const after = job === undefined ? undefined : afterAsking(job, what);
    if (job === undefined || after === job) return false;
    if (after === undefined) this.#remove(id);
    else this.#set(after);
    if (what !== 'retry') this.#running.get(id)?.abort.abort();
    this.#lookSoon();
    return true;
  }

  /** What commands beside the service left. */
  #hear(): void {
    const notes = this.#hearing ? [] : this.#shelf.notes();
    if (notes.length === 0) return;
    this.#hearing = true;
    for (const { note: { id, what } } of notes) {
      const added = what === 'add' && !this.#jobs.has(id) ? this.#shelf.jobs.get(id) : undefined;
      if (added !== undefined) this.#jobs.set(id, added);
      if (what !== 'add') this.#apply(id, what);
      this.#behind.add(id);
    }
    this.#lookSoon();
    void this.#keepOnce(() => {
      for (const { key } of notes) this.#shelf.removeNote(key);
    }).finally(() => (this.#hearing = false));
  }

  #lookSoon(): void {
    if (this.#looks || this.#timer === undefined) return;
    this.#looks = true;
    setImmediate(() => {
      this.#looks = false;
      this.#look();
    });
  }

  /** Begins what may begin. */
  #look(): void {
    if (this.#closing !== undefined) return;
    const now = Date.now();
    const due: KeptJob[] = [];
    for (const job of this.#jobs.values()) {
      if (job.state !== 'waiting' || this.#running.has(job.id) || !this.#takes(job)) continue;
      if (job.isCancelled) this.#begin(job, () => this.#tellCancelled(job.id));
      else if ((job.notBefore ?? 0) <= now) due.push(job);
    }
    const running = [...this.#running.values()].map(({ job }) => job);
    const { limits } = this.#options;
    for (const job of admitted(due.sort(inOrder), running, limits, (lane) => this.#laneLimit(lane))) this.#perform(job);
  }

  #takes({ kind, lane }: KeptJob): boolean {
    const performer = this.#performers.get(kind);
    if (performer === undefined || !this.#options.limits.take.has(kind)) return false;
    return lane === undefined || performer.lanes === undefined || performer.lanes.has(lane);
  }

  #laneLimit(lane: string): number {
    return Math.min(...[...this.#performers.values()].map(({ lanes }) => lanes?.get(lane) ?? Infinity));
  }

  #begin(job: KeptJob, work: (abort: AbortController) => Promise<void>): void {
    const abort = new AbortController();
    const ended = work(abort).finally(() => {
      this.#running.delete(job.id);
      this.#lookSoon();
    });
    this.#running.set(job.id, { job, abort, ended });
  }

  #perform(waiting: KeptJob): void {
    const { limits, node = hostname(), log } = this.#options;
    const job = begun(waiting, Date.now(), node);
    this.#set(job);
    this.#begin(job, async ({ signal }) => {
      let progressKeptAt = -Infinity;
      const progress = (fraction: number, text?: string) => {
        const current = this.#jobs.get(job.id);
        if (current?.state !== 'active') return;
        this.#jobs.set(job.id, { ...current, progress: { fraction, ...(text !== undefined && { text }) } });
        if (performance.now() - progressKeptAt < KEEP_PROGRESS_EVERY_MS) return;
        progressKeptAt = performance.now();
        this.#behind.add(job.id);
        void this.#keep();
      };
      try {
        const outcome = await this.#performers.get(job.kind)!.perform({ job, signal, progress });
        const current = this.#jobs.get(job.id);
        if (current === undefined) return;
        if (outcome === undefined) {
          this.#remove(job.id);
          this.#count(job.kind, 'done');
        } else if (current.isCancelled) {
          await this.#tellCancelled(job.id);
        } else {
          this.#set(again(current, outcome.againAt));
        }
      } catch (error) {
        const current = this.#jobs.get(job.id);
        if (current === undefined) return;
        if (current.isCancelled) return await this.#tellCancelled(job.id);
        if (this.#closing !== undefined) return this.#set(interrupted(current));
        const why = reasonOf(error);
        const after = failed(current, why, error instanceof FinalFailure, Date.now(), limits.policies[job.kind], this.#random());
        log.warn({ job: job.id, kind: job.kind, attempt: after.attempts, code: why.code, isGivenUp: after.state === 'dead' }, 'a job failed');
        this.#count(job.kind, 'failed');
        if (after.state === 'dead') {
          await this.#tell(after, why);
          this.#count(job.kind, 'dead');
        }
        if (this.#jobs.has(job.id)) this.#set(after);
      }
    });
  }

  async #tellCancelled(id: string): Promise<void> {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    await this.#tell(job, cancelledReason());
    this.#remove(id);
    this.#count(job.kind, 'cancelled');
  }

  /** Before it is kept that it was told, so that it is told at least once. */
  async #tell(job: KeptJob, why: Reason): Promise<void> {
    try {
      await this.#performers.get(job.kind)?.gaveUp?.(job, why);
    } catch (error) {
      this.#options.log.error({ job: job.id, kind: job.kind, code: reasonOf(error).code }, 'the end of a job could not be told');
    }
  }

  #set(job: KeptJob): void {
    this.#jobs.set(job.id, job);
    this.#behind.add(job.id);
    void this.#keep();
  }

  #remove(id: string): void {
    this.#jobs.delete(id);
    this.#behind.add(id);
    void this.#keep();
  }

  #count(kind: JobKind, what: keyof JobTally): void {
    const tally = this.#tallyOf(kind);
    this.#tallies.set(kind, { ...tally, [what]: tally[what] + 1 });
    this.#isTallyBehind = true;
    void this.#keep();
  }

  #tallyOf(kind: JobKind): JobTally {
    return this.#tallies.get(kind) ?? this.#shelf.tallyOf(kind);
  }

  #shown(): KeptJob[] {
    const now = Date.now();
    return [...this.#jobs.values()].map((job) => shown(job, now));
  }

  /** Resolves when everything until now is kept, or the queue was closed and could not. Never rejects. */
  #keep(): Promise<void> {
    this.#nextKeeping ??= this.#keeping.then(() => {
      this.#nextKeeping = undefined;
      return (this.#keeping = this.#keepBehind());
    });
    return this.#nextKeeping;
  }

  async #keepBehind(): Promise<void> {
    while (this.#behind.size > 0 || this.#isTallyBehind) {
      if ((await this.#keepOnce()) || this.#isClosed) return;
      await new Promise((resolve) => setTimeout(resolve, KEEP_AGAIN_AFTER_MS));
    }
  }

  /** Writes what is behind. What a command asked of meanwhile is left for #hear. @returns whether it is kept */
  async #keepOnce(also?: () => void): Promise<boolean> {
    const { records, log } = this.#options;
    const written = new Set<string>();
    try {
      await records.transaction(() => {
        also?.();
        const asked = new Set(this.#shelf.notes().map(({ note }) => note.id));
        for (const id of this.#behind) {
          written.add(id);
          if (asked.has(id)) continue;
          const job = this.#jobs.get(id);
          if (job === undefined) this.#shelf.jobs.remove(id);
          else this.#shelf.jobs.put(id, job);
        }
        this.#behind.clear();
        if (this.#isTallyBehind) for (const [kind, tally] of this.#tallies) this.#shelf.tallies.put(kind, tally);
        this.#isTallyBehind = false;
      });
      this.#trouble = undefined;
      return true;
    } catch (error) {
      for (const id of written) this.#behind.add(id);
      this.#isTallyBehind = true;
      if (this.#trouble === undefined) log.error({ code: reasonOf(error).code }, 'jobs cannot be kept');
      this.#trouble = 'jobs cannot be kept';
      return false;
    }
  }
}
