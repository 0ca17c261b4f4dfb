export { defaultConnectionOptions } from './connection.js';
export type { ConnectionOptions } from './connection.js';
export * from './errors.js';
export { MrdServer } from './server.js';
export type { Address, ServerOptions } from './server.js';
