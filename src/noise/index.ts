export { NoiseGathering } from './gather.js';
export { NoiseStore } from './store.js';
