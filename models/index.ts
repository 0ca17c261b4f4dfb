export * from './errors.js';
export * from './manifest.js';
export * from './registry.js';
export * from './tensors.js';
export * from './tiles.js';
export * from './host/modelHost.js';
