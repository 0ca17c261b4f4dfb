/**
 * Long jobs with a network, at the service of a process: one at a time, each in a thread of its own, so that neither its
 * numerics nor the encoding of its images hold anybody up; the network runs in the model host, after every scan that
 * waits for it.
 */
import { setMaxListeners } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { CodedError } from 'ismrmrd';
import type { ModelHost, Tensors } from '../../models/index.js';
import type { Logger } from '../log.js';
import { errorOfRecord, failureRecord } from './messages.js';
import type { FailureRecord, FromThread, ToThread } from './messages.js';

/** How long a job lets scans go first, whose images somebody waits for. */
const PATIENCE_MS = 30_000;

export interface NetworkJobsOptions {
  /** The module of the thread, which calls `serveJob`. */
  readonly thread: URL;
  readonly host: Pick<ModelHost, 'run'>;
  /** From the begin of a job to its end. */
  readonly longestMs: number;
  readonly timeoutError: (got: string) => CodedError;
  readonly threadError: (got: string) => CodedError;
  readonly log: Logger;
}

export class NetworkJobs<Job extends object, Result> {
  readonly #options: NetworkJobsOptions;
  readonly #threads = new Set<Worker>();
  #turn: Promise<unknown> = Promise.resolve();
  #nWaiting = 0;
  #isClosed = false;

  constructor(options: NetworkJobsOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#nWaiting > 0;
  }

  /**
   * `prepare` names the model and the job when its turn comes. Does not end where the process closes first: whoever asked
   * asks again after a restart. A signal gives the job up.
   * @throws CodedError (as a rejection) what the job throws, or that it took too long or broke
   */
  perform(prepare: () => { readonly modelId: string; readonly job: Job }, signal?: AbortSignal): Promise<Result> {
    this.#nWaiting++;
    const mine = this.#turn.then(() => this.#perform(prepare(), signal));
    this.#turn = mine.then(() => undefined, () => undefined).finally(() => this.#nWaiting--);
    return mine;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  #perform({ modelId, job }: { readonly modelId: string; readonly job: Job }, signal: AbortSignal | undefined): Promise<Result> {
    const { longestMs, timeoutError, threadError, log } = this.#options;
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return;
      if (signal?.aborted === true) {
        reject(timeoutError('no result in time'));
        return;
      }
      const thread = new Worker(this.#options.thread, { workerData: job });
      const over = new AbortController();
      // Every run of the network that is underway listens.
      setMaxListeners(0, over.signal);
      this.#threads.add(thread);
      const end = (settle: () => void) => {
        if (over.signal.aborted) return;
        over.abort();
        clearTimeout(timer);
        this.#threads.delete(thread);
        void thread.terminate();
        if (!this.#isClosed) settle();
      };
      const timer = setTimeout(() => end(() => reject(timeoutError(`no result after ${longestMs / 1000} s`))), longestMs);
      signal?.addEventListener('abort', () => end(() => reject(timeoutError('no result in time'))), { once: true, signal: over.signal });
      const broke = (stack: string) => {
        log.error({ stack }, 'a job with a network failed');
        reject(threadError('a thread that ended without a result'));
      };
      thread.on('message', (message: FromThread<Result>) => {
        if (message.type === 'run') void this.#run(message.modelId ?? modelId, message.inputs, over.signal).then((answer): void => thread.postMessage({ id: message.id, ...answer } satisfies ToThread));
        else if (message.type === 'done') end(() => resolve(message.result));
        else end(() => (message.failure === undefined ? broke(message.stack) : reject(errorOfRecord(message.failure))));
      });
      thread.on('error', (error) => end(() => broke(error.name)));
      thread.on('exit', (code) => end(() => broke(`exit code ${code}`)));
    });
  }

  async #run(modelId: string, inputs: Tensors, over: AbortSignal): Promise<{ readonly outputs: Tensors } | { readonly failure: FailureRecord }> {
    try {
      return { outputs: await this.#options.host.run(modelId, inputs, { neededAtMs: performance.now() + PATIENCE_MS, signal: over }) };
    } catch (error) {
      return { failure: failureRecord(error) ?? failureRecord(this.#options.threadError('a run of the network that failed'))! };
    }
  }
}
