/**
 * The bytes under the parser's hand. Message readers take from it what they wait for, in one of three
 * ways: a fixed-size part gathered in one small buffer, a payload collected in memory of its own, or
 * a payload copied straight to a given destination. Chunks are never kept.
 */
import { mrdError } from './errors.js';
import { copyIntoShared } from './sharedCopy.js';

/** The longest fixed-size part: the name of a configuration file. */
const LONGEST_FIXED_BYTES = 1024;
/** The memory that a payload starts with, whatever it declares. */
const FIRST_CAPACITY = 64 * 1024;

const noBytes = new Uint8Array(0);

export class StreamInput {
  readonly #maxMessageBytes: number;
  readonly #fixed = new Uint8Array(LONGEST_FIXED_BYTES);
  /** Over the fixed-size part that was gathered last. */
  readonly view: DataView = new DataView(this.#fixed.buffer);
  #nGathered = 0;

  #chunk: Uint8Array = noBytes;
  #at = 0;
  #messageBytes = 0;

  #collected = noBytes;
  #destination: Uint8Array = noBytes;
  #nExpected = 0;
  #nFilled = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Puts a chunk under hand. */
  open(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Lets go of the chunk; returns how many of its bytes were taken. */
  release(): number {
    this.#chunk = noBytes;
    return this.#at;
  }

  get exhausted(): boolean {
    return this.#at === this.#chunk.length;
  }

  /** Whether a fixed-size part is begun. */
  get inFixedPart(): boolean {
    return this.#nGathered > 0;
  }

  beginMessage(): void {
    this.#messageBytes = 0;
  }

  /** Gathers the first `nBytes` of `view`; false while some are missing. */
  gather(nBytes: number): boolean {
    const end = Math.min(this.#chunk.length, this.#at + nBytes - this.#nGathered);
    this.#fixed.set(this.#chunk.subarray(this.#at, end), this.#nGathered);
    this.#nGathered += end - this.#at;
    this.#at = end;
    if (this.#nGathered < nBytes) return false;
    this.#nGathered = 0;
    return true;
  }

  /** The bytes under `view`: valid until the next `gather`. */
  fixedBytes(nBytes: number): Uint8Array {
    return this.#fixed.subarray(0, nBytes);
  }

  /**
   * Begins a payload that `payload` collects. Memory follows what comes, not what is declared, so
   * that a length without bytes behind it costs nothing.
   * @throws MRD_ERR_MESSAGE_TOO_LARGE
   */
  expect(nBytes: number): void {
    this.#expect(nBytes);
    this.#collected = new Uint8Array(Math.min(nBytes, FIRST_CAPACITY));
  }

  /** The payload, in a buffer of exactly its size; undefined while bytes are missing. */
  payload(): Uint8Array<ArrayBuffer> | undefined {
    const nBytes = Math.min(this.#chunk.length - this.#at, this.#nExpected - this.#nFilled);
    this.#grow(this.#nFilled + nBytes);
    this.#fill(this.#collected, nBytes);
    if (this.#nFilled < this.#nExpected) return undefined;
    const payload = this.#collected;
    this.#collected = noBytes;
    return payload;
  }

  /** Begins a payload that `copied` writes to `destination`. @throws MRD_ERR_MESSAGE_TOO_LARGE */
  expectInto(destination: Uint8Array): void {
    this.#expect(destination.length);
    this.#destination = destination;
  }

  /** False while bytes of the destination are missing. */
  copied(): boolean {
    this.#fill(this.#destination, Math.min(this.#chunk.length - this.#at, this.#nExpected - this.#nFilled));
    if (this.#nFilled < this.#nExpected) return false;
    this.#destination = noBytes;
    return true;
  }

  #expect(nBytes: number): void {
    this.#messageBytes += nBytes;
    if (this.#messageBytes > this.#maxMessageBytes) {
      throw mrdError('MRD_ERR_MESSAGE_TOO_LARGE', `${this.#messageBytes} bytes`);
    }
    this.#nExpected = nBytes;
    this.#nFilled = 0;
  }

  #fill(target: Uint8Array, nBytes: number): void {
    const bytes = this.#chunk.subarray(this.#at, this.#at + nBytes);
    if (target.buffer instanceof SharedArrayBuffer) copyIntoShared(bytes, target.subarray(this.#nFilled));
    else target.set(bytes, this.#nFilled);
    this.#at += nBytes;
    this.#nFilled += nBytes;
  }

  #grow(needed: number): void {
    if (needed <= this.#collected.length) return;
    const grown = new Uint8Array(Math.min(this.#nExpected, Math.max(needed, 2 * this.#collected.length)));
    grown.set(this.#collected.subarray(0, this.#nFilled));
    this.#collected = grown;
  }
}

/** Reads one kind of message, or a few alike. */
export interface MessageReader {
  /** Called when the id of such a message was read. */
  begin(id: number): void;
  /** Takes what the input has. True once the message was handed to the sink. */
  read(): boolean;
}
