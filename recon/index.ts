export * from './types.js';
export * from './fft/index.js';
export * from './kernels/index.js';
export * from './cartesian/index.js';
export * from './errors.js';
export * from './notices.js';
