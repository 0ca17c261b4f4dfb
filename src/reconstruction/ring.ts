/**
 * Readouts on their way from the socket's thread to a reconstruction worker: one producer, one
 * consumer, in the session's shared memory, without a message or a promise a readout.
 *
 * Two rings side by side. Descriptors: fixed records that carry a readout's header. Samples: a byte
 * ring in which each readout lies in one piece, so that the parser copies into its final place and
 * kernels read it there. Counters only grow and wrap at 2^32; positions are counters modulo the size.
 */
import type { AcquisitionHeader } from 'ismrmrd';
import type { Readout } from '../../recon/index.js';

const nDescriptors = 1024;
const descriptorBytes = 256;
const controlBytes = 64;
const sampleAlignment = 64;

/** Words of the control block. */
const control = { written: 0, read: 1, consumerIdle: 2, producerWaits: 3, roomAt: 4 } as const;

/** Where a ring lies in the session's memory. */
export interface RingLayout {
  readonly startByte: number;
  readonly sampleBytes: number;
}

export function ringBytes(layout: RingLayout): number {
  return controlBytes + nDescriptors * descriptorBytes + layout.sampleBytes;
}

/** The views that both ends share. The ring lies in the memory's first pages, which growing leaves in place. */
class RingViews {
  readonly control: Int32Array;
  readonly descriptors: DataView;
  readonly buffer: ArrayBufferLike;
  readonly samplesStart: number;
  readonly sampleBytes: number;

  constructor(buffer: ArrayBufferLike, layout: RingLayout) {
    this.buffer = buffer;
    this.control = new Int32Array(buffer, layout.startByte, controlBytes / 4);
    this.descriptors = new DataView(buffer, layout.startByte + controlBytes, nDescriptors * descriptorBytes);
    this.samplesStart = layout.startByte + controlBytes + nDescriptors * descriptorBytes;
    this.sampleBytes = layout.sampleBytes;
  }

  /** Byte position in the memory of sample counter `at`. */
  samplePointer(at: number): number {
    return this.samplesStart + (at % this.sampleBytes);
  }
}

export class RingProducer {
  readonly #views: RingViews;
  /** Sample-ring bytes handed out so far; exceeds what is committed by the slot in hand. */
  #head = 0;
  /** Where the samples of each unread descriptor end, so that its space is known to be free once read. */
  readonly #ends: Float64Array = new Float64Array(nDescriptors);
  #tail = 0;
  #knownRead = 0;
  #slotStart = 0;

  constructor(buffer: ArrayBufferLike, layout: RingLayout) {
    this.#views = new RingViews(buffer, layout);
  }

  /** Largest readout that fits, bytes. */
  get capacityBytes(): number {
    return this.#views.sampleBytes;
  }

