/**
 * Delivers the jobs of the outbox by way of the queue: to each destination a few at a time. The records of the outbox are
 * the only list of what is to be done, and when; they are looked at several times a second, so that what a command beside
 * the service changes counts at once. What is due is given to the queue, under the same id by every node, and one of them
 * sends it. A job leaves the outbox when the receiver has acknowledged each of its instances, and only those that it has
 * not are sent again. What the queue loses is given to it again.
 */
import { backOffMs, jobPriority } from '../jobs/index.js';
import type { Again, BackOff, JobQueue, JobRun } from '../jobs/index.js';
import type { Logger } from '../log.js';
import { outstanding } from '../spool/index.js';
import type { AttemptOutcome, OutboxJob, Reason, RetryLimits, Spool, StoredInstance } from '../spool/index.js';

export interface LoadedInstance extends StoredInstance {
  /** The whole DICOM file. */
  bytes(): Promise<Uint8Array>;
}

export type SendResult =
  | { readonly sopInstanceUid: string; readonly outcome: 'stored' }
  | {
      readonly sopInstanceUid: string;
      readonly outcome: 'failed';
      readonly code: string;
      /** A status or a reason; nothing of a data set. */
      readonly detail: string;
      /** Whether the same instance may be taken another time. */
      readonly retryable: boolean;
    };

/** A way to a destination; src/dicom has C-STORE, STOW-RS and folders. */
export interface Sender {
  /** Sends the instances of one series; what became of each is in its result. */
  send(instances: readonly LoadedInstance[], signal: AbortSignal): Promise<readonly SendResult[]>;
}

export interface Destination {
  readonly sender: Sender;
  /** Jobs that are sent at once. */
  readonly parallel: number;
  /** For whoever looks after the service. */
  readonly about?: { readonly kind: 'dicom' | 'stow' | 'folder'; readonly host?: string };
  /** Whether it answers now. @throws CodedError (as a rejection) where it does not */
  readonly echo?: (signal: AbortSignal) => Promise<void>;
}

export interface OutboxPolicy extends BackOff, RetryLimits {}

/** An archive may be away for a week; after that a person has to look. */
export const defaultPolicy: OutboxPolicy = { firstDelayMs: 1000, longestDelayMs: 5 * 60_000, maxAttempts: 10_000, maxAgeMs: 7 * 24 * 3_600_000 };

export interface OutboxDriverOptions {
  readonly spool: Pick<Spool, 'outbox' | 'objects'>;
  /** Started by whoever made it, after this. */
  readonly queue: JobQueue;
  /** Resolves when everything is known here that was kept anywhere before; at once where a node is alone. */
  readonly caughtUp?: () => Promise<void>;
  /** In the queue. */
  readonly priorityOf?: (job: OutboxJob) => number;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly policy: OutboxPolicy;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random?: () => number;
}

const LOOK_EVERY_MS = 250;
const LOOK_FOR_LOST_EVERY_MS = 10_000;
/** What is still due after so long is given to the queue again, which may have lost it. */
const GIVE_AGAIN_MS = 10_000;
/** When a job was given that the queue has not accepted yet: a Redis that is away may take long. */
const IS_BEING_GIVEN = Infinity;
/** Jobs of a destination that are in the queue at once, so that the most pressing of them come first. */
const MOST_GIVEN = 200;
/** After a record could not be written. */
const PAUSE_MS = 5000;
/** Jobs whose next attempt is brought forward when a destination is back. */
const MOST_HASTENED = 1000;

/** With these the receiver itself said no: it does not have the instance. */
const answered: ReadonlySet<string> = new Set(['DICOM_ERR_REFUSED', 'DICOM_ERR_NOT_ACCEPTED', 'DICOM_ERR_COLLISION', 'DICOM_ERR_REJECTED']);

