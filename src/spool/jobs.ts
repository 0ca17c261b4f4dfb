/**
 * A job of the outbox: one series on its way to one destination. Pure transitions; outbox.ts keeps
 * them. A job ends as delivered only when the receiver has acknowledged every instance of it.
 *
 *   waiting --begin--> sending --all acknowledged--> (delivered: the job is gone)
 *      ^                 | | \--refused, too often, too old--> dead --retry--> waiting
 *      |---try again-----/ \--the process ended meanwhile--> waiting
 */

/** A DICOM instance whose Part 10 file is in the object store. */
export interface StoredInstance {
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** In the object store. */
  readonly ref: string;
  readonly nBytes: number;
}

/** Why something was not delivered: a code and words that name no patient. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

export type JobState = 'waiting' | 'sending' | 'dead';

export interface OutboxJob {
  readonly id: string;
  readonly destination: string;
  readonly examId: string;
  /** Of one series. */
  readonly instances: readonly StoredInstance[];
  /** SOP instance UIDs that the receiver has. */
  readonly acknowledged: readonly string[];
  /** By SOP instance UID, what the receiver will never take. */
  readonly refused: Readonly<Record<string, Reason>>;
  readonly state: JobState;
  /** Not everything that the series should hold is in it: its session ended in an error. */
  readonly isIncomplete: boolean;
  readonly attempts: number;
  /** ms since 1970, as all times here. Also what limits of age count from. */
  readonly createdAt: number;
  readonly nextAttemptAt: number;
  /** SOP instance UIDs that were sent and not answered: the receiver may have them already. */
  readonly uncertain: readonly string[];
  readonly lastError?: Reason;
}

/** What became of one attempt. Instances that are in neither list are to be sent again. */
export interface AttemptOutcome {
  readonly acknowledged: readonly string[];
  readonly refused: Readonly<Record<string, Reason>>;
  /** Why some are to be sent again. */
  readonly failure?: Reason;
  /** What the receiver may have got although it did not acknowledge it. */
  readonly uncertain: readonly string[];
}

export interface RetryLimits {
  readonly maxAttempts: number;
  readonly maxAgeMs: number;
}

/** Instances that are neither acknowledged nor refused. */
export function outstanding(job: OutboxJob): StoredInstance[] {
  const acknowledged = new Set(job.acknowledged);
  return job.instances.filter(({ sopInstanceUid: uid }) => !acknowledged.has(uid) && !Object.hasOwn(job.refused, uid));
}

export function begun(job: OutboxJob): OutboxJob {
  return { ...job, state: 'sending', attempts: job.attempts + 1 };
}

/**
 * @param retryAt when the next attempt is due, where there is one
 * @returns undefined when everything is delivered
 */
export function attempted(job: OutboxJob, outcome: AttemptOutcome, now: number, limits: RetryLimits, retryAt: number): OutboxJob | undefined {
  const after: OutboxJob = {
    ...job,
    acknowledged: [...new Set([...job.acknowledged, ...outcome.acknowledged])],
    refused: { ...job.refused, ...outcome.refused },
    uncertain: [...new Set([...job.uncertain, ...outcome.uncertain])],
  };
  const lastError = outcome.failure ?? Object.values(after.refused)[0];
  if (outstanding(after).length === 0) {
    if (Object.keys(after.refused).length === 0) return undefined;
    return { ...after, state: 'dead', ...(lastError !== undefined && { lastError }) };
  }
  const isGivenUp = after.attempts >= limits.maxAttempts || now - after.createdAt >= limits.maxAgeMs;
  return { ...after, state: isGivenUp ? 'dead' : 'waiting', nextAttemptAt: retryAt, ...(lastError !== undefined && { lastError }) };
}

/** The attempt was cut, by us or by the end of the process; nobody knows what arrived. */
export function interrupted(job: OutboxJob, now: number): OutboxJob {
  const uncertain = [...new Set([...job.uncertain, ...outstanding(job).map(({ sopInstanceUid }) => sopInstanceUid)])];
  return { ...job, state: 'waiting', nextAttemptAt: now, uncertain };
}

/** No further attempts until an operator wants some; nobody knows what arrived of one that was cut. */
export function givenUp(job: OutboxJob, why: Reason): OutboxJob {
  const { uncertain } = job.state === 'sending' ? interrupted(job, job.nextAttemptAt) : job;
  return { ...job, state: 'dead', uncertain, lastError: why };
}

/** An operator wants it tried again, with all the attempts and the time of a new job. */
export function revived(job: OutboxJob, now: number): OutboxJob {
  return { ...job, state: 'waiting', attempts: 0, createdAt: now, nextAttemptAt: now, refused: {} };
}
