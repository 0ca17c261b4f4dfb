export { estimateCoilMaps, type CoilMapCalibration } from './estimate.js';
