/**
 * Which jobs a node may begin beside those that run on it. Pure. With the jobs that run R:
 *
 *   jobs of its kind in R < concurrency(kind),  jobs of its lane in R < limit(lane),
 *   no job of R runs its model,  memory(R) + memory(job) <= budget, or R holds no memory
 *
 * so that a job that needs more than the budget runs alone rather than never. A job that waits for memory lets nobody
 * behind it take memory, or small jobs would keep a large one waiting for ever; for the rest they may pass.
 */
import type { JobKind, NewJob } from './types.js';

export interface GateLimits {
  readonly memoryBytes: number;
  readonly concurrency: Readonly<Record<JobKind, number>>;
}

export type Demand = Pick<NewJob, 'kind' | 'lane' | 'needs'>;

/**
 * @param waiting in the order in which they should begin
 * @param laneLimit how many jobs of a lane may run at once
 * @returns those that may begin now, in that order
 */
export function admitted<Job extends Demand>(waiting: readonly Job[], running: readonly Demand[], limits: GateLimits, laneLimit: (lane: string) => number): Job[] {
  const load = new Load();
  for (const job of running) load.add(job);
  let waitsForMemory = false;
  return waiting.filter((job) => {
    const { kind, lane, needs: { memoryBytes = 0, model } = {} } = job;
    if (load.ofKind(kind) >= limits.concurrency[kind]) return false;
    if (lane !== undefined && load.ofLane(lane) >= laneLimit(lane)) return false;
    if (model !== undefined && load.models.has(model)) return false;
    const fits = memoryBytes === 0 || load.memoryBytes === 0 || load.memoryBytes + memoryBytes <= limits.memoryBytes;
    if (memoryBytes > 0 && (waitsForMemory || !fits)) {
      waitsForMemory = true;
      return false;
    }
    load.add(job);
    return true;
  });
}

/** What the jobs that run take. */
class Load {
  readonly models = new Set<string>();
  memoryBytes = 0;
  readonly #byKind = new Map<string, number>();
  readonly #byLane = new Map<string, number>();

  add({ kind, lane, needs: { memoryBytes = 0, model } = {} }: Demand): void {
    this.memoryBytes += memoryBytes;
    if (model !== undefined) this.models.add(model);
    this.#byKind.set(kind, this.ofKind(kind) + 1);
    if (lane !== undefined) this.#byLane.set(lane, this.ofLane(lane) + 1);
  }

  ofKind(kind: string): number {
    return this.#byKind.get(kind) ?? 0;
  }

  ofLane(lane: string): number {
    return this.#byLane.get(lane) ?? 0;
  }
}
