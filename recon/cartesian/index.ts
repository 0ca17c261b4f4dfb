export { runCalibration, type CalibrationJob, type CalibrationOutcome } from './calibration.js';
export { leastScanBytes } from './memory.js';
export { coilMapEstimator, planCartesian, type CartesianPlan, type CartesianPlanning } from './plan.js';
export { useOf, type LineUse, type Readout, type ReadoutUse } from './readout.js';
export { CartesianReconstruction, type CalibrationRunner, type CartesianOutput } from './reconstruction.js';
export { ColumnHelper, type SharedWork } from './sharedColumns.js';
export { runSolve, type SolveJob, type SolveOutcome } from './solveJob.js';
export { selfTest } from './selfTest.js';
