export { runCalibration, type CalibrationJob, type CalibrationOutcome } from './calibration.js';
export { leastScanBytes } from './memory.js';
export { planCartesian, type CartesianPlan, type CartesianPlanning } from './plan.js';
export type { Readout } from './readout.js';
export { CartesianReconstruction, type CalibrationRunner, type CartesianOutput } from './reconstruction.js';
export { selfTest } from './selfTest.js';
