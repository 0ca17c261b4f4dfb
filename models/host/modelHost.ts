/**
 * Models at the service of many callers. All run in one process of their own, one run at a time, each on
 * all threads that the host is given: whoever ends or blocks the process is known, and the others go on in
 * a new one. A hanging model holds them up for no longer than its time-out, and for no more than a few times:
 * then it is set aside.
 *
 * A model is loaded when it is first asked for, and tried: its graph must have the inputs and outputs of the
 * manifest, and a first run must give finite numbers of the right shape. One that fails is refused, with the reason.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from 'ismrmrd';
import { MODEL_WARNINGS, modelError } from '../errors.js';
import type { ModelWarningCode } from '../errors.js';
import type { Manifest } from '../manifest.js';
import { graphFile } from '../registry.js';
import type { ModelEntry } from '../registry.js';
import { checkInputs, checkOutputs, trialInputs } from '../tensors.js';
import type { Tensors } from '../tensors.js';
import { checkGraph } from './graph.js';
import { HostProcess, hostScript } from './hostProcess.js';
import type { FromHost, ToHost } from './messages.js';

export interface ModelNotice {
  readonly severity: 'warning';
  readonly code: ModelWarningCode;
  readonly message: string;
}

export interface ModelHostOptions {
  /** Threads of one run; by default two, or one where there is one core. */
  readonly threads?: number;
  /** Execution providers of ONNX Runtime, the wanted ones first; cpu by default. */
  readonly providers?: readonly string[];
  /** Requests that may wait; more are refused. */
  readonly maxQueued?: number;
  /** Resident memory above which the process is replaced between two runs, bytes. */
  readonly maxResidentBytes?: number;
  readonly startTimeoutMs?: number;
  readonly loadTimeoutMs?: number;
  /** How often within an hour a model may end or block the process. */
  readonly mostKills?: number;
  /** The script of the process. */
  readonly script?: string;
  readonly notice?: (notice: ModelNotice) => void;
}

export interface RunOptions {
  /** The manifest's where it is absent. */
  readonly timeoutMs?: number;
  /** When the outputs are needed, on the clock of `performance.now()`; now where it is absent. Who needs them first has its turn first. */
  readonly neededAtMs?: number;
  readonly signal?: AbortSignal;
}

export interface ModelHealth {
  readonly id: string;
  readonly state: ModelEntry['state'];
  readonly reason?: string;
  readonly nRuns: number;
  readonly nFailures: number;
  /** Of its runs by themselves: without waiting, and without the way to its process and back. */
  readonly totalRunMs: number;
}
export interface HostHealth {
  readonly state: 'idle' | 'busy' | 'stopped' | 'failing';
  readonly pid?: number;
  readonly nStarts: number;
  readonly nQueued: number;
  readonly residentBytes: number;
  readonly models: readonly ModelHealth[];
}

const HOUR_MS = 3_600_000;
const firstBackOffMs = 100;
const longestBackOffMs = 10_000;
/** Deaths in a row after which callers no longer wait for the next start. */
const mostDeaths = 5;

interface Model {
  entry: ModelEntry;
  killedAtMs: number[];
  nRuns: number;
  nFailures: number;
  totalRunMs: number;
}

interface Job {
  readonly model: Model;
  /** Absent where the model is only checked. */
  readonly inputs: Tensors | undefined;
  readonly timeoutMs: number | undefined;
  readonly neededAtMs: number;
  readonly resolve: (outputs: Tensors) => void;
  readonly reject: (error: unknown) => void;
}

export class ModelHost {
  readonly #models: readonly Model[];
  readonly #options: Required<Omit<ModelHostOptions, 'notice'>>;
  readonly #notice: (notice: ModelNotice) => void;
  readonly #queue: Job[] = [];
  readonly #closing = new AbortController();
  #process: HostProcess | undefined;
  /** Ids of the models that this process has loaded. */
  #loaded = new Set<string>();
  #residentBytes = 0;
  #nStarts = 0;
  #deathsInARow = 0;
  #lastDeathMs = 0;
  #isWorking = false;
  /** Of the job that was begun last. */
  #answering: Promise<void> = Promise.resolve();

