/**
 * Work on a slab that threads share, block of columns by block: the combination of its coils, and missing lines when
 * many of them are to be made. It is most of what is left of an image when its last line has come, so whoever has
 * nothing else to do helps: owner and helper take blocks one by one from a counter in the memory that they share. The
 * owner waits for nobody to come: a helper that comes late finds fewer blocks, or none. So it is called a little before
 * there is work, and waits for that. Every block is rounded alike, so the image does not depend on who made it.
 */
import { reconError } from '../errors.js';
import { combineSlice, fftPlanBytes, planSlab, type ColumnRange, type SlabShape } from '../fft/index.js';
import { fillLines, type GrappaKernel, type HybridSlab, type SynthesisedLine } from '../grappa/index.js';
import { Arena, bindKernels, type Kernels } from '../kernels/index.js';

/** As many as the kernels take at a time. */
const blockColumns = 32;
/** A block takes a millisecond: a helper that keeps one so long is dead. */
const longestBlockMs = 10_000;
/** Fewer lines than these are made before a helper has come. */
const fewestSharedLines = 16;

/** A helper that was called waits so long for work to begin. */
const longestWaitMs = 5;

/**
 * Words of the control block, int32: turn and next block in one, so that a helper of an earlier turn takes none; where the
 * work is that a helper was called for before it was known.
 */
const control = { next: 0, nDone: 1, slab: 2, maps: 3, image: 4 } as const;
/** A cache line of its own. */
const controlBytes = 64;
const turnBits = 16;
const mostTurns = 2 ** (31 - turnBits);
const mostBlocks = 2 ** turnBits - 1;

/** Plain data: what is to be done with each block of columns. */
export type ColumnTask =
  /** `combineSlice`; the control block says where */
  | { readonly kind: 'combine'; readonly shape: SlabShape }
  /** `fillLines` */
  | { readonly kind: 'fill'; readonly kernel: GrappaKernel; readonly slab: HybridSlab; readonly targets: readonly SynthesisedLine[] };

/** Plain data: what a helper is asked to take part in. */
export interface SharedWork {
  readonly turn: number;
  readonly controlPointer: number;
  /** The helper's own bytes. */
  readonly startByte: number;
  readonly endByte: number;
  readonly nColumns: number;
  readonly task: ColumnTask;
}

/** The helper's end, for one scan. */
export class ColumnHelper {
  readonly #memory: WebAssembly.Memory;
  #kernels: Kernels | undefined;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  help({ startByte, endByte, turn, controlPointer, nColumns, task }: SharedWork): void {
    this.#kernels ??= bindKernels(this.#memory, new Arena(this.#memory, { startByte, endByte, limitBytes: endByte }));
    const words = new Int32Array(this.#memory.buffer, controlPointer, controlBytes / 4);
    const before = Atomics.load(words, control.next);
    if (isBefore(before, turn)) Atomics.wait(words, control.next, before, longestWaitMs);
    perform(this.#kernels, task, words, blocks(words, turn, nColumns));
  }
}

/** The owner's end. */
export class SharedColumns {
  readonly #kernels: Kernels;
  readonly #shape: SlabShape;
  readonly #ask: (work: SharedWork) => void;
  readonly #controlPointer: number;
  readonly #helperBytes: { readonly startByte: number; readonly endByte: number };
  #turn = 0;
  /** For the next turn a helper was called already. */
  #isCalled = false;

  /**
   * @param shape of the slabs whose coils are combined
   * @param ask asks another thread to help; it need not
   * @throws CodedError RECON_ERR_MEMORY_LIMIT where there is no room for a helper
   */
  constructor(kernels: Kernels, shape: SlabShape, ask: (work: SharedWork) => void) {
    this.#kernels = kernels;
    this.#shape = shape;
    this.#ask = ask;
    const fillBytes = 128 * shape.nLines + 1024 * shape.nCoils;
    const helperBytes = fftPlanBytes(shape.paddedRows) + fillBytes;
    this.#controlPointer = kernels.arena.allocate(controlBytes + helperBytes);
    const startByte = this.#controlPointer + controlBytes;
    this.#helperBytes = { startByte, endByte: startByte + helperBytes };
    this.#words.fill(0);
    // Nothing to do yet; a helper gets ready.
    this.#askFor(-1, { kind: 'combine', shape });
  }