export class OutboxDriver {
  readonly #options: OutboxDriverOptions;
  readonly #random: () => number;
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  /** Jobs that are due, by destination, and when each was given to the queue. */
  readonly #given = new Map<string, Map<string, number>>();
  /** Destinations that could not be reached the last time. */
  readonly #away = new Set<string>();
  #unknown: readonly string[] = [];
  #lostLookedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** Before the queue is started. */
  constructor(options: OutboxDriverOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    const { queue, spool, destinations } = options;
    const perform = (run: JobRun) => {
      const delivering = this.#deliver(run).finally(() => this.#running.delete(delivering));
      this.#running.add(delivering);
      return delivering;
    };
    queue.perform('deliver', perform, {
      lanes: new Map([...destinations].map(([name, { parallel }]) => [name, parallel])),
      gaveUp: ({ id }, why) => spool.outbox.giveUp(id, why),
    });
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#options.spool.outbox.on('added', this.#give);
    this.#look();
  }

  /** Ends what is being sent, as far as that can be ended, and starts nothing more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.spool.outbox.off('added', this.#give);
    this.#stop.abort();
    await Promise.allSettled(this.#running);
  }

  /** Destinations of jobs that the configuration does not name, as of some seconds ago. */
  get unknownDestinations(): readonly string[] {
    return this.#unknown;
  }

