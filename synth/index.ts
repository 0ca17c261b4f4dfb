export * from './errors.js';
export * from './types.js';
export { parseCalibration, uncalibrated, type Calibration } from './calibration.js';
export { contrastEquation, fatSaturationPulse, SignalEquation, type ContrastEquation, type TissueMaps } from './contrasts.js';
export type { GateFeatures } from './trust.js';
export { synthesise } from './synthesise.js';
export { commonGrid, gridPixelMm, type CommonGrid } from './grid.js';
export { edgesOfVolume, residualMap, type ResidualMap, type VolumeEdges } from './residual.js';
export { measurementPlanes, syntheticCt, type AnatomicalPlane, type MeasurementPlanes, type SyntheticCt } from './ct.js';
