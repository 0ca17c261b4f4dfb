/** The images of a series of an exam, as the data folder keeps them. */
import type { ExamKeeper, SeriesView } from '../exams/index.js';
import type { SeriesForHandoff } from '../handoff/index.js';
import type { SessionKeeper } from '../keeping/index.js';
import type { Spool, StoredInstance } from '../spool/index.js';

export interface KeptImages {
  readonly spool: Pick<Spool, 'objects'>;
  readonly exams: ExamKeeper;
  readonly keeper: SessionKeeper;
  /** What was received of a series by DICOM. */
  readonly received: (seriesInstanceUid: string) => readonly StoredInstance[];
}

/** What was made of a scan: its images, and the denoised ones; or what came by DICOM. Nothing where all of it is gone. */
export function keptSeriesOf(examId: string, view: SeriesView, { spool, exams, keeper, received }: KeptImages): SeriesForHandoff[] {
  const record = exams.book.record(examId)?.series[view.id];
  const common = { role: view.role ?? 'unknown', synthetic: view.facts.isSimulated === true };
  const isKept = ({ ref }: StoredInstance) => spool.objects.has(ref);
  if (record?.received !== undefined) {
    const { seriesInstanceUid } = record.received;
    const instances = received(seriesInstanceUid).filter(isKept);
    const modality = view.facts.modality === 'CT' ? 'CT' : 'MR';
    return instances.length === 0 ? [] : [{ ...common, seriesInstanceUid, description: view.description ?? '', modality, denoised: false, instances }];
  }
  // A measurement that was sent again was reconstructed again: the latest counts.
  const latestFirst = Object.values(record?.runs ?? {}).sort((a, b) => b.openedAt - a.openedAt);
  const made = latestFirst.map(({ sessionId }) => keeper.session(sessionId)?.series ?? []).find((series) => series.length > 0) ?? [];
  return made
    .filter(({ output }) => output === 'image' || output === 'denoised')
    .map(({ seriesInstanceUid, description, output, light, sopInstanceUids }): SeriesForHandoff => ({
      ...common, seriesInstanceUid, description, modality: 'MR', denoised: output === 'denoised',
      ...(light !== undefined && { qualityLight: light }),
      instances: sopInstanceUids.map((uid) => keeper.instance(uid)).filter((instance) => instance !== undefined).filter(isKept),
    }))
    .filter(({ instances }) => instances.length > 0);
}
