/**
 * Who owns which byte of a session's memory: a first-fit free list over one byte range.
 *
 * The kernels neither allocate nor keep state, so every buffer they work on comes from here. Several
 * arenas may share one memory (one a thread, on disjoint ranges); each belongs to one thread.
 */
import { reconError } from '../errors.js';

const ALIGNMENT_BYTES = 64;
const PAGE_BYTES = 65536;

export interface ArenaRange {
  /** First byte that the arena may hand out. */
  readonly startByte: number;
  /** Byte after the last one; `limitBytes` when not given. */
  readonly endByte?: number;
  /** Size to which the memory may grow, bytes. */
  readonly limitBytes: number;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly #endByte: number;
  /** Free spans by address; neighbours never touch, they are merged on release. */
  readonly #free: Span[];
  readonly #taken = new Map<number, number>();
  #usedBytes = 0;
  #peakBytes = 0;

  constructor(memory: WebAssembly.Memory, { startByte, endByte, limitBytes }: ArenaRange) {
    this.memory = memory;
    // Byte 0 is never handed out: a null pointer means `none` to the kernels.
    const start = Math.max(ALIGNMENT_BYTES, roundUp(startByte, ALIGNMENT_BYTES));
    const end = Math.min(endByte ?? limitBytes, limitBytes);
    this.#endByte = end - (end % ALIGNMENT_BYTES);
    this.#free = start < this.#endByte ? [{ start, end: this.#endByte }] : [];
  }

  /** Bytes handed out at present, rounded up to the alignment. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The most bytes that were ever handed out at one time. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /**
   * A span of `nBytes`, aligned to 64 bytes, its content undefined. Grows the memory where needed,
   * which replaces `memory.buffer`: derive views afterwards.
   * @throws RECON_ERR_MEMORY_LIMIT when the range or the memory has no such span left.
   */
  allocate(nBytes: number): number {
    const wanted = Math.max(ALIGNMENT_BYTES, roundUp(nBytes, ALIGNMENT_BYTES));
    const index = this.#free.findIndex(({ start, end }) => end - start >= wanted);
    const span = this.#free[index];
    if (span === undefined) throw this.#refusal(nBytes);
    this.#reach(span.start + wanted, nBytes);
    if (span.end - span.start === wanted) this.#free.splice(index, 1);
    else this.#free[index] = { start: span.start + wanted, end: span.end };
    this.#taken.set(span.start, wanted);
    this.#usedBytes += wanted;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
    return span.start;
  }

  /**
   * Gives a span back.
   * @throws RECON_ERR_MEMORY_RELEASE when `pointer` is not one that `allocate` gave and that is still held.
   */
  release(pointer: number): void {
    const nBytes = this.#taken.get(pointer);
    if (nBytes === undefined) {
      throw reconError('RECON_ERR_MEMORY_RELEASE', `address ${pointer}`);
    }
    this.#taken.delete(pointer);
    this.#usedBytes -= nBytes;
    let start = pointer;
    let end = pointer + nBytes;
    const after = this.#free.findIndex((span) => span.start > pointer);
    const at = after < 0 ? this.#free.length : after;
    const next = this.#free[at];
    const previous = this.#free[at - 1];
    let from = at;
    let nMerged = 0;
    if (next !== undefined && next.start === end) {
      end = next.end;
      nMerged++;
    }
    if (previous !== undefined && previous.end === start) {
      start = previous.start;
      from--;
      nMerged++;
    }
    this.#free.splice(from, nMerged, { start, end });
  }

  /**
   * Gives back what lies outside of the `nBytes` from `from` of the span at `pointer`.
   * @returns the address of what is left of it
   * @throws RECON_ERR_MEMORY_RELEASE when `pointer` is not one that is held
   */
  trim(pointer: number, from: number, nBytes: number): number {
    const held = this.#taken.get(pointer);
    if (held === undefined) throw reconError('RECON_ERR_MEMORY_RELEASE', `address ${pointer}`);
    const start = from - (from % ALIGNMENT_BYTES);
    const end = Math.min(pointer + held, roundUp(from + nBytes, ALIGNMENT_BYTES));
    const parts = [[pointer, start], [start, end], [end, pointer + held]] as const;
    this.#taken.delete(pointer);
    for (const [at, until] of parts) if (until > at) this.#taken.set(at, until - at);
    for (const [at, until] of [parts[0], parts[2]]) if (until > at) this.release(at);
    return start;
  }

  /** Runs `use` on a span that is given back afterwards, also when `use` throws. */
  withScratch<T>(nBytes: number, use: (pointer: number) => T): T {
    const pointer = this.allocate(nBytes);
    try {
      return use(pointer);
    } finally {
      this.release(pointer);
    }
  }

  /** A fresh view of `n` float32; it outlives no growth of the memory. */
  f32(pointer: number, n: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, n);
  }

  /** A fresh view of `n` float64. */
  f64(pointer: number, n: number): Float64Array {
    return new Float64Array(this.memory.buffer, pointer, n);
  }

  /** A fresh view of `n` int32. */
  i32(pointer: number, n: number): Int32Array {
    return new Int32Array(this.memory.buffer, pointer, n);
  }

  /** A fresh view of `n` bytes. */
  u8(pointer: number, n: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer, n);
  }

  /** Grows the memory to hold `endByte`; another thread may have grown it already. */
  #reach(endByte: number, nBytes: number): void {
    const missing = endByte - this.memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch (cause) {
      throw this.#refusal(nBytes, cause);
    }
  }

  #refusal(nBytes: number, cause?: unknown): Error {
    return reconError(
      'RECON_ERR_MEMORY_LIMIT',
      `a request for ${nBytes} bytes with ${this.#usedBytes} in use below byte ${this.#endByte}`,
      { cause },
    );
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
