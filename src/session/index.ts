export type { SessionAnswer } from './answer.js';
export * from './errors.js';
export { Session } from './session.js';
export type { Reconstructions, SessionObserver, SessionOptions } from './session.js';
export { play } from './play.js';
export { presentable } from './summary.js';
export type { SessionSummary } from './summary.js';
export { WireAnswer } from './wireAnswer.js';
export type { ByteSink } from './wireAnswer.js';
