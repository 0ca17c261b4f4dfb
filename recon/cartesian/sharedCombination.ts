/**
 * The combination of a slab's coils, shared among threads. What is left of an image when its last line comes is mostly
 * this, so whoever has nothing else to do helps: blocks of columns are taken one by one by the owner of the scan and
 * by its helper, from a counter in the memory that they share. The owner waits for nobody to come: a helper that comes
 * late finds fewer blocks, or none. Every block is rounded alike, so the image does not depend on who made it.
 */
import { combineSlice, fftPlanBytes, planSlab, type SlabPlan, type SlabShape } from '../fft/index.js';
import { Arena, bindKernels, type Kernels } from '../kernels/index.js';
import { reconError } from '../errors.js';

/** Columns of a block: as many as the kernel takes through the coils at a time. */
const blockColumns = 32;
/** A block takes a millisecond: a helper that keeps one so long is dead. */
const longestBlockMs = 10_000;

/** Words of the control block, int32: turn and next block in one, so that a helper of an earlier turn takes none. */
const control = { next: 0, nDone: 1 } as const;
/** A cache line of its own. */
const controlBytes = 64;
const turnBits = 16;
const mostBlocks = 2 ** turnBits - 1;

/** Plain data: what a helper is asked to take part in. */
export interface SharedCombination {
  readonly turn: number;
  readonly controlPointer: number;
  /** The helper's own bytes. */
  readonly startByte: number;
  readonly endByte: number;
  readonly shape: SlabShape;
  readonly slabPointer: number;
  readonly mapsPointer: number;
  readonly imagePointer: number;
}

/** The helper's end, for one scan. */
export class CombinationHelper {
  readonly #memory: WebAssembly.Memory;
  #kernels: Kernels | undefined;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  help({ startByte, endByte, shape, turn, controlPointer, ...place }: SharedCombination): void {
    this.#kernels ??= bindKernels(this.#memory, new Arena(this.#memory, { startByte, endByte, limitBytes: endByte }));
    const plan = planSlab(this.#kernels, shape);
    takeBlocks(this.#kernels, plan, new Int32Array(this.#memory.buffer, controlPointer, controlBytes / 4), turn, place);
  }
}

/** The owner's end. */
export class SharedCombinations {
  readonly #kernels: Kernels;
  readonly #shape: SlabShape;
  readonly #ask: (work: SharedCombination) => void;
  readonly #controlPointer: number;
  readonly #helperBytes: { readonly startByte: number; readonly endByte: number };
  #turn = 0;

  /**
   * @param ask asks another thread to help; it need not
   * @throws CodedError RECON_ERR_MEMORY_LIMIT where there is no room for a helper
   */
  constructor(kernels: Kernels, shape: SlabShape, ask: (work: SharedCombination) => void) {
    this.#kernels = kernels;
    this.#shape = shape;
    this.#ask = ask;
    const helperBytes = fftPlanBytes(shape.paddedRows);
    this.#controlPointer = kernels.arena.allocate(controlBytes + helperBytes);
    const startByte = this.#controlPointer + controlBytes;
    this.#helperBytes = { startByte, endByte: startByte + helperBytes };
    // Nothing to do yet; a helper gets ready.
    this.#words.fill(0);
    this.#ask({ ...this.#helperBytes, turn: -1, controlPointer: this.#controlPointer, shape, slabPointer: 0, mapsPointer: 0, imagePointer: 0 });
  }

  /** As `combineSlice`, of all columns; `plan` is of the shape that was given. @throws CodedError RECON_ERR_INTERNAL when a helper died */
  combine(plan: SlabPlan, slabPointer: number, mapsPointer: number, imagePointer: number): void {
    const nBlocks = blocksOf(plan);
    const place = { slabPointer, mapsPointer, imagePointer };
    if (nBlocks > mostBlocks) {
      combineSlice(this.#kernels, plan, slabPointer, mapsPointer, imagePointer);
      return;
    }
    const turn = (this.#turn = (this.#turn + 1) % 2 ** (31 - turnBits));
    const words = this.#words;
    Atomics.store(words, control.nDone, 0);
    Atomics.store(words, control.next, turn << turnBits);
    this.#ask({ ...this.#helperBytes, turn, controlPointer: this.#controlPointer, shape: this.#shape, ...place });
    takeBlocks(this.#kernels, plan, words, turn, place);
    for (let nDone = Atomics.load(words, control.nDone); nDone < nBlocks; nDone = Atomics.load(words, control.nDone)) {
      if (Atomics.wait(words, control.nDone, nDone, longestBlockMs) === 'timed-out') {
        throw reconError('RECON_ERR_INTERNAL', 'a thread that died while it combined coils');
      }
    }
  }

  get #words(): Int32Array {
    return this.#kernels.arena.i32(this.#controlPointer, controlBytes / 4);
  }
}

function blocksOf({ nColumns }: SlabShape): number {
  return Math.ceil(nColumns / blockColumns);
}

function takeBlocks(
  kernels: Kernels, plan: SlabPlan, words: Int32Array, turn: number,
  { slabPointer, mapsPointer, imagePointer }: Pick<SharedCombination, 'slabPointer' | 'mapsPointer' | 'imagePointer'>,
): void {
  for (;;) {
    const next = Atomics.load(words, control.next);
    const block = next & mostBlocks;
    if (next >> turnBits !== turn || block >= blocksOf(plan)) return;
    if (Atomics.compareExchange(words, control.next, next, next + 1) !== next) continue;
    const from = block * blockColumns;
    combineSlice(kernels, plan, slabPointer, mapsPointer, imagePointer, { from, end: Math.min(plan.nColumns, from + blockColumns) });
    Atomics.add(words, control.nDone, 1);
    Atomics.notify(words, control.nDone);
  }
}
