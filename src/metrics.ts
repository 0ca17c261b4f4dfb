/** Counters of the service for Prometheus. Sessions are counted when they end. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { SessionSummary } from './session/index.js';
import type { OutboxStats, Spool } from './spool/index.js';

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

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

  constructor() {
    const registers = [this.registry];
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

  /** Reads the data directory whenever the metrics are read. */
  watchSpool(spool: Spool, nSessionsNotKept: () => number): void {
    const registers = [this.registry];
    const counted = (name: string, help: string, value: (stats: OutboxStats) => number) =>
      new Counter({
        name, help, labelNames: ['destination'], registers,
        collect() {
          this.reset();
          for (const stats of spool.outbox.stats()) this.inc({ destination: stats.destination }, value(stats));
        },
      });
    const perDestination = (name: string, help: string, value: (stats: OutboxStats) => number) =>
      new Gauge({
        name, help, labelNames: ['destination'], registers,
        collect() {
          this.reset();
          for (const stats of spool.outbox.stats()) this.set({ destination: stats.destination }, value(stats));
        },
      });
    const overall = (name: string, help: string, value: () => number) =>
      new Gauge({
        name, help, registers,
        collect() {
          this.set(value());
        },
      });
    perDestination('conus_outbox_jobs', 'Series that wait for delivery or are being sent.', ({ waiting, sending }) => waiting + sending);
    perDestination('conus_outbox_dead_jobs', 'Series that were given up, until an operator retries or drops them.', ({ dead }) => dead);
    perDestination('conus_outbox_oldest_seconds', 'Age of the oldest series that is not delivered.', ({ oldestAt }) =>
      oldestAt === undefined ? 0 : Math.max(0, Date.now() - oldestAt) / 1000);
    counted('conus_outbox_delivered_instances_total', 'Instances that receivers acknowledged, re-sent ones not counted.', ({ tally }) => tally.instancesDelivered);
    counted('conus_outbox_resent_instances_total', 'Instances acknowledged that may have been there already.', ({ tally }) => tally.instancesResent);
    overall('conus_spool_used_bytes', 'Bytes of objects and raw data in the data directory.', () => spool.room.state.usedBytes);
    overall('conus_spool_quota_bytes', 'Most bytes that the data directory may hold.', () => spool.room.state.quotaBytes);
    overall('conus_spool_full', '1 while there is no room for images.', () => (spool.room.state.isFull ? 1 : 0));
    new Counter({
      name: 'conus_sessions_not_kept_total', help: 'Sessions since the start whose images could not be kept for delivery.', registers,
      collect() {
        this.reset();
        this.inc(nSessionsNotKept());
      },
    });
  }
}
