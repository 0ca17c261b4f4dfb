export * from './wavelet.js';
export { solveCompressedSensing, type CompressedSensingOptions } from './fista.js';
export * from './noise.js';
