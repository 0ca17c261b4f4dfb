/**
 * Syntheses at the service of a process: one at a time, each in a thread of its own, so that neither its numerics nor
 * the encoding of its images hold anybody up; the network runs in the model host, after every scan that waits for it.
 */
import { Worker } from 'node:worker_threads';
import type { ModelEntry, ModelHost, Tensors } from '../../models/index.js';
import type { Logger } from '../log.js';
import { synthesisFlowError } from './errors.js';
import { errorOfRecord, failureRecord } from './perform.js';
import type { SynthesisJob } from './perform.js';
import type { EncodedSynthesis, FromThread, ToThread } from './threadMessages.js';

/** The compiled module, also when this file itself runs from source, as in tests. */
const threadFile = new URL(import.meta.url.endsWith('.ts') ? '../../dist/src/synthesis/thread.js' : './thread.js', import.meta.url);

/** How long a synthesis lets scans go first, whose images somebody waits for. */
const PATIENCE_MS = 30_000;

/** The network of syntheses, which reads images and the exam: the first one that is in order, or the one that is named; one that is not in order where there is no better one. */
export function synthesisModel(entries: readonly ModelEntry[], wanted?: string): ModelEntry | undefined {
  const able = entries.filter(({ id, manifest }) => manifest?.task === 'synthesis' && 'exam' in manifest.inputs && (wanted ?? id) === id);
  return able.find(({ state }) => state !== 'refused') ?? able[0];
}

/** @throws CodedError CONUS_ERR_SYNTHESIS_MODEL where it is not there or not in order */
export function usableModel(model: ModelEntry | undefined): SynthesisJob['model'] {
  if (model?.manifest === undefined) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_MODEL', 'no model for a synthesis');
  const { id, sha256, folder, manifest, state, reason } = model;
  if (state === 'refused') throw synthesisFlowError('CONUS_ERR_SYNTHESIS_MODEL', `${id}, which is refused (${reason?.code ?? 'unknown'})`);
  return { id, sha256, folder, version: manifest.version };
}

export interface SynthesiserOptions {
  readonly host: Pick<ModelHost, 'entries' | 'run'>;
  /** Id of the network; the first one that is in order where it is absent. */
  readonly model?: string | undefined;
  /** From the begin of a synthesis to its end. */
  readonly longestMs: number;
  readonly log: Logger;
}

export class Synthesiser {
  readonly #options: SynthesiserOptions;
  readonly #threads = new Set<Worker>();
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: SynthesiserOptions) {
    this.#options = options;
  }

  get model(): ModelEntry | undefined {
    return synthesisModel(this.#options.host.entries, this.#options.model);
  }

  /**
   * Does not end where the process closes first: whoever asked asks again after a restart.
   * @throws CodedError (as a rejection) CONUS_ERR_SYNTHESIS_*, SYNTH_ERR_*, DICOM_ERR_*, MODEL_ERR_*
   */
  perform(job: Omit<SynthesisJob, 'model'>): Promise<EncodedSynthesis> {
    const mine = this.#turn.then(() => this.#perform(job));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  async #perform(job: Omit<SynthesisJob, 'model'>): Promise<EncodedSynthesis> {
    const model = usableModel(this.model);
    const workerData: SynthesisJob = { ...job, model };
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return;
      const thread = new Worker(threadFile, { workerData });
      const over = new AbortController();
      this.#threads.add(thread);
      const timer = setTimeout(() => end(() => reject(synthesisFlowError('CONUS_ERR_SYNTHESIS_TIMEOUT', `no result after ${this.#options.longestMs / 1000} s`))), this.#options.longestMs);
      const end = (settle: () => void) => {
        if (over.signal.aborted) return;
        over.abort();
        clearTimeout(timer);
        this.#threads.delete(thread);
        void thread.terminate();
        if (!this.#isClosed) settle();
      };
      const broke = (stack: string) => {
        this.#options.log.error({ stack }, 'a synthesis failed');
        reject(synthesisFlowError('CONUS_ERR_SYNTHESIS_THREAD', 'a thread that ended without a result'));
      };
      thread.on('message', (message: FromThread) => {
        if (message.type === 'run') void this.#run(model.id, message.inputs, over.signal).then((answer) => thread.postMessage(answer));
        else if (message.type === 'done') end(() => resolve(message.synthesis));
        else end(() => (message.failure === undefined ? broke(message.stack) : reject(errorOfRecord(message.failure))));
      });
      thread.on('error', (error) => end(() => broke(error.name)));
      thread.on('exit', (code) => end(() => broke(`exit code ${code}`)));
    });
  }

  async #run(id: string, inputs: Tensors, over: AbortSignal): Promise<ToThread> {
    try {
      return { outputs: await this.#options.host.run(id, inputs, { neededAtMs: performance.now() + PATIENCE_MS, signal: over }) };
    } catch (error) {
      return { failure: failureRecord(error) ?? failureRecord(synthesisFlowError('CONUS_ERR_SYNTHESIS_THREAD', 'a run of the network that failed'))! };
    }
  }
}