  #look(): void {
    const { destinations, spool: { outbox } } = this.#options;
    this.#lookForLost();
    for (const name of destinations.keys()) {
      const before = this.#given.get(name);
      const given = new Map<string, number>();
      this.#given.set(name, given);
      for (const id of outbox.due(name, Date.now(), MOST_GIVEN)) {
        const givenAt = before?.get(id);
        if (givenAt !== undefined && performance.now() - givenAt < GIVE_AGAIN_MS) given.set(id, givenAt);
        else this.#giveById(id);
      }
    }
  }

  #giveById(id: string): void {
    const job = this.#options.spool.outbox.get(id);
    if (job !== undefined) this.#give(job);
  }

  readonly #give = (job: OutboxJob): void => {
    const { queue, destinations, priorityOf, log } = this.#options;
    const { id, destination, examId } = job;
    if (!destinations.has(destination) || this.#given.get(destination)?.get(id) === IS_BEING_GIVEN) return;
    this.#given.get(destination)?.set(id, IS_BEING_GIVEN);
    const settled = (becomes: (given: Map<string, number>) => void) => {
      const given = this.#given.get(destination);
      if (given?.get(id) === IS_BEING_GIVEN) becomes(given);
    };
    queue.add({ id, kind: 'deliver', lane: destination, payload: {}, examId, priority: priorityOf?.(job) ?? jobPriority('finished') }).then(
      () => settled((given) => given.set(id, performance.now())),
      (error: unknown) => {
        settled((given) => given.delete(id));
        log.warn({ job: id, code: (error as { code?: string }).code ?? 'unknown' }, 'a delivery is not in the queue yet');
      },
    );
  };

  /**
   * Jobs that nobody sends although they are recorded so, or can: to the queue, one that is being sent is the same job.
   * Every job is looked at for that, so it is done more seldom.
   */
  #lookForLost(): void {
    const { destinations, spool: { outbox }, log } = this.#options;
    if (performance.now() - this.#lostLookedAt < LOOK_FOR_LOST_EVERY_MS) return;
    this.#lostLookedAt = performance.now();
    for (const id of outbox.sending()) this.#giveById(id);
    const unknown = outbox.destinations().filter((name) => !destinations.has(name));
    for (const name of unknown) {
      if (!this.#unknown.includes(name)) log.warn({ destination: name }, 'jobs wait for a destination that the configuration does not name');
    }
    this.#unknown = unknown;
  }

  /** Never rejects. */
  async #deliver({ job: { id, lane = '' }, signal: ofRun }: JobRun): Promise<Again | undefined> {
    const { spool, destinations, log, policy, caughtUp } = this.#options;
    const signal = AbortSignal.any([ofRun, this.#stop.signal]);
    if (signal.aborted) return { againAt: Date.now() + PAUSE_MS };
    try {
      await caughtUp?.();
      const job = await this.#begin(id);
      const destination = destinations.get(job?.destination ?? '');
      if (job === undefined || destination === undefined) return undefined;
      const read = new Set<string>();
      const instances = outstanding(job).map((instance) => ({
        ...instance,
        bytes: () => {
          read.add(instance.sopInstanceUid);
          return spool.objects.read(instance.ref);
        },
      }));
      const outcome = outcomeOf(await this.#results(destination.sender, instances, signal), read);
      const retryAt = Date.now() + backOffMs(job.attempts, policy, this.#random());
      await spool.outbox.settle(id, outcome, policy, retryAt);
      this.#told(job, outcome);
      if (outcome.acknowledged.length > 0) await this.#isBack(job.destination);
      else if (read.size === 0 && outcome.failure !== undefined) this.#away.add(job.destination);
      // Where it was cancelled, the outbox is to be told so.
      return signal.aborted && outcome.failure !== undefined ? { againAt: Date.now() } : undefined;
    } catch (error) {
      // A database that cannot be written: the job stays recorded as being sent, and is taken up again when it can.
      log.error({ job: id, code: (error as { code?: string }).code ?? 'unknown' }, 'a delivery could not be recorded');
      return { againAt: Date.now() + PAUSE_MS };
    } finally {
      this.#given.get(lane)?.delete(id);
    }
  }

  /** The attempt that is due now; undefined where there is none, which then waits in the outbox. */
  async #begin(id: string): Promise<OutboxJob | undefined> {
    const { outbox } = this.#options.spool;
    const job = outbox.get(id);
    // The queue hands out a job once at a time: who sent it died.
    if (job?.state === 'sending') await outbox.interrupt([id]);
    else if (job === undefined || job.nextAttemptAt > Date.now()) return undefined;
    return outbox.begin(id);
  }

  async #results(sender: Sender, instances: readonly LoadedInstance[], signal: AbortSignal): Promise<readonly SendResult[]> {
    try {
      return await sender.send(instances, signal);
    } catch (error) {
      const detail = error instanceof Error ? error.name : 'unknown';
      return instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'failed', code: 'OUTBOX_ERR_SENDER', detail, retryable: true }));
    }
  }

  #told(job: OutboxJob, { acknowledged, refused, failure }: AttemptOutcome): void {
    const facts = { job: job.id, destination: job.destination, attempt: job.attempts, acknowledged: acknowledged.length, of: job.instances.length };
    if (failure !== undefined || Object.keys(refused).length > 0) {
      this.#options.log.warn({ ...facts, refused: Object.keys(refused).length, code: failure?.code ?? Object.values(refused)[0]?.code }, 'delivery incomplete');
    } else {
      this.#options.log.info(facts, 'delivered');
    }
  }

  /** A destination that was away takes again: its jobs need not wait out their back-off, but come one after the other. */
  async #isBack(name: string): Promise<void> {
    if (!this.#away.delete(name)) return;
    const { spool, policy } = this.#options;
    const waiting = spool.outbox.waiting(name, MOST_HASTENED);
    const now = Date.now();
    await spool.outbox.hasten(waiting, () => now + this.#random() * policy.firstDelayMs);
  }
}

/** @param read instances whose bytes the sender has taken: they may have arrived */
function outcomeOf(results: readonly SendResult[], read: ReadonlySet<string>): AttemptOutcome {
  const refused: Record<string, Reason> = {};
  const acknowledged: string[] = [];
  const uncertain: string[] = [];
  let failure: Reason | undefined;
  for (const result of results) {
    if (result.outcome === 'stored') {
      acknowledged.push(result.sopInstanceUid);
      continue;
    }
    const reason = { code: result.code, message: result.detail };
    if (result.retryable) failure ??= reason;
    else refused[result.sopInstanceUid] = reason;
    if (read.has(result.sopInstanceUid) && !answered.has(result.code)) uncertain.push(result.sopInstanceUid);
  }
  return { acknowledged, refused, uncertain, ...(failure !== undefined && { failure }) };
}
