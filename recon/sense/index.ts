export * from './types.js';
export * from './operator.js';
export * from './columns.js';
export * from './solve.js';
export * from './noise.js';
export { localMeans, noiseOfSamples, type ReplicaSteps } from './replicas.js';
