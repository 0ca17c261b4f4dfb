export { httpApp, isOwnHost } from './app.js';
export type { HttpAppOptions, PartHealth } from './app.js';
export { isLoopback, openDoors } from './doors.js';
export type { Admission, DoorRequest, Doors } from './doors.js';
export * from './errors.js';
