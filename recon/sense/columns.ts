/**
 * SENSE where whole lines are sampled: each column of the hybrid slab is a problem of its own, and the
 * kernels (recon/kernels/assembly/sense.ts) work on four of them in the cache, whole conjugate-gradient
 * solutions included. Columns need no other columns: threads may share them, and nothing depends on how.
 */
import { planFft, type ColumnRange, type FftPlan } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import type { NormalEquations, SenseModel, SenseOptions } from './types.js';

const ELEMENT_BYTES = 32;
/** Coils are mixed to as few as leave out no more than this part of the energy of the maps in any pixel. */
const coilTolerance = 1e-4;

/** Room for the work on four columns. */
interface Workplace {
  readonly fft: FftPlan;
  /** A block holds the columns of every set. */
  readonly blockBytes: number;
  /** The weights in the order of a block: row j from the centre, round the end. */
  readonly weights: number;
  readonly coils: number;
  readonly scratch: number;
  /** Of all of it. */
  readonly pointer: number;
}

function openWorkplace(kernels: Kernels, { nRows, nCoils, nSets = 1, weights }: SenseModel): Workplace {
  const { arena } = kernels;
  const fft = planFft(kernels, nRows);
  const blockBytes = ELEMENT_BYTES * nRows * nSets;
  const weightBytes = ELEMENT_BYTES * Math.ceil((4 * nRows) / ELEMENT_BYTES);
  const place = arena.allocate(weightBytes + nCoils * blockBytes + Math.max(nCoils * (blockBytes + ELEMENT_BYTES), 3 * blockBytes));
  const coils = place + weightBytes;
  const ordered = arena.f32(place, nRows);
  const centre = Math.floor(nRows / 2);
  for (let row = 0; row < nRows; row++) ordered[(row - centre + nRows) % nRows] = weights[row]!;
  return { fft, blockBytes, weights: place, coils, scratch: coils + nCoils * blockBytes, pointer: place };
}

/** The maps of the columns from `column` into the workplace, a block a coil. */
function packMaps(kernels: Kernels, { maps, nSets = 1, nCoils, nRows, nColumns }: SenseModel, place: Workplace, column: number): void {
  for (let coil = 0; coil < nCoils; coil++) {
    const shape = { nSets, nRows, nColumns, setPixels: nCoils * nRows * nColumns };
    packSets(kernels, shape, maps + 8 * coil * nRows * nColumns, column, place.coils + coil * place.blockBytes);
  }
}

interface Sets {
  readonly nSets: number;
  readonly nRows: number;
  readonly nColumns: number;
  /** From one set to the next. */
  readonly setPixels: number;
}

/** Up to four columns from `column` of every set -> a block. */
function packSets({ wasm }: Kernels, { nSets, nRows, nColumns, setPixels }: Sets, images: number, column: number, block: number): void {
  const count = Math.min(4, nColumns - column);
  for (let set = 0; set < nSets; set++) {
    wasm.packColumns(images + 8 * (set * setPixels + column), 8 * nColumns, nRows, count, block + set * ELEMENT_BYTES * nRows);
  }
}

/** The way back. */
function unpackSets({ wasm }: Kernels, { nSets, nRows, nColumns, setPixels }: Sets, block: number, images: number, column: number): void {
  const count = Math.min(4, nColumns - column);
  for (let set = 0; set < nSets; set++) {
    wasm.unpackColumns(block + set * ELEMENT_BYTES * nRows, nRows, count, images + 8 * (set * setPixels + column), 8 * nColumns);
  }
}

function rightSideOf(kernels: Kernels, model: SenseModel, place: Workplace, data: number, column: number, b: number): void {
  const { nSets = 1, nCoils, nRows, nColumns } = model;
  const { fft } = place;
  kernels.wasm.senseRightSide(
    fft.pointer, data + 8 * column, 8 * nRows * nColumns, 8 * nColumns, nCoils, Math.min(4, nColumns - column),
    place.coils, nSets, place.weights, fft.scale, b, fft.slots, fft.slotBytes,
  );
}

/**
 * argmin over u of |E u - W^(1/2) d|^2 + damping |u|^2, by conjugate gradients from zero.
 * @param data address of complex64 [nCoils, nRows, nColumns], hybrid
 * @param image address of complex64 [nSets, nRows, nColumns]; only `columns` are written
 * @param columns from and end multiples of four, or the image's own
 */
