export * from './types.js';
export * from './errors.js';
export * from './masks.js';
export * from './metrics.js';
export * from './geometry.js';
export * from './png.js';
export * from './caption.js';
