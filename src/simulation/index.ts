export * from './errors.js';
export * from './exam.js';
export * from './pacing.js';
export * from './picture.js';
export * from './spec.js';
export * from './truthFiles.js';
export * from './truthGrid.js';