export function solveColumns(
  kernels: Kernels, model: SenseModel, data: number, image: number, options: SenseOptions,
  columns: ColumnRange = { from: 0, end: model.nColumns },
): void {
  const { arena, wasm } = kernels;
  const { nSets = 1, nCoils, nRows, nColumns } = model;
  const place = openWorkplace(kernels, model);
  const { fft } = place;
  const b = arena.allocate(2 * place.blockBytes);
  const x = b + place.blockBytes;
  try {
    for (let column = columns.from; column < columns.end; column += 4) {
      packMaps(kernels, model, place, column);
      rightSideOf(kernels, model, place, data, column, b);
      const nMixtures = wasm.compressMaps(place.coils, nCoils, nSets * nRows, coilTolerance, place.scratch);
      wasm.senseSolve(
        fft.pointer, place.coils, nMixtures, nSets, place.weights, fft.scale ** 2, options.damping, options.nIterations,
        options.tolerance ?? 0, b, x, place.scratch, fft.slots, fft.slotBytes,
      );
      unpackSets(kernels, { nSets, nRows, nColumns, setPixels: nRows * nColumns }, x, image, column);
    }
  } finally {
    for (const pointer of [b, place.pointer]) arena.release(pointer);
  }
}

/** The normal equations of all columns, for solvers that see the whole image. */
export class ColumnEquations implements NormalEquations {
  readonly nSets: number;
  readonly nRows: number;
  readonly nColumns: number;
  readonly #kernels: Kernels;
  readonly #model: SenseModel;
  readonly #place: Workplace;
  /** Mixtures of coils, blocks of four columns one after the other. */
  readonly #mixtures: number;
  readonly #nMixtures: number[] = [];
  readonly #blocks: number;
  readonly #sets: Sets;

  constructor(kernels: Kernels, model: SenseModel) {
    const { nSets = 1, nCoils, nRows, nColumns } = model;
    const { arena, wasm } = kernels;
    this.#kernels = kernels;
    this.#model = model;
    this.#sets = { nSets, nRows, nColumns, setPixels: nRows * nColumns };
    this.nSets = nSets;
    this.nRows = nRows;
    this.nColumns = nColumns;
    const blockBytes = ELEMENT_BYTES * nRows * nSets;
    this.#blocks = arena.allocate((2 + Math.ceil(nColumns / 4) * nCoils) * blockBytes);
    this.#mixtures = this.#blocks + 2 * blockBytes;
    try {
      this.#place = openWorkplace(kernels, model);
    } catch (error) {
      arena.release(this.#blocks);
      throw error;
    }
    const { coils, scratch } = this.#place;
    let to = this.#mixtures;
    for (let column = 0; column < nColumns; column += 4) {
      packMaps(kernels, model, this.#place, column);
      const nMixtures = wasm.compressMaps(coils, nCoils, nSets * nRows, coilTolerance, scratch);
      arena.u8(to, nMixtures * blockBytes).set(arena.u8(coils, nMixtures * blockBytes));
      to += nMixtures * blockBytes;
      this.#nMixtures.push(nMixtures);
    }
  }

  rightSide(data: number, image: number): void {
    for (let column = 0; column < this.nColumns; column += 4) {
      packMaps(this.#kernels, this.#model, this.#place, column);
      rightSideOf(this.#kernels, this.#model, this.#place, data, column, this.#blocks);
      unpackSets(this.#kernels, this.#sets, this.#blocks, image, column);
    }
  }

  normal(image: number, out: number): void {
    const { wasm } = this.#kernels;
    const { fft, blockBytes, weights } = this.#place;
    let mixtures = this.#mixtures;
    this.#nMixtures.forEach((nMixtures, block) => {
      const column = 4 * block;
      packSets(this.#kernels, this.#sets, image, column, this.#blocks);
      wasm.senseNormal(
        fft.pointer, mixtures, nMixtures, this.nSets, weights, fft.scale ** 2, 0, this.#blocks, this.#blocks + blockBytes,
        fft.slots, fft.slotBytes,
      );
      unpackSets(this.#kernels, this.#sets, this.#blocks + blockBytes, out, column);
      mixtures += nMixtures * blockBytes;
    });
  }

  release(): void {
    for (const pointer of [this.#blocks, this.#place.pointer]) this.#kernels.arena.release(pointer);
  }
}
