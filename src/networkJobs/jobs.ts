/**
 * Long jobs with a network, at the service of a process: one at a time, in a thread, so that neither their numerics nor the
 * encoding of their images hold anybody up; the network runs in the model host, after every scan that waits for it.
 *
 * A thread that did its job is kept for the next one for a while: loading its modules and compiling them takes a second or two.
 * One that failed, or that took too long, is not.
 */
import { setMaxListeners } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { CodedError } from 'ismrmrd';
import type { ModelHost, Tensors } from '../../models/index.js';
import type { Logger } from '../log.js';
import { buffersOf, errorOfRecord, failureRecord } from './messages.js';
import type { FailureRecord, FromThread, ToThread } from './messages.js';

/** How long a job lets scans go first, whose images somebody waits for. */
const PATIENCE_MS = 30_000;
/** How long a thread is kept for the next job: after one, whose memory it still holds, and where it was started ahead, as scans of an exam lie apart. */
const REST_AFTER_JOB_MS = 30_000;
const REST_AHEAD_MS = 900_000;

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
  /** Of the job that is done now, or kept for the next one. */
  #thread: Worker | undefined;
  #rest: NodeJS.Timeout | undefined;
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
    clearTimeout(this.#rest);
    await this.#thread?.terminate();
  }

  /** Starts the thread ahead of its job, where a job is to be expected. */
  prepare(): void {
    if (!this.#isClosed && this.#nWaiting === 0) this.#keep(this.#takeThread(), REST_AHEAD_MS);
  }

  #takeThread(): Worker {
    clearTimeout(this.#rest);
    const kept = this.#thread;
    if (kept !== undefined) return kept;
    const thread = new Worker(this.#options.thread);
    // Between its jobs nobody waits for it: what breaks it then costs nothing but a new one.
    const lost = () => { if (this.#thread === thread) this.#thread = undefined; };
    thread.on('error', lost).on('exit', lost);
    return (this.#thread = thread);
  }

  #keep(thread: Worker, restMs: number): void {
    this.#rest = setTimeout(() => this.#drop(thread), restMs).unref();
    thread.unref();
  }

  #drop(thread: Worker): void {
    if (this.#thread === thread) this.#thread = undefined;
    void thread.terminate();
  }

  #perform({ modelId, job }: { readonly modelId: string; readonly job: Job }, signal: AbortSignal | undefined): Promise<Result> {
    const { longestMs, timeoutError, threadError, log } = this.#options;
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return;
      if (signal?.aborted === true) {
        reject(timeoutError('no result in time'));
        return;
      }
      const thread = this.#takeThread();
      thread.ref();
      const over = new AbortController();
      // Every run of the network that is underway listens.
      setMaxListeners(0, over.signal);
      const end = (settle: () => void, isKept = false) => {
        if (over.signal.aborted) return;
        over.abort();
        clearTimeout(timer);
        thread.off('message', onMessage).off('error', onError).off('exit', onExit);
        if (isKept) this.#keep(thread, REST_AFTER_JOB_MS);
        else this.#drop(thread);
        if (!this.#isClosed) settle();
      };
      const timer = setTimeout(() => end(() => reject(timeoutError(`no result after ${longestMs / 1000} s`))), longestMs);
      signal?.addEventListener('abort', () => end(() => reject(timeoutError('no result in time'))), { once: true, signal: over.signal });
      const broke = (stack: string) => {
        log.error({ stack }, 'a job with a network failed');
        reject(threadError('a thread that ended without a result'));
      };
      const onMessage = (message: FromThread<Result>) => {
        if (message.type === 'run') void this.#run(message.modelId ?? modelId, message.inputs, over.signal).then((answer): void => thread.postMessage({ type: 'answer', id: message.id, ...answer } satisfies ToThread<Job>, buffersOf(answer)));
        else if (message.type === 'done') end(() => resolve(message.result), true);
        else end(() => (message.failure === undefined ? broke(message.stack) : reject(errorOfRecord(message.failure))));
      };
      const onError = (error: Error) => end(() => broke(error.name));
      const onExit = (code: number) => end(() => broke(`exit code ${code}`));
      thread.on('message', onMessage).on('error', onError).on('exit', onExit);
      thread.postMessage({ type: 'job', job } satisfies ToThread<Job>);
    });
  }

  async #run(modelId: string, inputs: Tensors, over: AbortSignal): Promise<{ readonly outputs: Tensors } | { readonly failure: FailureRecord }> {
    try {
      const outputs = await this.#options.host.run(modelId, inputs, { neededAtMs: performance.now() + PATIENCE_MS, signal: over });
      // Copies of them, once, that can be given away: they are parts of what the pipe of the process was read into.
      return { outputs: Object.fromEntries(Object.entries(outputs).map(([name, { dims, data }]) => [name, { dims, data: data.slice() }])) };
    } catch (error) {
      return { failure: failureRecord(error) ?? failureRecord(this.#options.threadError('a run of the network that failed'))! };
    }
  }
}