  /** Coils will be combined in a moment. @param nLinesBefore lines that are made before that; of many a helper should have its share */
  call(nLinesBefore: number): void {
    if (this.#isCalled || nLinesBefore >= fewestSharedLines) return;
    this.#askFor(this.#nextTurn, { kind: 'combine', shape: this.#shape });
    this.#isCalled = true;
  }

  /** As `combineSlice`, of all columns. @throws CodedError RECON_ERR_INTERNAL when a helper died */
  combine(slabPointer: number, mapsPointer: number, imagePointer: number): void {
    const words = this.#words;
    words[control.slab] = slabPointer;
    words[control.maps] = mapsPointer;
    words[control.image] = imagePointer;
    this.#share({ kind: 'combine', shape: this.#shape });
  }

  /** As `fillLines`. @throws CodedError RECON_ERR_INTERNAL when a helper died */
  fill(kernel: GrappaKernel, slab: HybridSlab, targets: readonly SynthesisedLine[]): void {
    // A helper that was called for something else would take part in this.
    if (targets.length < fewestSharedLines || this.#isCalled) fillLines(this.#kernels, kernel, slab, targets);
    else this.#share({ kind: 'fill', kernel, slab, targets });
  }

  #share(task: ColumnTask): void {
    const { nColumns } = this.#shape;
    const turn = (this.#turn = this.#nextTurn);
    const words = this.#words;
    Atomics.store(words, control.nDone, 0);
    Atomics.store(words, control.next, turn << turnBits);
    Atomics.notify(words, control.next);
    if (!this.#isCalled) this.#askFor(turn, task);
    this.#isCalled = false;
    perform(this.#kernels, task, words, blocks(words, turn, nColumns));
    for (let nDone; (nDone = Atomics.load(words, control.nDone)) < nBlocks(nColumns); ) {
      if (Atomics.wait(words, control.nDone, nDone, longestBlockMs) === 'timed-out') {
        throw reconError('RECON_ERR_INTERNAL', 'a thread that died while it helped');
      }
    }
  }

  #askFor(turn: number, task: ColumnTask): void {
    this.#ask({ ...this.#helperBytes, turn, controlPointer: this.#controlPointer, nColumns: this.#shape.nColumns, task });
  }

  get #nextTurn(): number {
    return (this.#turn + 1) % mostTurns;
  }

  get #words(): Int32Array {
    return this.#kernels.arena.i32(this.#controlPointer, controlBytes / 4);
  }
}

/** Whether the work of a turn has not begun: the control block is at the turn before it. */
function isBefore(next: number, turn: number): boolean {
  return ((next >> turnBits) + 1) % mostTurns === turn;
}

function perform(kernels: Kernels, task: ColumnTask, words: Int32Array, columns: Iterable<ColumnRange>): void {
  if (task.kind === 'fill') {
    fillLines(kernels, task.kernel, task.slab, task.targets, columns);
    return;
  }
  const plan = planSlab(kernels, task.shape);
  for (const range of columns) combineSlice(kernels, plan, address(words, control.slab), address(words, control.maps), address(words, control.image), range);
}

/** Addresses go up to 4 GiB. */
function address(words: Int32Array, at: number): number {
  return words[at]! >>> 0;
}

/** A matrix that is allowed has far fewer than `mostBlocks`. */
function nBlocks(nColumns: number): number {
  return Math.ceil(nColumns / blockColumns);
}

/** The blocks that this thread gets; each is done when the next is asked for. */
function* blocks(words: Int32Array, turn: number, nColumns: number): Generator<ColumnRange, void, undefined> {
  for (;;) {
    const next = Atomics.load(words, control.next);
    const block = next & mostBlocks;
    if (next >> turnBits !== turn || block >= nBlocks(nColumns)) return;
    if (Atomics.compareExchange(words, control.next, next, next + 1) !== next) continue;
    const from = block * blockColumns;
    yield { from, end: Math.min(nColumns, from + blockColumns) };
    Atomics.add(words, control.nDone, 1);
    Atomics.notify(words, control.nDone);
  }
}
