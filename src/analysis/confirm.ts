/** The documents of a report that a reader confirmed, from kept files to new ones. Plain data in and out, so that it runs on any thread. */
import type { Report } from '../../analysis/index.js';
import { confirmedObjects } from './dicom/index.js';
import type { FilesOfSeries } from './perform.js';
import { readSeriesForAnalysis } from './series.js';
import type { SourcedSeries } from './series.js';

export interface ConfirmJob {
  readonly draft: Report;
  readonly report: Report;
  readonly by: string;
  /** ms since 1970. */
  readonly at: number;
  /** DICOM files of the series that were analysed, in their order. */
  readonly sources: readonly FilesOfSeries[];
  readonly segmentations: readonly Uint8Array[];
  readonly predecessor?: { readonly sopClassUid: string; readonly sopInstanceUid: string; readonly seriesInstanceUid: string };
  readonly softwareVersion: string;
}

/** @throws CodedError DICOM_ERR_* */
export async function documentsOf({ sources, at, ...rest }: ConfirmJob): Promise<Uint8Array[]> {
  const series: SourcedSeries[] = [];
  for (const { files, hints } of sources) series.push(...(await readSeriesForAnalysis(files, hints)).series);
  return confirmedObjects({ ...rest, at: new Date(at), series });
}
