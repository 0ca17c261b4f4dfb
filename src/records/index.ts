export * from './errors.js';
export { reconstructionRecorder } from './recorder.js';
export { recordSchema, toldRecordSchema } from './schema.js';
export type { ReconstructionRecord, ToldRecord } from './schema.js';
export { RecordShelf } from './shelf.js';
export type { KeptTable, RecordTables } from './shelf.js';
