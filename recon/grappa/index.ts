export * from './types.js';
export * from './plan.js';
export * from './calibrate.js';
export * from './fill.js';
