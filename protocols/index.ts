export * from './errors.js';
export * from './schema.js';
export * from './encoding.js';
export * from './geometry.js';
