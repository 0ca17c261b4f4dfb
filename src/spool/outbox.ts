/**
 * What is to be delivered, in the database alone: whoever opens it, the server or a command beside
 * it, sees and changes the same jobs. An index by state, destination and time tells what is due
 * without reading the jobs.
 */
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { attempted, begun, givenUp, interrupted, revived } from './jobs.js';
import type { AttemptOutcome, JobState, OutboxJob, Reason, RetryLimits, StoredInstance } from './jobs.js';
import type { ObjectStore } from './objects.js';
import type { Records, Table } from './table.js';

export interface NewJob {
  readonly destination: string;
  readonly examId: string;
  /** Of one series, already in the object store. */
  readonly instances: readonly StoredInstance[];
  readonly isIncomplete?: boolean;
}

/** Of one destination, since the data directory was made. */
export interface Tally {
  readonly jobsDelivered: number;
  readonly instancesDelivered: number;
  /** Instances that were acknowledged although an earlier transmission may have arrived. */
  readonly instancesResent: number;
  readonly jobsDead: number;
}

export interface OutboxStats {
  readonly destination: string;
  readonly waiting: number;
  readonly sending: number;
  readonly dead: number;
  /** When the oldest job that is not delivered was made; dead ones do not count. */
  readonly oldestAt: number | undefined;
  readonly tally: Tally;
}

interface OutboxEvents {
  added: [OutboxJob];
  delivered: [OutboxJob];
  /** An attempt failed and there will be another one. */
  failed: [OutboxJob];
  dead: [OutboxJob];
}

/** How a delivery ended, until whoever is concerned has been told. */
export interface EndedDelivery {
  readonly job: Pick<OutboxJob, 'id' | 'examId' | 'destination' | 'lastError'>;
  readonly state: 'delivered' | 'dead';
  readonly at: number;
}

interface IndexEntry {
  readonly createdAt: number;
}

const noTally: Tally = { jobsDelivered: 0, instancesDelivered: 0, instancesResent: 0, jobsDead: 0 };

export class Outbox extends EventEmitter<OutboxEvents> {
  readonly #records: Records;
  readonly #objects: ObjectStore;
  readonly #jobs: Table<OutboxJob>;
  /** [state, destination, nextAttemptAt, id] */
  readonly #index: Table<IndexEntry>;
  /** [destination, SOP instance UID] -> when it was acknowledged */
  readonly #delivered: Table<number>;
  readonly #tallies: Table<Tally>;
  /** By job. */
  readonly #ended: Table<EndedDelivery>;

  constructor(records: Records, objects: ObjectStore) {
    super();
    this.#records = records;
    this.#objects = objects;
    this.#jobs = records.table('outbox.jobs');
    this.#index = records.table('outbox.index');
    this.#delivered = records.table('outbox.delivered');
    this.#tallies = records.table('outbox.tallies');
    this.#ended = records.table('outbox.ended');
  }

  /**
   * Adds a job, best in the transaction that makes its instances known. The same instances for the same
   * destination are the same job: one that waits or is dead is tried anew, one that is being sent goes on.
   * @returns its id
   */
  add({ destination, examId, instances, isIncomplete = false }: NewJob): string {
    const hash = createHash('sha256').update(JSON.stringify([destination, instances.map(({ sopInstanceUid }) => sopInstanceUid).sort()]));
    const id = hash.digest('hex').slice(0, 16);
    const known = this.#jobs.get(id);
    if (known?.state === 'sending') return id;
    const now = Date.now();
    const job: OutboxJob = {
      id, destination, examId, instances, isIncomplete, acknowledged: known?.acknowledged ?? [], refused: {},
      state: 'waiting', attempts: 0, createdAt: now, nextAttemptAt: now,
      uncertain: known?.uncertain ?? [],
    };
    for (const { ref } of instances) this.#objects.hold(ref, `job/${id}`);
    for (const { ref } of known?.instances ?? []) {
      if (!instances.some((instance) => instance.ref === ref)) this.#objects.release(ref, `job/${id}`);
    }
    this.#replace(known, job);
    this.#records.afterCommit(() => this.emit('added', job));
    return id;
  }

  get(id: string): OutboxJob | undefined {
    return this.#jobs.get(id);
  }

