/** The images of a series of an exam, as the data folder keeps them. */
import { CT_IMAGE_STORAGE } from '../delivery/index.js';
import type { ExamKeeper, SeriesView } from '../exams/index.js';
import type { SeriesForHandoff } from '../handoff/index.js';
import type { KeptSeries, SessionKeeper, SessionRecord } from '../keeping/index.js';
import type { Spool, StoredInstance } from '../spool/index.js';

export interface KeptImages {
  readonly spool: Pick<Spool, 'objects'>;
  readonly exams: ExamKeeper;
  readonly keeper: SessionKeeper;
  /** What was received of a series by DICOM. */
  readonly received: (seriesInstanceUid: string) => readonly StoredInstance[];
  /** What was computed for an exam. */
  readonly synthesised: (examId: string, seriesId: string) => KeptSynthesis | undefined;
}

/** A synthetic series with its maps. */
export interface KeptSynthesis {
  readonly light: 'green' | 'amber' | 'red';
  /** Object with its images as they go back on a connection, which may be one of another node. */
  readonly wire?: string;
  readonly series: readonly { readonly kind: string; readonly description: string; readonly seriesInstanceUid: string; readonly instances: readonly StoredInstance[] }[];
}

/** Everything that is kept of a series, by the kind of image; several DICOM series may be of one kind. @param attempt as of sessionOf */
export function keptOutputsOf(examId: string, view: SeriesView, kept: KeptImages, attempt?: number): { readonly output: string; readonly instances: StoredInstance[] }[] {
  const isKept = ({ ref }: StoredInstance) => kept.spool.objects.has(ref);
  if (view.source === 'synthesis') {
    return (kept.synthesised(examId, view.id)?.series ?? []).map(({ kind, instances }) => ({ output: kind, instances: instances.filter(isKept) }));
  }
  const received = kept.exams.book.record(examId)?.series[view.id]?.received;
  if (received !== undefined) return [{ output: 'image', instances: kept.received(received.seriesInstanceUid).filter(isKept) }];
  return (sessionOf(examId, view, kept, attempt)?.series ?? []).map((series) => ({ output: series.output, instances: instancesOf(series, kept) }));
}

/** What was made of a scan: its images, and the denoised ones; or what came by DICOM, or was computed. Nothing where all of it is gone. */
export function keptSeriesOf(examId: string, view: SeriesView, kept: KeptImages): SeriesForHandoff[] {
  const { spool, exams, received, synthesised } = kept;
  const record = exams.book.record(examId)?.series[view.id];
  const common = { role: view.role ?? 'unknown', scan: view.id, synthetic: view.facts.isSimulated === true || view.source === 'synthesis' };
  const isKept = ({ ref }: StoredInstance) => spool.objects.has(ref);
  if (view.source === 'synthesis') {
    const { light, series } = synthesised(examId, view.id) ?? { light: 'red', series: [] };
    const keptOf = (wanted: string) => (series.find(({ kind }) => kind === wanted)?.instances ?? []).filter(isKept);
    const [low, high] = [keptOf('low'), keptOf('high')];
    return series
      .filter(({ kind }) => kind === 'image')
      .map(({ seriesInstanceUid, description, instances }): SeriesForHandoff => {
        const isCt = instances[0]?.sopClassUid === CT_IMAGE_STORAGE;
        return {
          ...common, seriesInstanceUid, description, modality: isCt ? 'CT' : 'MR', denoised: false, qualityLight: light, instances: instances.filter(isKept),
          // Numbers in HU are told with how sure they are.
          ...(isCt && low.length > 0 && high.length > 0 && { interval: { low, high } }),
        };
      })
      .filter(({ instances }) => instances.length > 0);
  }
  if (record?.received !== undefined) {
    const { seriesInstanceUid } = record.received;
    const instances = received(seriesInstanceUid).filter(isKept);
    const modality = view.facts.modality === 'CT' ? 'CT' : 'MR';
    return instances.length === 0 ? [] : [{ ...common, seriesInstanceUid, description: view.description ?? '', modality, denoised: false, instances }];
  }
  const made = (sessionOf(examId, view, kept)?.series ?? [])
    .filter(({ output }) => output === 'image' || output === 'denoised')
    .map((series): SeriesForHandoff => ({
      ...common, seriesInstanceUid: series.seriesInstanceUid, description: series.description, modality: 'MR', denoised: series.output === 'denoised',
      ...(series.light !== undefined && { qualityLight: series.light }),
      instances: instancesOf(series, kept),
    }))
    .filter(({ instances }) => instances.length > 0);
  // A denoised series that ended early, or whose strength changed on the way, does not stand for the scan.
  const nConventional = made.find(({ denoised }) => !denoised)?.instances.length ?? 0;
  return made.filter(({ denoised, instances }) => !denoised || instances.length >= nConventional);
}

/** That made the images of a scan. A measurement that was sent again was reconstructed again: the latest counts. @param attempt or this one, 1 the first */
export function sessionOf(examId: string, view: SeriesView, { exams, keeper }: Pick<KeptImages, 'exams' | 'keeper'>, attempt?: number): SessionRecord | undefined {
  const runs = exams.book.record(examId)?.series[view.id]?.runs ?? {};
  const latestFirst = Object.values(runs).sort((a, b) => b.openedAt - a.openedAt);
  const asked = attempt === undefined ? latestFirst : [latestFirst.at(-attempt) ?? []].flat();
  return asked.map(({ sessionId }) => keeper.session(sessionId)).find((session) => (session?.series ?? []).length > 0);
}

/** Those that were not cleaned away. */
export function instancesOf({ sopInstanceUids }: KeptSeries, { keeper, spool }: Pick<KeptImages, 'keeper' | 'spool'>): StoredInstance[] {
  return sopInstanceUids.map((uid) => keeper.instance(uid)).filter((instance) => instance !== undefined).filter(({ ref }) => spool.objects.has(ref));
}
