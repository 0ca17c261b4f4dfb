export * from './errors.js';
export * from './types.js';
export * from './anatomy.js';
export { gradeOf, marginOf, scales, type Scale, type ScaleName } from './scales.js';
export { gradeAs, gradeValues, type GradeScale } from './gradeValues.js';
export * from './report/index.js';
export { findSpine, type FindSpineOptions, type StructureNote, type StructureNotes } from './structures/index.js';
export { analyse, type Analysis } from './analyse.js';
export { assess } from './measure/assess.js';
