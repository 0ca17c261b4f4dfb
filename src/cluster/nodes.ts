/**
 * Which nodes there are, and which are no more. Every run of a node (a boot) signs itself in among the records and keeps a
 * sign of life with the server, which fades. What a boot left undone is taken over by the others when its sign has faded;
 * several may do so at once, and it must make no difference. Nobody is judged before everybody could have given a sign:
 * after the server was away, all signs are old.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from '../log.js';
import type { Table } from '../spool/index.js';
import { clusterWarning } from './errors.js';
import { keyOf } from './records.js';
import type { ClusterRecords } from './records.js';

export interface NodeRecord {
  readonly boot: string;
  /** For people. */
  readonly name: string;
  readonly version: string;
  /** ms since 1970 */
  readonly startedAt: number;
  /** Of what every node must have alike. */
  readonly settingsSha256: string;
}

export interface NodesOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly records: ClusterRecords;
  readonly own: Omit<NodeRecord, 'settingsSha256'>;
  /** Ends what a boot that is no more had begun. What it does it may do twice. */
  readonly takeOver: (boot: string) => Promise<void>;
  readonly log: Logger;
  readonly timesMs?: Partial<Record<keyof typeof nodeTimesMs, number>>;
}

/** For signing off. */
const CLOSE_MS = 3000;

export const nodeTimesMs = { sign: 2000, fades: 10_000, look: 2000 } as const;

export class Nodes {
  readonly #options: NodesOptions;
  readonly #times: { readonly sign: number; readonly fades: number; readonly look: number };
  readonly #table: Table<NodeRecord>;
  readonly #takenOver = new Set<string>();
  /** That gave no sign at the last look. */
  readonly #missed = new Set<string>();
  #own: NodeRecord | undefined;
  #signTimer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  /** When the last sign came through, and since when they have without a break. */
  #signedAt = -Infinity;
  #unbrokenSince = Infinity;
  #looking: Promise<unknown> = Promise.resolve();

  constructor(options: NodesOptions) {
    this.#options = options;
    this.#times = { ...nodeTimesMs, ...options.timesMs };
    this.#table = options.records.table('cluster.nodes');
  }

  get all(): NodeRecord[] {
    return [...this.#table.range()].map(({ value }) => value).sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Why nobody would know that this node lives. */
  get trouble(): string | undefined {
    return performance.now() - this.#signedAt > this.#times.fades ? 'no connection to the server that nodes share' : undefined;
  }

  /** @param settingsSha256 of what every node must have alike */
  async start(settingsSha256: string): Promise<void> {
    const { log } = this.#options;
    const own: NodeRecord = { ...this.#options.own, settingsSha256 };
    this.#own = own;
    await this.#sign();
    await this.#options.records.transaction(() => this.#table.put(own.boot, own));
    const others = this.all.filter((other) => other.settingsSha256 !== settingsSha256 || other.version !== own.version);
    if (others.length > 0) log.warn(clusterWarning('CLUSTER_WARN_DIFFERENT', `others on ${others.map(({ name }) => name).join(', ')}`));
    this.#signTimer = setInterval(() => void this.#sign(), this.#times.sign).unref();
    this.#lookTimer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, this.#times.look).unref();
  }

  /** This boot ends in order: nothing is left to take over. */
  async close(): Promise<void> {
    clearInterval(this.#signTimer);
    clearInterval(this.#lookTimer);
    const { records, own, redis, prefix } = this.#options;
    // Where the server is away there is nobody to sign off from, and what was asked is not answered.
    if (redis.status !== 'ready') return;
    const signedOff = this.#looking
      .then(() => records.transaction(() => this.#table.remove(own.boot)))
      .then(() => redis.hdel(keyOf(prefix, 'commits'), own.boot))
      .catch(() => undefined);
    await Promise.race([signedOff, sleep(CLOSE_MS, undefined, { ref: false })]);
  }

  async #sign(): Promise<void> {
    const { redis, prefix, own } = this.#options;
    if (redis.status !== 'ready') {
      this.#unbrokenSince = Infinity;
      return;
    }
    await redis.set(keyOf(prefix, `alive:${own.boot}`), own.name, 'PX', this.#times.fades).catch(() => undefined);
    const now = performance.now();
    if (now - this.#signedAt > this.#times.fades) this.#unbrokenSince = now;
    this.#signedAt = now;
    this.#unbrokenSince = Math.min(this.#unbrokenSince, now);
    // One that was taken for dead is there again.
    if (this.#signTimer !== undefined && this.#own !== undefined && this.#table.get(own.boot) === undefined) this.#table.put(own.boot, this.#own);
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { redis, prefix, records, own, takeOver, log } = this.#options;
    if (redis.status !== 'ready' || performance.now() - this.#unbrokenSince < 2 * this.#times.fades) return;
    for (const { boot, name } of this.all) {
      if (boot === own.boot || this.#takenOver.has(boot)) continue;
      try {
        const givesSigns = (await redis.exists(keyOf(prefix, `alive:${boot}`))) === 1;
        // Twice: a machine that stood still for a while, this one or the other, gives its sign before the second look.
        const wasMissed = this.#missed.delete(boot);
        if (!givesSigns && !wasMissed) this.#missed.add(boot);
        if (givesSigns || !wasMissed) continue;
        log.warn({ node: name, boot }, 'a node is no more: what it had begun is taken over');
        await takeOver(boot);
        await records.transaction(() => this.#table.remove(boot));
        await redis.hdel(keyOf(prefix, 'commits'), boot);
        this.#takenOver.add(boot);
      } catch (error) {
        log.error({ node: name, code: (error as { code?: string }).code ?? 'unknown' }, 'what a node had begun could not be taken over yet');
      }
    }
  }
}
