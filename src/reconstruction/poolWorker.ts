/** One reconstruction thread as the main thread sees it. A thread that dies fails its scans; a new one takes its place. */
import { Worker } from 'node:worker_threads';
import { reconError } from '../../recon/index.js';
import type { FromWorker, ToWorker, WorkerSettings } from './messages.js';
import type { PinnedScan } from './pinnedScan.js';

/** The compiled module, also when this file itself runs from source, as in tests. */
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/src/reconstruction/worker.js' : './worker.js',
  import.meta.url,
);

/** What a thread leaves behind is small; left to itself, the engine keeps 48 MB for it. */
const youngGenerationMb = 6;

type ScanJob = Extract<FromWorker, { type: 'job' }>['job'];

interface RunningJob {
  readonly owner: PoolWorker;
  readonly session: number;
  readonly jobId: number;
}

/** What the pool tells its workers and hears from them. */
export interface PoolWorkerContext {
  readonly warmUpMs: number;
  /** Who does a job of this worker's scan. */
  workerForJob(owner: PoolWorker, kind: ScanJob['kind']): PoolWorker;
  /** Who helps with a scan of this worker's: a fellow that has nothing to do. */
  helperOf(owner: PoolWorker): PoolWorker | undefined;
  scanEnded(memoryBytes: number): void;
}

export class PoolWorker {
  readonly #scans = new Map<number, PinnedScan>();
  readonly #jobs = new Map<string, RunningJob>();
  readonly #warmUpMs: number;
  readonly #workerForJob: (owner: PoolWorker, kind: ScanJob['kind']) => PoolWorker;
  readonly #helperOf: (owner: PoolWorker) => PoolWorker | undefined;
  readonly #scanEnded: (memoryBytes: number) => void;
  /** Resolves when the thread has passed its self-test; rejects with RECON_ERR_SELF_TEST or RECON_ERR_INTERNAL. */
  readonly ready: Promise<void>;
  #thread: Worker;
  #terminated = false;
  #settleReady: (error?: Error) => void = () => undefined;

  constructor({ warmUpMs, workerForJob, helperOf, scanEnded }: PoolWorkerContext) {
    this.#warmUpMs = warmUpMs;
    this.#workerForJob = workerForJob;
    this.#helperOf = helperOf;
    this.#scanEnded = scanEnded;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Who does not ask for it must not be ended by it.
    this.ready.catch(() => undefined);
    this.#thread = this.#start();
  }

  /** Scans and jobs that it has in hand. */
  get load(): number {
    return this.#scans.size + this.#jobs.size;
  }

  /** Bytes that the memories of its scans have grown to. */
  get memoryBytes(): number {
    return [...this.#scans.values()].reduce((sum, { memory }) => sum + memory.buffer.byteLength, 0);
  }

  open(scan: PinnedScan, message: Extract<ToWorker, { type: 'open' }>): void {
    this.#scans.set(scan.session, scan);
    this.#thread.postMessage(message);
  }

  post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#thread.postMessage(message, transfer);
  }

  /** The scan is over: the thread lets go of its memory. */
  forget(scan: PinnedScan): void {
    if (!this.#scans.delete(scan.session)) return;
    this.post({ type: 'abort', session: scan.session });
    this.#scanEnded(scan.memory.buffer.byteLength);
  }

  async terminate(): Promise<void> {
    this.#terminated = true;
    await this.#thread.terminate();
    this.#failAll('the service is closing');
  }

  #start(): Worker {
    const thread = new Worker(workerFile, {
      workerData: { warmUpMs: this.#warmUpMs } satisfies WorkerSettings,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    });
    thread.unref();
    thread.on('message', (message: FromWorker) => this.#receive(message));
    let reason = 'it ended by itself';
    thread.on('error', (error) => (reason = error instanceof Error ? error.message : String(error)));
    thread.on('exit', () => {
      if (this.#terminated) return;
      this.#thread = this.#start();
      this.#failAll(`a worker thread that died: ${reason}`);
    });
    return thread;
  }

  #failAll(reason: string): void {
    this.#settleReady(reconError('RECON_ERR_INTERNAL', reason));
    const scans = [...this.#scans.values()];
    const jobs = [...this.#jobs.values()];
    this.#scans.clear();
    this.#jobs.clear();
    for (const { owner, session, jobId } of jobs) {
      if (owner === this) continue;
      owner.post({ type: 'jobDone', session, jobId, outcome: { ok: false, message: reason } });
    }
    for (const scan of scans) scan.fail(reconError('RECON_ERR_INTERNAL', reason));
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ready') {
      this.#settleReady(message.failure === undefined ? undefined : reconError('RECON_ERR_SELF_TEST', message.failure));
      return;
    }
    if (message.type === 'jobDone') {
      const key = `${message.session}:${message.jobId}`;
      const job = this.#jobs.get(key);
      this.#jobs.delete(key);
      job?.owner.post(message);
      return;
    }
    const scan = this.#scans.get(message.session);
    if (scan === undefined) return;
    if (message.type === 'job') {
      const { session, jobId, job } = message;
      const worker = this.#workerForJob(this, job.kind);
      worker.#jobs.set(`${session}:${jobId}`, { owner: this, session, jobId });
      worker.post({ type: 'job', session, jobId, memory: scan.memory, job });
      return;
    }
    if (message.type === 'help') {
      this.#helperOf(this)?.post({ ...message, memory: scan.memory });
      return;
    }
    scan.receive(message);
  }
}
