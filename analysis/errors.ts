import { errorsOf, type ErrorTable } from 'ismrmrd';

/** Why there is no analysis (the exam is delivered all the same), and what is refused of a reader's change. */
export const ANALYSIS_ERRORS = {
  ANALYSIS_ERR_NO_SERIES: {
    expected: 'at least one sagittal series of the spine (T1w, T2w, STIR or CT) or an axial one',
    action: 'check which series were given and how their contrasts were recognised',
  },
  ANALYSIS_ERR_REPORT: {
    expected: 'a report of an analysis, version 1, as its JSON Schema tells',
    action: 'give the report as the analysis made it',
  },
  ANALYSIS_ERR_CHANGE_FINDING: {
    expected: 'the id of a finding of the report, and a scale that it is graded by',
    action: 'take both from the findings of the report',
  },
  ANALYSIS_ERR_CHANGE_VALUE: {
    expected: 'a value that the scale has, who changed it, and when (UTC, ISO 8601)',
    action: 'correct the change',
  },
} as const satisfies ErrorTable;

/** Why one measure is not there, while others are. */
export const ANALYSIS_NOTES = {
  ANALYSIS_INFO_NO_SERIES: {
    expected: 'a series of the contrast and orientation that the measure needs',
    action: 'scan or give the series that is named; the other measures stand',
  },
  ANALYSIS_INFO_NOT_COVERED: {
    expected: 'slices through the structure',
    action: 'look whether the slices cover the level; the other levels stand',
  },
  ANALYSIS_INFO_UNSURE: {
    expected: 'a structure that is outlined with confidence',
    action: 'measure it by hand',
  },
  ANALYSIS_INFO_GEOMETRY: {
    expected: 'a series whose resolution supports the measure in this plane',
    action: 'measure it on acquired images with that resolution: what was computed from thick slices does not give it',
  },
  ANALYSIS_INFO_SYNTHETIC: {
    expected: 'an acquired series: this measure is not taken from computed ones',
    action: 'acquire the series that is named where the measure matters',
  },
} as const satisfies ErrorTable;

export type AnalysisErrorCode = keyof typeof ANALYSIS_ERRORS;
export type NotAssessedCode = keyof typeof ANALYSIS_NOTES;

export const analysisError = errorsOf(ANALYSIS_ERRORS);
