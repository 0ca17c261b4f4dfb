/**
 * The hand-off part of the service: finished exams go to downstream stages, and what comes back is kept and sent to the
 * archives. An offer holds the objects of its images until it is settled; results are safe before a stage is told so.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { CodedError } from 'ismrmrd';
import { writeNifti } from '../../imaging/index.js';
import type { HandoffConfig, StageConfig } from '../config/handoff.js';
import { modalityOfResult, parseDicom, readIdentity, readVolume, stacksOf } from '../dicom/index.js';
import type { ExamView, Job } from '../exams/index.js';
import {
  defaultOfferLimits, dicomNodeTransport, folderTransport, HandoffDesk, handoffError, handoffRoutes, httpTransport, instancesOfSeries, isSettled, tokenOfOffer,
} from '../handoff/index.js';
import type { ExamForHandoff, HandoffStage, KeptOffer, Material, OfferStore, Outcome, Transport } from '../handoff/index.js';
import type { DeliverableSeries } from '../dicom/index.js';
import type { Logger } from '../log.js';
import type { Destination } from '../outbox/index.js';
import type { Spool, StoredInstance, Table } from '../spool/index.js';
import type { ExamJobs } from './examJobs.js';
import { keptSeriesOf } from './keptSeries.js';
import type { KeptImages } from './keptSeries.js';
import type { ResultTaker } from './dicom.js';
import type { ServicePart } from './parts.js';

export interface HandoffNeighbours extends KeptImages {
  readonly spool: Spool;
  readonly jobs: ExamJobs;
  /** This run of this node, where it is not alone. */
  readonly boot?: string | undefined;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly destinationsFor: (series: DeliverableSeries) => readonly string[];
  /** Where the HTTP side listens; known when a stage is first offered something. */
  readonly ownUrl: () => string | undefined;
  readonly log: Logger;
  /** The stage of the house, for what no other one takes. */
  readonly own?: HandoffStage | undefined;
}

export interface HandoffPart extends ServicePart {
  readonly desk: HandoffDesk;
  readonly routes: (app: FastifyInstance) => void;
  /** Takes up what a former run left; when every other part is there. */
  start(): void;
  /** Sees to what a run of a node that is no more offered to stages that are elsewhere; its own comes again with the job. */
  takeOver(boot: string): Promise<void>;
  /** What a reader reads. @throws CodedError CONUS_ERR_EXAM_UNKNOWN, HANDOFF_ERR_NO_RESULT */
  reportOf(examId: string): KeptAnalysis;
  /** Of stages that are DICOM nodes; absent where there is none. */
  readonly results: ResultTaker | undefined;
  /** The latest JSON result of a name for an exam. @throws CodedError HANDOFF_ERR_NO_RESULT where there is none */
  resultOf(examId: string, name: string): unknown;
}

/** An analysis with a report: what was offered, and what came of it. */
export interface KeptAnalysis {
  readonly offerId: string;
  readonly stage: string;
  readonly at: number;
  readonly offered: ExamForHandoff;
  readonly report: unknown;
  /** Results that are DICOM objects. */
  readonly objects: readonly StoredInstance[];
}

/** What a stage sent, as it is kept. */
export type KeptResult =
  | { readonly kind: 'json'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'dicom'; readonly instance: StoredInstance };

const SECRET_BYTES = 32;