  /** A place for `nFloats` samples in one piece, or undefined when the ring is full now. */
  allocate(nFloats: number): Float32Array | undefined {
    const place = this.#place(nFloats * 4) ?? this.#placeOrWait(nFloats * 4);
    if (place === undefined) return undefined;
    this.#slotStart = place;
    return new Float32Array(this.#views.buffer, this.#views.samplePointer(place), nFloats);
  }

  /**
   * Hands the slot that was allocated last over.
   * @returns true when the consumer sleeps and has to be woken with a message
   */
  commit(header: AcquisitionHeader): boolean {
    const views = this.#views;
    const written = views.control[control.written]! >>> 0;
    const slot = written % nDescriptors;
    this.#head = this.#slotStart + align(header.nChannels * header.nSamples * 8);
    this.#ends[slot] = this.#head;
    writeDescriptor(views.descriptors, slot * descriptorBytes, header, views.samplePointer(this.#slotStart));
    Atomics.store(views.control, control.written, (written + 1) | 0);
    return Atomics.exchange(views.control, control.consumerIdle, 0) === 1;
  }

  #placeOrWait(nBytes: number): number | undefined {
    const { control: words } = this.#views;
    // Half of what waits has to be read first: a message for each readout would cost more than the readout.
    const written = words[control.written]! >>> 0;
    const nUnread = (written - (Atomics.load(words, control.read) >>> 0)) >>> 0;
    Atomics.store(words, control.roomAt, (written - (nUnread >>> 1)) | 0);
    Atomics.store(this.#views.control, control.producerWaits, 1);
    // The consumer may have freed the space between the first look and the flag: look once more.
    const place = this.#place(nBytes);
    if (place !== undefined) Atomics.store(this.#views.control, control.producerWaits, 0);
    return place;
  }

  #place(nBytes: number): number | undefined {
    const views = this.#views;
    const written = views.control[control.written]! >>> 0;
    const read = Atomics.load(views.control, control.read) >>> 0;
    if (read !== this.#knownRead) {
      this.#tail = this.#ends[(read + nDescriptors - 1) % nDescriptors]!;
      this.#knownRead = read;
    }
    if (((written - read) >>> 0) >= nDescriptors) return undefined;
    const needed = align(nBytes);
    const intoRing = this.#head % views.sampleBytes;
    // A readout never wraps: what is left at the end of the ring is passed over.
    const start = intoRing + needed > views.sampleBytes ? this.#head + views.sampleBytes - intoRing : this.#head;
    return start + needed - this.#tail <= views.sampleBytes ? start : undefined;
  }
}

/** One readout as the consumer sees it; valid until the next call of `next`. */
export interface RingReadout extends Readout {
  readonly samplesPointer: number;
}

export class RingConsumer {
  readonly #views: RingViews;
  #holding = false;

  constructor(buffer: ArrayBufferLike, layout: RingLayout) {
    this.#views = new RingViews(buffer, layout);
  }

  /** The next readout, or undefined when there is none. Its samples are freed by the call after. */
  next(): RingReadout | undefined {
    this.release();
    const { control: words, descriptors } = this.#views;
    const read = words[control.read]! >>> 0;
    if (Atomics.load(words, control.written) >>> 0 === read) return undefined;
    this.#holding = true;
    return readDescriptor(descriptors, (read % nDescriptors) * descriptorBytes);
  }

  release(): void {
    if (!this.#holding) return;
    this.#holding = false;
    Atomics.add(this.#views.control, control.read, 1);
  }

  get isEmpty(): boolean {
    const { control: words } = this.#views;
    return Atomics.load(words, control.written) === words[control.read];
  }

  /** True, once, when the producer found no room and there is some now. */
  takeProducerWaits(): boolean {
    const { control: words } = this.#views;
    if (Atomics.load(words, control.producerWaits) === 0) return false;
    if (((words[control.read]! - Atomics.load(words, control.roomAt)) | 0) < 0) return false;
    return Atomics.exchange(words, control.producerWaits, 0) === 1;
  }

  /** Goes to sleep; false when a readout came in the meantime and the consumer has to go on. */
  sleep(): boolean {
    const words = this.#views.control;
    Atomics.store(words, control.consumerIdle, 1);
    if (Atomics.load(words, control.written) === words[control.read]) return true;
    Atomics.store(words, control.consumerIdle, 0);
    return false;
  }
}

function align(nBytes: number): number {
  return Math.ceil(nBytes / sampleAlignment) * sampleAlignment;
}

function writeDescriptor(view: DataView, at: number, header: AcquisitionHeader, samplesPointer: number): void {
  let offset = at;
  const u32 = (value: number) => {
    view.setUint32(offset, value, true);
    offset += 4;
  };
  const f32 = (value: number) => {
    view.setFloat32(offset, value, true);
    offset += 4;
  };
  view.setBigUint64(offset, header.flags, true);
  offset += 8;
  u32(samplesPointer);
  u32(header.measurementUid);
  u32(header.acquisitionTimeStamp);
  for (let i = 0; i < 3; i++) u32(header.physiologyTimeStamp[i] ?? 0);
  u32(header.nSamples);
  u32(header.nChannels);
  u32(header.discardPre);
  u32(header.discardPost);
  u32(header.centerSample);
  u32(header.encodingSpaceRef);
  f32(header.sampleTimeUs);
  for (const vector of [header.position, header.readDir, header.phaseDir, header.sliceDir, header.patientTablePosition]) {
    for (let i = 0; i < 3; i++) f32(vector[i] ?? 0);
  }
  const idx = header.idx;
  u32(idx.kspaceEncodeStep1);
  u32(idx.kspaceEncodeStep2);
  u32(idx.average);
  u32(idx.slice);
  u32(idx.contrast);
  u32(idx.phase);
  u32(idx.repetition);
  u32(idx.set);
  u32(idx.segment);
  for (let i = 0; i < 8; i++) u32(idx.user[i] ?? 0);
}

function readDescriptor(view: DataView, at: number): RingReadout {
  let offset = at;
  const u32 = () => {
    const value = view.getUint32(offset, true);
    offset += 4;
    return value;
  };
  const f32 = () => {
    const value = view.getFloat32(offset, true);
    offset += 4;
    return value;
  };
  const vector = (): readonly [number, number, number] => [f32(), f32(), f32()];
  const flags = view.getBigUint64(offset, true);
  offset += 8;
  return {
    flags,
    samplesPointer: u32(),
    measurementUid: u32(),
    acquisitionTimeStamp: u32(),
    physiologyTimeStamp: [u32(), u32(), u32()],
    nSamples: u32(),
    nChannels: u32(),
    discardPre: u32(),
    discardPost: u32(),
    centerSample: u32(),
    encodingSpaceRef: u32(),
    sampleTimeUs: f32(),
    position: vector(),
    readDir: vector(),
    phaseDir: vector(),
    sliceDir: vector(),
    patientTablePosition: vector(),
    idx: {
      kspaceEncodeStep1: u32(),
      kspaceEncodeStep2: u32(),
      average: u32(),
      slice: u32(),
      contrast: u32(),
      phase: u32(),
      repetition: u32(),
      set: u32(),
      segment: u32(),
      user: [u32(), u32(), u32(), u32(), u32(), u32(), u32(), u32()],
    },
  };
}
