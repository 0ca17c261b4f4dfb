export { httpApp, isOwnHost } from './app.js';
export type { HttpAppOptions, PartHealth } from './app.js';
export * from './errors.js';
export { examJsonSchemas, examRoutes } from './examRoutes.js';
export type { LiveInfo } from './examRoutes.js';
export { builtPage, pageRoutes, readPage } from './page.js';
export type { PageFile } from './page.js';
export { recordRoutes } from './recordRoutes.js';
export { sweepRoutes } from './sweepRoutes.js';
