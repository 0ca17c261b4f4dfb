/**
 * When what failed is tried again: exponential back-off with full jitter, so that many jobs whose
 * receiver comes back do not all come at once.
 *
 *   delay = uniform(0, min(longest, first * 2^(attempts - 1)))
 *
 * Brooker M. Exponential Backoff and Jitter. AWS Architecture Blog, 2015.
 */
export interface BackOff {
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * @param attempts that failed so far, 1 or more
 * @param random in [0, 1)
 */
export function backOffMs(attempts: number, { firstDelayMs, longestDelayMs }: BackOff, random: number): number {
  return random * Math.min(longestDelayMs, firstDelayMs * 2 ** (attempts - 1));
}
