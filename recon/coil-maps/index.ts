export { estimateCoilMaps, type CoilMapCalibration } from './estimate.js';
export { interpolationPoints, POINT_BYTES } from './interpolation.js';
