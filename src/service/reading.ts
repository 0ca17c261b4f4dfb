/**
 * The reading part of the service: the reader's word on reports of analyses. It is kept in the data folder by analysis, so that a
 * restart changes nothing, and a repeated analysis is a new draft beside it. A confirmed report becomes documents of its own, which
 * are kept and go where results go.
 */
import type { FastifyInstance } from 'fastify';
import { parseReport } from '../../analysis/index.js';
import { analysable, ReportWriter, sourceOf } from '../analysis/index.js';
import type { ConfirmJob } from '../analysis/index.js';
import { modalityOfResult, readIdentity } from '../dicom/index.js';
import type { DeliverableSeries } from '../dicom/index.js';
import type { DeliveryState, ExamKeeper, ReadingFacts } from '../exams/index.js';
import { readingRoutes } from '../http/index.js';
import type { Logger } from '../log.js';
import { checkConfirmable, draftReading, readingError, scaleValues, stateOf, withConfirmation, withGrade, withSentence, wordsOf } from '../reading/index.js';
import type { Confirmation, ConfirmWord, ReadingRecord, ReadingView } from '../reading/index.js';
import type { OutboxJob, Spool, StoredInstance } from '../spool/index.js';
import { VERSION } from '../version.js';
import { deliverResults } from './handoff.js';
import type { HandoffPart, KeptAnalysis } from './handoff.js';
import type { ServicePart } from './parts.js';

export interface ReadingNeighbours {
  readonly spool: Spool;
  readonly exams: ExamKeeper;
  readonly handoff: Pick<HandoffPart, 'reportOf'>;
  readonly destinationsFor: (series: DeliverableSeries) => readonly string[];
  readonly log: Logger;
}

export interface ReadingPart extends ServicePart {
  readonly routes: (app: FastifyInstance) => void;
  /** Tells the exams what a former run did not come to tell. */
  start(): void;
}

/** Reading a hundred images and drawing a page take seconds; a machine in the middle of scans takes longer. */
const LONGEST_MS = 180_000;

export function openReadings({ spool, exams, handoff, destinationsFor, log }: ReadingNeighbours): ReadingPart {
  const kept = spool.table<ReadingRecord>('readings');
  const writer = new ReportWriter({
    longestMs: LONGEST_MS, log,
    timeoutError: (got) => readingError('CONUS_ERR_READING_TIMEOUT', got),
    threadError: (got) => readingError('CONUS_ERR_READING_THREAD', got),
  });

  const recordOf = ({ offerId, report }: KeptAnalysis): ReadingRecord => kept.get(offerId) ?? draftReading(offerId, parseReport(report));
  const tell = (examId: string, record: ReadingRecord) => {
    const facts = factsOf(record, spool);
    if (facts !== undefined) exams.apply({ kind: 'read', at: Date.now(), examId, reading: facts });
  };
  const reading = (examId: string): ReadingView => {
    const analysis = handoff.reportOf(examId);
    const { offerId, revision, report, steps, confirmed } = recordOf(analysis);
    const earlier = exams.exam(examId).reading?.earlier;
    return {
      offerId, stage: analysis.stage, analysedAt: analysis.at, report, revision,
      state: stateOf({ revision, ...(confirmed !== undefined && { confirmed }) }),
      ...(confirmed !== undefined && { confirmed: { by: confirmed.by, at: confirmed.at, revision: confirmed.revision, deliveries: deliveriesOf(confirmed, spool) } }),
      steps: [...steps],
      images: report.series.map((series) => placeOf(series, analysis)),
      words: wordsOf(report),
      scales: Object.fromEntries(Object.entries(scaleValues).map(([scale, values]) => [scale, [...values]])),
      ...(earlier !== undefined && { earlier }),
    };
  };
  /** What is decided and what is kept are one step, so that of two words on one revision the second is told. */
  const change = async (examId: string, how: (record: ReadingRecord) => ReadingRecord): Promise<ReadingView> => {
    const analysis = handoff.reportOf(examId);
    const record = await kept.transaction(() => {
      const next = how(recordOf(analysis));
      kept.put(next.offerId, next);
      return next;
    });
    tell(examId, record);
    return reading(examId);
  };

  const confirm = async (examId: string, { by, revision }: ConfirmWord): Promise<ReadingView> => {
    const analysis = handoff.reportOf(examId);
    const record = recordOf(analysis);
    checkConfirmable(record, revision);
    const at = Date.now();
    const files = await writer.write(await jobOf(analysis, record, { by, at }, spool));
    if (files.length === 0) throw readingError('CONUS_ERR_READING_IMAGES', 'a report of which no image is kept');
    const objects: StoredInstance[] = [];
    try {
      for (const file of files) objects.push({ ...readIdentity(file), ref: await spool.objects.put(file), nBytes: file.length });
      return await change(examId, (latest) => {
        checkConfirmable(latest, revision);
        for (const { ref } of objects) spool.objects.hold(ref, `reading/${analysis.offerId}`);
        const jobs = objects.flatMap((object) =>
          deliverResults(analysis.stage, [object], examId, spool, destinationsFor).map((job) => ({ ...job, sopInstanceUids: [object.sopInstanceUid] })));
        return withConfirmation(latest, { by, at, revision, objects, jobs });
      });
    } catch (error) {
      await spool.objects.discard(objects.map(({ ref }) => ref));
      throw error;
    }
  };

  /** Documents on their way: the exam tells when they are there. */
  const follow = ({ id, examId }: OutboxJob) => {
    for (const { offerId } of exams.book.exam(examId)?.analyses ?? []) {
      const record = kept.get(offerId);
      if (record?.confirmed?.jobs.some((job) => job.id === id) === true) tell(examId, record);
    }
  };
  const { outbox } = spool;
  outbox.on('delivered', follow).on('dead', follow);

  return {
    name: 'readings',
    routes: readingRoutes({
      reading,
      grade: (examId, word) => change(examId, (record) => withGrade(record, { ...word, at: Date.now() })),
      sentence: (examId, word) => change(examId, (record) => withSentence(record, { ...word, at: Date.now() })),
      confirm,
    }),
    start: () => {
      for (const { id, analyses } of exams.book.exams) {
        for (const { offerId } of analyses) {
          const record = kept.get(offerId);
          if (record !== undefined) tell(id, record);
        }
      }
    },
    close: async () => {
      outbox.off('delivered', follow).off('dead', follow);
      await writer.close();
    },
  };
}

