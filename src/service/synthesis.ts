/**
 * Synthesis in the service: when the series that a protocol wants one from are complete, it runs by itself; its series
 * go back on the connection of the scan that completed it, as long as that waits, and to the archives; the exam tells
 * the light and the reasons. Whatever becomes of it, the acquired series are where they were.
 *
 * Syntheses of one pair are one run: the network is asked once for STIR and fat-saturated images.
 */
import { CodedError, encodeImage, MrdParser } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { synthesisId, synthesisSequence } from '../../protocols/index.js';
import type { Protocol, Series, Synthesis } from '../../protocols/index.js';
import type { ModelHost } from '../../models/index.js';
import type { SynthesisConfig } from '../config/synthesis.js';
import { CT_IMAGE_STORAGE } from '../delivery/index.js';
import type { SyntheticKind } from '../delivery/index.js';
import type { DeliverableSeries } from '../dicom/index.js';
import { synthesisedSeriesId, synthesisJobId } from '../exams/index.js';
import type { ExamView, Job, SeriesView } from '../exams/index.js';
import type { SeriesForHandoff } from '../handoff/index.js';
import type { Logger } from '../log.js';
import { errorOfRecord } from '../networkJobs/index.js';
import type { Epilogue, SessionObserver } from '../session/index.js';
import type { Spool, StoredInstance, Table } from '../spool/index.js';
import { scanRecorder, Synthesiser, synthesisFlowError, synthesisNotice } from '../synthesis/index.js';
import type { EncodedSeries, KnownSequence, ScanRecord, SourceSeries, WantedSeries } from '../synthesis/index.js';
import { VERSION } from '../version.js';
import type { ExamJobs, JobTeller } from './examJobs.js';
import { instancesOf, keptSeriesOf, sessionOf } from './keptSeries.js';
import type { KeptImages, KeptSynthesis } from './keptSeries.js';
import type { ServicePart } from './parts.js';

export interface SynthesisNeighbours extends KeptImages {
  readonly spool: Spool;
  readonly host: ModelHost;
  readonly jobs: ExamJobs;
  readonly destinationsFor: (series: DeliverableSeries) => readonly string[];
  /** Whoever looks on is shown what was computed. */
  readonly pictures: { show(examId: string, seriesId: string): Promise<void> };
  /** MR series as Enhanced MR Image objects in place of classic ones. */
  readonly enhanced: boolean;
  /** Others may hold the connection that its images are to go back on. */
  readonly isShared: boolean;
  readonly log: Logger;
}

export interface SynthesisPart extends ServicePart {
  observe(sessionId: string): SessionObserver;
  epilogueOf(sessionId: string): Epilogue;
}

/** Where what was computed is kept; also there where nothing computes any more. */
export const keptSyntheses = (spool: Pick<Spool, 'table'>): Table<KeptSynthesis> => spool.table('synthesis.series');

/** One job of an exam. */
interface Wanted {
  readonly job: Job;
  readonly synthesis: Synthesis;
}

/** What a scan that waits is given, or told. */
type Settled = { readonly images: readonly MrdImage[]; readonly light: string; readonly reasons: readonly string[] } | { readonly failure: string };

/** Of the grid, its maps and their tensors: 15 slices of 384² took 371 MB beside 200 of the service. */
const synthesisBytes = 512 * 2 ** 20;

/** Numbers that each synthesis has for its series and maps. */
const NUMBERS_EACH = 10;

