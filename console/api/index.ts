export { ApiError, getBytes, getJson, getText, isLockedOut, sendJson, setToken, token } from './http.js';
export { connection, examOf, exams, isKnown, liveCounts, lookAt, messages, onPicture, startLive } from './exams.js';
export { examPath, seriesPath } from './paths.js';
export { useExam } from './useExam.js';
export type { ConnectionState, LiveCounts } from './live.js';
export type * from './physics.js';
export type * from './types.js';
export type * from './operations.js';
export type * from './reading.js';
