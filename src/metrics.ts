/**
 * Counters of the service for Prometheus, all of them with the node that they are of. Sessions are counted when they
 * end; what others count is read whenever the metrics are. docs/metrics.md lists them, and a test holds it to that.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { HostHealth } from '../models/index.js';
import type { SessionSummary } from './session/index.js';
import type { Spool } from './spool/index.js';
import { VERSION } from './version.js';

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Of jobs of one kind, over all nodes that share a queue. */
export interface JobFigures {
  readonly kind: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly dead: number;
  /** When the oldest that has not ended was added, ms since 1970. */
  readonly oldestAt: number | undefined;
  readonly tally: Readonly<Record<'done' | 'failed' | 'dead' | 'cancelled', number>>;
}

/** Of the records that nodes share. */
export interface RecordsFigures {
  readonly nCommits: number;
  /** Transactions that ran again because what they had read was changed meanwhile. */
  readonly nConflicts: number;
  /** From the wish to write to its being kept and read on this node, of the last one. */
  readonly lastCommitMs: number;
}

export type StorageOperation = 'put' | 'get' | 'look' | 'remove' | 'check';

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

const modelStates = ['listed', 'ready', 'refused'] as const;
const ageS = (since: number | undefined) => (since === undefined ? 0 : Math.max(0, Date.now() - since) / 1000);

export class Metrics {
  readonly registry = new Registry();
  readonly #open: Gauge;
  #nOpen = 0;
  readonly #sessions: Counter<'chain' | 'outcome'>;
  readonly #bytes: Counter;
  readonly #readouts: Counter;
  readonly #images: Counter<'direction'>;
  readonly #errors: Counter<'code'>;
  readonly #remarks: Counter<'code'>;
  readonly #stages: Histogram<'stage'>;
  readonly #duration: Histogram;
  readonly #latency: Histogram;
  readonly #jobSeconds: Histogram<'kind' | 'outcome'>;
  readonly #dicomReceived: Counter;
  readonly #dicomRefused: Counter<'code'>;
  readonly #notDelivered: Counter<'destination' | 'code'>;
  readonly #storageSeconds: Histogram<'operation'>;
  readonly #storageBytes: Counter<'operation'>;
  readonly #storageErrors: Counter<'operation' | 'code'>;

