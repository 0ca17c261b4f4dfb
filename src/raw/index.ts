export { isLine, ReadoutCensus, type ReadoutFacts } from './census.js';
export * from './errors.js';
export { RawRecorder } from './recorder.js';
