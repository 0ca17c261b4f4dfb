/**
 * The k-space of one image, or of one volume, while it fills: a hybrid slab [coil, partition, line, column]
 * (k-space along partitions and lines, image space along the columns) and the book of its lines. A row is a
 * line of a partition: row = partition · nLines + line, 2D having one partition.
 *
 * Which lines an image is made of follows from the counters and limits; flags are hints. The lattice
 * of an accelerated scan, line = offset (mod R) and partition = offset (mod R), is read off the data: the
 * residue that most imaging lines share.
 */
import { hasFlag, type EncodingCounters } from 'ismrmrd';
import { planSynthesis, sourceLine, type GrappaLattice, type SynthesisedLine } from '../grappa/index.js';
import type { ImageCounters } from '../types.js';
import { latticeOf, type CartesianPlan } from './plan.js';
import type { Readout } from './readout.js';

export const LineState = {
  empty: 0,
  /** An imaging line, summed over `count` averages. */
  measured: 1,
  /** A calibration line standing in; an imaging line of the same number replaces it. */
  calibration: 2,
  /** Made by the GRAPPA kernel. */
  synthesised: 3,
} as const;

/** What an image is made of. */
export interface SlabLines {
  /** Readouts that each row is the mean of; 0 where it was not measured. */
  readonly averages: readonly number[];
  /** The rows that are made of others, with their sources. */
  readonly synthesised: readonly SynthesisedLine[];
}

export class Slab {
  readonly counters: ImageCounters;
  /** Header of the first readout: geometry and time stamps of the image. */
  readonly reference: Readout;
  readonly pointer: number;
  readonly state: Uint8Array;
  readonly count: Uint16Array;
  /** 1 for each line that is in and may serve as a source of others. */
  readonly available: Uint8Array;
  /** A line came more than once; announced or not. */
  sumsAverages = false;
  /** Set when sums over averages have become means. */
  averaged = false;
  sawFirstInSlice = false;
  sawLastInSlice = false;
  delivered = false;
  /** A line came after the delivery. */
  changedSinceDelivery = false;
  /** The memory was given up; late lines have nowhere to go. */
  released = false;

  readonly #plan: CartesianPlan;
  readonly #lattice: Required<GrappaLattice>;
  readonly #linesByResidue: Uint32Array;
  #nAvailable = 0;

  constructor(plan: CartesianPlan, counters: ImageCounters, reference: Readout, pointer: number) {
    this.#plan = plan;
    this.counters = counters;
    this.reference = reference;
    this.pointer = pointer;
    const nRows = plan.nPartitions * plan.nLines;
    this.state = new Uint8Array(nRows);
    this.count = new Uint16Array(nRows);
    this.available = new Uint8Array(nRows);
    this.#linesByResidue = new Uint32Array(plan.acceleration * plan.sliceAcceleration);
    this.#lattice = latticeOf(plan);
  }

  /** The lines of each partition that the header implies. */
  get lines(): { first: number; last: number } {
    const { firstLine, lastLine, centreLine, nLines } = this.#plan;
    const shift = Math.floor(nLines / 2) - centreLine;
    return { first: firstLine + shift, last: lastLine + shift };
  }

  /** The partitions that the header implies. */
  get partitions(): { first: number; last: number } {
    const { firstPartition, lastPartition, centrePartition, nPartitions } = this.#plan;
    const shift = Math.floor(nPartitions / 2) - centrePartition;
    return { first: firstPartition + shift, last: lastPartition + shift };
  }