export function openSynthesis(config: SynthesisConfig, neighbours: SynthesisNeighbours): SynthesisPart | undefined {
  const { spool, exams, host, log } = neighbours;
  const synthesiser = new Synthesiser({ host, model: config.model, ctModel: config.ctModel, longestMs: 1000 * config.longestS, log });
  // What nobody here does is not available, and the exam says so.
  if (synthesiser.model === undefined) return undefined;
  const scans: Table<ScanRecord> = spool.table('synthesis.scans');
  for (const { key } of [...scans.range()]) if (neighbours.keeper.session(String(key)) === undefined) scans.remove(key);
  const waiting = new Map<string, ((settled: Settled) => void)[]>();
  const settle = ({ examId, id }: Pick<Job, 'examId' | 'id'>, settled: Settled) => {
    for (const tell of waiting.get(`${examId} ${id}`) ?? []) tell(settled);
    waiting.delete(`${examId} ${id}`);
  };

  neighbours.jobs.perform('synthesise', {
    needs: () => ({ memoryBytes: synthesisBytes, ...(synthesiser.model !== undefined && { model: synthesiser.model.id }) }),
    async perform(jobs, { signal }, tell) {
      const batch = jobs.flatMap((job): Wanted[] => (job.request.kind === 'synthesise' ? [{ job, synthesis: job.request.synthesis }] : []));
      const failed = (wanted: Wanted, error: unknown) => {
        settle(wanted.job, { failure: error instanceof CodedError ? `${error.code}: got ${error.got}` : 'a fault' });
        tell.failed(wanted.job, error);
      };
      const lacksCt = synthesiser.ctModel === undefined || synthesiser.ctModel.state === 'refused';
      const computed = batch.filter(({ synthesis }) => !(synthesis.contrast === 'ct' && lacksCt));
      for (const wanted of batch) if (!computed.includes(wanted)) failed(wanted, synthesisFlowError('CONUS_ERR_SYNTHESIS_MODEL', 'no model for a synthetic CT that is in order'));
      if (computed.length === 0) return;
      // Maps of the pair go with the first one: with one that is delivered also where the pair is not to be trusted.
      const given = (wanted: Wanted) => Number(wanted.synthesis.deliverRed);
      try {
        await synthesisePair(computed.sort((a, b) => given(b) - given(a)), failed, tell, signal);
      } catch (error) {
        for (const wanted of computed) settle(wanted.job, { failure: error instanceof CodedError ? `${error.code}: got ${error.got}` : 'a fault' });
        throw error;
      }
    },
  });

  const synthesisePair = async (batch: readonly Wanted[], failed: (wanted: Wanted, error: unknown) => void, tell: JobTeller, signal: AbortSignal): Promise<void> => {
    const { examId, seriesIds } = batch[0]!.job;
    const exam = exams.exam(examId);
    const protocol = exams.protocolOf(exam);
    const startedAt = performance.now();
    const sources = await sourcesOf(exam, protocol, exam.series.filter(({ id }) => seriesIds.includes(id)), scans, neighbours);
    const { series, light, reasons, ctRefusal } = await synthesiser.perform({
      sources: sources.of,
      wanted: batch.map(({ synthesis }) => wantedSeries(synthesis, protocol)),
      maps: config.maps.flatMap((map): Exclude<SyntheticKind, 'image'>[] => (map === 'interval' ? ['low', 'high'] : [map])),
      deliverRed: batch.some(({ synthesis }) => synthesis.deliverRed),
      enhanced: neighbours.enhanced,
      softwareVersion: VERSION,
    }, signal);
    log.info({ exam: examId, contrasts: batch.map(({ synthesis }) => synthesis.contrast), light, reasons: reasons.map(({ code }) => code), ms: Math.round(performance.now() - startedAt) }, 'synthesised');
    for (const [index, wanted] of batch.entries()) {
      const made = series[index] ?? [];
      if (ctRefusal !== undefined && wanted.synthesis.contrast === 'ct') {
        failed(wanted, errorOfRecord(ctRefusal));
        continue;
      }
      if (made.length === 0 || (light === 'red' && !wanted.synthesis.deliverRed)) {
        failed(wanted, synthesisFlowError('CONUS_ERR_SYNTHESIS_RED', `a red quality light: ${reasons.map(({ text }) => text).join('; ')}`));
        continue;
      }
      const id = synthesisId(wanted.synthesis);
      exams.apply({
        kind: 'synthesised', at: Date.now(), examId,
        series: {
          id, contrast: wanted.synthesis.contrast, description: made[0]!.description, isSimulated: sources.isSimulated, light,
          outputs: Object.fromEntries(made.map(({ kind, images }) => [kind, images.length])),
          reasons: reasons.map(({ code, text }) => ({ code, text })),
        },
      });
      await exams.settled();
      await keepAndDeliver(exams.exam(examId), id, wanted.synthesis.contrast, made, light, neighbours);
      settle(wanted.job, { images: made.flatMap(({ images }) => images), light, reasons: reasons.map(({ text }) => text) });
      tell.done(wanted.job);
      neighbours.pictures.show(examId, synthesisedSeriesId(id)).catch((error: unknown) => log.warn({ exam: examId, code: (error as { code?: string }).code }, 'a synthesis could not be shown'));
    }
  };

  // What another node computed, for a connection that waits here.
  const stopListening = !neighbours.isShared ? () => undefined : exams.listen({
    changes: (changes, isOwn) => {
      if (isOwn) return;
      for (const change of changes) {
        if (change.kind !== 'actions') continue;
        const { examId } = change;
        for (const { id, state, reason } of change.actions.filter((action) => waiting.has(`${examId} ${action.id}`))) {
          if (state === 'failed') settle({ examId, id }, { failure: reason?.text ?? 'a fault' });
          if (state !== 'done') continue;
          settledElsewhere(examId, id, neighbours).then(
            (settled) => settle({ examId, id }, settled),
            (error: unknown) => settle({ examId, id }, { failure: (error as { code?: string }).code ?? 'a fault' }),
          );
        }
      }
    },
  });

  return {
    name: 'synthesis',
    trouble: () => (synthesiser.model?.state === 'refused' ? `${synthesiser.model.id} is refused` : undefined),
    observe: (sessionId) => scanRecorder((record) => {
      scans.put(sessionId, record);
      const place = exams.book.ofSession(sessionId);
      if (place !== undefined && (exams.protocolOf(exams.exam(place.examId))?.synthesise.length ?? 0) > 0) synthesiser.prepare();
    }),
    epilogueOf: (sessionId) => async (give, gone) => {
      await exams.settled();
      const place = exams.book.ofSession(sessionId);
      if (place === undefined) return [];
      const awaited = exams.exam(place.examId).actions.filter(({ kind, state, series }) => kind === 'synthesise' && (state === 'offered' || state === 'running') && series.includes(protocolIdOf(exams.exam(place.examId), place.seriesId)));
      const over = afterMs(1000 * config.waitS, gone);
      const answers = await Promise.all(
        awaited.map(async ({ id, what }) => {
          const key = `${place.examId} ${id}`;
          const settled = await Promise.race([over.then(() => undefined), new Promise<Settled>((resolve) => waiting.set(key, [...(waiting.get(key) ?? []), resolve]))]);
          if (settled === undefined) return gone.aborted ? [] : [synthesisNotice('CONUS_WARN_SYNTHESIS_LATE', `synthetic ${what} is not ready after ${config.waitS} s`)];
          if ('failure' in settled) return [synthesisNotice('CONUS_WARN_SYNTHESIS_NONE', `there is no synthetic ${what}: ${settled.failure}`)];
          settled.images.forEach(give);
          return settled.light === 'green' ? [] : [synthesisNotice('CONUS_WARN_SYNTHESIS_LIGHT', `synthetic ${what} is ${settled.light}: ${settled.reasons.join('; ')}`)];
        }),
      );
      return answers.flat();
    },
    close: () => {
      stopListening();
      return synthesiser.close();
    },
  };
}

