export { backOffMs } from './backoff.js';
export type { BackOff } from './backoff.js';
export { defaultPolicy, OutboxDriver } from './driver.js';
export type { Destination, LoadedInstance, OutboxDriverOptions, OutboxPolicy, Sender, SendResult } from './driver.js';
export { OUTBOX_ERRORS, outboxError } from './errors.js';
