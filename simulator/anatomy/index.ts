export * from './solid.js';
export * from './solids.js';
export * from './combine.js';
export * from './place.js';
export { smoothNoise } from './noise.js';
export * from './structure.js';
export * from './paint.js';
