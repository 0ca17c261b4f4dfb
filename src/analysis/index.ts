/** Analyses: from series of any kind to reports, DICOM objects and pictures, and the stage of the hand-off that makes them. */
export { ANALYSIS_FLOW_ERRORS, ANALYSIS_FLOW_WARNINGS, analysisFlowError, analysisNotice } from './errors.js';
export { contrastOf, orientationOf } from './recognise.js';
export { readSeriesForAnalysis, seriesForAnalysis } from './series.js';
export type { ReadStudy, SeriesHints, SourcedSeries } from './series.js';
export { performAnalysis } from './perform.js';
export type { AnalysisJob, AnalysisSource, FullAnalysis, PerformedAnalysis } from './perform.js';
export { Analyst, segmentationModel, usableSegmentation } from './analyst.js';
export type { AnalystOptions } from './analyst.js';
export { analysable, analysisTasks, failureOf, outcomeOf, sourceOf } from './outcome.js';
export { documentsOf } from './confirm.js';
export type { ConfirmJob } from './confirm.js';
export { ReportWriter } from './reportWriter.js';
export { ownTransport } from './ownTransport.js';
export { StageServer } from './httpStage.js';
export type { StageServerOptions } from './httpStage.js';