  /** The process starts when it is first needed. */
  constructor(entries: readonly ModelEntry[], options: ModelHostOptions = {}) {
    this.#models = entries.map((entry) => ({ entry, killedAtMs: [], nRuns: 0, nFailures: 0, totalRunMs: 0 }));
    this.#notice = options.notice ?? (() => undefined);
    this.#options = {
      threads: options.threads ?? Math.min(2, availableParallelism()),
      providers: options.providers ?? ['cpu'],
      maxQueued: options.maxQueued ?? 256,
      maxResidentBytes: options.maxResidentBytes ?? 4 * 2 ** 30,
      startTimeoutMs: options.startTimeoutMs ?? 20_000,
      loadTimeoutMs: options.loadTimeoutMs ?? 60_000,
      mostKills: options.mostKills ?? 3,
      script: options.script ?? hostScript,
    };
  }

  /** Every model, with what is known of it by now. */
  get entries(): readonly ModelEntry[] {
    return this.#models.map(({ entry }) => entry);
  }

  /**
   * Runs a model once. Inputs are copied and stay with the caller.
   * @throws CodedError (as a rejection) MODEL_ERR_UNKNOWN, _NOT_LOADED, _SET_ASIDE, _INPUT, _BUSY, _TIMEOUT, _CRASHED, _RUN, _OUTPUT_NAN, _OUTPUT_SHAPE, _HOST or _CLOSED; the signal's reason
   */
  run(id: string, inputs: Tensors, options: RunOptions = {}): Promise<Tensors> {
    return this.#submit(id, inputs, options);
  }

  /**
   * Loads and tries a model where that was not done before.
   * @throws CodedError (as a rejection) what is wrong with it, or with the host
   */
  async check(id: string): Promise<ModelEntry> {
    await this.#submit(id, undefined, {});
    return this.#find(id).entry;
  }

  /** Loads and tries every model that is in order so far. Never rejects: see `entries`. */
  async warmUp(): Promise<void> {
    await Promise.allSettled(this.#models.filter(({ entry }) => entry.state === 'listed').map(({ entry }) => this.check(entry.id)));
  }

  health(): HostHealth {
    const pid = this.#process?.isAlive === true ? this.#process.pid : undefined;
    const isFailing = this.#deathsInARow >= mostDeaths;
    return {
      state: isFailing ? 'failing' : pid === undefined ? 'stopped' : this.#isWorking ? 'busy' : 'idle',
      ...(pid === undefined ? {} : { pid }),
      nStarts: this.#nStarts,
      nQueued: this.#queue.length,
      residentBytes: pid === undefined ? 0 : this.#residentBytes,
      models: this.#models.map(({ entry: { id, state, reason }, nRuns, nFailures, totalRunMs }) => ({
        id, state, nRuns, nFailures, totalRunMs, ...(reason === undefined ? {} : { reason: reason.message }),
      })),
    };
  }

  /** Ends the process; whoever waits is told MODEL_ERR_CLOSED. */
  close(): void {
    this.#closing.abort();
    for (const { reject } of this.#queue.splice(0)) reject(closed());
    this.#process?.kill();
  }

  #find(id: string): Model {
    const model = this.#models.find(({ entry }) => entry.id === id);
    if (model === undefined) throw modelError('MODEL_ERR_UNKNOWN', `"${id}"; there are ${this.#models.map(({ entry }) => `"${entry.id}"`).join(', ') || 'none'}`);
    return model;
  }

  async #submit(id: string, inputs: Tensors | undefined, { timeoutMs, neededAtMs, signal }: RunOptions): Promise<Tensors> {
    if (this.#closing.signal.aborted) throw closed();
    signal?.throwIfAborted();
    const model = this.#find(id);
    usable(model);
    if (this.#queue.length >= this.#options.maxQueued) throw modelError('MODEL_ERR_BUSY', `${this.#queue.length} requests that wait`);
    return new Promise<Tensors>((resolve, reject) => {
      const isAnswered = new AbortController();
      const answered = <Answer>(settle: (answer: Answer) => void) => (answer: Answer) => {
        // A signal of many runs would else keep the tensors of every one of them.
        isAnswered.abort();
        settle(answer);
      };
      const job: Job = { model, inputs, timeoutMs, neededAtMs: neededAtMs ?? performance.now(), resolve: answered(resolve), reject: answered(reject) };
      signal?.addEventListener(
        'abort',
        () => {
          const at = this.#queue.indexOf(job);
          if (at >= 0) this.#queue.splice(at, 1);
          job.reject(signal.reason);
        },
        { once: true, signal: isAnswered.signal },
      );
      this.#queue.push(job);
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let job = this.#takeNext(); job !== undefined; job = this.#takeNext()) await this.#begin(job);
    this.#isWorking = false;
  }

  /** Ends where the next one can begin: while the outputs of a run are on their way, the network need not wait for them. */
  #begin(job: Job): Promise<void> {
    return new Promise((finished) => {
      const answer = this.#perform(job, finished).then(job.resolve, (error: unknown) => {
        job.model.nFailures++;
        job.reject(this.#closing.signal.aborted ? closed() : error);
      });
      this.#answering = answer;
      void answer.then(finished);
    });
  }

  /** Who needs it first; of those that need it at the same time, who came first. */
  #takeNext(): Job | undefined {
    const first = this.#queue.reduce<Job | undefined>((best, job) => (best === undefined || job.neededAtMs < best.neededAtMs ? job : best), undefined);
    if (first !== undefined) this.#queue.splice(this.#queue.indexOf(first), 1);
    return first;
  }

  async #perform({ model, inputs, timeoutMs }: Job, finished: () => void): Promise<Tensors> {
    // It may have been refused while this waited.
    const manifest = usable(model);
    const process = await this.#running(this.#answering);
    await this.#load(process, model, manifest);
    return inputs === undefined ? {} : this.#tensors(process, model, manifest, inputs, timeoutMs ?? manifest.timeoutMs, finished);
  }

  /**
   * The process that runs, or a new one, after a pause that grows with every death.
   * @param before the answer to the job before, which may still be in the process
   * @throws CodedError MODEL_ERR_HOST
   */
  async #running(before: Promise<void>): Promise<HostProcess> {
    if (this.#process?.isAlive === true && this.#residentBytes <= this.#options.maxResidentBytes) return this.#process;
    // What the last run gave is still to come out of it.
    await before;
    this.#process?.kill();
    const waitMs = this.#deathsInARow === 0 ? 0 : Math.min(longestBackOffMs, firstBackOffMs * 2 ** (this.#deathsInARow - 1)) - (performance.now() - this.#lastDeathMs);
    if (waitMs > 0) {
      if (this.#deathsInARow >= mostDeaths) throw modelError('MODEL_ERR_HOST', `${this.#deathsInARow} ends in a row`);
      await delay(waitMs, undefined, { signal: this.#closing.signal });
    }
    this.#loaded = new Set();
    this.#residentBytes = 0;
    this.#nStarts++;
    try {
      this.#process = await HostProcess.start(this.#options.script, this.#options.startTimeoutMs);
    } catch (error) {
      this.#died();
      throw error;
    }
    if (this.#closing.signal.aborted) this.#process.kill();
    return this.#process;
  }

  #died(): void {
    this.#deathsInARow++;
    this.#lastDeathMs = performance.now();
  }

  /** Loads the model into this process; the first time, holds it against its manifest and tries it. */
  async #load(process: HostProcess, model: Model, manifest: Manifest): Promise<void> {
    const { id, folder, sha256 } = model.entry;
    if (this.#loaded.has(id)) return;
    const { threads, providers, loadTimeoutMs } = this.#options;
    try {
      const loaded = await this.#ask(process, model, { type: 'load', id, path: graphFile(folder), sha256, threads, providers }, loadTimeoutMs);
      this.#loaded.add(id);
      if (model.entry.state === 'ready' || loaded.type !== 'loaded') return;
      checkGraph(manifest, loaded.inputs, loaded.outputs);
      if (loaded.fallBack !== undefined) this.#warn('MODEL_WARN_PROVIDER', `"${id}" runs on ${loaded.provider}, and not as was wanted on ${providers.join(', ')} (${loaded.fallBack})`);
      await this.#tensors(process, model, manifest, trialInputs(manifest), loadTimeoutMs);
      model.entry = { ...model.entry, state: 'ready' };
    } catch (error) {
      if (model.entry.state !== 'ready' && !this.#closing.signal.aborted) refuse(model, error);
      throw error;
    }
  }

  async #tensors(process: HostProcess, model: Model, manifest: Manifest, inputs: Tensors, timeoutMs: number, finished?: () => void): Promise<Tensors> {
    const sizes = checkInputs(manifest, inputs);
    const answer = await this.#ask(process, model, { type: 'run', id: model.entry.id, inputs }, timeoutMs, finished);
    if (answer.type !== 'done') throw modelError('MODEL_ERR_RUN', `the answer "${answer.type}"`);
    this.#residentBytes = answer.residentBytes;
    checkOutputs(manifest, answer.outputs, sizes);
    model.nRuns++;
    model.totalRunMs += answer.runMs;
    return answer.outputs;
  }

  /** A question on behalf of a model, which answers for what becomes of the process. */
  async #ask(process: HostProcess, model: Model, question: ToHost, timeoutMs: number, finished?: () => void): Promise<FromHost> {
    let answer: FromHost;
    let isFinished = false;
    try {
      answer = await process.ask(question, timeoutMs, () => {
        isFinished = true;
        finished?.();
      });
    } catch (error) {
      // Of what ends the process after its run, the one that runs then is the cause.
      if (!this.#closing.signal.aborted && !isFinished) this.#blame(model, error);
      throw error;
    }
    this.#deathsInARow = 0;
    if (answer.type === 'failed') throw modelError(answer.code, answer.got);
    return answer;
  }

  #blame(model: Model, error: unknown): void {
    this.#died();
    const { id } = model.entry;
    model.killedAtMs = [...model.killedAtMs.filter((atMs) => atMs > this.#lastDeathMs - HOUR_MS), this.#lastDeathMs];
    const message = error instanceof CodedError ? error.got : String(error);
    this.#warn('MODEL_WARN_HOST_RESTARTED', `the model host is started again: "${id}": ${message}`);
    if (model.killedAtMs.length >= this.#options.mostKills) {
      refuse(model, modelError('MODEL_ERR_SET_ASIDE', `"${id}", which ended or blocked it ${model.killedAtMs.length} times within an hour; the last time: ${message}`));
    }
  }

  #warn(code: ModelWarningCode, message: string): void {
    this.#notice({ severity: 'warning', code, message: `${message}; ${MODEL_WARNINGS[code].action}` });
  }
}

const closed = () => modelError('MODEL_ERR_CLOSED', 'a service that stops');

/** @throws CodedError MODEL_ERR_SET_ASIDE, MODEL_ERR_NOT_LOADED */
function usable({ entry: { id, manifest, state, reason } }: Model): Manifest {
  if (state !== 'refused' && manifest !== undefined) return manifest;
  if (reason?.code === 'MODEL_ERR_SET_ASIDE') throw reason;
  throw modelError('MODEL_ERR_NOT_LOADED', `"${id}" (${reason?.message ?? 'no manifest'})`);
}

function refuse(model: Model, error: unknown): void {
  const reason = error instanceof CodedError ? error : modelError('MODEL_ERR_LOAD', String(error), { cause: error });
  model.entry = { ...model.entry, state: 'refused', reason };
}