  list(): OutboxJob[] {
    return [...this.#jobs.range()].map(({ value }) => value).sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  /** So many jobs, those that were given up first, then the others, each the latest first; without reading the rest of them. */
  latest(limit: number): OutboxJob[] {
    const order = [...this.#index.range()].map(({ key, value }) => ({ id: key[3] as string, isDead: key[0] === 'dead', createdAt: value.createdAt }));
    order.sort((a, b) => Number(b.isDead) - Number(a.isDead) || b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1));
    return order.slice(0, limit).flatMap(({ id }) => this.#jobs.get(id) ?? []);
  }

  /** Jobs of a destination that are due, those that have waited longest first. */
  due(destination: string, now: number, limit: number): string[] {
    const ids: string[] = [];
    for (const { key } of this.#index.range(['waiting', destination])) {
      const [, , nextAttemptAt, id] = key as [string, string, number, string];
      if (ids.length >= limit || nextAttemptAt > now) break;
      ids.push(id);
    }
    return ids;
  }

  destinations(): string[] {
    return [...new Set([...this.#indexKeys()].map(([, destination]) => destination))].sort();
  }

  /** When a receiver acknowledged an instance; undefined where it has not. */
  deliveredAt(destination: string, sopInstanceUid: string): number | undefined {
    return this.#delivered.get([destination, sopInstanceUid]);
  }

  /** In a transaction: what was acknowledged before is not known any more. */
  forgetDeliveries(before: number): void {
    for (const { key, value } of [...this.#delivered.range()]) if (value < before) this.#delivered.remove(key);
  }

  stats(): OutboxStats[] {
    const tallies = new Map([...this.#tallies.range()].map(({ key, value }) => [key as string, value]));
    const stats = new Map<string, { waiting: number; sending: number; dead: number; oldestAt: number | undefined }>();
    const of = (destination: string) => {
      const known = stats.get(destination) ?? { waiting: 0, sending: 0, dead: 0, oldestAt: undefined };
      stats.set(destination, known);
      return known;
    };
    for (const destination of tallies.keys()) of(destination);
    for (const { key, value } of this.#index.range()) {
      const [state, destination] = key as [JobState, string];
      const entry = of(destination);
      entry[state]++;
      if (state !== 'dead') entry.oldestAt = Math.min(entry.oldestAt ?? Infinity, value.createdAt);
    }
    return [...stats].map(([destination, entry]) => ({ destination, ...entry, tally: tallies.get(destination) ?? noTally }));
  }

  /** Jobs that are recorded as being sent. */
  sending(): string[] {
    return [...this.#index.range(['sending'])].map(({ key }) => key[3] as string);
  }

  /** Starts an attempt; durable before a byte is sent, so that a crash is known to have cut it. */
  begin(id: string): Promise<OutboxJob | undefined> {
    return this.#jobs.transaction(() => {
      const job = this.#jobs.get(id);
      if (job?.state !== 'waiting') return undefined;
      const started = begun(job);
      this.#replace(job, started);
      return started;
    });
  }

  /** What became of an attempt. A job that was dropped meanwhile stays dropped. */
  async settle(id: string, outcome: AttemptOutcome, limits: RetryLimits, retryAt: number): Promise<void> {
    const settled = await this.#jobs.transaction(() => {
      const job = this.#jobs.get(id);
      if (job === undefined) return undefined;
      const now = Date.now();
      const after = attempted(job, outcome, now, limits, retryAt);
      this.#countAcknowledged(job, outcome, now);
      if (after === undefined) this.#remove(job);
      else this.#replace(job, after);
      if (after === undefined) this.#count(job.destination, { jobsDelivered: 1 });
      else if (after.state === 'dead') this.#count(job.destination, { jobsDead: 1 });
      if (after?.state !== 'waiting') this.#ended.put(id, endedDelivery(after ?? job, now));
      return { job, after };
    });
    if (settled === undefined) return;
    const { job, after } = settled;
    if (after === undefined) this.emit('delivered', job);
    else this.emit(after.state === 'dead' ? 'dead' : 'failed', after);
  }

  /** An operator wants no further attempts until he says so. */
  async giveUp(id: string, why: Reason): Promise<void> {
    const dead = await this.#records.transaction(() => {
      const job = this.#jobs.get(id);
      if (job === undefined || job.state === 'dead') return undefined;
      const after = givenUp(job, why);
      this.#replace(job, after);
      this.#count(job.destination, { jobsDead: 1 });
      this.#ended.put(id, endedDelivery(after, Date.now()));
      return after;
    });
    if (dead !== undefined) this.emit('dead', dead);
  }

  /** Deliveries that ended and of which nobody has said that he was told: the process may have ended in between. */
  ended(): EndedDelivery[] {
    return [...this.#ended.range()].map(({ value }) => value);
  }

  /** Whoever is concerned knows how a delivery ended. */
  told(id: string): void {
    this.#ended.remove(id);
  }

  /** Jobs whose attempt was cut: those given, or all that are being sent. */
  interrupt(ids?: readonly string[]): Promise<number> {
    return this.#jobs.transaction(() => {
      const cut = ids ?? this.sending();
      const jobs = cut.map((id) => this.#jobs.get(id)).filter((job) => job?.state === 'sending');
      for (const job of jobs) this.#replace(job, interrupted(job!, Date.now()));
      return jobs.length;
    });
  }

  /** Tries jobs anew, dead ones or such that wait for their next attempt. @returns how many */
  async retry(ids: readonly string[]): Promise<number> {
    const jobs = await this.#jobs.transaction(() =>
      ids.map((id) => this.#jobs.get(id)).filter((job) => job !== undefined && job.state !== 'sending').map((job) => {
        const next = revived(job!, Date.now());
        this.#replace(job, next);
        return next;
      }),
    );
    for (const job of jobs) this.emit('added', job);
    return jobs.length;
  }

  /** Brings the next attempt of jobs forward, where they wait. */
  hasten(ids: readonly string[], nextAttemptAt: (index: number) => number): Promise<void> {
    return this.#jobs.transaction(() => {
      ids.forEach((id, index) => {
        const job = this.#jobs.get(id);
        const at = nextAttemptAt(index);
        if (job?.state === 'waiting' && at < job.nextAttemptAt) this.#replace(job, { ...job, nextAttemptAt: at });
      });
    });
  }

  /** Gives jobs up for good: they will not be delivered. @param states those of other states stay @returns how many there were */
  drop(ids: readonly string[], states: readonly JobState[] = ['waiting', 'sending', 'dead']): Promise<number> {
    return this.#jobs.transaction(() => {
      const jobs = ids.map((id) => this.#jobs.get(id)).filter((job) => job !== undefined && states.includes(job.state));
      for (const job of jobs) this.#remove(job!);
      return jobs.length;
    });
  }