/** @throws CodedError HANDOFF_ERR_STAGE, or the system's error where a token cannot be read */
export async function openHandoff(config: HandoffConfig, neighbours: HandoffNeighbours): Promise<HandoffPart> {
  const { spool, exams, log } = neighbours;
  const secret = await secretOf(spool);
  const configured = await Promise.all(Object.entries(config.stages).map(([name, stage]) => stageOf(name, stage, neighbours, secret)));
  const stages = neighbours.own === undefined ? configured : [...configured, neighbours.own];
  const material = materialOf(neighbours);
  const store = offerStore(neighbours);
  const results = spool.table<KeptResult>('handoff.results');
  const desk = new HandoffDesk({
    stages, store, material, secret, boot: neighbours.boot, log,
    takeResults: (offer, outcome) => takeResults(offer, outcome, results, neighbours),
  });
  const takersOf = (task: string): string[] => {
    const named = Object.entries(config.stages).flatMap(([name, { takes, tasks }]) => (takes === 'analyses' && (tasks.length === 0 || tasks.includes(task)) ? [name] : []));
    return named.length > 0 || neighbours.own === undefined ? named : [neighbours.own.name];
  };

  // Without anybody who analyses, the exam says that it is not available.
  if (stages.length > 0) {
    neighbours.jobs.perform('analyse', {
      needs: () => ({ memoryBytes: analysisBytes }),
      async perform(jobs, { signal }, tell) {
        const tasksOf = (stage: string) => jobs.flatMap(({ request }) => (request.kind === 'analyse' && takersOf(request.analysis.task).includes(stage) ? [request.analysis.task] : []));
        // A stage that does several tasks on the same series looks at the images once.
        const offered = new Map<string, Promise<void>>();
        const offer = ({ examId, seriesIds }: Job, stage: string) => {
          const known = offered.get(stage) ?? offerTasks(stage, examId, seriesIds, tasksOf(stage), signal);
          offered.set(stage, known);
          return known;
        };
        await Promise.all(jobs.map(async (job) => {
          if (job.request.kind !== 'analyse') return;
          const { task } = job.request.analysis;
          try {
            const takers = takersOf(task);
            if (takers.length === 0) throw handoffError('HANDOFF_ERR_STAGE', `no stage for the analysis ${task}`);
            await Promise.all(takers.map((stage) => offer(job, stage)));
            tell.done(job);
          } catch (error) {
            // The offer is kept: whoever takes the job up finds it.
            if (signal.aborted) throw error;
            tell.failed(job, error);
          }
        }));
      },
    });
  }
  const offerTasks = async (stage: string, examId: string, seriesIds: readonly string[], tasks: readonly string[], signal: AbortSignal): Promise<void> => {
    const exam = examForHandoff(exams.exam(examId), seriesIds, tasks, neighbours);
    const settled = await beforeAbort(desk.settled(await desk.offer(stage, exam)), signal);
    if (settled.record.state !== 'done') throw handoffError(codeOfFailure(settled), `stage ${stage} without results`);
    await exams.settled();
  };
  const stopListening = exams.listen({
    changes: (changes, isOwn) => {
      // Every node hears of it; the one where it happened offers it.
      if (!isOwn) return;
      for (const change of changes) {
        if (change.kind !== 'exam' || change.exam.state === 'active') continue;
        for (const [name, { takes, tasks }] of Object.entries(config.stages)) if (takes === 'exams') offerWhole(name, change.examId, tasks);
      }
    },
  });
  const offerWhole = (stage: string, examId: string, tasks: readonly string[]) => {
    const { series } = exams.exam(examId);
    const complete = series.filter(({ state }) => state === 'complete' || state === 'delivered').map(({ id }) => id);
    Promise.resolve()
      .then(() => desk.offer(stage, examForHandoff(exams.exam(examId), complete, tasks, neighbours)))
      .catch((error: unknown) => log.warn({ exam: examId, stage, code: error instanceof CodedError ? error.code : undefined }, 'an exam could not be offered'));
  };

  return {
    name: 'hand-off',
    desk,
    routes: handoffRoutes(desk, material),
    start: () => desk.start(),
    takeOver: (boot) => desk.adopt(boot, neighbours.own?.name),
    results: resultTaker(config, desk, neighbours),
    resultOf: (examId, name) => resultOf(exams.exam(examId), name, results),
    reportOf: (examId) => reportOf(exams.exam(examId), results, store),
    close: async () => {
      stopListening();
      await desk.close();
    },
  };
}

