/** The main thread's end of one scan: the producer of its ring and the receiver of its results. */
import { setMaxListeners } from 'node:events';
import type { AcquisitionHeader } from 'ismrmrd';
import { RECON_ERRORS, reconError, type ReconErrorCode, type ReconSummary } from '../../recon/index.js';
import type { FromWorker } from './messages.js';
import type { PoolWorker } from './poolWorker.js';
import { RingProducer, type RingLayout } from './ring.js';
import type { Denoiser, ReconstructionEvents, SessionReconstruction } from './types.js';

export class PinnedScan implements SessionReconstruction {
  readonly session: number;
  readonly memory: WebAssembly.Memory;
  readonly #worker: PoolWorker;
  readonly #ring: RingProducer;
  readonly #events: ReconstructionEvents;
  readonly #denoiser: Denoiser | undefined;
  readonly #ended = new AbortController();
  #failure: Error | undefined;
  #over = false;
  #finish: { resolve(summary: ReconSummary): void; reject(error: Error): void } | undefined;

  constructor(session: number, worker: PoolWorker, memory: WebAssembly.Memory, ring: RingLayout, events: ReconstructionEvents, denoiser?: Denoiser) {
    this.session = session;
    this.memory = memory;
    this.#worker = worker;
    this.#ring = new RingProducer(memory.buffer, ring);
    this.#events = events;
    this.#denoiser = denoiser;
    // Every image that waits for the denoiser listens.
    setMaxListeners(0, this.#ended.signal);
  }

  allocate(header: AcquisitionHeader): Float32Array | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const nFloats = 2 * header.nChannels * header.nSamples;
    if (nFloats * 4 > this.#ring.capacityBytes / 2) {
      throw reconError('RECON_ERR_READOUT_SIZE', `a readout of ${header.nChannels} channels x ${header.nSamples} samples`);
    }
    return this.#ring.allocate(nFloats);
  }

  commit(header: AcquisitionHeader): void {
    if (this.#ring.commit(header)) this.#worker.post({ type: 'readouts', session: this.session });
  }

  finish(): Promise<ReconSummary> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#finish = { resolve, reject };
      this.#worker.post({ type: 'finish', session: this.session });
    });
  }

  abort(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  /** Called by the worker's receiver. */
  receive(message: Exclude<FromWorker, { type: 'job' | 'jobDone' | 'help' | 'ready' }>): void {
    if (this.#over) return;
    switch (message.type) {
      case 'image':
        this.#events.image(message.image);
        return;
      case 'notice':
        this.#events.notice(message.notice);
        return;
      case 'denoise':
        void this.#denoise(message);
        return;
      case 'room':
        this.#events.room();
        return;
      case 'failed':
        this.fail(errorOf(message.code, message.got));
        return;
      case 'finished':
        this.#end();
        this.#finish?.resolve(message.summary);
        return;
    }
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#failure = error;
    this.#end();
    this.#finish?.reject(error);
    this.#events.failed(error);
  }

  async #denoise({ requestId, request }: Extract<FromWorker, { type: 'denoise' }>): Promise<void> {
    const outcome = await this.#denoiser!(request, this.#ended.signal);
    if (this.#over) return;
    const buffers = 'images' in outcome ? outcome.images.map(({ buffer }) => buffer as ArrayBuffer) : [];
    this.#worker.post({ type: 'denoised', session: this.session, requestId, outcome }, buffers);
  }

  #end(): void {
    this.#over = true;
    this.#ended.abort();
    this.#worker.forget(this);
  }
}

/** Errors lose their class on the way between threads; code and what was got make them anew. */
function errorOf(code: string, got: string): Error {
  return code in RECON_ERRORS ? reconError(code as ReconErrorCode, got) : reconError('RECON_ERR_INTERNAL', got);
}