  /** Those of a destination that wait for a time to come. */
  waiting(destination: string, limit: number): string[] {
    const ids: string[] = [];
    for (const { key } of this.#index.range(['waiting', destination])) {
      if (ids.length >= limit) break;
      ids.push(key[3] as string);
    }
    return ids;
  }

  *#indexKeys(): Iterable<[JobState, string, number, string]> {
    for (const { key } of this.#index.range()) yield key as [JobState, string, number, string];
  }

  #countAcknowledged(job: OutboxJob, outcome: AttemptOutcome, now: number): void {
    const before = new Set(job.acknowledged);
    const uncertain = new Set(job.uncertain);
    const fresh = outcome.acknowledged.filter((uid) => !before.has(uid));
    let resent = 0;
    for (const uid of fresh) {
      const key = [job.destination, uid];
      if (uncertain.has(uid) || this.#delivered.get(key) !== undefined) resent++;
      this.#delivered.put(key, now);
    }
    if (fresh.length > 0) this.#count(job.destination, { instancesDelivered: fresh.length - resent, instancesResent: resent });
  }

  #count(destination: string, more: Partial<Tally>): void {
    const sum = { ...(this.#tallies.get(destination) ?? noTally) };
    for (const [name, count] of Object.entries(more) as [keyof Tally, number][]) sum[name] += count;
    this.#tallies.put(destination, sum);
  }

  #replace(before: OutboxJob | undefined, after: OutboxJob): void {
    if (before !== undefined) this.#index.remove(indexKey(before));
    this.#jobs.put(after.id, after);
    this.#index.put(indexKey(after), { createdAt: after.createdAt });
  }

  #remove(job: OutboxJob): void {
    this.#index.remove(indexKey(job));
    this.#jobs.remove(job.id);
    for (const { ref } of job.instances) this.#objects.release(ref, `job/${job.id}`);
  }
}

const endedDelivery = ({ id, examId, destination, lastError, state }: OutboxJob, at: number): EndedDelivery => ({
  job: { id, examId, destination, ...(lastError !== undefined && { lastError }) }, state: state === 'dead' ? 'dead' : 'delivered', at,
});

function indexKey({ state, destination, nextAttemptAt, id }: OutboxJob): [JobState, string, number, string] {
  return [state, destination, nextAttemptAt, id];
}