const protocolIdOf = ({ series }: ExamView, seriesId: string): string => series.find(({ id }) => id === seriesId)?.protocolSeries ?? '';

/** Resolves when the time is over, or the signal comes. */
function afterMs(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref();
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

function wantedSeries(synthesis: Synthesis, { synthesise }: Protocol): WantedSeries {
  const { contrast, tiMs, output, seriesDescription } = synthesis;
  const sequence = synthesisSequence(synthesis);
  return {
    contrast: contrast === 'ct' || sequence === undefined ? { contrast: 'ct' } : { contrast, sequence, ...(contrast === 'stir' && { tiMs: tiMs ?? 'auto', output }) },
    description: seriesDescription ?? contrast.toUpperCase(),
    number: 1 + NUMBERS_EACH * Math.max(0, synthesise.findIndex((one) => synthesisId(one) === synthesisId(synthesis))),
  };
}

interface Sources {
  readonly of: { t1w: SourceSeries | undefined; t2w: SourceSeries | undefined; t2fs?: SourceSeries; dixon?: { readonly files: readonly Uint8Array[] } };
  readonly isSimulated: boolean;
}

/** @throws CodedError CONUS_ERR_SYNTHESIS_SOURCE where images are not kept any more */
async function sourcesOf(exam: ExamView, protocol: Protocol, views: readonly SeriesView[], scans: Table<ScanRecord>, kept: SynthesisNeighbours): Promise<Sources> {
  const found: Sources['of'] = { t1w: undefined, t2w: undefined };
  for (const view of views) {
    const series = protocol.series.find(({ id }) => id === view.protocolSeries);
    const made = chosenImages(keptSeriesOf(exam.id, view, kept));
    if (series === undefined || made === undefined) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', `${view.role ?? 'a series'} whose images are not kept any more`);
    const files = await filesOf(made.instances, kept.spool);
    if (series.role === 'dixon') found.dixon = { files };
    else if (series.role === 't1w' || series.role === 't2w' || series.role === 't2fs') found[series.role] = await sourceOf(exam, view, series, made, files, scans, kept);
  }
  return { of: found, isSimulated: views.some(({ facts }) => facts.isSimulated === true) };
}

/** Denoised ones where all of them are there and to be trusted; else those that were scanned. */
function chosenImages(made: readonly SeriesForHandoff[]): SeriesForHandoff | undefined {
  const conventional = made.find(({ denoised }) => !denoised);
  const denoised = made.find((one) => one.denoised);
  const isBetter = denoised !== undefined && denoised.qualityLight !== 'red' && denoised.instances.length >= (conventional?.instances.length ?? 0);
  return isBetter ? denoised : conventional;
}

async function sourceOf(
  exam: ExamView, view: SeriesView, { sequence }: Series, made: SeriesForHandoff, files: readonly Uint8Array[], scans: Table<ScanRecord>, kept: SynthesisNeighbours,
): Promise<SourceSeries> {
  const ofProtocol = { by: 'protocol', known: knownByProtocol(sequence) } as const;
  if (view.source === 'dicom') return { images: { files }, variant: 'received', knownAfter: [ofProtocol] };
  const session = sessionOf(exam.id, view, kept);
  // In a transaction: it may have been put a moment ago.
  const scan = session === undefined ? undefined : await scans.transaction(() => scans.get(session.id));
  const noise = made.denoised ? undefined : session?.series?.find(({ output }) => output === 'noise');
  return {
    images: { files },
    variant: made.denoised ? 'denoised' : 'conventional',
    ...(noise !== undefined && { noiseFiles: await filesOf(instancesOf(noise, kept), kept.spool) }),
    ...(scan !== undefined && { knownBefore: [{ by: 'header', known: scan.sequence }], physics: scan.physics }),
    ...(scan?.fieldStrengthT !== undefined && { fieldStrengthT: scan.fieldStrengthT }),
    knownAfter: [ofProtocol],
  };
}

/** Of what was meant to be scanned: what the images themselves do not tell. */
function knownByProtocol(sequence: Series['sequence']): KnownSequence {
  if (sequence.kind !== 'tse') return {};
  const { echoTrainLength, echoSpacingMs, refocusingAngleDeg } = sequence;
  return { echoTrainLength, echoSpacingMs, refocusingAngleDeg };
}

function filesOf(instances: readonly StoredInstance[], { objects }: Pick<Spool, 'objects'>): Promise<Uint8Array[]> {
  return Promise.all(
    instances.map(({ ref }) =>
      objects.read(ref).catch((cause: unknown) => {
        throw synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', 'an instance that is not kept any more', { cause });
      }),
    ),
  );
}

/** To the disk and into the outbox, in one transaction; what is there already, of a run that was cut, is not sent twice. */
async function keepAndDeliver(exam: ExamView, synthesis: string, contrast: string, made: readonly EncodedSeries[], light: KeptSynthesis['light'], { spool, destinationsFor, isShared }: SynthesisNeighbours): Promise<void> {
  const seriesId = synthesisedSeriesId(synthesis);
  const table = keptSyntheses(spool);
  const series: KeptSynthesis['series'][number][] = [];
  for (const { kind, description, objects } of made) {
    const instances: StoredInstance[] = [];
    for (const { instance, bytes } of objects) instances.push({ ...instance, ref: await spool.objects.put(bytes), nBytes: bytes.length });
    series.push({ kind, description, seriesInstanceUid: objects[0]!.instance.seriesInstanceUid, instances });
  }
  const wire = isShared ? await spool.objects.put(Buffer.concat(made.flatMap(({ images }) => images).flatMap(encodeImage))) : undefined;
  await spool.transaction(() => {
    const known = new Set(table.get([exam.id, seriesId])?.series.map(({ seriesInstanceUid }) => seriesInstanceUid));
    const holder = `synthesis/${exam.id}/${seriesId}`;
    for (const { description, instances, seriesInstanceUid } of series) {
      for (const { ref } of instances) spool.objects.hold(ref, holder);
      if (!known.has(seriesInstanceUid)) {
        for (const destination of destinationsFor({ description, modality: instances[0]!.sopClassUid === CT_IMAGE_STORAGE ? 'CT' : 'MR', sopClassUid: instances[0]!.sopClassUid, role: contrast })) {
          spool.outbox.add({ destination, examId: `${exam.id}/${seriesId}`, isIncomplete: false, instances });
        }
      }
      // Jobs hold what they deliver; the rest may be cleaned away when its room is needed.
      for (const { ref } of instances) spool.objects.release(ref, holder);
    }
    if (wire !== undefined) {
      spool.objects.hold(wire, holder);
      spool.objects.release(wire, holder);
    }
    table.put([exam.id, seriesId], { light, series, ...(wire !== undefined && { wire }) });
  });
}

async function settledElsewhere(examId: string, jobId: string, { exams, synthesised, spool }: SynthesisNeighbours): Promise<Settled> {
  const exam = exams.exam(examId);
  const synthesis = exams.protocolOf(exam).synthesise.find((one) => synthesisJobId(one) === jobId);
  const seriesId = synthesis === undefined ? '' : synthesisedSeriesId(synthesisId(synthesis));
  const kept = synthesised(examId, seriesId);
  if (kept?.wire === undefined) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', 'a synthesis that is not kept');
  const images: MrdImage[] = [];
  new MrdParser({ image: (image) => images.push(image) }).write(await spool.objects.read(kept.wire));
  return { images, light: kept.light, reasons: (exam.series.find(({ id }) => id === seriesId)?.reasons ?? []).map(({ text }) => text) };
}
