/** How the service is doing, and the little that can be done about it: tries deliveries and jobs again, gives them up, asks a destination whether it answers. */
import { readFile, statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from 'ismrmrd';
import type { ModelHost } from '../../models/index.js';
import type { NodeRecord } from '../cluster/index.js';
import { dicomError } from '../dicom/index.js';
import type { PartHealth } from '../http/index.js';
import { jobError } from '../jobs/index.js';
import type { JobBoard, JobStats, KeptJob } from '../jobs/index.js';
import type { Logger } from '../log.js';
import { outboxError } from '../outbox/index.js';
import type { Destination } from '../outbox/index.js';
import type { OutboxJob, OutboxStats, Reason, Spool } from '../spool/index.js';
import { VERSION } from '../version.js';
import { operationsError } from './errors.js';
import type { EchoView, JobView, OperationsView, OutboxJobView } from './schema.js';

export interface OperationsSources {
  readonly health: () => readonly PartHealth[];
  /** Absent without a data folder. */
  readonly spool: Pick<Spool, 'outbox' | 'room' | 'directory'> | undefined;
  /** Absent without a data folder. */
  readonly queue: Omit<JobBoard, 'add' | 'close'> | undefined;
  /** Absent where this node is alone. */
  readonly cluster: { readonly boot: string; readonly nodes: readonly NodeRecord[] } | undefined;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly models: Pick<ModelHost, 'entries' | 'health'>;
  readonly picturesBytes: () => number;
  readonly sessionsOpen: () => number;
  readonly log: Logger;
}

const mostJobs = 200;
/** A peer that does not answer by then is away, whatever its own time-out is. */
const ECHO_MS = 15_000;
/** The server of a queue that nodes share may be away, which must not hide all the rest. */
const QUEUE_MS = 2000;

export class Operations {
  readonly #sources: OperationsSources;
  readonly #startedAt = Date.now();

  constructor(sources: OperationsSources) {
    this.#sources = sources;
  }

  async view(): Promise<OperationsView> {
    const { health, spool, cluster, destinations, models, picturesBytes, sessionsOpen } = this.#sources;
    const host = models.health();
    const runs = new Map(host.models.map((model) => [model.id, model]));
    const { rss, heapUsed, external } = process.memoryUsage();
    const stats = spool?.outbox.stats() ?? [];
    const jobs = await this.#jobs();
    return {
      version: VERSION,
      startedAt: this.#startedAt,
      health: health().map(({ part, trouble }) => ({ part, ...(trouble !== undefined && { trouble }) })),
      outbox: {
        destinations: stats.map(statsView).sort((a, b) => (a.destination < b.destination ? -1 : 1)),
        jobs: (spool?.outbox.latest(mostJobs) ?? []).map(outboxJobView),
        nJobs: stats.reduce((sum, { waiting, sending, dead }) => sum + waiting + sending + dead, 0),
      },
      ...(jobs !== undefined && { jobs }),
      ...(cluster !== undefined && { nodes: cluster.nodes.map(({ boot, name, version, startedAt }) => ({ name, version, startedAt, isOwn: boot === cluster.boot })) }),
      models: models.entries.map(({ id, manifest, sha256, state, reason }) => ({
        id, sha256, state,
        ...(manifest !== undefined && { version: manifest.version, task: manifest.task }),
        ...(reason !== undefined && { reason: { code: reason.code, text: reason.message } }),
        nRuns: runs.get(id)?.nRuns ?? 0, nFailures: runs.get(id)?.nFailures ?? 0,
      })),
      ...(spool !== undefined && { disk: { ...spool.room.state, freeBytes: await freeBytes(spool.directory) } }),
      memory: { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external, systemFreeBytes: freemem(), picturesBytes: picturesBytes(), modelHostBytes: host.residentBytes },
      sessionsOpen: sessionsOpen(),
      destinations: [...destinations].map(([name, { about, echo }]) => ({
        name, canEcho: echo !== undefined,
        ...(about !== undefined && { kind: about.kind, ...(about.host !== undefined && { host: about.host }) }),
      })),
    };
  }

  /** A delivery that waits or was given up has all its attempts again, the first of them now. @throws CodedError OUTBOX_ERR_UNKNOWN_JOB, CONUS_ERR_JOB_STATE */
  async retryDelivery(jobId: string, by: string): Promise<OutboxJobView> {
    const { outbox, job } = this.#delivery(jobId);
    if ((await outbox.retry([jobId])) === 0) throw operationsError('CONUS_ERR_JOB_STATE', `a job that is ${outbox.get(jobId)?.state ?? 'gone'}, to be tried again`);
    this.#sources.log.info({ job: jobId, destination: job.destination, by }, 'a delivery is tried again, as was asked');
    return outboxJobView(outbox.get(jobId) ?? job);
  }

  /** Only what was given up: nothing that may still come is taken away. @throws CodedError OUTBOX_ERR_UNKNOWN_JOB, CONUS_ERR_JOB_STATE */
  async dropDelivery(jobId: string, by: string): Promise<void> {
    const { outbox, job } = this.#delivery(jobId);
    if ((await outbox.drop([jobId], ['dead'])) === 0) throw operationsError('CONUS_ERR_JOB_STATE', `a job that is ${outbox.get(jobId)?.state ?? 'gone'}, to be dropped`);
    this.#sources.log.warn({ job: jobId, destination: job.destination, exam: job.examId, instances: job.instances.length, by }, 'a delivery was dropped, as was asked');
  }

  /** A job that waits or was given up has all its attempts again, the first of them now. @throws CodedError JOB_ERR_UNKNOWN, CONUS_ERR_JOB_STATE */
  async retryJob(id: string, by: string): Promise<JobView> {
    const { queue, job } = await this.#job(id);
    if ((await queue.retry([id])) === 0) throw wrongState(job, 'tried again');
    this.#sources.log.info({ ...factsOf(job), by }, 'a job is tried again, as was asked');
    return jobView((await queue.get(id)) ?? job);
  }

  /** Ends a job that was not given up, on whatever node, and tells the exam or the outbox so. @throws CodedError JOB_ERR_UNKNOWN, CONUS_ERR_JOB_STATE */
  async cancelJob(id: string, by: string): Promise<void> {
    const { queue, job } = await this.#job(id);
    if ((await queue.cancel([id])) === 0) throw wrongState(job, 'cancelled');
    this.#sources.log.warn({ ...factsOf(job), by }, 'a job was cancelled, as was asked');
  }

  /** Only what was given up: nothing that may still come is taken away. @throws CodedError JOB_ERR_UNKNOWN, CONUS_ERR_JOB_STATE */
  async dropJob(id: string, by: string): Promise<void> {
    const { queue, job } = await this.#job(id);
    if (job.state !== 'dead' || (await queue.drop([id])) === 0) throw wrongState(job, 'dropped');
    this.#sources.log.warn({ ...factsOf(job), by }, 'a job was dropped, as was asked');
  }

  /** Whether a destination answers now. @throws CodedError CONUS_ERR_DESTINATION_UNKNOWN */
  async echo(name: string): Promise<EchoView> {
    const echo = this.#sources.destinations.get(name)?.echo;
    if (echo === undefined) throw operationsError('CONUS_ERR_DESTINATION_UNKNOWN', 'another name');
    const begin = performance.now();
    const elapsedMs = () => Math.round(10 * (performance.now() - begin)) / 10;
    try {
      await echo(AbortSignal.timeout(ECHO_MS));
      return { ok: true, ms: elapsedMs() };
    } catch (error) {
      const { code, message, expected, action } = error instanceof CodedError ? error : dicomError('DICOM_ERR_CONNECTION', 'a failure');
      return { ok: false, ms: elapsedMs(), error: { code, message, expected, action } };
    }
  }

  /** What its makers say of a model. @throws CodedError CONUS_ERR_MODEL_CARD */
  async card(modelId: string): Promise<string> {
    const folder = this.#sources.models.entries.find(({ id }) => id === modelId)?.folder;
    if (folder === undefined) throw operationsError('CONUS_ERR_MODEL_CARD', 'another model');
    return readFile(join(folder, 'card.md'), 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw operationsError('CONUS_ERR_MODEL_CARD', `a model without one (${cause.code ?? 'unreadable'})`, { cause });
    });
  }

  async #jobs(): Promise<OperationsView['jobs']> {
    const { queue } = this.#sources;
    if (queue === undefined) return undefined;
    const told = await Promise.race([Promise.all([queue.stats(), queue.list()]), sleep(QUEUE_MS, undefined, { ref: false })]).catch(() => undefined);
    if (told === undefined) return undefined;
    const [kinds, jobs] = told;
    const isDead = ({ state }: KeptJob) => state === 'dead';
    const latest = [...jobs.filter(isDead).sort((a, b) => b.addedAt - a.addedAt), ...jobs.filter((job) => !isDead(job))].slice(0, mostJobs);
    return { kinds: kinds.map(kindView), latest: latest.map(jobView), nJobs: jobs.length };
  }

  async #job(id: string): Promise<{ readonly queue: NonNullable<OperationsSources['queue']>; readonly job: KeptJob }> {
    const { queue } = this.#sources;
    const job = await queue?.get(id);
    if (queue === undefined || job === undefined) throw jobError('JOB_ERR_UNKNOWN', 'another id');
    return { queue, job };
  }

  #delivery(id: string): { readonly outbox: Spool['outbox']; readonly job: OutboxJob } {
    const outbox = this.#sources.spool?.outbox;
    const job = outbox?.get(id);
    if (outbox === undefined || job === undefined) throw outboxError('OUTBOX_ERR_UNKNOWN_JOB', 'another id');
    return { outbox, job };
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function statsView({ destination, waiting, sending, dead, oldestAt, tally }: OutboxStats): OperationsView['outbox']['destinations'][number] {
  return { destination, waiting, sending, dead, ...(oldestAt !== undefined && { oldestAt }), ...tally };
}

