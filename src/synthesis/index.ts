/** Syntheses of contrasts that were not scanned, from acquired series to series that can be delivered. */
export { SYNTHESIS_ERRORS, SYNTHESIS_WARNINGS, synthesisFlowError, synthesisNotice } from './errors.js';
export { performSynthesis } from './perform.js';
export type { PerformedSynthesis, SourceSeries, SynthesisJob, SynthesisReport, WantedSeries } from './perform.js';
export { relativeScale, signalScale } from './relativeScale.js';
export type { RelativeScale, ScanPhysics } from './relativeScale.js';
export { recordOf, scanRecorder, sequenceOfHeader } from './scanRecord.js';
export type { ScanRecord } from './scanRecord.js';
export { areOfTwoPatients, asFraction, fatFractionOf, fatFractionOfImages, readDicomSeries, seriesOfImages } from './series.js';
export type { ReadSeries, Subject } from './series.js';
export { clinicalField, refocusingOf, resolveSequence } from './sequence.js';
export type { AcquiredRole, KnownBy, KnownSequence, ResolvedSequence } from './sequence.js';
export { ctModel, levelModel, Synthesiser, synthesisModel, usableModel } from './synthesiser.js';
export type { EncodedSeries, EncodedSynthesis } from './encoded.js';
