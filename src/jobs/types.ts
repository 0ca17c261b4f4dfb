/**
 * Work that somebody does later, here or on another node: what a job is and how it is given, done and looked after. Two
 * drivers are there: embedded in the data folder (embedded.ts) and BullMQ on Redis (bull.ts). What is to be done, and
 * what became of it, is in the records of whoever adds a job: the queue may lose or repeat one, the records may not.
 */
import type { Reason } from '../spool/index.js';

export const jobKinds = ['synthesise', 'analyse', 'deliver', 'reconstruct'] as const;
export type JobKind = (typeof jobKinds)[number];

export interface NewJob {
  /** Of this job among all. Until it is done, dropped or told as cancelled, the same id is the same job: adding it again changes nothing. */
  readonly id: string;
  readonly kind: JobKind;
  /** Small JSON: ids, nothing of a patient, no pictures. */
  readonly payload: unknown;
  readonly examId?: string;
  /** A whole number: 1 first … 100 (priority.ts). */
  readonly priority: number;
  /** Of deliveries, the destination: so many at once, over all nodes, as the lane takes. */
  readonly lane?: string;
  /** ms since 1970, as all times here. */
  readonly notBefore?: number | undefined;
  readonly needs?: {
    /** Of the node that does it. */
    readonly memoryBytes?: number;
    /** Id of a network: a node runs it for one job at a time. */
    readonly model?: string;
  };
}

/** `delayed`: waits for its time, or for its next attempt. `dead`: given up, until it is retried or dropped. */
export const jobStates = ['waiting', 'delayed', 'active', 'dead'] as const;
export type JobState = (typeof jobStates)[number];

export interface KeptJob extends NewJob {
  readonly state: JobState;
  readonly addedAt: number;
  /** That failed. */
  readonly attempts: number;
  readonly startedAt?: number | undefined;
  /** Of the node that runs it. */
  readonly node?: string | undefined;
  readonly progress?: Progress | undefined;
  /** Nothing is begun for it any more; it goes once its giver was told. */
  readonly isCancelled?: boolean;
  readonly lastError?: Reason;
}

export interface Progress {
  /** 0 … 1 */
  readonly fraction: number;
  /** Nothing of a patient. */
  readonly text?: string;
}

export interface JobStats {
  readonly kind: JobKind;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly dead: number;
  /** When the oldest job that has not ended was added. */
  readonly oldestAt: number | undefined;
  /** Since the data folder, or the Redis, is there. */
  readonly tally: JobTally;
}

export interface JobTally {
  readonly done: number;
  /** Attempts. */
  readonly failed: number;
  readonly dead: number;
  readonly cancelled: number;
}

export interface JobRun {
  readonly job: KeptJob;
  /** Fires when the job is cancelled or dropped, was taken by another node, or this node ends. */
  readonly signal: AbortSignal;
  progress(fraction: number, text?: string): void;
}

/** Not done, and nobody's fault: at that time again. */
export interface Again {
  readonly againAt: number;
}

/**
 * Does a job. It may come twice, and comes again after a crash: it looks at the records first.
 * Nothing returned: done. A throw: a failed attempt, tried again by the policy of the kind; after its last attempt, or
 * for a FinalFailure at once, the job is a dead letter.
 */
export type JobPerformer = (run: JobRun) => Promise<Again | undefined>;

/** An attempt failed in a way that another one would not better: the job is given up at once. Its cause is the reason. */
export class FinalFailure extends Error {
  constructor(cause: unknown) {
    super('a failure that another attempt would not better', { cause });
    this.name = 'FinalFailure';
  }
}

export interface PerformOptions {
  /** A job was given up, or cancelled (JOB_ERR_CANCELLED). At least once for each; a throw is logged and changes nothing. */
  gaveUp?(job: KeptJob, why: Reason): void | Promise<void>;
  /** The lanes that are taken here, each with how many jobs of it run at once over all nodes. */
  readonly lanes?: ReadonlyMap<string, number>;
}

export interface JobFilter {
  readonly kind?: JobKind;
  readonly state?: JobState;
  readonly examId?: string;
}

/** What can be done from anywhere, by whoever looks after the service as well. */
export interface JobBoard {
  /** Accepted at once; resolves when it is kept, which nobody need wait for. */
  add(job: NewJob): Promise<void>;
  /** Running ones first, then in the order in which they come, dead ones last. */
  list(filter?: JobFilter): Promise<KeptJob[]>;
  get(id: string): Promise<KeptJob | undefined>;
  /** Of every kind. */
  stats(): Promise<JobStats[]>;
  /** Tries jobs anew, dead ones with all their attempts, and such that wait for their next one. @returns how many */
  retry(ids: readonly string[]): Promise<number>;
  /** Ends jobs that are not dead, wherever they run, and tells their giver. @returns how many */
  cancel(ids: readonly string[]): Promise<number>;
  /** Forgets jobs, wherever they run; nobody is told. @returns how many */
  drop(ids: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

export interface JobQueue extends JobBoard {
  /** This node takes such jobs, unless it is told to take none. Before start(). */
  perform(kind: JobKind, performer: JobPerformer, options?: PerformOptions): void;
  start(): void;
  /** Why jobs are not taken or kept now; undefined where they are. */
  trouble(): string | undefined;
  /** Ends what runs as far as that can be ended; another node, or the next start, takes it up. */
  close(): Promise<void>;
}
