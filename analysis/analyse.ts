/** Series to report: structures, measures and grades, and what a reader is told of them. */
import { ANALYSIS_ERRORS, ANALYSIS_WARNINGS } from './errors.js';
import { assess } from './measure/assess.js';
import { makeReport, type Report, type ReportOptions } from './report/index.js';
import { findSpine, type StructureNote } from './structures/index.js';
import type { AnalysisSeries, RunModel, Spine } from './types.js';

export interface Analysis {
  readonly spine: Spine;
  readonly report: Report;
}

/**
 * @param run the network `models/spine-structures`
 * @throws ANALYSIS_ERR_* where nothing can be said of the images; what `run` throws
 */
export async function analyse(series: readonly AnalysisSeries[], run: RunModel, options: Omit<ReportOptions, 'notes'>): Promise<Analysis> {
  const { spine, notes } = await findSpine(series, run);
  return { spine, report: makeReport(spine, assess(spine), { ...options, notes: notes.map((note) => inWords(note, series)) }) };
}

function inWords({ code, got, seriesIndex }: StructureNote, series: readonly AnalysisSeries[]): string {
  const where = seriesIndex === undefined ? '' : `${series[seriesIndex]?.description ?? `series ${seriesIndex + 1}`}: `;
  return `${where}${got} (${code}: ${{ ...ANALYSIS_ERRORS, ...ANALYSIS_WARNINGS }[code].action})`;
}
