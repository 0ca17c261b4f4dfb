/** An analysis as DICOM objects. */
export { analysisObjects, type AnalysisObjectsInput } from './analysisObjects.js';
