export { defaultPolicy, OutboxDriver } from './driver.js';
export type { Destination, LoadedInstance, OutboxDriverOptions, OutboxPolicy, Sender, SendResult } from './driver.js';
export { OUTBOX_ERRORS, outboxError } from './errors.js';
