export {
  computeNoiseMap, lineStatistics, type NoiseMap, type NoiseMapInput, type NoiseSampling, type NoiseStatisticsOfLines,
} from './noise-map.js';
