export * from './wavelet.js';
export * from './fista.js';
