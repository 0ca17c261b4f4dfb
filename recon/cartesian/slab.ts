/**
 * One image's k-space while it fills: a hybrid slab [coil, line, column] (k-space along the lines,
 * image space along the columns) and the book of its lines.
 *
 * Which lines an image is made of follows from the counters and limits; flags are hints. The lattice
 * of an accelerated scan, line = offset (mod R), is read off the data: the residue that most imaging
 * lines share.
 */
import { hasFlag, type EncodingCounters } from 'ismrmrd';
import { planSynthesis, sourceLine, type SynthesisedLine } from '../grappa/index.js';
import type { ImageCounters } from '../types.js';
import type { CartesianPlan } from './plan.js';
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
  readonly #linesByResidue: Uint32Array;

  constructor(plan: CartesianPlan, counters: ImageCounters, reference: Readout, pointer: number) {
    this.#plan = plan;
    this.counters = counters;
    this.reference = reference;
    this.pointer = pointer;
    this.state = new Uint8Array(plan.nLines);
    this.count = new Uint16Array(plan.nLines);
    this.available = new Uint8Array(plan.nLines);
    this.#linesByResidue = new Uint32Array(plan.acceleration);
  }

  get firstRow(): number {
    return rowOfLine(this.#plan, this.#plan.firstLine);
  }

  get lastRow(): number {
    return rowOfLine(this.#plan, this.#plan.lastLine);
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
      this.available[row] = 1;
      this.count[row] = 0;
      const residue = row % this.#plan.acceleration;
      this.#linesByResidue[residue] = this.#linesByResidue[residue]! + 1;
    }
    this.count[row] = this.count[row]! + 1;
    return adds;
  }

  /** Enters a calibration line, the sum of `count` averages, unless an imaging line is there; true when it is to be written. */
  addCalibrationLine(row: number, count: number): boolean {
    if (this.state[row] === LineState.measured) return false;
    this.state[row] = LineState.calibration;
    this.available[row] = 1;
    this.count[row] = count;
    return true;
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

  /** Residue of the sampling lattice: row = offset (mod R). */
  get latticeOffset(): number {
    let best = 0;
    for (let residue = 1; residue < this.#linesByResidue.length; residue++) {
      if (this.#linesByResidue[residue]! > this.#linesByResidue[best]!) best = residue;
    }
    return best;
  }

  isOnLattice(row: number): boolean {
    return row % this.#plan.acceleration === this.latticeOffset;
  }

  /**
   * Lattice lines that the header implies and that did not come. The outermost one on either side is
   * not counted: whether a lattice begins and ends on the last lines of the matrix is the sequence's choice.
   */
  get nMissingLines(): number {
    const missing = this.#missingLatticeRows();
    if (this.#plan.acceleration === 1) return missing.length;
    const { acceleration } = this.#plan;
    return missing.filter((row) => row - acceleration >= this.firstRow && row + acceleration <= this.lastRow).length;
  }

  #missingLatticeRows(): number[] {
    const step = this.#plan.acceleration;
    const { firstRow, lastRow, latticeOffset } = this;
    const missing: number[] = [];
    for (let row = firstRow + ((((latticeOffset - firstRow) % step) + step) % step); row <= lastRow; row += step) {
      if (this.available[row] === 0) missing.push(row);
    }
    return missing;
  }

  get hasAllAverages(): boolean {
    for (let row = this.firstRow; row <= this.lastRow; row++) {
      if (this.state[row] === LineState.measured && this.isOnLattice(row) && this.count[row]! < this.#plan.nAverages) {
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
    const nMissing = this.sawLastInSlice ? this.nMissingLines : this.#missingLatticeRows().length;
    return this.nImagingLines > 0 && nMissing === 0 && this.hasAllAverages;
  }

  /** The lines that unaliasing still has to make: off the lattice, within the limits, not measured. */
  linesToSynthesise(): SynthesisedLine[] {
    const lines: SynthesisedLine[] = [];
    for (let row = this.firstRow; row <= this.lastRow; row++) {
      if (this.state[row] === LineState.empty && !this.isOnLattice(row)) lines.push(this.synthesisOf(row));
    }
    return lines;
  }

  /** Lines within the kernel's reach of `row` that can be made now: every source within the limits is in. */
  linesReadyNear(row: number): SynthesisedLine[] {
    const { acceleration, parameters } = this.#plan;
    const reach = parameters.kernelPhase * acceleration;
    const lines: SynthesisedLine[] = [];
    for (let near = Math.max(this.firstRow, row - reach); near <= Math.min(this.lastRow, row + reach); near++) {
      if (this.state[near] !== LineState.empty || this.isOnLattice(near)) continue;
      const line = this.synthesisOf(near);
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
    const lines: SynthesisedLine[] = [];
    this.state.forEach((state, row) => {
      if (state === LineState.synthesised) lines.push(this.synthesisOf(row));
    });
    return lines;
  }

  synthesisOf(row: number): SynthesisedLine {
    const { acceleration, parameters } = this.#plan;
    return planSynthesis(row, this.available, {
      latticeOffset: this.latticeOffset,
      acceleration,
      kernelPhase: parameters.kernelPhase,
    });
  }

  #hasEverySource(line: SynthesisedLine): boolean {
    const { acceleration, parameters } = this.#plan;
    for (let tap = 0; tap < parameters.kernelPhase; tap++) {
      const row = sourceLine(line, tap, acceleration, parameters.kernelPhase);
      if (row >= this.firstRow && row <= this.lastRow && this.available[row] === 0) return false;
    }
    return true;
  }
}

/** Slab row of a line counter: the centre line lies in row floor(nLines / 2). */
export function rowOfLine(plan: CartesianPlan, line: number): number {
  return line - plan.centreLine + Math.floor(plan.nLines / 2);
}