function outboxJobView({ id, destination, examId: place, state, attempts, instances, acknowledged, isIncomplete, createdAt, nextAttemptAt, lastError }: OutboxJob): OutboxJobView {
  return {
    id, destination, ...placeOf(place), state, attempts, nInstances: instances.length, nAcknowledged: acknowledged.length,
    isIncomplete, createdAt, nextAttemptAt, ...(lastError !== undefined && { lastError: reasonView(lastError) }),
  };
}

function kindView({ oldestAt, ...stats }: JobStats): NonNullable<OperationsView['jobs']>['kinds'][number] {
  return { ...stats, ...(oldestAt !== undefined && { oldestAt }) };
}

function jobView({ id, kind, examId, state, isCancelled = false, lane, node, progress, attempts, addedAt, notBefore, lastError }: KeptJob): JobView {
  return {
    id, kind, ...(examId !== undefined && placeOf(examId)), state, isCancelled, attempts, addedAt,
    ...(lane !== undefined && { lane }), ...(node !== undefined && { node }), ...(progress !== undefined && { progress }),
    ...(notBefore !== undefined && { notBefore }), ...(lastError !== undefined && { lastError: reasonView(lastError) }),
  };
}

/** What is worked for is an exam, or a series of one. */
function placeOf(place: string): { readonly examId: string; readonly seriesId?: string } {
  const [examId, seriesId] = place.split('/') as [string, string | undefined];
  return { examId, ...(seriesId !== undefined && { seriesId }) };
}

const reasonView = ({ code, message }: Reason) => ({ code, text: message });

const factsOf = ({ id, kind, examId }: KeptJob) => ({ job: id, kind, ...(examId !== undefined && { exam: examId }) });

const wrongState = ({ state, isCancelled }: KeptJob, what: string) => operationsError('CONUS_ERR_JOB_STATE', `a job that is ${isCancelled ? 'being cancelled' : state}, to be ${what}`);
