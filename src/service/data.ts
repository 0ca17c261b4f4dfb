/** The part that keeps what must survive the process, and the queue of what is still to be done. */
import { hostname } from 'node:os';
import { jobsSection } from '../config/jobs.js';
import type { JobsConfig } from '../config/jobs.js';
import { EmbeddedJobs, jobLimitsOf } from '../jobs/index.js';
import type { JobQueue } from '../jobs/index.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import { openSpool } from '../spool/index.js';
import type { QuotaOptions, Spool } from '../spool/index.js';
import type { BlobStore } from '../storage/index.js';
import { startCluster } from './cluster.js';
import type { ClusterNode, ClusterOptions } from './cluster.js';
import { timedQueue } from './measured.js';
import type { ServicePart } from './parts.js';

export interface DataOptions {
  readonly folder: string;
  readonly quota?: Partial<QuotaOptions>;
  readonly jobs?: JobsConfig;
  /** Name of this node; that of its host where absent. */
  readonly node?: string | undefined;
  /** What it shares with others; absent where it is alone. */
  readonly cluster?: ClusterOptions | undefined;
}

export interface Data {
  readonly part: ServicePart;
  readonly spool: Spool;
  /** Not started yet: whoever does jobs says so before. */
  readonly queue: JobQueue;
  /** Resolves when everything is known here that was kept anywhere before; at once where this node is alone. */
  readonly caughtUp: () => Promise<void>;
  /** Where nodes share images and raw data; both absent where this node is alone. */
  readonly store?: BlobStore;
  readonly cluster?: ClusterNode;
}

/** @throws CodedError SPOOL_ERR_LOCKED, SPOOL_ERR_SCHEMA, SPOOL_ERR_UNREADABLE, CLUSTER_ERR_*, STORAGE_ERR_* */
export async function startData({ folder, quota, jobs = jobsSection.parse({}), node = hostname(), cluster }: DataOptions, log: Logger, metrics: Metrics): Promise<Data> {
  if (cluster !== undefined) return startCluster({ folder, quota, jobs, node }, cluster, log, metrics);
  const spool = await openSpool(folder, quota);
  if (spool.nInterrupted > 0) log.warn({ jobs: spool.nInterrupted }, 'deliveries that the end of the last process cut are taken up again');
  return {
    spool,
    queue: timedQueue(new EmbeddedJobs({ records: spool.records, limits: jobLimitsOf(jobs), node, log }), metrics),
    caughtUp: () => Promise.resolve(),
    part: dataPart(spool, log),
  };
}

export function dataPart(spool: Spool, log: Logger): ServicePart {
  spool.room.on('full', (state) => log.error({ code: 'SPOOL_ERR_FULL', ...state }, 'no room for images: they go back to the scanner and nowhere else'));
  spool.room.on('room', (state) => log.info(state, 'room for images again'));
  return {
    name: 'data',
    trouble: () => (spool.room.state.isFull ? 'no room for images' : undefined),
    close: () => spool.close(),
  };
}
