export * from './errors.js';
export * from './types.js';
export { parseCalibration, uncalibrated, type Calibration } from './calibration.js';
export { contrastEquation, fatSaturationPulse, SignalEquation, type ContrastEquation, type TissueMaps } from './contrasts.js';
export type { PredictedMaps } from './tensors.js';
export type { GateFeatures } from './trust.js';
export { synthesise } from './synthesise.js';
export { commonGrid, gridPixelMm, type CommonGrid } from './grid.js';
export { residualMap, type ResidualMap } from './residual.js';
