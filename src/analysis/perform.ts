/**
 * One analysis from series to what can be sent on: report, DICOM objects and pictures. Plain data in and out, so that it
 * runs on any thread.
 */
import { analyse, evidencePictures, outlinesOf, summaryPage, worstSeverity } from '../../analysis/index.js';
import type { Outlines, Report, RunModel, Spine } from '../../analysis/index.js';
import { encodePng } from '../../imaging/index.js';
import { areOfTwoPatients } from '../synthesis/index.js';
import { analysisFlowError } from './errors.js';
import { analysisObjects } from './dicom/index.js';
import { readSeriesForAnalysis, sourcedSeriesOf } from './series.js';
import type { ReadStudy, SeriesHints, SourcedSeries } from './series.js';

/** DICOM files of one series. */
export interface FilesOfSeries {
  readonly files: readonly Uint8Array[];
  readonly hints: SeriesHints;
}

/** Or what was read of others. */
export type AnalysisSource = FilesOfSeries | ReadStudy;

export interface AnalysisJob {
  readonly sources: readonly AnalysisSource[];
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly softwareVersion: string;
  /** Of all findings, of those that are not normal, or none, and no summary page either. */
  readonly pictures: 'all' | 'notable' | 'none';
}

export interface PerformedAnalysis {
  readonly report: Report;
  /** DICOM files; none where the images are no DICOM objects. */
  readonly objects: readonly Uint8Array[];
  readonly summaryPng?: Uint8Array;
  /** Of all structures, for whoever draws them over the images. */
  readonly outlines: Outlines;
  readonly evidence: readonly { readonly findingId: string; readonly png: Uint8Array }[];
}

/** With the structures themselves, for whoever is on the same thread. */
export interface FullAnalysis extends PerformedAnalysis {
  readonly spine: Spine;
}

/** @throws CodedError ANALYSIS_ERR_*, CONUS_ERR_ANALYSIS_SOURCE, DICOM_ERR_*; what the run throws */
export async function performAnalysis(job: AnalysisJob, run: RunModel): Promise<FullAnalysis> {
  const studies: ReadStudy[] = [];
  for (const source of job.sources) studies.push('files' in source ? await readSeriesForAnalysis(source.files, source.hints) : source);
  const [first, ...others] = studies;
  if (others.some(({ patientAndStudy }) => areOfTwoPatients(first!.patientAndStudy, patientAndStudy))) throw analysisFlowError('CONUS_ERR_ANALYSIS_SOURCE', 'series of two patients');
  const sourced: SourcedSeries[] = sourcedSeriesOf(studies);
  const { spine, report } = await analyse(sourced.map(({ series }) => series), run, {
    software: { name: 'Conus', version: job.softwareVersion },
    models: [job.model],
    created: new Date(),
  });
  const page = job.pictures === 'none' ? undefined : summaryPage(spine, report);
  return {
    spine, report,
    objects: analysisObjects({ spine, report, sources: sourced.map(({ stack }) => stack), softwareVersion: job.softwareVersion, ...(page !== undefined && { page }) }),
    ...(page !== undefined && { summaryPng: encodePng(page) }),
    outlines: outlinesOf(spine),
    evidence: evidencePictures(spine, pictured(report, job.pictures)).map(({ findingId, picture }) => ({ findingId, png: encodePng(picture) })),
  };
}

/** What is handed on has limits. */
const mostNotable = 48;
const worstFirst = ['severe', 'moderate', 'mild'] as const;

/** Notable ones: the worst first, and only so many. */
function pictured({ findings }: Report, pictures: AnalysisJob['pictures']): Report['findings'] {
  if (pictures !== 'notable') return pictures === 'all' ? findings : [];
  const ofSeverity = (severity: (typeof worstFirst)[number]) => findings.filter((finding) => worstSeverity(finding) === severity);
  return worstFirst.flatMap(ofSeverity).slice(0, mostNotable);
}
