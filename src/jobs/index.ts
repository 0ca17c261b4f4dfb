export { backOffMs } from './backoff.js';
export type { BackOff } from './backoff.js';
export { openBullJobs } from './bull.js';
export type { BullJobsOptions } from './bull.js';
export { EmbeddedJobs } from './embedded.js';
export type { EmbeddedJobsOptions } from './embedded.js';
export { JOB_ERRORS, jobError } from './errors.js';
export { jobLimitsOf } from './limits.js';
export type { AttemptPolicy, JobLimits } from './limits.js';
export { jobPriority } from './priority.js';
export type { WorkListLevel, WorkStage } from './priority.js';
export { JobsBeside } from './shelf.js';
export { FinalFailure, jobKinds, jobStates } from './types.js';
export type {
  Again, JobBoard, JobFilter, JobKind, JobPerformer, JobQueue, JobRun, JobState, JobStats, JobTally, KeptJob, NewJob, PerformOptions, Progress,
} from './types.js';
