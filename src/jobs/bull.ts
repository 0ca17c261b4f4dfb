/**
 * The queue of a cluster: BullMQ on Redis. One BullMQ queue a kind, and one a lane, whose limit over all nodes is its
 * global concurrency. A node that dies loses its locks: within LOCK_MS + STALLED_EVERY_MS another one takes its jobs.
 * Beside BullMQ's keys there are
 *
 *   <prefix>:jobs:lanes    names of the queues of lanes
 *   <prefix>:jobs:ending   by job, what an operator asked of one that cannot simply be removed: every node looks there
 *   <prefix>:jobs:tally    by kind and what became of jobs, how many
 *
 * BullMQ. https://docs.bullmq.io
 */
import type * as BullMq from 'bullmq';
import type { Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { connectRedis } from '../cluster/index.js';
import type { Logger } from '../log.js';
import type { Reason } from '../spool/index.js';
import { Admission } from './admission.js';
import { backOffMs } from './backoff.js';
import { cancelledReason, reasonOf } from './errors.js';
import type { JobLimits } from './limits.js';
import { noTally, statsOf } from './stats.js';
import { checked, listed } from './transitions.js';
import { FinalFailure, jobKinds } from './types.js';
import type { JobFilter, JobKind, JobPerformer, JobQueue, JobState, JobStats, JobTally, KeptJob, NewJob, PerformOptions, Progress } from './types.js';

export interface BullJobsOptions {
  readonly redisUrl: string;
  /** Of all keys. */
  readonly prefix: string;
  /** Name of this node. */
  readonly node: string;
  readonly limits: JobLimits;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random?: () => number;
}

interface Performer extends PerformOptions {
  readonly perform: JobPerformer;
}

interface Run {
  readonly abort: AbortController;
  readonly ended: Promise<Outcome>;
  asked?: Asked;
}

/** What `ending` holds of a job. */
type Asked = 'cancel' | 'drop';

/** How a run ended. */
type Outcome = { readonly againAt: number } | { readonly error: unknown } | undefined;

const LOCK_MS = 10_000;
const STALLED_EVERY_MS = 4000;
/** That a node died is no fault of its jobs. */
const MOST_STALLED = 1_000_000;
const LOOK_EVERY_MS = 500;
const SHOW_PROGRESS_EVERY_MS = 500;
/** At the gate of this node, and then for anybody else. */
const WAIT_AT_GATE_MS = 300;
const GO_BACK_MS = 250;
/** One node tells the giver of a cancelled job; if it dies, another one after so long. */
const TELL_MS = 10_000;
const RETRY_MS = 1000;
/** For what runs to end when the node does. */
const GRACE_MS = 10_000;
const CLOSE_MS = 2000;
const MOST_EVENTS = 100;
/** Of BullMQ's scores of delayed jobs, that begin with their time. */
const SCORES_A_MS = 0x1000;

/** @throws CodedError CLUSTER_ERR_REDIS where none answers now; later, jobs wait while it is away */
export async function openBullJobs(options: BullJobsOptions): Promise<JobQueue> {
  const bull = await import('bullmq');
  return new BullJobs(options, bull, await connectRedis(options));
}

class BullJobs implements JobQueue {
  readonly #options: BullJobsOptions;
  readonly #bull: typeof BullMq;
  readonly #redis: Redis;
  readonly #random: () => number;
  readonly #admission: Admission;
  readonly #queues = new Map<string, Queue<NewJob>>();
  readonly #workers = new Map<string, Worker<NewJob>>();
  readonly #performers = new Map<JobKind, Performer>();
  readonly #runs = new Map<string, Run>();
  readonly #knownLanes = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BullJobsOptions, bull: typeof BullMq, redis: Redis) {
    this.#options = options;
    this.#bull = bull;
    this.#redis = redis;
    this.#random = options.random ?? Math.random;
    this.#admission = new Admission(options.limits);
    // What an empty Redis would not know any more.
    redis.on('ready', () => {
      this.#knownLanes.clear();
      void this.#tellLimits().catch((error: unknown) => this.#note(error));
    });
  }

  async add(job: NewJob): Promise<void> {
    const { id, kind, priority, notBefore } = checked(job);
    const name = queueNameOf(job);
    if (job.lane !== undefined) await this.#knowLane(name);
    await this.#queue(name).add(kind, job, {
      jobId: keyOf(id), priority, delay: Math.max(0, (notBefore ?? 0) - Date.now()),
      attempts: this.#options.limits.policies[kind].attempts, backoff: { type: 'custom' },
      removeOnComplete: true, removeOnFail: false, stackTraceLimit: 0,
    });
  }

  perform(kind: JobKind, perform: JobPerformer, options: PerformOptions = {}): void {
    this.#performers.set(kind, { ...options, perform });
  }

  start(): void {
    if (this.#timer !== undefined) return;
    const { limits } = this.#options;
    for (const [kind, { lanes }] of this.#performers) {
      if (!limits.take.has(kind)) continue;
      if (lanes === undefined) this.#work(kind, kind, limits.concurrency[kind]);
      for (const [lane, limit] of lanes ?? []) this.#work(kind, queueNameOf({ kind, lane }), Math.min(limit, limits.concurrency[kind]));
    }
    void this.#tellLimits().catch((error: unknown) => this.#note(error));
    this.#timer = setInterval(() => this.#lookForAsked(), LOOK_EVERY_MS);
  }

  trouble(): string | undefined {
    return this.#redis.status === 'ready' ? undefined : 'the Redis of the job queue cannot be reached';
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async list(filter: JobFilter = {}): Promise<KeptJob[]> {
    const { kind } = filter;
    const names = (await this.#queueNames()).filter((name) => kind === undefined || name === kind || name.startsWith(`${kind}.`));
    const ending = await this.#ending();
    const lists = await Promise.all(names.map((name) => this.#listOf(this.#queue(name), ending)));
    return listed(lists.flat(), filter);
  }

  async get(id: string): Promise<KeptJob | undefined> {
    const found = await this.#find(id);
    if (found === undefined) return undefined;
    const { job, state, queue } = found;
    const score = await this.#redis.zscore(queue.toKey('delayed'), keyOf(id));
    return keptOf(job, state, (await this.#ending()).has(id), score === null ? undefined : Number(score) / SCORES_A_MS);
  }

  async stats(): Promise<JobStats[]> {
    const [jobs, tally] = await Promise.all([this.list(), this.#redis.hgetall(this.#key('tally'))]);
    const tallyOf = (kind: JobKind) =>
      Object.fromEntries(Object.keys(noTally).map((what) => [what, Number(tally[`${kind}.${what}`] ?? 0)])) as unknown as JobTally;
    return statsOf(jobs, tallyOf);
  }

  retry(ids: readonly string[]): Promise<number> {
    return this.#each(ids, async ({ job, state, queue }) => {
      if (state === 'active') return false;
      if (state === 'dead') {
        await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
      } else {
        await this.#redis.hset(queue.toKey(job.id!), 'atm', 0);
        if (state === 'delayed') await job.promote();
      }
      return true;
    });
  }

  cancel(ids: readonly string[]): Promise<number> {
    return this.#each(ids, async ({ job, state, queue }) => {
      if (state === 'dead') return false;
      await this.#ask(job.data.id, 'cancel', queue.name);
      return true;
    });
  }

  drop(ids: readonly string[]): Promise<number> {
    return this.#each(ids, async ({ job, queue }) => {
      // 0: it runs.
      if ((await queue.remove(job.id!)) === 0) await this.#ask(job.data.id, 'drop', queue.name);
      return true;
    });
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    const runs = [...this.#runs.values()];
    for (const { abort } of runs) abort.abort();
    await within(GRACE_MS, Promise.all(runs.map(({ ended }) => ended)));
    // What did not end, or cannot be told to a Redis that is away, is left to its lock.
    const workers = [...this.#workers.values()];
    await within(CLOSE_MS, Promise.all(workers.map((worker) => worker.close())));
    await within(CLOSE_MS, Promise.all([this.#looking, ...workers.map((worker) => worker.close(true)), ...[...this.#queues.values()].map((queue) => queue.close())]));
    await within(CLOSE_MS, this.#redis.quit());
    this.#redis.disconnect();
  }

  #key(name: string): string {
    return `${this.#options.prefix}:jobs:${name}`;
  }

  #queue(name: string): Queue<NewJob> {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new this.#bull.Queue<NewJob>(name, { connection: this.#redis, prefix: this.#key('queue'), streams: { events: { maxLen: MOST_EVENTS } } });
    queue.on('error', (error) => this.#note(error));
    this.#queues.set(name, queue);
    return queue;
  }

  /** All there are. */
  async #queueNames(): Promise<string[]> {
    return [...new Set([...jobKinds, ...(await this.#redis.smembers(this.#key('lanes')))])];
  }

  async #knowLane(name: string): Promise<void> {
    if (this.#knownLanes.has(name)) return;
    await this.#redis.sadd(this.#key('lanes'), name);
    this.#knownLanes.add(name);
  }

  async #tellLimits(): Promise<void> {
    for (const [kind, { lanes }] of this.#performers) {
      for (const [lane, limit] of lanes ?? []) {
        const name = queueNameOf({ kind, lane });
        await this.#knowLane(name);
        await this.#queue(name).setGlobalConcurrency(limit);
      }
    }
  }

  #work(kind: JobKind, name: string, concurrency: number): void {
    const { node, limits } = this.#options;
    const worker = new this.#bull.Worker<NewJob>(name, (job, token) => this.#process(job, token!), {
      connection: this.#redis, prefix: this.#key('queue'), name: node, concurrency,
      lockDuration: LOCK_MS, stalledInterval: STALLED_EVERY_MS, maxStalledCount: MOST_STALLED, runRetryDelay: RETRY_MS,
      settings: { backoffStrategy: (attempts) => Math.ceil(backOffMs(attempts, limits.policies[kind], this.#random())) },
    });
    worker.on('error', (error) => this.#note(error));
    // Somebody else has it, or will soon.
    worker.on('lockRenewalFailed', (keys) => {
      for (const [id, { abort }] of this.#runs) if (keys.includes(keyOf(id))) abort.abort();
    });
    this.#workers.set(name, worker);
  }

  /** What BullMQ does with the job follows from whether, and what, it throws. */
  async #process(job: Job<NewJob>, token: string): Promise<void> {
    const { id, kind } = job.data;
    const asked = askedOf(await this.#redis.hget(this.#key('ending'), id));
    if (asked !== undefined) return await this.#end(keptOf(job, 'active', true), asked);
    if (!(await this.#admission.enter(job.data, WAIT_AT_GATE_MS))) return await this.#goBack(job, token, Date.now() + GO_BACK_MS * (1 + this.#random()));
    const abort = new AbortController();
    const run: Run = { abort, ended: this.#perform(job, abort.signal) };
    this.#runs.set(id, run);
    const outcome = await run.ended;
    this.#runs.delete(id);
    this.#admission.leave(job.data);
    if (outcome === undefined) return await this.#count(kind, 'done');
    if (run.asked !== undefined) return await this.#end(keptOf(job, 'active', true), run.asked);
    if ('againAt' in outcome) return await this.#goBack(job, token, outcome.againAt);
    // For another node at once; that alone wakes one that sleeps.
    if (this.#closing !== undefined) return await this.#goBack(job, token, Date.now());
    return await this.#fail(job, outcome.error);
  }

  /** Never rejects. */
  async #perform(job: Job<NewJob>, signal: AbortSignal): Promise<Outcome> {
    let shownAt = -Infinity;
    const progress = (fraction: number, text?: string) => {
      if (performance.now() - shownAt < SHOW_PROGRESS_EVERY_MS) return;
      shownAt = performance.now();
      job.updateProgress({ fraction, ...(text !== undefined && { text }) }).catch((error: unknown) => this.#note(error));
    };
    // While it waited at the gate.
    if (this.#closing !== undefined) return { error: new Error('closing') };
    try {
      return await this.#performers.get(job.data.kind)!.perform({ job: keptOf(job, 'active', false), signal, progress });
    } catch (error) {
      return { error };
    }
  }

  async #goBack(job: Job<NewJob>, token: string, at: number): Promise<never> {
    await job.moveToDelayed(Math.ceil(at), token);
    throw new this.#bull.DelayedError();
  }

  async #fail(job: Job<NewJob>, error: unknown): Promise<never> {
    const { limits, log } = this.#options;
    const { id, kind } = job.data;
    const why = reasonOf(error);
    const attempt = job.attemptsMade + 1;
    const isGivenUp = error instanceof FinalFailure || attempt >= limits.policies[kind].attempts;
    log.warn({ job: id, kind, attempt, code: why.code, isGivenUp }, 'a job failed');
    await this.#count(kind, 'failed');
    if (!isGivenUp) throw new Error(reasonText(why));
    await this.#tell({ ...keptOf(job, 'dead', false), attempts: attempt, lastError: why }, why);
    await this.#count(kind, 'dead');
    throw new this.#bull.UnrecoverableError(reasonText(why));
  }

  /** The end of a job that an operator asked for; whoever hands it out removes it then. */
  async #end(job: KeptJob, asked: Asked): Promise<void> {
    if (asked === 'cancel') {
      await this.#tell(job, cancelledReason());
      await this.#count(job.kind, 'cancelled');
    }
    await this.#redis.hdel(this.#key('ending'), job.id);
  }

  async #tell(job: KeptJob, why: Reason): Promise<void> {
    try {
      await this.#performers.get(job.kind)?.gaveUp?.(job, why);
    } catch (error) {
      this.#options.log.error({ job: job.id, kind: job.kind, code: reasonOf(error).code }, 'the end of a job could not be told');
    }
  }

  async #count(kind: JobKind, what: keyof JobTally): Promise<void> {
    await this.#redis.hincrby(this.#key('tally'), `${kind}.${what}`, 1);
  }

  async #ask(id: string, what: Asked, queueName: string): Promise<void> {
    await this.#redis.hset(this.#key('ending'), id, `${what} ${queueName}`);
    this.#lookForAsked();
  }

  /** Ids of jobs that are to end. */
  async #ending(): Promise<Map<string, string>> {
    return new Map(Object.entries(await this.#redis.hgetall(this.#key('ending'))));
  }

  #lookForAsked(): void {
    if (this.#timer === undefined || this.#closing !== undefined) return;
    this.#looking ??= this.#endAsked()
      .catch((error: unknown) => this.#note(error))
      .finally(() => (this.#looking = undefined));
  }

  async #endAsked(): Promise<void> {
    for (const [id, text] of await this.#ending()) {
      const asked = askedOf(text)!;
      const run = this.#runs.get(id);
      if (run !== undefined) {
        run.asked = asked;
        run.abort.abort();
      } else {
        await this.#endWaiting(id, asked, text.slice(asked.length + 1));
      }
    }
  }

  /** Where it runs on another node, that one ends it. */
  async #endWaiting(id: string, asked: Asked, queueName: string): Promise<void> {
    if (!this.#workers.has(queueName)) return;
    const found = await this.#findIn(this.#queue(queueName), id);
    if (found === undefined || found.state === 'dead') {
      await this.#redis.hdel(this.#key('ending'), id);
      return;
    }
    if (found.state === 'active' || (await this.#redis.set(this.#key(`telling:${id}`), '', 'PX', TELL_MS, 'NX')) === null) return;
    if (asked === 'cancel') await this.#tell(keptOf(found.job, found.state, true), cancelledReason());
    if ((await found.queue.remove(found.job.id!)) === 0) return;
    if (asked === 'cancel') await this.#count(found.job.data.kind, 'cancelled');
    await this.#redis.hdel(this.#key('ending'), id);
  }

  async #each(ids: readonly string[], work: (found: Found) => Promise<boolean>): Promise<number> {
    let changed = 0;
    for (const id of ids) {
      const found = await this.#find(id);
      if (found !== undefined && (await work(found))) changed++;
    }
    return changed;
  }

  async #find(id: string): Promise<Found | undefined> {
    for (const name of await this.#queueNames()) {
      const found = await this.#findIn(this.#queue(name), id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #findIn(queue: Queue<NewJob>, id: string): Promise<Found | undefined> {
    const job = await queue.getJob(keyOf(id));
    if (job === undefined) return undefined;
    const state = stateOf(await job.getState());
    return state === undefined ? undefined : { job, state, queue };
  }

  async #listOf(queue: Queue<NewJob>, ending: ReadonlyMap<string, string>): Promise<KeptJob[]> {
    const scores = await this.#redis.zrange(queue.toKey('delayed'), 0, -1, 'WITHSCORES');
    const times = new Map<string, number>();
    for (let index = 0; index < scores.length; index += 2) times.set(scores[index]!, Number(scores[index + 1]) / SCORES_A_MS);
    const lists = await Promise.all(
      (['active', 'waiting', 'prioritized', 'delayed', 'failed'] as const).map(async (bullState) => {
        const jobs = (await queue.getJobs([bullState])) as (Job<NewJob> | undefined)[];
        return jobs.flatMap((job) => (job === undefined ? [] : keptOf(job, stateOf(bullState)!, ending.has(job.data.id), times.get(job.id!))));
      }),
    );
    // One that moved meanwhile is seen twice.
    return [...new Map(lists.flat().map((job) => [job.id, job])).values()];
  }

  /** That Redis is away is told in one place (trouble). */
  #note(error: unknown): void {
    const { code, name } = error as NodeJS.ErrnoException;
    this.#options.log.debug({ code: code ?? name }, 'the job queue met an error');
  }
}

interface Found {
  readonly job: Job<NewJob>;
  readonly state: JobState;
  readonly queue: Queue<NewJob>;
}

/** Names of BullMQ hold no colon. */
function queueNameOf({ kind, lane }: Pick<NewJob, 'kind' | 'lane'>): string {
  return lane === undefined ? kind : `${kind}.${encodeURIComponent(lane)}`;
}

/** Neither do its ids, and they are no numbers. */
function keyOf(id: string): string {
  return `job.${encodeURIComponent(id)}`;
}

function askedOf(text: string | null): Asked | undefined {
  return text === null ? undefined : text.startsWith('cancel ') ? 'cancel' : 'drop';
}

function stateOf(state: string): JobState | undefined {
  switch (state) {
    case 'active':
      return 'active';
    case 'waiting':
    case 'prioritized':
      return 'waiting';
    case 'delayed':
      return 'delayed';
    case 'failed':
      return 'dead';
    default:
      return undefined;
  }
}

function keptOf(job: Job<NewJob>, state: JobState, isCancelled: boolean, notBefore?: number): KeptJob {
  const isActive = state === 'active';
  const { failedReason, attemptsMade, timestamp, processedOn, processedBy } = job;
  return {
    ...job.data, state, addedAt: timestamp, attempts: attemptsMade,
    ...(state === 'delayed' && notBefore !== undefined && { notBefore: Math.floor(notBefore) }),
    ...(isActive && { startedAt: processedOn, node: processedBy }),
    ...(isActive && typeof job.progress === 'object' && { progress: job.progress as unknown as Progress }),
    ...(isCancelled && state !== 'dead' && { isCancelled }),
    ...(failedReason && { lastError: readReason(failedReason) }),
  };
}

/** As BullMQ keeps it. */
const reasonText = ({ code, message }: Reason) => `${code}: ${message}`;

function readReason(text: string): Reason {
  const [, code, message] = /^([A-Z0-9_]+): (.*)$/s.exec(text) ?? [];
  return code === undefined || message === undefined ? reasonOf(new Error(text)) : { code, message };
}

/** Settles when it does, or after so long; never rejects. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work.catch(() => undefined), new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