/** Volumes of an exam and what the network finds in them. */
const analysisBytes = 1024 * 2 ** 20;

function beforeAbort<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** @throws CodedError HANDOFF_ERR_NO_RESULT */
function resultOf({ analyses }: ExamView, name: string, kept: Table<KeptResult>): unknown {
  const analysis = analyses.findLast(({ results }) => results.includes(name));
  const found = analysis === undefined ? undefined : kept.get([analysis.offerId, analysis.results.indexOf(name)]);
  if (found?.kind !== 'json') throw handoffError('HANDOFF_ERR_NO_RESULT', `an exam without a result ${name}`);
  return found.value;
}

/** Of the latest analysis that has one. @throws CodedError HANDOFF_ERR_NO_RESULT */
function reportOf({ analyses }: ExamView, kept: Table<KeptResult>, offers: OfferStore): KeptAnalysis {
  const analysis = analyses.findLast(({ results }) => results.includes(reportName));
  const offered = analysis === undefined ? undefined : offers.get(analysis.offerId)?.exam;
  if (analysis === undefined || offered === undefined) throw handoffError('HANDOFF_ERR_NO_RESULT', 'an exam without a report');
  const { offerId, stage, at } = analysis;
  const results = analysis.results.map((_, index) => kept.get([offerId, index]));
  const report = results.find((result) => result?.kind === 'json' && result.name === reportName);
  return {
    offerId, stage, at, offered,
    report: report?.kind === 'json' ? report.value : undefined,
    objects: results.flatMap((result) => (result?.kind === 'dicom' ? [result.instance] : [])),
  };
}

/** Of the JSON result that a reader reads. */
const reportName = 'report';

function codeOfFailure({ record }: KeptOffer): 'HANDOFF_ERR_STAGE_REFUSED' | 'HANDOFF_ERR_STAGE_FAILED' | 'HANDOFF_ERR_NO_OUTCOME' {
  if (record.state === 'refused') return 'HANDOFF_ERR_STAGE_REFUSED';
  return record.outcomeSha256 === undefined ? 'HANDOFF_ERR_NO_OUTCOME' : 'HANDOFF_ERR_STAGE_FAILED';
}

/** Tokens of offers must mean the same after a restart. */
async function secretOf(spool: Spool): Promise<Uint8Array> {
  const table = spool.table<string>('handoff.secret');
  const made = randomBytes(SECRET_BYTES).toString('base64');
  const secret = await table.transaction(() => {
    const known = table.get('secret');
    if (known === undefined) table.put('secret', made);
    return known ?? made;
  });
  return Buffer.from(secret, 'base64');
}

async function stageOf(name: string, stage: StageConfig, neighbours: HandoffNeighbours, secret: Uint8Array): Promise<HandoffStage> {
  const limits = {
    ...defaultOfferLimits, answerTimeoutMs: 1000 * stage.answerTimeoutS, outcomeTimeoutMs: 1000 * stage.outcomeTimeoutS, mostAttempts: stage.mostAttempts,
  };
  return { name, limits, transport: await transportOf(name, stage, neighbours, secret) };
}

async function transportOf(name: string, stage: StageConfig, { destinations, ownUrl }: HandoffNeighbours, secret: Uint8Array): Promise<Transport> {
  switch (stage.kind) {
    case 'http': {
      const token = stage.tokenFile === undefined ? undefined : (await readFile(stage.tokenFile, 'utf8')).trim();
      const reachedAt = () => {
        const url = stage.ownUrl ?? ownUrl();
        if (url === undefined) throw handoffError('HANDOFF_ERR_STAGE', `stage ${name} by HTTP, without an HTTP port`);
        return url.replace(/\/$/, '');
      };
      return httpTransport({ url: stage.url, ...(token !== undefined && { token }), ownUrl: reachedAt }, (offerId) => tokenOfOffer(secret, offerId));
    }
    case 'folder':
      return folderTransport(stage);
    case 'dicom': {
      const sender = destinations.get(stage.destination)?.sender;
      if (sender === undefined) throw handoffError('HANDOFF_ERR_STAGE', `stage ${name} at the unknown destination ${stage.destination}`);
      return dicomNodeTransport(async (series, material, signal) => {
        const instances = series.instances.map((instance) => ({ ...instance, bytes: () => material.dicom(instance) }));
        const sent = await sender.send(instances, signal);
        return sent.filter(({ outcome }) => outcome === 'failed').map(({ sopInstanceUid }) => sopInstanceUid);
      });
    }
  }
}

