export * from './errors.js';
export * from './fatNull.js';
export * from './library.js';
export * from './page.js';
