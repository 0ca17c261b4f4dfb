export { isLine, ReadoutCensus, readoutFacts, type ReadoutFacts } from './census.js';
export * from './errors.js';
export { RawRecorder } from './recorder.js';
export { sampledImage, samplingGridOf } from './sampling.js';
export type { LineUse, SampledImage, SampledLine, SamplingGrid } from './sampling.js';