/** @throws CodedError HANDOFF_ERR_MATERIAL where nothing of the series is kept */
function examForHandoff(exam: ExamView, seriesIds: readonly string[], tasks: readonly string[], neighbours: HandoffNeighbours): ExamForHandoff {
  const series = exam.series.filter(({ id }) => seriesIds.includes(id)).flatMap((one) => keptSeriesOf(exam.id, one, neighbours));
  const study = series[0]?.instances[0]?.studyInstanceUid;
  if (study === undefined) throw handoffError('HANDOFF_ERR_MATERIAL', 'series without kept images');
  return {
    examId: exam.id,
    studyInstanceUid: study,
    ...(exam.protocol !== undefined && { protocol: exam.protocol.name }),
    ...(exam.study.bodyPart !== undefined && { bodyPart: exam.study.bodyPart }),
    tasks,
    series,
  };
}

/** Offers in the spool, with a hand on the objects of those that are open. */
function offerStore({ spool }: HandoffNeighbours): OfferStore {
  const table: Table<KeptOffer> = spool.table('handoff.offers');
  return {
    *all() {
      for (const { value } of table.range()) yield value;
    },
    get: (offerId) => table.get(offerId),
    put: (offer) =>
      table.transaction(() => {
        const holder = `handoff/${offer.record.offerId}`;
        for (const { ref } of offer.exam.series.flatMap(instancesOfSeries)) {
          if (isSettled(offer.record)) spool.objects.release(ref, holder);
          else spool.objects.hold(ref, holder);
        }
        table.put(offer.record.offerId, offer);
      }),
  };
}

function materialOf({ spool }: HandoffNeighbours): Material {
  const dicom = ({ ref }: StoredInstance) =>
    spool.objects.read(ref).catch((cause: unknown) => {
      throw handoffError('HANDOFF_ERR_MATERIAL', 'an instance that is not kept any more', { cause });
    });
  return {
    dicom,
    async nifti({ instances }) {
      const images = [];
      for (const instance of instances) images.push(await parseDicom(await dicom(instance)));
      const stacks = stacksOf(images);
      if (stacks.length !== 1) throw handoffError('HANDOFF_ERR_NO_VOLUME', `${stacks.length} stacks of slices`);
      try {
        return gzipSync(writeNifti(readVolume(stacks[0]!)));
      } catch (cause) {
        throw handoffError('HANDOFF_ERR_NO_VOLUME', 'slices that are no regular stack', { cause });
      }
    },
  };
}

