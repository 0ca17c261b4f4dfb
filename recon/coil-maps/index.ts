export { coilMapBytes, estimateCoilMaps, type CoilMapCalibration, type CoilMapMethod } from './estimate.js';
export { interpolationPoints, normalisationBytes, POINT_BYTES } from './interpolation.js';
