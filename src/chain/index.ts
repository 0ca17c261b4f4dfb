export * from './chains.js';
export * from './choice.js';
export * from './configText.js';
export * from './errors.js';
export * from './parameters.js';
