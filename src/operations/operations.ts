/** How the service is doing, and the little that can be done about it: tries a delivery again, gives one up, asks a destination whether it answers. */
import { readFile, statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { CodedError } from 'ismrmrd';
import type { ModelHost } from '../../models/index.js';
import { dicomError } from '../dicom/index.js';
import type { PartHealth } from '../http/index.js';
import type { Logger } from '../log.js';
import { outboxError } from '../outbox/index.js';
import type { Destination } from '../outbox/index.js';
import type { OutboxJob, OutboxStats, Spool } from '../spool/index.js';
import { VERSION } from '../version.js';
import { operationsError } from './errors.js';
import type { EchoView, JobView, OperationsView } from './schema.js';

export interface OperationsSources {
  readonly health: () => readonly PartHealth[];
  /** Absent without a data folder. */
  readonly spool: Pick<Spool, 'outbox' | 'room' | 'directory'> | undefined;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly models: Pick<ModelHost, 'entries' | 'health'>;
  readonly picturesBytes: () => number;
  readonly sessionsOpen: () => number;
  readonly log: Logger;
}

const mostJobs = 200;
/** A peer that does not answer by then is away, whatever its own time-out is. */
const ECHO_MS = 15_000;

export class Operations {
  readonly #sources: OperationsSources;
  readonly #startedAt = Date.now();

  constructor(sources: OperationsSources) {
    this.#sources = sources;
  }

  async view(): Promise<OperationsView> {
    const { health, spool, destinations, models, picturesBytes, sessionsOpen } = this.#sources;
    const host = models.health();
    const runs = new Map(host.models.map((model) => [model.id, model]));
    const { rss, heapUsed, external } = process.memoryUsage();
    const stats = spool?.outbox.stats() ?? [];
    return {
      version: VERSION,
      startedAt: this.#startedAt,
      health: health().map(({ part, trouble }) => ({ part, ...(trouble !== undefined && { trouble }) })),
      outbox: {
        destinations: stats.map(statsView).sort((a, b) => (a.destination < b.destination ? -1 : 1)),
        jobs: (spool?.outbox.latest(mostJobs) ?? []).map(jobView),
        nJobs: stats.reduce((sum, { waiting, sending, dead }) => sum + waiting + sending + dead, 0),
      },
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

  /** A job that waits or was given up has all its attempts again, the first of them now. @throws CodedError OUTBOX_ERR_UNKNOWN_JOB, CONUS_ERR_JOB_STATE */
  async retry(jobId: string, by: string): Promise<JobView> {
    const { outbox, job } = this.#job(jobId);
    if ((await outbox.retry([jobId])) === 0) throw operationsError('CONUS_ERR_JOB_STATE', `a job that is ${outbox.get(jobId)?.state ?? 'gone'}, to be tried again`);
    this.#sources.log.info({ job: jobId, destination: job.destination, by }, 'a delivery is tried again, as was asked');
    return jobView(outbox.get(jobId) ?? job);
  }

  /** Only what was given up: nothing that may still come is taken away. @throws CodedError OUTBOX_ERR_UNKNOWN_JOB, CONUS_ERR_JOB_STATE */
  async drop(jobId: string, by: string): Promise<void> {
    const { outbox, job } = this.#job(jobId);
    if ((await outbox.drop([jobId], ['dead'])) === 0) throw operationsError('CONUS_ERR_JOB_STATE', `a job that is ${outbox.get(jobId)?.state ?? 'gone'}, to be dropped`);
    this.#sources.log.warn({ job: jobId, destination: job.destination, exam: job.examId, instances: job.instances.length, by }, 'a delivery was dropped, as was asked');
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

  #job(id: string): { readonly outbox: Spool['outbox']; readonly job: OutboxJob } {
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

function jobView({ id, destination, examId: place, state, attempts, instances, acknowledged, isIncomplete, createdAt, nextAttemptAt, lastError }: OutboxJob): JobView {
  const [examId, seriesId] = place.split('/') as [string, string | undefined];
  return {
    id, destination, examId, ...(seriesId !== undefined && { seriesId }), state, attempts, nInstances: instances.length, nAcknowledged: acknowledged.length,
    isIncomplete, createdAt, nextAttemptAt, ...(lastError !== undefined && { lastError: { code: lastError.code, text: lastError.message } }),
  };
}
