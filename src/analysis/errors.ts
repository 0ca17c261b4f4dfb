import { errorsOf, type ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

/** Why an analysis did not begin or did not end; what its images were is told by ANALYSIS_ERR_*. */
export const ANALYSIS_FLOW_ERRORS = {
  CONUS_ERR_ANALYSIS_MODEL: {
    expected: 'a network for segmentation that is there and in order (models/spine-structures)',
    action: 'see `conus models list`; `--models` names another folder',
  },
  CONUS_ERR_ANALYSIS_SOURCE: {
    expected: 'series of one study and patient: DICOM, NIfTI, MRD images or PNG with its spacing',
    action: 'name the files of one examination',
  },
  CONUS_ERR_ANALYSIS_CONTRAST: {
    expected: 'a contrast that is known: by TR, TE and TI of the header, by the name of the series, or by hand',
    action: 'name it before the input, as t2w=IN: t1w, t2w, pdw, stir, t2fs, t1fs, pdfs or ct',
  },
  CONUS_ERR_ANALYSIS_TIMEOUT: {
    expected: 'a report in time',
    action: 'give analyses more time (`longestS` in the section `analysis`), or look what else the machine is doing',
  },
  CONUS_ERR_ANALYSIS_THREAD: {
    expected: 'a thread that ends with a report',
    action: 'look at the log for where it failed, and tell the developers',
  },
  CONUS_ERR_ANALYSIS_STAGE: {
    expected: 'an offer of the hand-off contract, with the token that this stage was given',
    action: 'see docs/handoff.md',
  },
} as const satisfies ErrorTable;

export const ANALYSIS_FLOW_WARNINGS = {
  CONUS_WARN_ANALYSIS_SERIES: {
    expected: 'series that an analysis can use',
    action: 'nothing, where the series was not meant for it',
  },
} as const satisfies ErrorTable;

export const analysisFlowError = errorsOf(ANALYSIS_FLOW_ERRORS);
export const analysisNotice = noticesOf(ANALYSIS_FLOW_WARNINGS);
