/** An analysis as DICOM objects. */
export { analysisObjects, type AnalysisObjectsInput } from './analysisObjects.js';
export { confirmedObjects, type ConfirmedInput } from './confirmedObjects.js';
