/**
 * Connections to the server that nodes share. They come back by themselves; a command that was under way when one broke
 * is sent again, so every command that writes must bear being done twice.
 */
import type { Redis } from 'ioredis';
import { clusterError, clusterWarning } from './errors.js';
import type { ReconNotice } from '../../recon/index.js';

/** Between two tries to connect. */
const RETRY_MS = { first: 50, longest: 500 } as const;
/** How long a node that starts waits for the server. */
const START_MS = 15_000;

/**
 * @param redisUrl redis:// or rediss://, with user, password and database where they are needed
 * @param onTrouble is told the state whenever it changes: undefined when there is a connection, else why not
 * @throws CodedError CLUSTER_ERR_REDIS where none answers now
 */
export async function connectRedis({ redisUrl }: { readonly redisUrl: string }, onTrouble: (code: string | undefined) => void = () => undefined, startMs = START_MS): Promise<Redis> {
  // The client is a dependency of clusters only.
  const { Redis } = await import('ioredis');
  const redis = new Redis(redisUrl, {
    maxRetriesPerRequest: null, lazyConnect: true, enableReadyCheck: true,
    retryStrategy: (times) => Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** Math.min(times, 10)),
  });
  let trouble: string | undefined;
  const tell = (next: string | undefined) => {
    const isNews = (next === undefined) !== (trouble === undefined);
    trouble = next;
    if (isNews) onTrouble(next);
  };
  let lastError = 'no answer';
  redis.on('error', (error: NodeJS.ErrnoException) => (lastError = error.code ?? error.name));
  redis.on('close', () => tell(lastError));
  redis.on('ready', () => tell(undefined));
  const timeout = new Promise<never>((_, reject) => setTimeout(() => reject(clusterError('CLUSTER_ERR_REDIS', lastError)), startMs).unref());
  redis.connect().catch(() => undefined);
  try {
    await Promise.race([ready(redis), timeout]);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}

function ready(redis: Redis): Promise<void> {
  return new Promise((resolve) => redis.once('ready', () => resolve()));
}

/** Why an acknowledged write may be lost, where the server tells its settings. */
export async function durabilityOf(redis: Redis): Promise<ReconNotice[]> {
  const wanted = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' } as const;
  const found: string[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    // Hosted servers do not let anybody ask.
    const [, is] = (await redis.config('GET', name).catch(() => [])) as string[];
    if (is !== undefined && is !== value) found.push(`${name} ${is}`);
  }
  return found.length === 0 ? [] : [clusterWarning('CLUSTER_WARN_NOT_DURABLE', found.join(', '))];
}

/** The address with a password that was kept apart from it. */
export function withPassword(redisUrl: string, password: string): string {
  const url = new URL(redisUrl);
  url.password = encodeURIComponent(password);
  return url.href;
}
