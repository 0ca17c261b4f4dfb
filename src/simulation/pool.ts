/** Slices of a simulated exam on worker threads. Results do not depend on how many there are. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { simulationError } from './errors.js';
import type { ExamSpec } from './spec.js';
import type { ResultOf, SliceResult, SliceTask } from './tasks.js';

/** The compiled module, also when this file itself runs from source, as in tests. */
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/src/simulation/worker.js' : './worker.js',
  import.meta.url,
);

interface Waiting {
  readonly task: SliceTask;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export class SimulationPool {
  readonly #spec: ExamSpec;
  readonly #nThreads: number;
  readonly #queue: Waiting[] = [];
  readonly #threads = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, Waiting>();
  #isClosed = false;

  /** @param threads one a core where undefined; they start when there is something to do */
  constructor(spec: ExamSpec, threads = Math.max(1, availableParallelism())) {
    this.#spec = spec;
    this.#nThreads = threads;
  }

  /** @throws CodedError (as a rejection) CONUS_ERR_SIMULATION */
  run<Task extends SliceTask>(task: Task): Promise<ResultOf<Task>> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, resolve, reject });
      if (this.#idle.length === 0 && this.#threads.size < this.#nThreads) this.#start();
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  #start(): void {
    const thread = new Worker(workerFile, { workerData: this.#spec });
    this.#threads.add(thread);
    thread.on('message', (result: SliceResult) => {
      const { resolve, reject } = this.#running.get(thread)!;
      this.#running.delete(thread);
      this.#idle.push(thread);
      if ('failure' in result) reject(simulationError('CONUS_ERR_SIMULATION', result.failure));
      else resolve(result as never);
      this.#dispatch();
    });
    thread.on('error', (error) => this.#lost(thread, error.message));
    thread.on('exit', (code) => this.#lost(thread, `a thread that ended with ${code}`));
    this.#idle.push(thread);
  }

  /** A thread that is gone takes its slice with it; where none is left, nobody would do the others. */
  #lost(thread: Worker, reason: string): void {
    if (!this.#threads.delete(thread) || this.#isClosed) return;
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    const failed = [this.#running.get(thread), ...(this.#threads.size === 0 ? this.#queue.splice(0) : [])];
    this.#running.delete(thread);
    for (const waiting of failed) waiting?.reject(simulationError('CONUS_ERR_SIMULATION', reason));
  }

  #dispatch(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const thread = this.#idle.pop()!;
      const waiting = this.#queue.shift()!;
      this.#running.set(thread, waiting);
      thread.postMessage(waiting.task);
    }
  }
}
