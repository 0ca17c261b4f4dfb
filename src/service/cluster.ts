/**
 * What a node shares with others: records, exams and jobs on a server, images and raw data in a store. In its data folder
 * are a copy of the records and what is being recorded, nothing that others would miss.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterError, ClusterRecords, connectRedis, durabilityOf, keyOf, Nodes, withPassword } from '../cluster/index.js';
import type { NodeRecord } from '../cluster/index.js';
import type { Protocol } from '../../protocols/index.js';
import type { ClusterConfig } from '../config/cluster.js';
import type { JobsConfig } from '../config/jobs.js';
import type { StorageConfig } from '../config/storage.js';
import type { SharedExams } from '../exams/index.js';
import { jobLimitsOf, openBullJobs } from '../jobs/index.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import { lockNodeDirectory, sharedSpool } from '../spool/index.js';
import type { QuotaOptions, Spool } from '../spool/index.js';
import { openStorage, SharedObjectStore } from '../storage/index.js';
import type { BlobStore } from '../storage/index.js';
import { VERSION } from '../version.js';
import { dataPart } from './data.js';
import type { Data } from './data.js';
import { measuredStore, timedQueue } from './measured.js';

export interface ClusterOptions {
  readonly config: ClusterConfig;
  readonly storage: StorageConfig;
  /** What every node must have alike, beside its protocols; any JSON. */
  readonly alike: unknown;
}

/** A node among others. */
export interface ClusterNode {
  /** Of this run of it. */
  readonly boot: string;
  readonly exams: SharedExams;
  /** What else is to be done for a node that is no more; before the start. What is done may be done twice. */
  onTakeOver(work: (boot: string) => Promise<unknown>): void;
  /** From now on it is known to live, and sees whether others do. @param protocols which every node must have alike */
  start(protocols: readonly Protocol[]): Promise<void>;
  readonly nodes: readonly NodeRecord[];
  /** Resolves with why this node cannot go on. */
  readonly lost: Promise<unknown>;
}

async function addressOf({ redisUrl, passwordFile }: ClusterConfig): Promise<{ readonly redisUrl: string }> {
  if (redisUrl === undefined) throw clusterError('CLUSTER_ERR_REDIS', 'no address');
  return { redisUrl: passwordFile === undefined ? redisUrl : withPassword(redisUrl, (await readFile(passwordFile, 'utf8')).trim()) };
}

async function storeOf(storage: StorageConfig): Promise<BlobStore> {
  const store = await openStorage(storage);
  if (store === undefined) throw clusterError('CLUSTER_ERR_INCOMPLETE', 'cluster.redisUrl without a storage');
  return store;
}

/** What nodes share, for a command beside them: it does no jobs and is no node. @throws CodedError CLUSTER_ERR_*, STORAGE_ERR_* */
export async function clusterBeside(config: ClusterConfig, storage: StorageConfig, log: Logger): Promise<Spool> {
  const { prefix, patienceS } = config;
  const address = await addressOf(config);
  const store = await storeOf(storage);
  const folder = await mkdtemp(join(tmpdir(), 'conus-'));
  const boot = `command-${randomBytes(6).toString('hex')}`;
  const [redis, reader] = [await connectRedis(address), await connectRedis(address)];
  const records = await ClusterRecords.open({ redis, reader, prefix, boot, folder, patienceMs: patienceS * 1000, log, onLost: () => undefined });
  return sharedSpool({
    directory: folder, records, quota: undefined, freeBytes: () => store.freeBytes(),
    objectsIn: (room) => new SharedObjectStore({ records, store, room, boot }),
    close: async () => {
      await records.close();
      await redis.hdel(keyOf(prefix, 'commits'), boot);
      redis.disconnect();
      await rm(folder, { recursive: true, force: true });
    },
  });
}

