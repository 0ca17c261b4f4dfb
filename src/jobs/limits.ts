/** How much of which work a node takes, and how often it tries. */
import { totalmem } from 'node:os';
import type { JobsConfig } from '../config/jobs.js';
import type { BackOff } from './backoff.js';
import type { GateLimits } from './gate.js';
import { jobKinds } from './types.js';
import type { JobKind } from './types.js';

/** Attempts before a job is a dead letter, and the pauses between them. */
export interface AttemptPolicy extends BackOff {
  readonly attempts: number;
}

export interface JobLimits extends GateLimits {
  /** Kinds that this node does. */
  readonly take: ReadonlySet<JobKind>;
  readonly policies: Readonly<Record<JobKind, AttemptPolicy>>;
}

/** Without a word on memory, jobs may hold half of what the machine has. */
export function jobLimitsOf({ take, memoryMebibytes, concurrency, attempts, firstDelayS, longestDelayS }: JobsConfig): JobLimits {
  const policyOf = (kind: JobKind): AttemptPolicy => ({ attempts: attempts[kind], firstDelayMs: firstDelayS[kind] * 1000, longestDelayMs: longestDelayS[kind] * 1000 });
  return {
    take: new Set(take),
    memoryBytes: memoryMebibytes === undefined ? totalmem() / 2 : memoryMebibytes * 2 ** 20,
    concurrency,
    policies: Object.fromEntries(jobKinds.map((kind) => [kind, policyOf(kind)])) as Record<JobKind, AttemptPolicy>,
  };
}
