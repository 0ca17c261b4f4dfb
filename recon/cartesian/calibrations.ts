/**
 * The calibrations of a scan: whose lines they are made of, when they start, who may use them.
 *
 * Embedded lines calibrate the image that they belong to; separate ones every image of their slice;
 * interleaved ones are the imaging lines of several images, which all wait until k-space is filled; a fully
 * sampled image calibrates itself with its central lines. Calibrations start as soon as the first plain
 * imaging line follows a sufficient run of calibration lines, else when the image is complete.
 */
import type { EncodingCounters } from 'ismrmrd';
import type { GrappaKernel } from '../grappa/index.js';
import type { Kernels } from '../kernels/index.js';
import type { ReconNoticeCode } from '../notices.js';
import { CalibrationLines, calibrationBlockBytes, type CalibrationJob, type CalibrationOutcome, type LineBlock } from './calibration.js';
import { isAccelerated, latticeOf, needsCoilMaps, needsKernel, slabCoilBytes, type CartesianPlan } from './plan.js';
import { LineState, type Slab } from './slab.js';
import type { StageClock } from './stageClock.js';

/** Central lines that a fully sampled image gives to its coil maps. */
const selfCalibrationLines = 32;
/** Of a reference that covers the whole slice these central lines tell the kernel all that it needs. */
const mostCalibrationLines = 48;
/** Fewer lines than this say nothing of how the coils vary. */
const fewestLinesForMaps = 6;

/** Calibration lines in one piece, hybrid, complex64 [nCoils, nPartitions, nLines, nColumns], the first ones counted from the k-space centre. */
export interface MapLines extends LineBlock {
  readonly pointer: number;
}

/** Kernel and coil maps of one image or one slice. */
export interface Calibration {
  readonly slice: number;
  readonly nLines: number;
  /** Jobs that are still running. */
  pending: number;
  /** Who may still use it: its own image, the borrowers of its slice, images on their way out. Nobody: it is freed. */
  nHolders: number;
  kernel: GrappaKernel | undefined;
  /** Of a 3D scan, whose coil maps are made slice by slice: the lines to make them of. */
  readonly lines: MapLines | undefined;
  /** complex64 [nCoils, combinedRows, nColumns], or nLines rows where the image is solved for; 0 where there are none. */
  mapsPointer: number;
  /** Sets of such maps, one after the other. */
  nMapSets: number;
  /** Spans of the arena that hold the above. */
  readonly spans: number[];
}

type ImageLoop = Pick<EncodingCounters, 'slice' | 'contrast' | 'phase' | 'repetition' | 'set'>;

export interface CalibrationContext {
  run(job: CalibrationJob, done: (outcome: CalibrationOutcome) => void): void;
  /** Gets room in the arena, giving up delivered slabs where needed. */
  allocate(nBytes: number): number;
  notice(code: ReconNoticeCode, message: string): void;
  ready(calibration: Calibration): void;
  readonly clock: StageClock;
}

/** Writes one line of all coils to `pointer`, coils `coilBytes` apart; adds to what is there when told so. */
export type LineWriter = (pointer: number, coilBytes: number, accumulate: boolean) => void;

export class Calibrations {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #context: CalibrationContext;
  readonly #lines = new Map<string, CalibrationLines>();
  readonly #calibrations = new Map<string, Calibration>();
  readonly #latestOfSlice = new Map<number, Calibration>();
  /** Which contrast, phase and set the shared lines of a slice are of: the first that came. */
  readonly #sharedFrom = new Map<string, string>();
  #nothingMoreComes = false;
  #nCoils = 0;
  #nRunning = 0;

