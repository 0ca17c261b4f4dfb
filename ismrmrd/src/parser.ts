/**
 * The MRD stream parser: bytes in, messages out. Between messages it reads an id; the reader of that
 * kind of message then takes its parts, one explicit state after the other, until it has handed the
 * message to the sink. Every length is held against a limit before anything is allocated for it.
 */
import { AcquisitionReader } from './acquisitionReader.js';
import { DicomReader } from './dicomReader.js';
import { mrdError } from './errors.js';
import { ImageReader } from './imageReader.js';
import { limitsOf, type ParserLimits } from './limits.js';
import { MessageId, messageName } from './messageIds.js';
import { NdArrayReader } from './ndarrayReader.js';
import { type MessageReader, StreamInput } from './streamInput.js';
import { ConfigFileReader, StringReader } from './stringReader.js';
import type { MrdSink } from './types.js';
import { WaveformReader } from './waveformReader.js';

const ID_BYTES = 2;

export class MrdParser {
  readonly #sink: MrdSink;
  readonly #limits: ParserLimits;
  readonly #input: StreamInput;
  readonly #acquisitionReader: AcquisitionReader;
  readonly #readers: ReadonlyMap<number, MessageReader>;

  #state: 'id' | 'message' | 'closed' | 'ended' = 'id';
  #failure: { readonly error: unknown } | undefined;
  #position = 0;
  #nMessages = 0;
  #nChunks = 0;
  #id = 0;
  #reader: MessageReader;

  /**
   * @param sink receives each message once it is whole, during `write`; it must not call `write`
   * @param limits put over DEFAULT_LIMITS
   * @throws MRD_ERR_LIMIT
   */
  constructor(sink: MrdSink, limits: Partial<ParserLimits> = {}) {
    this.#sink = sink;
    this.#limits = limitsOf(limits);
    const input = new StreamInput(this.#limits.maxMessageBytes);
    this.#input = input;
    this.#acquisitionReader = new AcquisitionReader(input, sink, this.#limits);
    this.#reader = this.#acquisitionReader;
    const strings = new StringReader(input, sink, this.#limits);
    this.#readers = new Map<number, MessageReader>([
      [MessageId.configFile, new ConfigFileReader(input, sink)],
      [MessageId.configText, strings],
      [MessageId.header, strings],
      [MessageId.text, strings],
      [MessageId.query, strings],
      [MessageId.response, strings],
      [MessageId.dependency, strings],
      [MessageId.acquisition, this.#acquisitionReader],
      [MessageId.dicom, new DicomReader(input, sink, this.#limits)],
      [MessageId.image, new ImageReader(input, sink, this.#limits)],
      [MessageId.waveform, new WaveformReader(input, sink, this.#limits)],
      [MessageId.ndarray, new NdArrayReader(input, sink, this.#limits)],
    ]);
  }

  /** Bytes consumed so far. */
  get position(): number {
    return this.#position;
  }

  /** Messages begun so far. */
  get nMessages(): number {
    return this.#nMessages;
  }

  /** Whether the sink had no room for the samples that come next; `write` asks it again. */
  get waiting(): boolean {
    return this.#state === 'message' && this.#reader === this.#acquisitionReader && this.#acquisitionReader.waiting;
  }

  /** Whether CLOSE was read. */
  get closed(): boolean {
    return this.#state === 'closed';
  }

  /**
   * Parses a chunk. The chunk is not kept; its memory may be used again.
   * @returns bytes consumed: all, unless the sink's `allocate` had no room; then call again, with the
   * rest, when there may be room (with an empty chunk if nothing is left)
   * @throws CodedError MRD_ERR_* for whatever the stream violates, or what the sink threw; the
   * parser is then dead, and each further call throws the same error
   */
  write(chunk: Uint8Array): number {
    if (this.#failure !== undefined) throw this.#failure.error;
    let nConsumed = 0;
    this.#input.open(chunk);
    try {
      while (this.#step());
    } catch (error) {
      this.#fail(error);
    } finally {
      nConsumed = this.#input.release();
      this.#position += nConsumed;
    }
    if (nConsumed > 0) this.#countChunk();
    return nConsumed;
  }

  /**
   * Declares the end of the stream. Whether a CLOSE came before is for the caller to judge.
   * @throws MRD_ERR_TRUNCATED_ID, MRD_ERR_TRUNCATED_MESSAGE, or what `write` threw
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#state === 'id' && this.#input.inFixedPart) {
      this.#fail(mrdError('MRD_ERR_TRUNCATED_ID', `the end after byte ${this.#position}, half an id`));
    }
    if (this.#state === 'message') {
      this.#fail(
        mrdError('MRD_ERR_TRUNCATED_MESSAGE', `the end after byte ${this.#position}, inside ${this.#messageWord()}`),
      );
    }
    this.#state = 'ended';
  }

  /** One step from message to message. False when it needs more bytes, or room. */
  #step(): boolean {
    switch (this.#state) {
      case 'id':
        if (!this.#input.gather(ID_BYTES)) return false;
        this.#beginMessage();
        return true;
      case 'message':
        if (!this.#reader.read()) return false;
        this.#state = 'id';
        return true;
      case 'closed':
        if (!this.#input.exhausted) throw mrdError('MRD_ERR_DATA_AFTER_CLOSE', 'more bytes');
        return false;
      case 'ended':
        throw mrdError('MRD_ERR_WRITE_AFTER_END', 'a chunk');
    }
  }

  #beginMessage(): void {
    this.#id = this.#input.view.getUint16(0, true);
    this.#nMessages++;
    this.#nChunks = 0;
    if (this.#nMessages > this.#limits.maxMessages) {
      throw mrdError('MRD_ERR_TOO_MANY_MESSAGES', `message number ${this.#nMessages}`);
    }
    if (this.#id === MessageId.close) {
      this.#state = 'closed';
      this.#sink.close?.();
      return;
    }
    const reader = this.#readers.get(this.#id);
    if (reader === undefined) {
      throw mrdError('MRD_ERR_UNKNOWN_MESSAGE_ID', `id ${this.#id} at the start of message ${this.#nMessages}`);
    }
    this.#input.beginMessage();
    this.#reader = reader;
    reader.begin(this.#id);
    this.#state = 'message';
  }

  #countChunk(): void {
    this.#nChunks++;
    if (this.#state === 'message' && this.#nChunks > this.#limits.maxChunksPerMessage) {
      this.#fail(mrdError('MRD_ERR_TOO_MANY_CHUNKS', `${this.#nChunks} pieces of ${this.#messageWord()}`));
    }
  }

  #messageWord(): string {
    return `message ${this.#nMessages} (${messageName(this.#id)})`;
  }

  #fail(error: unknown): never {
    this.#failure = { error };
    throw error;
  }
}