/** Keeps results and puts DICOM ones into the outbox; the same results again change nothing. */
async function takeResults({ record, exam }: KeptOffer, outcome: Outcome, kept: Table<KeptResult>, neighbours: HandoffNeighbours): Promise<void> {
  if (outcome.outcome === 'failed') return;
  const { spool, exams, destinationsFor } = neighbours;
  const results: KeptResult[] = [];
  for (const result of outcome.results) {
    if (result.kind === 'json') results.push({ kind: 'json', name: result.name, value: result.value });
    else results.push({ kind: 'dicom', instance: await storedResult(Buffer.from(result.base64 ?? '', 'base64'), exam, spool) });
  }
  await kept.transaction(() => {
    const isNew = kept.get([record.offerId, 0]) === undefined;
    results.forEach((result, index) => kept.put([record.offerId, index], result));
    const bySeries = new Map<string, StoredInstance[]>();
    for (const result of results) {
      if (result.kind !== 'dicom') continue;
      const { instance } = result;
      spool.objects.hold(instance.ref, `result/${record.offerId}`);
      bySeries.set(instance.seriesInstanceUid, [...(bySeries.get(instance.seriesInstanceUid) ?? []), instance]);
    }
    if (!isNew) return;
    for (const instances of bySeries.values()) deliverResults(record.stage, instances, exam.examId, spool, destinationsFor);
  });
  const { priority } = outcome;
  exams.apply({
    kind: 'analysed', at: Date.now(), examId: exam.examId,
    analysis: {
      offerId: record.offerId, stage: record.stage, tasks: exam.tasks, results: results.map((result) => (result.kind === 'json' ? result.name : 'dicom')),
      ...(priority !== undefined && { priority }),
    },
  });
}

async function storedResult(file: Uint8Array, exam: ExamForHandoff, { objects }: Spool): Promise<StoredInstance> {
  let identity;
  try {
    identity = readIdentity(file);
  } catch (cause) {
    throw handoffError('HANDOFF_ERR_OUTCOME', 'a result that is no DICOM file', { cause });
  }
  if (identity.studyInstanceUid !== exam.studyInstanceUid) throw handoffError('HANDOFF_ERR_OUTCOME', 'a result of another study');
  return { ...identity, ref: await objects.put(file), nBytes: file.length };
}

/**
 * What stages send to our DICOM node: kept and put into the outbox as it comes; when the association closes, the offers
 * of the studies that it was about are done.
 */
function resultTaker(config: HandoffConfig, desk: HandoffDesk, { spool, destinationsFor }: HandoffNeighbours): ResultTaker | undefined {
  const stageOfTitle = new Map(Object.entries(config.stages).flatMap(([name, stage]) => (stage.kind === 'dicom' ? [[stage.aeTitle, name]] : [])));
  if (stageOfTitle.size === 0) return undefined;
  const kept = spool.table<StoredInstance>('handoff.received');
  const studies = new Map<string, Map<string, string>>();
  return {
    from: new Set(stageOfTitle.keys()),
    async received({ associationId, callingAe, identity, file }) {
      const stage = stageOfTitle.get(callingAe)!;
      const instance = { ...identity, ref: await spool.objects.put(file), nBytes: file.length };
      await spool.transaction(() => {
        const isNew = kept.get([stage, identity.sopInstanceUid])?.ref !== instance.ref;
        spool.objects.hold(instance.ref, `result/${identity.sopInstanceUid}`);
        kept.put([stage, identity.sopInstanceUid], instance);
        if (isNew) deliverResults(stage, [instance], identity.studyInstanceUid, spool, destinationsFor);
      });
      const about = studies.get(associationId) ?? new Map<string, string>();
      studies.set(associationId, about.set(identity.studyInstanceUid, stage));
    },
    associationClosed(associationId) {
      for (const [study, stage] of studies.get(associationId) ?? []) void desk.resultsReceived(stage, study);
      studies.delete(associationId);
    },
  };
}

/** In a transaction: results of one series into the outbox. @returns the jobs */
export function deliverResults(
  stage: string, instances: readonly StoredInstance[], examId: string, { outbox }: Pick<Spool, 'outbox'>, destinationsFor: HandoffNeighbours['destinationsFor'],
): { readonly id: string; readonly destination: string }[] {
  const { sopClassUid } = instances[0]!;
  const destinations = destinationsFor({ description: `results of ${stage}`, modality: modalityOfResult(sopClassUid), sopClassUid });
  return destinations.map((destination) => ({ id: outbox.add({ destination, examId, isIncomplete: false, instances }), destination }));
}
