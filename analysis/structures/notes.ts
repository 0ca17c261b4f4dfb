import type { AnalysisErrorCode, AnalysisWarningCode } from '../errors.js';

/** What the report has to say of the way to the spine: series that were refused, levels to look at. */
export interface StructureNote {
  /** An error's code where a series is refused and others are not. */
  readonly code: AnalysisErrorCode | AnalysisWarningCode;
  /** What was there, in words. */
  readonly got: string;
  readonly seriesIndex?: number;
  /** Vertebrae concerned. */
  readonly levels?: readonly string[];
}

export type StructureNotes = readonly StructureNote[];
