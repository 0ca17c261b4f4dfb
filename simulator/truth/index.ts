export { gradeOf, marginOf, scales, severities, type Scale, type ScaleName, type Severity } from './grades.js';
export { labelVolumes, parameterNames, parameterVolumes, truthVolumes, type LabelVolumes, type ParameterName, type ParameterVolumes, type TruthVolumes } from './volumes.js';
export { measureTruth, type TruthInput } from './measure.js';
export { truthJsonSchema, truthSchema, truthVersion, type Truth } from './schema.js';
