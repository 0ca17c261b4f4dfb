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
  ANALYSIS_ERR_EMPTY: {
    expected: 'images with signal in them',
    action: 'look at the series: coils that were not selected, a failed reconstruction or a wrong window leave it empty',
  },
  ANALYSIS_ERR_ORIENTATION: {
    expected: 'slices that lie as the series says: sagittal or axial',
    action: 'correct the orientation of the series in the protocol, or the directions in its headers',
  },
  ANALYSIS_ERR_CONTRAST: {
    expected: 'the brightness of CSF and marrow that the declared contrast has',
    action: 'check how the contrast of the series was recognised; name it in the protocol',
  },
  ANALYSIS_ERR_NO_SPINE: {
    expected: 'a column of vertebral bodies and discs',
    action: 'check the body part and the field of view; where a spine is to be seen, assess it by hand',
  },
  ANALYSIS_ERR_IMPLAUSIBLE: {
    expected: 'bodies and discs in turn, with heights that vertebrae have, before a canal',
    action: 'look at the image quality (motion, metal, coils); assess the series by hand',
  },
  ANALYSIS_ERR_NETWORK: {
    expected: 'twelve logits a pixel, as models/spine-structures gives them',
    action: 'conus models check tells whether the model is the one that is meant',
  },
} as const satisfies ErrorTable;

/** What is to be known of an analysis that is there. */
export const ANALYSIS_WARNINGS = {
  ANALYSIS_WARN_LEFT_OUT: {
    expected: 'sagittal or axial series that are green or amber',
    action: 'the other series are analysed; coronal ones are not segmented, computed ones with a red light are not trusted',
  },
  ANALYSIS_WARN_METAL: {
    expected: 'signal throughout the vertebrae',
    action: 'measure these levels by hand: metal, or another void, hides part of them',
  },
  ANALYSIS_WARN_MOVED: {
    expected: 'series on one grid that show the same',
    action: 'each has its own outlines: the patient moved between them, or one is of poor quality',
  },
  ANALYSIS_WARN_SHAPE: {
    expected: 'vertebral bodies 8 to 60 mm high',
    action: 'look at the outlines of these levels before their measures are used',
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
export type AnalysisWarningCode = keyof typeof ANALYSIS_WARNINGS;
export type NotAssessedCode = keyof typeof ANALYSIS_NOTES;

export const analysisError = errorsOf(ANALYSIS_ERRORS);
