export { Denoising, standardStrengthPercent } from './denoising.js';
export type { DenoisingOptions, DenoisingTask } from './denoising.js';
