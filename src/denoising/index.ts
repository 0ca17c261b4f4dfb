export { ctAcquisitionOf, ctNoiseByDose, ctScannerOf, valuesOfMeta } from './ctDose.js';
export type { CtAcquisition, CtKernelNoise, CtScanner } from './ctDose.js';
export { Denoising, standardStrengthPercent } from './denoising.js';
export type { DenoisingOptions, DenoisingTask } from './denoising.js';
