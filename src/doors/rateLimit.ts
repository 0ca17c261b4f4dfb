/**
 * A token bucket a client: `burst` requests at once, `perSecond` in the long run.
 *
 *   level = min(burst, level + perSecond * dt); a request of cost c is let through where level >= c
 *
 * Clients that came longest ago are forgotten first; a forgotten client starts with a full bucket, so
 * many addresses of one attacker buy nothing but the bursts.
 */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

const MOST_CLIENTS = 10_000;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #nowMs: () => number;
  /** In the order of their last request. */
  readonly #buckets = new Map<string, { level: number; atMs: number }>();

  /** @param nowMs a clock that never goes back */
  constructor(limit: RateLimit, nowMs: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#nowMs = nowMs;
  }

  get nClients(): number {
    return this.#buckets.size;
  }

  /** Whether a request is let through; one that is not costs nothing. */
  take(client: string, cost = 1): boolean {
    const { perSecond, burst } = this.#limit;
    const atMs = this.#nowMs();
    const known = this.#buckets.get(client);
    const level = known === undefined ? burst : Math.min(burst, known.level + (perSecond * (atMs - known.atMs)) / 1000);
    const isEnough = level >= cost;
    this.#buckets.delete(client);
    this.#buckets.set(client, { level: isEnough ? level - cost : level, atMs });
    if (this.#buckets.size > MOST_CLIENTS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return isEnough;
  }

  /** Takes what is there, up to the cost: for what was let through and should not have been asked. */
  charge(client: string, cost: number): void {
    const bucket = this.#buckets.get(client);
    if (bucket !== undefined) bucket.level = Math.max(0, bucket.level - cost);
  }
}
