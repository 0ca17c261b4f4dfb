export * from './covariance.js';
export * from './statistics.js';
export * from './whitener.js';
export * from './record.js';
