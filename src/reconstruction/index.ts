export { ReconstructionPool, type ReconstructionPoolOptions } from './pool.js';
export * from './types.js';
