/** The gate of a node where the queue hands out one job after the other: a job waits a little at it, then somebody else may have it. */
import { admitted } from './gate.js';
import type { GateLimits } from './gate.js';
import type { NewJob } from './types.js';

interface Waiting {
  readonly job: NewJob;
  readonly answer: (isAdmitted: boolean) => void;
}

export class Admission {
  readonly #limits: GateLimits;
  readonly #running = new Set<NewJob>();
  #waiting: readonly Waiting[] = [];

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** @returns whether it may begin; then `leave` follows once it has ended */
  enter(job: NewJob, longestWaitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const answer = (isAdmitted: boolean) => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        resolve(isAdmitted);
      };
      const waiting = { job, answer };
      const timer = setTimeout(() => answer(false), longestWaitMs);
      this.#waiting = [...this.#waiting, waiting].sort((a, b) => a.job.priority - b.job.priority);
      this.#admit();
    });
  }

  leave(job: NewJob): void {
    this.#running.delete(job);
    this.#admit();
  }

  #admit(): void {
    const jobs = this.#waiting.map(({ job }) => job);
    for (const job of admitted(jobs, [...this.#running], this.#limits, () => Infinity)) {
      this.#running.add(job);
      this.#waiting.find((waiting) => waiting.job === job)?.answer(true);
    }
  }
}