/** @throws CodedError CLUSTER_ERR_*, STORAGE_ERR_*, SPOOL_ERR_LOCKED */
export async function startCluster(
  { folder, quota, jobs, node }: { readonly folder: string; readonly quota?: Partial<QuotaOptions> | undefined; readonly jobs: JobsConfig; readonly node: string },
  { config, storage, alike }: ClusterOptions, log: Logger, metrics: Metrics,
): Promise<Data> {
  const { redisUrl, passwordFile, prefix, patienceS } = config;
  if (redisUrl === undefined) throw clusterError('CLUSTER_ERR_REDIS', 'no address');
  const opened = await openStorage(storage);
  if (opened === undefined) throw clusterError('CLUSTER_ERR_INCOMPLETE', 'cluster.redisUrl without a storage');
  const store = measuredStore(opened, metrics);
  const address = { redisUrl: passwordFile === undefined ? redisUrl : withPassword(redisUrl, (await readFile(passwordFile, 'utf8')).trim()) };
  const boot = `${node}-${randomBytes(6).toString('hex')}`;
  const undo: (() => unknown)[] = [];
  const undone = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const lock = await lockNodeDirectory(folder);
    undo.push(() => lock.release());
    let away: string | undefined;
    let isClosing = false;
    const redis = await connectRedis(address, (trouble) => {
      away = trouble;
      if (isClosing) return;
      if (trouble === undefined) log.info('the server that nodes share is there');
      else log.error({ code: 'CLUSTER_ERR_REDIS', reason: trouble }, 'the server that nodes share is away: what is to be kept waits for it');
    });
    undo.push(() => {
      isClosing = true;
      redis.disconnect();
    });
    for (const { code, message } of await durabilityOf(redis)) log.warn({ code }, message);
    let lose: (error: unknown) => void = () => undefined;
    const lost = new Promise<unknown>((resolve) => (lose = resolve));
    const records = await ClusterRecords.open({
      redis, reader: await connectRedis(address), prefix, boot, folder, patienceMs: patienceS * 1000, log, onLost: lose,
    });
    undo.push(() => records.close());
    metrics.watchRecords(() => records.stats);
    const takeOvers: ((boot: string) => Promise<unknown>)[] = [];
    let releasePins: (boot: string) => Promise<void> = () => Promise.resolve();
    const spool = sharedSpool({
      directory: folder, records, quota, freeBytes: () => store.freeBytes(), close: undone,
      objectsIn: (room) => {
        const objects = new SharedObjectStore({ records, store, room, boot });
        releasePins = (of) => objects.releasePins(of);
        return objects;
      },
    });
    takeOvers.push(releasePins);
    const nodes = new Nodes({
      redis, prefix, records, log, own: { boot, name: node, version: VERSION, startedAt: Date.now() },
      takeOver: async (dead) => {
        await records.caughtUp();
        for (const work of takeOvers) await work(dead);
      },
    });
    undo.push(() => nodes.close());
    // While others still see that this node lives: then nobody has to take over what it put and nobody came to hold.
    undo.push(() => releasePins(boot).catch(() => undefined));
    const queue = timedQueue(await openBullJobs({ ...address, prefix, node, limits: jobLimitsOf(jobs), log }), metrics);
    const part = dataPart(spool, log);
    return {
      spool, queue, store,
      caughtUp: () => records.caughtUp(),
      part: { ...part, trouble: () => (away === undefined ? (nodes.trouble ?? part.trouble?.()) : 'the server that nodes share is away') },
      cluster: {
        boot, lost,
        get nodes() {
          return nodes.all;
        },
        exams: {
          tell: (message) => records.tell('exams', message),
          isAway: () => records.isGivenUp,
          hear: (hearer) => records.hear('exams', hearer),
          transaction: (work) => records.transaction(work),
          places: records.table('own.exams.places'),
        },
        onTakeOver: (work) => takeOvers.push(work),
        start: (protocols) => nodes.start(createHash('sha256').update(JSON.stringify([alike, protocols])).digest('hex')),
      },
    };
  } catch (error) {
    await undone();
    throw error;
  }
}
