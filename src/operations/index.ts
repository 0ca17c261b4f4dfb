/** The running service as whoever looks after it sees it. docs/operations.md tells what there is. */
export { OPERATIONS_ERRORS, operationsError } from './errors.js';
export { Operations } from './operations.js';
export type { OperationsSources } from './operations.js';
export { askedBySchema, echoSchema, logQuerySchema, logSchema, operationsSchema } from './schema.js';
export type { EchoView, JobView, LogView, OperationsView, OutboxJobView } from './schema.js';
