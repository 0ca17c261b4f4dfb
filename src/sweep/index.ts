export { sweepError, SWEEP_ERRORS } from './errors.js';
export { headOf, sweepFileSchema, type SweepFile, type SweepHead } from './file.js';
export { SweepFolder, type SweepEntry } from './folder.js';
export { hasLimits, limitTexts, type Limits } from './limits.js';
export { readRecordedScan, type RecordedScan } from './recordedScan.js';
export { settingText, sweep, type Setting, type SweepContext, type SweepOptions, type SweepOutcome, type SweepPicture, type SweepResult } from './sweep.js';
export { keptReadouts, rewrittenHeader, undersampledStream, type Sampling } from './undersample.js';
export { keptLinesOf, scanMinutes, sequenceTimingOf } from './scanTime.js';
export type { Figures } from './figures.js';
