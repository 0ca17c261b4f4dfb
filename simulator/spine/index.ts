export * from './plan.js';
export * from './labels.js';
export * from './scene.js';
export * from './population.js';
export * from './surroundings/index.js';
export * from './build.js';
