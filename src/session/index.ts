export type { SessionAnswer } from './answer.js';
export * from './errors.js';
export { Session } from './session.js';
export type { Reconstructions, SessionOptions, SessionSummary } from './session.js';
export { WireAnswer } from './wireAnswer.js';
export type { ByteSink } from './wireAnswer.js';
