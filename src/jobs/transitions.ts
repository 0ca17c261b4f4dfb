/**
 * A kept job from its adding to its end. Pure; embedded.ts keeps them.
 *
 *   waiting --begun--> active --done--> (gone)
 *      ^                 | | \--failed too often, or finally--> dead --retried--> waiting
 *      |--again, failed--/ \--interrupted: the process ended--> waiting
 *
 * `waiting` with a time to come is shown as `delayed`.
 */
import type { Reason } from '../spool/index.js';
import { backOffMs } from './backoff.js';
import { jobError } from './errors.js';
import type { AttemptPolicy } from './limits.js';
import type { JobFilter, JobState, KeptJob, NewJob } from './types.js';

const MOST_PAYLOAD_CHARACTERS = 16_384;

/** @throws CodedError JOB_ERR_INVALID */
export function checked(job: NewJob): NewJob {
  const { id, priority, payload } = job;
  if (id === '' || !Number.isInteger(priority) || priority < 1 || priority > 100) throw jobError('JOB_ERR_INVALID', `priority ${priority} of job ${JSON.stringify(id)}`);
  if ((JSON.stringify(payload) ?? '').length > MOST_PAYLOAD_CHARACTERS) throw jobError('JOB_ERR_INVALID', `a larger payload of job ${JSON.stringify(id)}`);
  return job;
}

export function added(job: NewJob, now: number): KeptJob {
  return { ...job, state: 'waiting', addedAt: now, attempts: 0 };
}

export function begun(job: KeptJob, now: number, node: string): KeptJob {
  return { ...job, state: 'active', startedAt: now, node };
}

/** Its attempt was cut by the end of the process, which is nobody's fault. */
export function interrupted(job: KeptJob): KeptJob {
  return idle(job, 'waiting');
}

/** Not done, at that time again; no attempt. */
export function again(job: KeptJob, at: number): KeptJob {
  return { ...idle(job, 'waiting'), notBefore: at };
}

/** @param random in [0, 1) */
export function failed(job: KeptJob, why: Reason, isFinal: boolean, now: number, policy: AttemptPolicy, random: number): KeptJob {
  const attempts = job.attempts + 1;
  if (isFinal || attempts >= policy.attempts) return { ...idle(job, 'dead'), attempts, lastError: why };
  return { ...idle(job, 'waiting'), attempts, lastError: why, notBefore: now + backOffMs(attempts, policy, random) };
}

/** With all attempts, at once; one that runs or was cancelled stays as it is. */
export function retried(job: KeptJob): KeptJob {
  if (job.state === 'active' || job.isCancelled) return job;
  return { ...idle(job, 'waiting'), notBefore: undefined, attempts: 0 };
}

/** A dead one stays as it is. */
export function cancelled(job: KeptJob): KeptJob {
  return job.state === 'dead' ? job : { ...job, isCancelled: true };
}

/** As whoever looks at it sees it. */
export function shown(job: KeptJob, now: number): KeptJob {
  return job.state === 'waiting' && (job.notBefore ?? 0) > now ? { ...job, state: 'delayed' } : job;
}

/** Those of the most pressing priority first, and of these, who came first. */
export function inOrder(a: KeptJob, b: KeptJob): number {
  return a.priority - b.priority || a.addedAt - b.addedAt;
}

const stateOrder: Readonly<Record<JobState, number>> = { active: 0, waiting: 1, delayed: 2, dead: 3 };

/** As JobBoard.list gives them. */
export function listed(jobs: Iterable<KeptJob>, { kind, state, examId }: JobFilter = {}): KeptJob[] {
  const isAsked = (job: KeptJob) => (kind ?? job.kind) === job.kind && (state ?? job.state) === job.state && (examId === undefined || examId === job.examId);
  return [...jobs].filter(isAsked).sort((a, b) => stateOrder[a.state] - stateOrder[b.state] || inOrder(a, b));
}

function idle(job: KeptJob, state: 'waiting' | 'dead'): KeptJob {
  return { ...job, state, startedAt: undefined, node: undefined, progress: undefined };
}
