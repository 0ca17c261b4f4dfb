export { estimateCtNoise } from './ctNoise.js';
export { ctNoiseOfDose, type CtDose, type CtImageGrid } from './ctDoseNoise.js';
export { ctNoveltyOf, ctNoveltyTexts, type CtNoveltyReason } from './ctNovelty.js';
