export { findSpine, type FindSpineOptions } from './findSpine.js';
export type { StructureNote, StructureNotes } from './notes.js';