/** Undefined for a draft: nobody has said anything. */
function factsOf({ offerId, revision, report, steps, confirmed }: ReadingRecord, spool: Pick<Spool, 'outbox'>): ReadingFacts | undefined {
  const last = steps.at(-1);
  if (last === undefined) return undefined;
  const isConfirmed = confirmed?.revision === revision;
  const delivery = confirmed === undefined || !isConfirmed ? undefined : worstOf(deliveriesOf(confirmed, spool).map(({ state }) => state));
  return { offerId, revision, state: isConfirmed ? 'confirmed' : 'changed', by: last.by, at: last.at, priority: report.priority, ...(delivery !== undefined && { delivery }) };
}

/** In the exam; null where the analysis was not given it by us. */
function placeOf({ seriesInstanceUid }: ReadingRecord['report']['series'][number], { offered }: KeptAnalysis): ReadingView['images'][number] {
  const found = offered.series.find((series) => series.seriesInstanceUid === seriesInstanceUid);
  return found?.scan === undefined ? null : { seriesId: found.scan, output: found.denoised ? 'denoised' : 'image' };
}

type Deliveries = NonNullable<ReadingView['confirmed']>['deliveries'];

/** By destination: a document that is not there yet is not delivered, whatever the others are. */
function deliveriesOf({ jobs }: Confirmation, { outbox }: Pick<Spool, 'outbox'>): Deliveries {
  const destinations = [...new Set(jobs.map(({ destination }) => destination))];
  return destinations.map((destination) => {
    const states = jobs.filter((job) => job.destination === destination).map(({ id, sopInstanceUids }) => {
      const job = outbox.get(id);
      if (job !== undefined) return { state: job.state === 'dead' ? ('dead' as const) : ('queued' as const), why: job.lastError };
      const isThere = sopInstanceUids.every((uid) => outbox.deliveredAt(destination, uid) !== undefined);
      return { state: isThere ? ('delivered' as const) : ('dropped' as const), why: undefined };
    });
    const { state, why } = (['dead', 'dropped', 'queued', 'delivered'] as const).flatMap((worst) => states.find((one) => one.state === worst) ?? [])[0]!;
    return { destination, state, ...(why !== undefined && { reason: { code: why.code, text: why.message } }) };
  });
}

function worstOf(states: readonly Deliveries[number]['state'][]): DeliveryState | undefined {
  if (states.length === 0) return undefined;
  if (states.includes('dead') || states.includes('dropped')) return 'dead';
  return states.includes('queued') ? 'queued' : 'delivered';
}

/** @throws CodedError CONUS_ERR_READING_IMAGES */
async function jobOf({ offered, report: draft, objects }: KeptAnalysis, { report, confirmed }: ReadingRecord, { by, at }: { readonly by: string; readonly at: number }, spool: Spool): Promise<ConfirmJob> {
  const read = ({ ref }: StoredInstance) =>
    spool.objects.read(ref).catch((cause: unknown) => {
      throw readingError('CONUS_ERR_READING_IMAGES', 'an object that is not kept any more', { cause });
    });
  const all = async (instances: readonly StoredInstance[]) => {
    const files: Uint8Array[] = [];
    for (const instance of instances) files.push(await read(instance));
    return files;
  };
  const sources: ConfirmJob['sources'][number][] = [];
  for (const series of analysable(offered.series)) {
    const { role, denoised, qualityLight } = series;
    sources.push(sourceOf({ role, denoised, ...(qualityLight !== undefined && { qualityLight }) }, await all(series.instances)));
  }
  const isOf = (modality: ReturnType<typeof modalityOfResult>) => ({ sopClassUid }: StoredInstance) => modalityOfResult(sopClassUid) === modality;
  const predecessor = (confirmed?.objects ?? objects).find(isOf('SR'));
  return {
    // As it came: it names the analysis.
    draft: draft as ConfirmJob['draft'],
    report, by, at, sources, segmentations: await all(objects.filter(isOf('SEG'))), softwareVersion: VERSION,
    ...(predecessor !== undefined && { predecessor }),
  };
}
