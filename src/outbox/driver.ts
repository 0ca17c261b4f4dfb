/**
 * Delivers the jobs of the outbox: to each destination a few at a time, those first that have waited
 * longest. The database is the only list of what is to be done: it is looked at several times a second,
 * so that what a command beside the service changes counts at once. A job leaves the outbox when the
 * receiver has acknowledged each of its instances, and only those that it has not are sent again.
 */
import type { Logger } from '../log.js';
import { outstanding } from '../spool/index.js';
import type { AttemptOutcome, OutboxJob, Reason, RetryLimits, Spool, StoredInstance } from '../spool/index.js';
import { backOffMs } from '../jobs/index.js';
import type { BackOff } from '../jobs/index.js';

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
  readonly spool: Spool;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly policy: OutboxPolicy;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random?: () => number;
}

const LOOK_EVERY_MS = 250;
const LOOK_FOR_LOST_EVERY_MS = 10_000;
/** After a record could not be written. */
const PAUSE_MS = 5000;
/** Jobs whose next attempt is brought forward when a destination is back. */
const MOST_HASTENED = 1000;

/** With these the receiver itself said no: it does not have the instance. */
const answered: ReadonlySet<string> = new Set(['DICOM_ERR_REFUSED', 'DICOM_ERR_NOT_ACCEPTED', 'DICOM_ERR_COLLISION', 'DICOM_ERR_REJECTED']);

export class OutboxDriver {
  readonly #options: OutboxDriverOptions;
  readonly #random: () => number;
  readonly #running = new Map<string, Map<string, Promise<void>>>();
  readonly #stop = new AbortController();
  /** Destinations that could not be reached the last time. */
  readonly #away = new Set<string>();
  #unknown: readonly string[] = [];
  #lostLookedAt = -Infinity;
  #pausedUntil = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutboxDriverOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    for (const name of options.destinations.keys()) this.#running.set(name, new Map());
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#look();
  }

  /** Ends what is being sent, as far as that can be ended, and starts nothing more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await Promise.all([...this.#running.values()].flatMap((jobs) => [...jobs.values()]));
  }

  /** Destinations of jobs that the configuration does not name, as of some seconds ago. */
  get unknownDestinations(): readonly string[] {
    return this.#unknown;
  }

  #look(): void {
    if (this.#stop.signal.aborted || performance.now() < this.#pausedUntil) return;
    const { destinations, spool } = this.#options;
    this.#lookForLost();
    for (const [name, destination] of destinations) {
      const running = this.#running.get(name)!;
      const due = spool.outbox.due(name, Date.now(), destination.parallel + running.size);
      for (const id of due) {
        if (running.size >= destination.parallel) break;
        if (running.has(id)) continue;
        running.set(id, this.#deliver(name, destination, id).finally(() => running.delete(id)));
      }
    }
  }

  /** Jobs that nobody sends although they are recorded so, or can. Every job is looked at for that, so it is done more seldom. */
  #lookForLost(): void {
    const { destinations, spool, log } = this.#options;
    if (performance.now() - this.#lostLookedAt < LOOK_FOR_LOST_EVERY_MS) return;
    this.#lostLookedAt = performance.now();
    const running = new Set([...this.#running.values()].flatMap((jobs) => [...jobs.keys()]));
    const abandoned = spool.outbox.sending().filter((id) => !running.has(id));
    if (abandoned.length > 0) void spool.outbox.interrupt(abandoned).catch(() => undefined);
    const unknown = spool.outbox.destinations().filter((name) => !destinations.has(name));
    for (const name of unknown) {
      if (!this.#unknown.includes(name)) log.warn({ destination: name }, 'jobs wait for a destination that the configuration does not name');
    }
    this.#unknown = unknown;
  }

  /** Never rejects. */
  async #deliver(name: string, { sender }: Destination, id: string): Promise<void> {
    const { spool, log, policy } = this.#options;
    try {
      const job = await spool.outbox.begin(id);
      if (job === undefined) return;
      const read = new Set<string>();
      const instances = outstanding(job).map((instance) => ({
        ...instance,
        bytes: () => {
          read.add(instance.sopInstanceUid);
          return spool.objects.read(instance.ref);
        },
      }));
      const outcome = outcomeOf(await this.#results(sender, instances), read);
      const retryAt = Date.now() + backOffMs(job.attempts, policy, this.#random());
      await spool.outbox.settle(id, outcome, policy, retryAt);
      this.#told(job, outcome);
      if (outcome.acknowledged.length > 0) await this.#isBack(name);
      else if (read.size === 0 && outcome.failure !== undefined) this.#away.add(name);
    } catch (error) {
      // A database that cannot be written: the job stays recorded as being sent, and is taken up again when it can.
      log.error({ job: id, code: (error as { code?: string }).code ?? 'unknown' }, 'a delivery could not be recorded');
      this.#pausedUntil = performance.now() + PAUSE_MS;
    }
  }

  async #results(sender: Sender, instances: readonly LoadedInstance[]): Promise<readonly SendResult[]> {
    try {
      return await sender.send(instances, this.#stop.signal);
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
