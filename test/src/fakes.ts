/** A reconstruction that makes no images of anything but answers like one, and a session in memory. */
import { CodedError, hasFlag, parseMessages } from 'ismrmrd';
import type { AcquisitionHeader, MrdMessage } from 'ismrmrd';
import type { ReconImage, ReconParameters, ReconSummary } from '../../recon/index.js';
import type { ReconstructionEvents, SessionReconstruction } from '../../src/reconstruction/index.js';
import { Session, WireAnswer } from '../../src/session/index.js';
import type { ByteSink, Reconstructions, SessionOptions, SessionSummary } from '../../src/session/index.js';

export interface FakeBehaviour {
  /** Readouts that fit before there is no room until the next turn of the event loop. */
  readonly room?: number;
  readonly openError?: Error;
  /** The channel count that readouts must have. */
  readonly nCoils?: number;
  /** The readout, counted from 0, at which the worker fails. */
  readonly failAt?: number;
  /** The image comes when there are no more readouts, not with its last one. */
  readonly emitsAtEnd?: boolean;
}

/** One image a readout with LAST_IN_SLICE, whose pixels are the sum of the samples so far. */
export class FakeReconstruction implements SessionReconstruction {
  nCommitted = 0;
  isAborted = false;
  isFinished = false;
  #sum = 0;
  #slot = new Float32Array(0);
  #roomLeft: number;
  #nImages = 0;
  #failure: Error | undefined;
  readonly #events: ReconstructionEvents;
  readonly #behaviour: FakeBehaviour;

  constructor(events: ReconstructionEvents, behaviour: FakeBehaviour) {
    this.#events = events;
    this.#behaviour = behaviour;
    this.#roomLeft = behaviour.room ?? Infinity;
  }

  allocate({ nChannels, nSamples }: AcquisitionHeader): Float32Array | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const nCoils = this.#behaviour.nCoils ?? nChannels;
    if (nChannels !== nCoils) {
      throw new CodedError('RECON_ERR_FAKE_CHANNELS', `${nChannels} channels`, { expected: `${nCoils}`, action: 'none' });
    }
    if (this.#roomLeft === 0) {
      setImmediate(() => {
        this.#roomLeft = this.#behaviour.room ?? Infinity;
        this.#events.room();
      });
      return undefined;
    }
    this.#roomLeft--;
    this.#slot = new Float32Array(2 * nChannels * nSamples);
    return this.#slot;
  }

  commit(header: AcquisitionHeader): void {
    if (this.nCommitted === this.#behaviour.failAt) {
      this.#failure = new CodedError('RECON_ERR_FAKE_SAMPLES', 'NaN', { expected: 'finite samples', action: 'none' });
      this.#events.failed(this.#failure);
      return;
    }
    this.nCommitted++;
    this.#sum += this.#slot.reduce((sum, value) => sum + value, 0);
    if (hasFlag(header.flags, 'lastInSlice') && this.#behaviour.emitsAtEnd !== true) this.#emit();
  }

  finish(): Promise<ReconSummary> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.isFinished = true;
    if (this.#behaviour.emitsAtEnd === true) this.#emit();
    return Promise.resolve({ nReadouts: this.nCommitted, nImages: this.#nImages, stageMs: { fake: 1 }, peakMemoryBytes: 0, noise: undefined });
  }

  abort(): Promise<void> {
    this.isAborted = true;
    return Promise.resolve();
  }

  #emit(): void {
    this.#nImages++;
    this.#events.image(fakeImage(this.#sum));
  }
}

function fakeImage(value: number): ReconImage {
  return {
    kind: 'image',
    rows: 4,
    columns: 4,
    data: new Float32Array(32).fill(value),
    hasPhase: true,
    counters: { slice: 0, contrast: 0, phase: 0, repetition: 0, set: 0, average: 0 },
    geometry: undefined,
    fovMm: [240, 240, 4],
    method: 'full',
    accelerationPhase: 1,
    accelerationSlice: 1,
    snrUnits: false,
    nCoils: 4,
    nVirtualCoils: 4,
    nCalibrationLines: 0,
    nMissingLines: 0,
    partialFourier: 'none',
    postProcessing: [],
    measurementUid: 1,
    acquisitionTimeStamp: 0,
    physiologyTimeStamp: [0, 0, 0],
    patientTablePosition: [0, 0, 0],
  };
}

export class FakeReconstructions implements Reconstructions {
  readonly opened: FakeReconstruction[] = [];
  readonly parameters: ReconParameters[] = [];
  readonly #behaviour: FakeBehaviour;

  constructor(behaviour: FakeBehaviour = {}) {
    this.#behaviour = behaviour;
  }

  open(_header: unknown, parameters: ReconParameters, events: ReconstructionEvents): Promise<SessionReconstruction> {
    if (this.#behaviour.openError !== undefined) return Promise.reject(this.#behaviour.openError);
    const reconstruction = new FakeReconstruction(events, this.#behaviour);
    this.opened.push(reconstruction);
    this.parameters.push(parameters);
    return Promise.resolve(reconstruction);
  }
}

/** Bytes as they were when they were written. */
export class MemorySink implements ByteSink {
  readonly parts: Uint8Array[] = [];

  write(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.parts.push(part.slice());
  }

  ready(): Promise<void> | undefined {
    return undefined;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

export interface Played {
  readonly answer: Uint8Array;
  readonly messages: MrdMessage[];
  readonly texts: string[];
  readonly summary: SessionSummary;
  readonly reconstructions: FakeReconstructions;
}

/** Plays chunks to a session of its own, to its end. */
export async function play(
  chunks: readonly Uint8Array[],
  behaviour: FakeBehaviour = {},
  options: Partial<SessionOptions> = {},
): Promise<Played> {
  const sink = new MemorySink();
  const reconstructions = new FakeReconstructions(behaviour);
  const session = new Session({ id: 'test', reconstructions, answer: new WireAnswer(sink), ...options });
  for (const chunk of chunks) await session.write(chunk);
  const summary = await session.end();
  const messages = parseMessages(sink.bytes);
  const texts = messages.flatMap((message) => (message.kind === 'text' ? [message.text] : []));
  return { answer: sink.bytes, messages, texts, summary, reconstructions };
}
