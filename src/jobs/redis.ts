/** The connection of a node to the Redis (or Valkey) that a cluster shares. Loaded only where there is one. */
import type { Redis } from 'ioredis';
import type { Logger } from '../log.js';

const LONGEST_PAUSE_MS = 1000;

/**
 * Commands wait while it is away, and go on when it is back; nothing is thrown for that.
 * @param what of the log: what cannot go on while it is away
 */
export async function connectRedis(redisUrl: string, what: string, log: Logger): Promise<Redis> {
  const { Redis } = await import('ioredis');
  const client = new Redis(redisUrl, { maxRetriesPerRequest: null, retryStrategy: (nTries) => Math.min(100 * nTries, LONGEST_PAUSE_MS) });
  let isAway = false;
  // Each failed try is an error event; the first one says it.
  client.on('error', (error: NodeJS.ErrnoException) => {
    if (!isAway) log.error({ code: error.code ?? error.name }, `Redis cannot be reached: ${what} waits for it`);
    isAway = true;
  });
  client.on('ready', () => {
    if (isAway) log.info(`Redis is back: ${what} goes on`);
    isAway = false;
  });
  return client;
}