  /** @param node that everything here is of; one that is alone needs no name */
  constructor(node?: string) {
    const registers = [this.registry];
    if (node !== undefined) this.registry.setDefaultLabels({ node });
    collectDefaultMetrics({ register: this.registry });
    this.#open = new Gauge({ name: 'conus_sessions_open', help: 'Sessions now open.', registers });
    this.#sessions = new Counter({
      name: 'conus_sessions_total', help: 'Sessions that ended, by chain and outcome.', labelNames: ['chain', 'outcome'], registers,
    });
    this.#bytes = new Counter({ name: 'conus_received_bytes_total', help: 'Bytes of MRD streams received.', registers });
    this.#readouts = new Counter({ name: 'conus_readouts_total', help: 'Acquisitions received.', registers });
    this.#images = new Counter({
      name: 'conus_images_total', help: 'Images received and sent.', labelNames: ['direction'], registers,
    });
    this.#errors = new Counter({
      name: 'conus_errors_total', help: 'Sessions that ended with an error, by code.', labelNames: ['code'], registers,
    });
    this.#remarks = new Counter({
      name: 'conus_remarks_total', help: 'Sessions with a remark, by code.', labelNames: ['code'], registers,
    });
    this.#stages = new Histogram({
      name: 'conus_stage_seconds', help: 'Time a session spent in a stage, over all threads.', labelNames: ['stage'], buckets: secondsBuckets, registers,
    });
    this.#duration = new Histogram({
      name: 'conus_session_seconds', help: 'Duration of sessions.', buckets: secondsBuckets, registers,
    });
    this.#latency = new Histogram({
      name: 'conus_last_readout_to_image_seconds', help: 'From the last readout of a session to its last image.', buckets: secondsBuckets, registers,
    });
    this.#jobSeconds = new Histogram({
      name: 'conus_job_seconds', help: 'Duration of jobs that this node did, by kind and outcome.', labelNames: ['kind', 'outcome'], buckets: secondsBuckets, registers,
    });
    this.#dicomReceived = new Counter({ name: 'conus_dicom_received_instances_total', help: 'Instances received by C-STORE and kept.', registers });
    this.#dicomRefused = new Counter({
      name: 'conus_dicom_refused_instances_total', help: 'Instances that came by C-STORE and were not taken, by code.', labelNames: ['code'], registers,
    });
    this.#notDelivered = new Counter({
      name: 'conus_delivery_failed_instances_total', help: 'Instances that a destination did not acknowledge in an attempt, by code.', labelNames: ['destination', 'code'], registers,
    });
    this.#storageSeconds = new Histogram({
      name: 'conus_storage_seconds', help: 'Duration of calls of the storage of objects and raw data.', labelNames: ['operation'], buckets: secondsBuckets, registers,
    });
    this.#storageBytes = new Counter({
      name: 'conus_storage_bytes_total', help: 'Bytes put into the storage and got from it, those of whole files left out.', labelNames: ['operation'], registers,
    });
    this.#storageErrors = new Counter({
      name: 'conus_storage_errors_total', help: 'Calls of the storage that failed, by code.', labelNames: ['operation', 'code'], registers,
    });
    this.#read('gauge', 'conus_build_info', 'Always 1; the version of the software and of Node.js.', ['version', 'runtime'], () => [{ labels: { version: VERSION, runtime: process.version }, value: 1 }]);
  }

  get nSessionsOpen(): number {
    return this.#nOpen;
  }

  sessionOpened(): void {
    this.#nOpen++;
    this.#open.inc();
  }

  sessionClosed(summary: SessionSummary): void {
    this.#nOpen--;
    this.#open.dec();
    this.#sessions.inc({ chain: summary.chain, outcome: summary.outcome });
    this.#bytes.inc(summary.nBytesIn);
    this.#readouts.inc(summary.nReadouts);
    this.#images.inc({ direction: 'in' }, summary.nImagesIn);
    this.#images.inc({ direction: 'out' }, summary.nImagesOut);
    if (summary.errorCode !== undefined) this.#errors.inc({ code: summary.errorCode });
    for (const code of summary.noticeCodes) this.#remarks.inc({ code });
    for (const [stage, ms] of Object.entries(summary.stageMs)) this.#stages.observe({ stage }, ms / 1000);
    this.#duration.observe(summary.durationMs / 1000);
    if (summary.lastReadoutToLastImageMs !== undefined) this.#latency.observe(summary.lastReadoutToLastImageMs / 1000);
  }

  /** Times what performs jobs of a kind. */
  timed<Run, Result>(kind: string, perform: (run: Run) => Promise<Result>): (run: Run) => Promise<Result> {
    return async (run) => {
      const startedAt = performance.now();
      const ended = (outcome: string) => this.#jobSeconds.observe({ kind, outcome }, (performance.now() - startedAt) / 1000);
      try {
        const result = await perform(run);
        // What has to come again at another time is not done.
        ended(result === undefined ? 'done' : 'again');
        return result;
      } catch (error) {
        ended('failed');
        throw error;
      }
    };
  }

  dicomReceived(): void {
    this.#dicomReceived.inc();
  }

  dicomRefused(code: string): void {
    this.#dicomRefused.inc({ code });
  }

  notDelivered(destination: string, code: string): void {
    this.#notDelivered.inc({ destination, code });
  }

  /** A call of the storage has ended. @param code where it failed */
  storageCalled(operation: StorageOperation, ms: number, nBytes = 0, code?: string): void {
    this.#storageSeconds.observe({ operation }, ms / 1000);
    if (code !== undefined) this.#storageErrors.inc({ operation, code });
    else if (nBytes > 0) this.#storageBytes.inc({ operation }, nBytes);
  }

  watchReadiness(isReady: () => boolean): void {
    this.#read('gauge', 'conus_ready', '1 while the node wants work.', [], () => [{ value: isReady() ? 1 : 0 }]);
  }

  watchExams(states: () => Iterable<string>): void {
    this.#read('gauge', 'conus_exams', 'Exams in memory, by state.', ['state'], () => {
      const counts = new Map<string, number>();
      for (const state of states()) counts.set(state, (counts.get(state) ?? 0) + 1);
      return [...counts].map(([state, value]) => ({ labels: { state }, value }));
    });
  }

  watchModels(health: () => HostHealth): void {
    const perModel = (kind: 'gauge' | 'counter', name: string, help: string, value: (model: HostHealth['models'][number]) => number) =>
      this.#read(kind, name, help, ['model'], () => health().models.map((model) => ({ labels: { model: model.id }, value: value(model) })));
    perModel('counter', 'conus_model_runs_total', 'Runs of a model that gave outputs.', ({ nRuns }) => nRuns);
    perModel('counter', 'conus_model_failures_total', 'Runs of a model that failed.', ({ nFailures }) => nFailures);
    perModel('counter', 'conus_model_run_seconds_total', 'Time that runs of a model took by themselves.', ({ totalRunMs }) => totalRunMs / 1000);
    this.#read('gauge', 'conus_model_state', '1 for the state that a model is in: listed (not tried yet), ready or refused.', ['model', 'state'], () =>
      health().models.flatMap(({ id, state }) => modelStates.map((one) => ({ labels: { model: id, state: one }, value: one === state ? 1 : 0 }))));
    this.#read('gauge', 'conus_model_waiting', 'Runs that wait for the process of the models.', [], () => [{ value: health().nQueued }]);
    this.#read('counter', 'conus_model_host_starts_total', 'Starts of the process of the models.', [], () => [{ value: health().nStarts }]);
    this.#read('gauge', 'conus_model_host_resident_bytes', 'Resident memory of the process of the models.', [], () => [{ value: health().residentBytes }]);
  }

  /** Nodes that share a queue all tell the same of it. */
  watchJobs(figures: () => Promise<readonly JobFigures[]>): void {
    this.#read('gauge', 'conus_jobs', 'Jobs that have not ended, by kind and state; nodes that share a queue tell the same.', ['kind', 'state'], async () =>
      (await figures()).flatMap((job) => (['waiting', 'active', 'delayed', 'dead'] as const).map((state) => ({ labels: { kind: job.kind, state }, value: job[state] }))));
    this.#read('gauge', 'conus_job_oldest_seconds', 'Age of the oldest job of a kind that has not ended.', ['kind'], async () =>
      (await figures()).map(({ kind, oldestAt }) => ({ labels: { kind }, value: ageS(oldestAt) })));
    this.#read('counter', 'conus_jobs_ended_total', 'Jobs that ended, and attempts that failed, by kind; nodes that share a queue tell the same.', ['kind', 'outcome'], async () =>
      (await figures()).flatMap(({ kind, tally }) => Object.entries(tally).map(([outcome, value]) => ({ labels: { kind, outcome }, value }))));
  }

  watchRecords(figures: () => RecordsFigures): void {
    this.#read('counter', 'conus_records_commits_total', 'Transactions on the shared records that were kept.', [], () => [{ value: figures().nCommits }]);
    this.#read('counter', 'conus_records_conflicts_total', 'Transactions on the shared records that ran again.', [], () => [{ value: figures().nConflicts }]);
    this.#read('gauge', 'conus_records_commit_seconds', 'Time that the last transaction on the shared records took until it was kept and read here.', [], () => [{ value: figures().lastCommitMs / 1000 }]);
  }

  watchSpool(spool: Spool, nSessionsNotKept: () => number): void {
    const perDestination = (kind: 'gauge' | 'counter', name: string, help: string, value: (stats: ReturnType<Spool['outbox']['stats']>[number]) => number) =>
      this.#read(kind, name, help, ['destination'], () => spool.outbox.stats().map((stats) => ({ labels: { destination: stats.destination }, value: value(stats) })));
    perDestination('gauge', 'conus_outbox_jobs', 'Series that wait for delivery or are being sent.', ({ waiting, sending }) => waiting + sending);
    perDestination('gauge', 'conus_outbox_dead_jobs', 'Series that were given up, until an operator retries or drops them.', ({ dead }) => dead);
    perDestination('gauge', 'conus_outbox_oldest_seconds', 'Age of the oldest series that is not delivered.', ({ oldestAt }) => ageS(oldestAt));
    perDestination('counter', 'conus_outbox_delivered_instances_total', 'Instances that receivers acknowledged, re-sent ones not counted.', ({ tally }) => tally.instancesDelivered);
    perDestination('counter', 'conus_outbox_resent_instances_total', 'Instances acknowledged that may have been there already.', ({ tally }) => tally.instancesResent);
    this.#read('gauge', 'conus_spool_used_bytes', 'Bytes of objects and raw data in the data directory.', [], () => [{ value: spool.room.state.usedBytes }]);
    this.#read('gauge', 'conus_spool_quota_bytes', 'Most bytes that the data directory may hold.', [], () => [{ value: spool.room.state.quotaBytes }]);
    this.#read('gauge', 'conus_spool_full', '1 while there is no room for images.', [], () => [{ value: spool.room.state.isFull ? 1 : 0 }]);
    this.#read('counter', 'conus_sessions_not_kept_total', 'Sessions since the start whose images could not be kept for delivery.', [], () => [{ value: nSessionsNotKept() }]);
  }

  /** A metric that somebody else counts, read when the metrics are. Where it cannot be told now, it is not there. */
  #read(kind: 'gauge' | 'counter', name: string, help: string, labelNames: readonly string[], samples: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    const tell = async (set: (labels: Readonly<Record<string, string>>, value: number) => void) => {
      for (const { labels = {}, value } of await Promise.resolve().then(samples).catch(() => [])) set(labels, value);
    };
    const common = { name, help, labelNames: [...labelNames], registers: [this.registry] };
    if (kind === 'gauge') {
      new Gauge({
        ...common,
        collect() {
          this.reset();
          return tell((labels, value) => this.set(labels, value));
        },
      });
    } else {
      new Counter({
        ...common,
        collect() {
          this.reset();
          return tell((labels, value) => this.inc(labels, value));
        },
      });
    }
  }
}
