export * from './types.js';
export * from './fft/index.js';
export * from './kernels/index.js';