  constructor(plan: CartesianPlan, kernels: Kernels, context: CalibrationContext) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#context = context;
  }

  start(nCoils: number): void {
    this.#nCoils = nCoils;
  }

  get isRunning(): boolean {
    return this.#nRunning > 0;
  }

  /** Stores a calibration line; returns where it lies and how many averages it sums, undefined where it serves nobody. */
  addLine(idx: EncodingCounters, row: number, write: LineWriter): { pointer: number; count: number } | undefined {
    const key = this.#keyOf(idx);
    if (this.#isShared && !this.#isOfSharedSeries(key, idx)) return undefined;
    let lines = this.#lines.get(key);
    if (lines === undefined) this.#lines.set(key, (lines = new CalibrationLines()));
    let line = lines.rows.get(row);
    if (line === undefined) {
      line = { pointer: this.#context.allocate(this.#nCoils * this.lineBytes), count: 0 };
      lines.rows.set(row, line);
    }
    write(line.pointer, this.lineBytes, line.count > 0);
    line.count++;
    return line;
  }

  /** An interleaved line serves the calibration of all images of its slice, until that has begun. */
  addInterleavedLine(slab: Slab, idx: EncodingCounters, row: number, write: LineWriter): void {
    const key = this.#keyOf(idx);
    if (this.#calibrations.has(key)) return;
    this.addLine(idx, row, write);
    const { lines, partitions } = slab;
    const { acceleration, sliceAcceleration, nLines } = this.#plan;
    // Whether a lattice begins and ends on the last lines of the matrix is the sequence's choice.
    const filledLines = lines.last - lines.first + 1 - 2 * (acceleration - 1);
    const filledPartitions = partitions.last - partitions.first + 1 - 2 * (sliceAcceleration - 1);
    const stored = this.#lines.get(key);
    if (stored === undefined || stored.rows.size < filledLines * filledPartitions) return;
    const block = stored.block(nLines);
    if (block.nLines >= filledLines && block.nPartitions >= filledPartitions) this.#begin(slab);
  }

  /** True where lines that still come will calibrate this image. */
  isAwaitedBy(slab: Slab): boolean {
    if (this.#plan.calibration !== 'interleaved' || this.#nothingMoreComes) return false;
    return (this.#wantsMaps || this.#wantsKernel) && !this.#calibrations.has(this.#keyOf(slab.counters));
  }

  /** No more lines: what has come has to do. */
  noMoreLines(): void {
    this.#nothingMoreComes = true;
  }

  get lineBytes(): number {
    return this.#plan.nColumns * 8;
  }

  /** An imaging line without a calibration flag came for this image: its calibration lines may be complete. */
  imagingLineCame(slab: Slab): void {
    if (this.#plan.nAverages > 1 || this.#calibrations.has(this.#keyOf(slab.counters))) return;
    if (isAccelerated(this.#plan)) {
      const block = this.#lines.get(this.#keyOf(slab.counters))?.block(this.#plan.nLines);
      if (block !== undefined && this.#isSufficient(block) && this.#looksWhole(block)) this.#begin(slab);
    } else if (this.#wantsMaps && this.#centralBlock(slab) !== undefined) {
      this.#begin(slab);
    }
  }

  /** The calibration that was begun for this image, finished or not. */
  begunFor(slab: Slab): Calibration | undefined {
    return this.#calibrations.get(this.#keyOf(slab.counters));
  }

  /** The calibration for a complete image, started now if it is not yet; undefined where there is none. To be given back. */
  of(slab: Slab): Calibration | undefined {
    const key = this.#keyOf(slab.counters);
    const calibration = this.#findFor(slab, key);
    if (calibration !== undefined) calibration.nHolders++;
    return calibration;
  }

  /** Undoes one `of`: that image is out. */
  giveBack(calibration: Calibration): void {
    calibration.nHolders--;
    this.#freeIfIdle(calibration);
  }

  /** Gives up what was kept for images without calibration lines of their own; false when there is nothing. */
  giveUpOldest(): boolean {
    for (const [slice, calibration] of this.#latestOfSlice) {
      this.#latestOfSlice.delete(slice);
      this.giveBack(calibration);
      return true;
    }
    return false;
  }

  #findFor(slab: Slab, key: string): Calibration | undefined {
    const made = this.#calibrations.get(key);
    const stored = this.#lines.get(key)?.block(this.#plan.nLines);
    const nLines = stored === undefined ? 0 : sizeOf(this.#centralPart(stored));
    if (made !== undefined && (!isAccelerated(this.#plan) || made.nLines >= nLines)) return made;
    // Lines that a smaller calibration made are made again by the larger one.
    if (made !== undefined) slab.forgetSynthesis();
    const begun = this.#begin(slab);
    if (begun !== undefined) return begun;
    const borrowed = isAccelerated(this.#plan) ? this.#latestOfSlice.get(slab.counters.slice) : undefined;
    if (borrowed !== undefined) {
      this.#context.notice(
        'RECON_WARN_BORROWED_CALIBRATION',
        'Some images came without calibration lines of their own and use those of an earlier image of the same slice.',
      );
    }
    return borrowed;
  }

  /** The image is given up: so are its lines and its hold on its calibration. */
  release(slab: Slab): void {
    if (this.#isShared) return;
    const key = this.#keyOf(slab.counters);
    this.#releaseLines(key);
    const calibration = this.#calibrations.get(key);
    this.#calibrations.delete(key);
    if (calibration !== undefined) this.giveBack(calibration);
  }

  /** The image is out: should lines of it come late, they are calibrated anew, from the lines that are kept. */
  imageIsOut(slab: Slab): void {
    const key = this.#keyOf(slab.counters);
    const calibration = this.#calibrations.get(key);
    if (this.#isShared || calibration === undefined) return;
    this.#calibrations.delete(key);
    this.giveBack(calibration);
  }

  #releaseLines(key: string): void {
    for (const { pointer } of this.#lines.get(key)?.rows.values() ?? []) this.#kernels.arena.release(pointer);
    this.#lines.delete(key);
  }

  #freeIfIdle(calibration: Calibration): void {
    if (calibration.nHolders > 0 || calibration.pending > 0) return;
    for (const pointer of calibration.spans.splice(0)) this.#kernels.arena.release(pointer);
  }

  get #wantsMaps(): boolean {
    return needsCoilMaps(this.#plan);
  }

  get #wantsKernel(): boolean {
    return needsKernel(this.#plan);
  }

  /** Enough lines for a kernel position, or to say how the coils vary. */
  #isSufficient({ nLines, nPartitions }: LineBlock): boolean {
    if (!this.#wantsKernel) return nPartitions > 0 && nLines >= Math.min(fewestLinesForMaps, this.#plan.nLines);
    const { acceleration, kernelPhase, sliceAcceleration, kernelSlice } = latticeOf(this.#plan);
    return nLines >= (kernelPhase - 1) * acceleration + 1 && nPartitions >= (kernelSlice - 1) * sliceAcceleration + 1;
  }

  /** Lines that calibrate more images than their own. */
  get #isShared(): boolean {
    return this.#plan.calibration === 'separate' || this.#plan.calibration === 'interleaved';
  }

  #keyOf(counters: ImageLoop): string {
    const { slice, contrast, phase, repetition, set } = counters;
    if (this.#plan.calibration === 'separate') return String(slice);
    return this.#plan.calibration === 'interleaved' ? [slice, contrast, set].join() : [slice, contrast, phase, repetition, set].join();
  }

  /** Echoes and sets differ in phase: the sum of their lines would be none of them. */
  #isOfSharedSeries(key: string, { contrast, set }: ImageLoop): boolean {
    const series = [contrast, set].join();
    const known = this.#sharedFrom.get(key);
    if (known === undefined) this.#sharedFrom.set(key, series);
    return known === undefined || known === series;
  }

  /** The central lines of a fully sampled image, when all of them are in. */
  #centralBlock(slab: Slab): LineBlock | undefined {
    const { nLines, nPartitions } = this.#plan;
    const [firstLine, nCentral] = centralPart(slab.lines, nLines, selfCalibrationLines);
    const [firstPartition, nCentralPartitions] = centralPart(slab.partitions, nPartitions, selfCalibrationLines);
    for (let partition = firstPartition; partition < firstPartition + nCentralPartitions; partition++) {
      for (let line = firstLine; line < firstLine + nCentral; line++) {
        if (slab.state[partition * nLines + line] !== LineState.measured) return undefined;
      }
    }
    return { firstLine, nLines: nCentral, firstPartition, nPartitions: nCentralPartitions };
  }

  /** The part of a block that calibrates: the lines about the centre. */
  #centralPart({ firstLine, nLines, firstPartition, nPartitions }: LineBlock): LineBlock {
    const part = (first: number, count: number, n: number) => {
      const wanted = Math.floor(n / 2) - mostCalibrationLines / 2;
      const from = Math.max(first, Math.min(wanted, first + count - mostCalibrationLines));
      return [from, Math.min(mostCalibrationLines, first + count - from)] as const;
    };
    const [line, lines] = part(firstLine, nLines, this.#plan.nLines);
    const [partition, partitions] = part(firstPartition, nPartitions, this.#plan.nPartitions);
    return { firstLine: line, nLines: lines, firstPartition: partition, nPartitions: partitions };
  }

  /** Calibration lines lie evenly about the centre: a block that does not is still growing, or waits for its image to be complete. */
  #looksWhole({ firstLine, nLines, firstPartition, nPartitions }: LineBlock): boolean {
    const isEven = (first: number, count: number, n: number, step: number) => Math.abs(count - 2 * (Math.floor(n / 2) - first)) <= step;
    const { acceleration, sliceAcceleration } = this.#plan;
    return (
      isEven(firstLine, nLines, this.#plan.nLines, acceleration) &&
      (this.#plan.nPartitions === 1 || isEven(firstPartition, nPartitions, this.#plan.nPartitions, sliceAcceleration))
    );
  }

  #begin(slab: Slab): Calibration | undefined {
    if (!this.#wantsMaps && !this.#wantsKernel) return undefined;
    const key = this.#keyOf(slab.counters);
    const stored = this.#lines.get(key);
    const whole = isAccelerated(this.#plan) ? stored?.block(this.#plan.nLines) : this.#centralBlock(slab);
    if (whole === undefined || !this.#isSufficient(whole)) return undefined;
    const block = this.#centralPart(whole);

    const pointer = this.#gather(slab, block, stored);
    if (this.#plan.calibration === 'interleaved') this.#releaseLines(key);
    const fromCentre = this.#fromCentre(block);
    const isVolume = this.#plan.nPartitions > 1;
    const replaced = this.#calibrations.get(key);
    const calibration: Calibration = {
      slice: slab.counters.slice, nLines: sizeOf(block), pending: 0, nHolders: 1, kernel: undefined, mapsPointer: 0, nMapSets: 1,
      lines: isVolume && this.#wantsMaps ? { ...fromCentre, pointer } : undefined, spans: isVolume ? [pointer] : [],
    };
    this.#calibrations.set(key, calibration);
    if (replaced !== undefined) this.giveBack(replaced);
    const kinds = [...(this.#wantsKernel ? (['grappa'] as const) : []), ...(this.#wantsMaps && !isVolume ? (['coilMaps'] as const) : [])];
    calibration.pending = kinds.length;
    this.#nRunning += kinds.length;
    for (const kind of kinds) {
      const shape = {
        nCoils: this.#nCoils, nCalibrationPartitions: block.nPartitions, nCalibrationLines: block.nLines, firstLine: fromCentre.firstLine,
      };
      const nBytes = calibrationBlockBytes(kind, this.#plan, shape);
      const startByte = this.#context.allocate(nBytes);
      calibration.spans.push(startByte);
      const job: CalibrationJob = { kind, startByte, endByte: startByte + nBytes, calibrationPointer: pointer, ...shape, plan: this.#plan };
      this.#context.run(job, (outcome) => this.#take(calibration, pointer, startByte, outcome));
    }
    return calibration;
  }

  #take(calibration: Calibration, linesPointer: number, blockPointer: number, outcome: CalibrationOutcome): void {
    calibration.pending--;
    this.#nRunning--;
    if (calibration.pending === 0 && !calibration.spans.includes(linesPointer)) this.#kernels.arena.release(linesPointer);
    if (!outcome.ok) {
      this.#context.notice('RECON_WARN_NO_CALIBRATION', `Calibration of slice ${calibration.slice} failed: ${outcome.message}.`);
    } else if (outcome.result.kind === 'grappa') {
      const { kernel } = outcome.result;
      calibration.kernel = kernel;
      this.#keep(calibration, blockPointer, kernel.pointer, kernel.nBytes);
      this.#context.clock.add('grappa calibration', outcome.result.elapsedMs);
    } else {
      const { mapsPointer, nSets, foldedPart } = outcome.result;
      calibration.mapsPointer = mapsPointer;
      calibration.nMapSets = nSets;
      this.#keep(calibration, blockPointer, mapsPointer, 8 * nSets * this.#nCoils * this.#plan.mapRows * this.#plan.nColumns);
      if (nSets > 1) {
        this.#context.notice(
          'RECON_INFO_MAP_SETS',
          `In ${(100 * foldedPart).toFixed(0)} % of slice ${calibration.slice} the coils see two places at once: the field of view is smaller than the object. Images are solved for with two sets of coil maps; what folds over stays where it is.`,
        );
      }
      this.#context.clock.add('coil maps', outcome.result.elapsedMs);
    }
    if (calibration.pending === 0 && this.#plan.nImagesPerSlice > 1) this.#keepForSlice(calibration);
    this.#context.ready(calibration);
    this.#freeIfIdle(calibration);
  }

  /** Of a job's block the result is needed, and the rest is others'. */
  #keep(calibration: Calibration, blockPointer: number, resultPointer: number, nBytes: number): void {
    calibration.spans[calibration.spans.indexOf(blockPointer)] = this.#kernels.arena.trim(blockPointer, resultPointer, nBytes);
  }

  /** The latest calibration of a slice is there for images that bring no lines of their own. */
  #keepForSlice(calibration: Calibration): void {
    const before = this.#latestOfSlice.get(calibration.slice);
    calibration.nHolders++;
    this.#latestOfSlice.set(calibration.slice, calibration);
    if (before !== undefined) this.giveBack(before);
  }

  /** A block counted from the k-space centre; separate lines that lie elsewhere are taken about their own middle. */
  #fromCentre({ firstLine, nLines, firstPartition, nPartitions }: LineBlock): LineBlock {
    const line = firstLine - Math.floor(this.#plan.nLines / 2);
    const partition = firstPartition - Math.floor(this.#plan.nPartitions / 2);
    const holdsCentre = (first: number, count: number) => first <= 0 && first + count > 0;
    if (holdsCentre(line, nLines) && holdsCentre(partition, nPartitions)) {
      return { firstLine: line, nLines, firstPartition: partition, nPartitions };
    }
    this.#context.notice(
      'RECON_WARN_CALIBRATION_OFF_CENTRE',
      `Calibration lines ${line} to ${line + nLines - 1} from the centre${this.#plan.nPartitions > 1 ? `, of partitions ${partition} to ${partition + nPartitions - 1},` : ''} do not hold it.`,
    );
    return { firstLine: -Math.floor(nLines / 2), nLines, firstPartition: -Math.floor(nPartitions / 2), nPartitions };
  }

  /** The lines of a block in one piece, [nCoils, nPartitions, nLines, nColumns], means over averages. */
  #gather(slab: Slab, block: LineBlock, stored: CalibrationLines | undefined): number {
    const { lineBytes } = this;
    const nRows = sizeOf(block);
    const pointer = this.#context.allocate(this.#nCoils * nRows * lineBytes);
    const { arena, memory } = this.#kernels;
    const bytes = new Uint8Array(memory.buffer);
    const slabBytes = slabCoilBytes(this.#plan);
    for (let i = 0; i < nRows; i++) {
      const partition = block.firstPartition + Math.floor(i / block.nLines);
      const row = partition * this.#plan.nLines + block.firstLine + (i % block.nLines);
      const line = isAccelerated(this.#plan) ? stored?.rows.get(row) : undefined;
      const from = line?.pointer ?? slab.pointer + row * lineBytes;
      const fromCoilBytes = line ? lineBytes : slabBytes;
      const sums = line?.count ?? (slab.averaged ? 1 : slab.count[row]!);
      for (let coil = 0; coil < this.#nCoils; coil++) {
        const source = from + coil * fromCoilBytes;
        const target = pointer + (coil * nRows + i) * lineBytes;
        bytes.copyWithin(target, source, source + lineBytes);
        if (sums > 1) {
          const samples = arena.f32(target, lineBytes / 4);
          for (let k = 0; k < samples.length; k++) samples[k] = samples[k]! / sums;
        }
      }
    }
    return pointer;
  }
}

function sizeOf({ nLines, nPartitions }: LineBlock): number {
  return nLines * nPartitions;
}

/** First and number of the central ones of n, as many on either side as the sampled ones have, at most `most`. */
function centralPart({ first, last }: { first: number; last: number }, n: number, most: number): [first: number, count: number] {
  if (n === 1) return [0, 1];
  const centre = Math.floor(n / 2);
  const symmetric = 2 * Math.min(centre - first, last + 1 - centre);
  const count = symmetric > 0 ? Math.min(most, symmetric) : n;
  return [centre - Math.floor(count / 2), count];
}
