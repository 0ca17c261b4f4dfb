/** The service, for those who embed it: sessions, the server, chains and delivery. */
export * from './chain/index.js';
export * from './delivery/index.js';
export * from './reconstruction/index.js';
export * from './server/index.js';
export * from './session/index.js';
