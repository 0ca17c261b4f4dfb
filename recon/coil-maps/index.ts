export { estimateCoilMaps, type CoilMapCalibration, type CoilMapMethod } from './estimate.js';
export { interpolationPoints, POINT_BYTES } from './interpolation.js';
