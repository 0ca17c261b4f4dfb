export { estimateCtNoise } from './ctNoise.js';
export { ctNoiseOfDose, reachesBorder, type CtBeam, type CtExposure, type CtImageGrid, type CtWaterNoise } from './ctDoseNoise.js';
export { CtSeries, type CtNoiseByDose, type CtSeriesOptions, type CtSeriesStep } from './ctSeries.js';
export {
  concludeCtSlice, ctRequest, ctTrustLimits, mostOfEstimatedPercent, prepareCtSlice, type CtConclusion, type CtSliceImage, type PreparedCtSlice,
} from './ctSlice.js';
export { ctNoveltyOf, ctNoveltyTexts, type CtNoveltyReason } from './ctNovelty.js';
export * from './types.js';
export { blend, fallbackAt, strengthAt, type LightFallback, type LightFallbacks } from './strength.js';
export {
  judge, structureLimit, trustLimits, trustOf, trustOfColoured, trustStatistics, type Trust, type TrustInput, type TrustLimits, type TrustStatistics,
} from './trust.js';
export { noiseNoveltyOf, noveltyOf, noveltyTexts, plainNoveltyOf, type NoveltyInput, type NoveltyReason } from './novelty.js';
export { noiseRatio, type Components } from '../../imaging/index.js';
export { fromGrid, isInterpolated, mapOnGrid, onGrid, sampledGrid, type SampledGrid } from './sampledGrid.js';
export { consistencyBytes, ConsistencyEquations, type ConsistencyOptions } from './dataConsistency.js';
export { estimateNoise, type EstimatedNoise } from './estimateNoise.js';
export { warmUpDenoising } from './warmUp.js';
