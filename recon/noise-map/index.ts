export { computeNoiseMap, type NoiseMap, type NoiseMapInput } from './noise-map.js';
