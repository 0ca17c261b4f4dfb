/** Between the hand-off contract and an analysis: what of an offer is analysed, and what is answered. */
import { CodedError } from 'ismrmrd';
import { modalityOfResult, readIdentity } from '../dicom/index.js';
import { HANDOFF_VERSION } from '../handoff/index.js';
import type { OfferedSeries, Outcome, StageResult } from '../handoff/index.js';
import type { FilesOfSeries, PerformedAnalysis } from './perform.js';
import type { SeriesHints } from './series.js';

/** What a protocol may ask for. */
export const analysisTasks = ['structures', 'measurements', 'grades'] as const;

/** Of a scan that came conventional and denoised, the denoised one; red series are not analysed. */
export function analysable<Series extends Pick<OfferedSeries, 'denoised' | 'qualityLight' | 'scan'>>(series: readonly Series[]): Series[] {
  const trusted = series.filter(({ qualityLight }) => qualityLight !== 'red');
  const denoised = new Set(trusted.flatMap((one) => (one.denoised && one.scan !== undefined ? [one.scan] : [])));
  return trusted.filter((one) => one.denoised || one.scan === undefined || !denoised.has(one.scan));
}

export function sourceOf({ role, denoised, qualityLight }: Pick<OfferedSeries, 'role' | 'denoised' | 'qualityLight'>, files: readonly Uint8Array[]): FilesOfSeries {
  const hints: SeriesHints = { denoised, ...(role !== 'unknown' && { role }), ...(qualityLight !== undefined && { qualityLight }) };
  return { files, hints };
}

/** Structures are the segmentation, measurements the structured report, grades the summary and the report itself; without tasks, everything. */
export function outcomeOf(offerId: string, tasks: readonly string[], { report, objects, outlines, evidence }: PerformedAnalysis): Outcome {
  const wants = (task: (typeof analysisTasks)[number]) => tasks.length === 0 || tasks.includes(task);
  const wanted = objects.filter((file) => tasksOf[modalityOfResult(readIdentity(file).sopClassUid)].some(wants));
  const results: StageResult[] = wanted.map((bytes) => ({ kind: 'dicom', base64: Buffer.from(bytes).toString('base64') }));
  if (wants('measurements') || wants('grades')) {
    results.push({ kind: 'json', name: 'report', value: JSON.parse(JSON.stringify(report)) as never });
    results.push({ kind: 'json', name: 'evidence', value: evidence.map(({ findingId, png }) => ({ findingId, png: Buffer.from(png).toString('base64') })) });
  }
  if (wants('structures') || wants('grades')) results.push({ kind: 'json', name: 'outlines', value: JSON.parse(JSON.stringify(outlines)) as never });
  return { version: HANDOFF_VERSION, offerId, outcome: 'done', results, priority: report.priority };
}

/** Which tasks an object answers. */
const tasksOf = { SEG: ['structures'], SR: ['measurements', 'grades'], OT: ['grades'] } as const;

export function failureOf(offerId: string, error: unknown): Outcome {
  const reason = error instanceof CodedError ? `${error.code}: got ${error.got}; ${error.action}` : 'a fault; see the log';
  return { version: HANDOFF_VERSION, offerId, outcome: 'failed', reason };
}
