export * from './errors.js';
export { RawRecorder } from './recorder.js';