  /** Rows that the header implies, in order. */
  *#impliedRows(): Generator<number, void, undefined> {
    const { lines, partitions } = this;
    for (let partition = partitions.first; partition <= partitions.last; partition++) {
      for (let line = lines.first; line <= lines.last; line++) yield partition * this.#plan.nLines + line;
    }
  }

  /** Enters an imaging line; true when its samples add to lines that are there already. */
  addImagingLine(row: number): boolean {
    const adds = this.state[row] === LineState.measured;
    if (adds) {
      // Sums and single lines stand side by side until all averages are in: no source for synthesis.
      this.sumsAverages = true;
      this.forgetSynthesis();
    } else {
      this.state[row] = LineState.measured;
      this.#makeAvailable(row);
      this.count[row] = 0;
      const residue = this.#residueOf(row);
      this.#linesByResidue[residue] = this.#linesByResidue[residue]! + 1;
    }
    this.count[row] = this.count[row]! + 1;
    return adds;
  }

  /** Enters a calibration line, the sum of `count` averages, unless an imaging line is there; true when it is to be written. */
  addCalibrationLine(row: number, count: number): boolean {
    if (this.state[row] === LineState.measured) return false;
    this.state[row] = LineState.calibration;
    this.#makeAvailable(row);
    this.count[row] = count;
    return true;
  }

  #makeAvailable(row: number): void {
    if (this.available[row] === 0) this.#nAvailable++;
    this.available[row] = 1;
  }

  noteFlags(flags: bigint): void {
    if (hasFlag(flags, 'firstInSlice')) this.sawFirstInSlice = true;
    if (hasFlag(flags, 'lastInSlice') || hasFlag(flags, 'lastInMeasurement')) this.sawLastInSlice = true;
  }

  /** True for the counters of this slab's own image. */
  holds({ slice, contrast, phase, repetition, set }: EncodingCounters): boolean {
    const own = this.counters;
    return (
      slice === own.slice && contrast === own.contrast && phase === own.phase && repetition === own.repetition && set === own.set
    );
  }

  /**
   * Lines come after the delivery. More may follow, averages that the header did not announce for
   * instance: the next delivery waits for another LAST_IN_SLICE, or for the end of the scan.
   */
  reopen(): void {
    this.changedSinceDelivery = true;
    this.sawFirstInSlice = true;
    this.sawLastInSlice = false;
    this.forgetSynthesis();
  }

  /** Synthesised lines are to be made again, because their sources change. */
  forgetSynthesis(): void {
    for (let row = 0; row < this.state.length; row++) {
      if (this.state[row] === LineState.synthesised) this.state[row] = LineState.empty;
    }
  }

  get nImagingLines(): number {
    return this.#linesByResidue.reduce((sum, n) => sum + n, 0);
  }

  #residueOf(row: number): number {
    const { nLines, acceleration, sliceAcceleration } = this.#plan;
    return ((row % nLines) % acceleration) + acceleration * (Math.floor(row / nLines) % sliceAcceleration);
  }

  /** Residue of the sampling lattice. */
  get #latticeResidue(): number {
    let best = 0;
    for (let residue = 1; residue < this.#linesByResidue.length; residue++) {
      if (this.#linesByResidue[residue]! > this.#linesByResidue[best]!) best = residue;
    }
    return best;
  }

  isOnLattice(row: number): boolean {
    return this.#residueOf(row) === this.#latticeResidue;
  }

  /**
   * Lattice lines that the header implies and that did not come. The outermost ones on either side are
   * not counted: whether a lattice begins and ends on the last lines of the matrix is the sequence's choice.
   */
  get nMissingLines(): number {
    const { nLines, acceleration, sliceAcceleration } = this.#plan;
    const isInner = (at: number, step: number, { first, last }: { first: number; last: number }) =>
      step === 1 || (at - step >= first && at + step <= last);
    return this.#missingLatticeRows().filter(
      (row) => isInner(row % nLines, acceleration, this.lines) && isInner(Math.floor(row / nLines), sliceAcceleration, this.partitions),
    ).length;
  }

  #missingLatticeRows(): number[] {
    const residue = this.#latticeResidue;
    const missing: number[] = [];
    for (const row of this.#impliedRows()) {
      if (this.available[row] === 0 && this.#residueOf(row) === residue) missing.push(row);
    }
    return missing;
  }

  get hasAllAverages(): boolean {
    const residue = this.#latticeResidue;
    for (const row of this.#impliedRows()) {
      if (this.state[row] === LineState.measured && this.#residueOf(row) === residue && this.count[row]! < this.#plan.nAverages) {
        return false;
      }
    }
    return true;
  }

  /**
   * True when every implied line is in. A scan that marks the first readout of a slice is trusted to
   * mark the last one, so that calibration lines which come last are waited for.
   */
  get isComplete(): boolean {
    if (this.sawFirstInSlice && !this.sawLastInSlice) return false;
    if (!this.sawLastInSlice && this.#nAvailable < this.#fewestLatticeLines) return false;
    const nMissing = this.sawLastInSlice ? this.nMissingLines : this.#missingLatticeRows().length;
    return this.nImagingLines > 0 && nMissing === 0 && this.hasAllAverages;
  }

  /** So many lines every lattice has: with fewer there is no need to look which ones are missing. */
  get #fewestLatticeLines(): number {
    const { lines, partitions } = this;
    const { acceleration, sliceAcceleration } = this.#plan;
    return Math.floor((lines.last - lines.first + 1) / acceleration) * Math.floor((partitions.last - partitions.first + 1) / sliceAcceleration);
  }

  /** The lines that unaliasing still has to make: off the lattice, within the limits, not measured. */
  linesToSynthesise(): SynthesisedLine[] {
    const residue = this.#latticeResidue;
    const lines: SynthesisedLine[] = [];
    for (const row of this.#impliedRows()) {
      if (this.state[row] === LineState.empty && this.#residueOf(row) !== residue) lines.push(this.#synthesisOf(row, residue));
    }
    return lines;
  }

  /** Lines of a 2D image within the kernel's reach of rows `from` to `to` that can be made now: every source within the limits is in. */
  linesReadyNear(from: number, to = from): SynthesisedLine[] {
    const { acceleration, kernelPhase } = this.#lattice;
    const reach = kernelPhase * acceleration;
    const residue = this.#latticeResidue;
    const { first, last } = this.lines;
    const lines: SynthesisedLine[] = [];
    for (let near = Math.max(first, from - reach); near <= Math.min(last, to + reach); near++) {
      if (this.state[near] !== LineState.empty || this.#residueOf(near) === residue) continue;
      const line = this.#synthesisOf(near, residue);
      if (this.#hasEverySource(line)) lines.push(line);
    }
    return lines;
  }

  /** Every line that can be made now. */
  linesReady(): SynthesisedLine[] {
    return this.linesToSynthesise().filter((line) => this.#hasEverySource(line));
  }

  /** The lines that were made, with the sources that they were made of. */
  synthesisedLines(): SynthesisedLine[] {
    const residue = this.#latticeResidue;
    const lines: SynthesisedLine[] = [];
    this.state.forEach((state, row) => {
      if (state === LineState.synthesised) lines.push(this.#synthesisOf(row, residue));
    });
    return lines;
  }

  /** What the image is made of now. */
  get contents(): SlabLines {
    return { averages: Array.from(this.available, (is, row) => (is === 1 ? this.count[row]! : 0)), synthesised: this.synthesisedLines() };
  }

  /** What it will be made of when the lattice is complete and no other line comes. */
  get expectedContents(): SlabLines {
    const residue = this.#latticeResidue;
    const available = this.available.slice();
    const rows = [...this.#impliedRows()];
    for (const row of rows) if (this.#residueOf(row) === residue) available[row] = 1;
    return {
      averages: Array.from(available, (is, row) => (is === 1 ? Math.max(1, this.count[row]!) : 0)),
      synthesised: rows.filter((row) => available[row] === 0).map((row) => this.#synthesisOf(row, residue, available)),
    };
  }

  #synthesisOf(row: number, residue: number, available = this.available): SynthesisedLine {
    const { acceleration } = this.#lattice;
    const place = { latticeOffset: residue % acceleration, sliceOffset: Math.floor(residue / acceleration) };
    return planSynthesis(row, available, { ...this.#lattice, ...place }, this.#plan.nLines);
  }

  #hasEverySource(line: SynthesisedLine): boolean {
    const { first, last } = this.lines;
    for (let tap = 0; tap < this.#lattice.kernelPhase; tap++) {
      const row = sourceLine(line, tap, this.#lattice);
      if (row >= first && row <= last && this.available[row] === 0) return false;
    }
    return true;
  }
}

/** Slab row of a line of a partition by their counters, the centre in the middle; undefined outside of the encoded matrix. */
export function rowOfLine(plan: CartesianPlan, lineCounter: number, partitionCounter: number): number | undefined {
  const line = lineCounter - plan.centreLine + Math.floor(plan.nLines / 2);
  const partition = partitionCounter - plan.centrePartition + Math.floor(plan.nPartitions / 2);
  const isInside = line >= 0 && line < plan.nLines && partition >= 0 && partition < plan.nPartitions;
  return isInside ? partition * plan.nLines + line : undefined;
}
