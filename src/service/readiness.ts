/**
 * Whether a node wants work: not while it starts, and not while it drains. A balancer asks `/ready` and needs some
 * seconds to notice that the answer has changed; until then what it still sends is served as ever.
 *
 *   starting ──▶ ready ◀──▶ draining (an operator's, who may think better of it) ──▶ the end
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Phase } from '../http/index.js';

export class Readiness {
  #hasStarted = false;
  #drainingSince: number | undefined;

  get phase(): Phase {
    if (this.#drainingSince !== undefined) return 'draining';
    return this.#hasStarted ? 'ready' : 'starting';
  }

  /** Everything is there. */
  started(): void {
    this.#hasStarted = true;
  }

  drain(): void {
    this.#drainingSince ??= performance.now();
  }

  /** Takes a wish to drain back. */
  resume(): void {
    this.#drainingSince = undefined;
  }

  /** Drains; resolves when it has done so for a while, which may have begun long ago. */
  async drained(ms: number): Promise<void> {
    this.drain();
    const leftMs = this.#drainingSince! + ms - performance.now();
    if (leftMs > 0) await sleep(leftMs);
  }
}
