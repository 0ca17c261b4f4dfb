/** Jobs that take seconds and a network, off the main thread. */
export { NetworkJobs } from './jobs.js';
export type { NetworkJobsOptions } from './jobs.js';
export { errorOfRecord, failureRecord } from './messages.js';
export type { FailureRecord } from './messages.js';
export { serveJob } from './serve.js';
