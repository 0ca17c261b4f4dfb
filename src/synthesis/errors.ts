/** Why there is no synthetic series, where that is no matter of the pair itself (synth/errors.ts). */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const SYNTHESIS_ERRORS = {
  CONUS_ERR_SYNTHESIS_MODEL: {
    expected: 'a model for this contrast that is in order',
    action: 'conus models check tells what is wrong with it; what was scanned is delivered without it',
  },
  CONUS_ERR_SYNTHESIS_RED: {
    expected: 'a pair of T1w and T2w that may be trusted',
    action: 'look at both acquired series, and scan the missing contrast; deliverRed of the protocol delivers it all the same',
  },
  CONUS_ERR_SYNTHESIS_SOURCE: {
    expected: 'the images of each acquired series as one regular stack of slices',
    action: 'look at the series; images that were cleaned away have to be sent again',
  },
  CONUS_ERR_SYNTHESIS_THREAD: {
    expected: 'a thread that computes to the end',
    action: 'report this; what was scanned is delivered without it',
  },
  CONUS_ERR_SYNTHESIS_TIMEOUT: {
    expected: 'a synthesis within the longest time of the configuration (synthesis.longestS)',
    action: 'look at the load of the machine and at conus models bench; what was scanned is delivered without it',
  },
} as const satisfies ErrorTable;

/** What the scan that completed a synthesis is told. */
export const SYNTHESIS_WARNINGS = {
  CONUS_WARN_SYNTHESIS_LATE: {
    expected: 'a synthesis that is done while its scan waits for it (synthesis.waitS)',
    action: 'nothing: its series go to the archives when they are done; the exam tells how far they are',
  },
  CONUS_WARN_SYNTHESIS_NONE: {
    expected: 'the synthetic series that the protocol promises',
    action: 'see the reason; conus exams show tells it too',
  },
  CONUS_WARN_SYNTHESIS_LIGHT: {
    expected: 'a synthesis whose quality light is green',
    action: 'read the synthetic series with the reasons in mind',
  },
} as const satisfies ErrorTable;

export const synthesisNotice = noticesOf(SYNTHESIS_WARNINGS);
export const synthesisFlowError = errorsOf(SYNTHESIS_ERRORS);
