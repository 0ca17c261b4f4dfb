/**
 * A Cartesian scan while it is acquired, 2D or 3D: readouts in, slice images out.
 *
 *   readout -> whitening, coil compression, echo position, readout FFT, crop -> slab of its image
 *   calibration lines complete -> GRAPPA kernel and coil maps, while imaging lines still arrive
 *   a line whose neighbours are in -> synthesised at once
 *   slab complete -> FFT along the phase encoding and coil combination, or SENSE -> partial Fourier -> image, g-factor, noise
 *   combined image and its noise -> denoiser -> partial Fourier -> a second image
 *
 * Knows no threads, no networks and no I/O: calibrations, iterations and images to denoise go to the runners that it is given.
 */
import { CodedError, hasFlag, type EncodingCounters } from 'ismrmrd';
import type { DenoiseRunner, DenoisingRecord } from '../denoise/index.js';
import { reconError } from '../errors.js';
import { removeGhostPhase, type GhostPhase } from '../epi/index.js';
import type { Kernels } from '../kernels/index.js';
import type { NoiseRecord } from '../noise/index.js';
import type { NoiseMap } from '../noise-map/index.js';
import { reconNotice, type ReconNoticeCode } from '../notices.js';
import type { ReconImage, ReconImageKind, ReconMethod, ReconNotice, ReconSummary } from '../types.js';
import type { CalibrationJob, CalibrationOutcome } from './calibration.js';
import { Calibrations, type Calibration, type LineWriter } from './calibrations.js';
import { Compression } from './compression.js';
import { edgeDeviation } from './edgeNoise.js';
import { GhostCorrection } from './ghostCorrection.js';
import { ImageStage } from './imageStage.js';
import { IntensityStage } from './intensityStage.js';
import { NoiseScan } from './noiseScan.js';
import { iterativeNoiseBytes, iterativeScratchBytes } from './iterative.js';
import { isAccelerated, needsCoilMaps, slabCoilBytes, type CartesianPlan } from './plan.js';
import { ignoredBy, useOf, type LineUse, type Readout, type ReadoutUse, type WaitingUse } from './readout.js';
import { ReadoutStage } from './readoutStage.js';
import { SharedColumns, type SharedWork } from './sharedColumns.js';
import { rowOfLine, Slab } from './slab.js';
import { SlabDenoising } from './slabDenoising.js';
import {
  combinedImages, combinedShape, completedImages, completionOf, geometryOf, keptRows, methodOf, noCompletion, scaleLines, synthesise, type CoilMaps,
  type CompletedImages, type ImageMaking,
} from './slabImage.js';
import { sliceMaps, wantsMaps, wantsNoise } from './sliceMaps.js';
import { runSolve, solveBlockBytes, type SolvedSlab, type SolveJob, type SolveOutcome } from './solveJob.js';
import { StageClock } from './stageClock.js';

export interface CartesianOutput {
  image(image: ReconImage): void;
  notice(notice: ReconNotice): void;
  /** Iterations on another thread that shares the memory; `done` is called on this one, later. Without it they are done here. */
  solve?(job: SolveJob, done: (outcome: SolveOutcome) => void): void;
  /** Asks another thread that shares the memory to take part; it need not. */
  help?(work: SharedWork): void;
}

/** Runs a job, now or on another thread that shares the memory, and calls back on this thread. */
export type CalibrationRunner = (job: CalibrationJob, done: (outcome: CalibrationOutcome) => void) => void;

/**
 * Delivered slabs are kept for late lines up to this many bytes. Averages that no header announces are such lines, of every
 * slice; where they are announced, a line is late by mistake only.
 */
const retainedBytes = 256 * 2 ** 20;
const retainedBytesWhereAnnounced = 16 * 2 ** 20;
/** While lines come without a pause, so many go before those that they complete are made: weights are loaded once for all. */
const mostLinesPutOff = 8;
/** Complete images that wait for calibrations in progress; with more of them lines come too fast. */
const mostUncalibrated = 2;

/** Images that are solved for at a time; with more of them lines come too fast. */
const mostSolving = 2;

const restsOnNoise: ReadonlySet<ReconImageKind> = new Set(['gFactor', 'noise', 'snr', 'denoised', 'residual']);
const noiseMapMethods = { none: 'exact', sense: 'replicas', l1: 'perturbation' } as const;

/** A complete slab on its way to its image. */
interface MadeSlab {
  readonly slab: Slab;
  readonly calibration: Calibration | undefined;
  readonly making: ImageMaking;
  readonly method: ReconMethod;
  readonly isSolvedFor: boolean;
  readonly denoises: boolean;
  readonly nMissingLines: number;
}

/** An image that another thread solves for. */
interface SolvingSlab {
  readonly made: MadeSlab;
  readonly calibration: Calibration;
  readonly job: SolveJob;
  readonly blockPointer: number;
  solved: SolvedSlab | undefined;
}

type ImageFacts = Pick<ReconImage, 'hasPhase' | 'method' | 'partialFourier' | 'postProcessing' | 'nCalibrationLines' | 'nMissingLines' | 'nMapSets'>;

export class CartesianReconstruction {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #output: CartesianOutput;
  readonly #clock = new StageClock();
  readonly #noise: NoiseScan;
  readonly #readouts: ReadoutStage;
  readonly #images: ImageStage;
  readonly #intensity: IntensityStage;
  readonly #calibrations: Calibrations;
  readonly #denoising: SlabDenoising;
  readonly #slabs = new Map<string, Slab>();
  /** Complete slabs, in the order in which they became so: images leave in this order. */
  readonly #complete = new Map<Slab, Calibration | undefined>();
  /** Delivered slabs that still have their memory, oldest first. */
  readonly #retained: Slab[] = [];
  readonly #said = new Set<ReconNoticeCode>();
  #current: Slab | undefined;
  /** In the order in which their images leave. */
  readonly #solving: SolvingSlab[] = [];
  #isDelivering = false;
  /** Lines of the current slab since missing ones were made last. */
  #putOff: { readonly slab: Slab; from: number; to: number; count: number } | undefined;
  /** Channels that the readouts have. */
  #nChannels = 0;
  /** Channels that slabs have: as many, or virtual ones. */
  #nCoils = 0;
  #compression: Compression | undefined;
  #shared: SharedColumns | undefined;
  #hasComparedCentre = false;
  #nReadouts = 0;
  #nImages = 0;
  /** Readouts that are no line of an image, by the flag that says so. */
  readonly #unused = new Map<string, number>();
  readonly #ghosts: GhostCorrection | undefined;
  /** Where backward lines are turned; 0 until the first. */
  #ghostPointer = 0;
  #finished: (() => void) | undefined;

  /**
   * @param storedNoise an earlier measurement, for a scan that brings none of its own
   * @param denoiser where there is one that is ready
   */
  constructor(
    plan: CartesianPlan, kernels: Kernels, output: CartesianOutput, runner: CalibrationRunner, storedNoise?: NoiseRecord, denoiser?: DenoiseRunner,
  ) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#output = output;
    this.#noise = new NoiseScan(plan, kernels, (notice) => output.notice(notice), storedNoise);
    this.#readouts = new ReadoutStage(plan, kernels);
    this.#ghosts = plan.isEchoPlanar ? new GhostCorrection(plan.nColumns) : undefined;
    this.#images = new ImageStage(plan, kernels, (notice) => output.notice(notice));
    this.#intensity = new IntensityStage(plan, kernels, (notice) => output.notice(notice));
    this.#denoising = new SlabDenoising(plan, kernels, {
      run: denoiser,
      clock: this.#clock,
      readouts: this.#readouts,
      sayOnce: (code, message) => this.#sayOnce(code, message),
      ifRoom: (work) => this.#ifRoom(work),
      withRoom: (nBytes, work) => this.#withRoom(nBytes, work),
      idle: () => this.#finishIfIdle(),
    });
    this.#calibrations = new Calibrations(plan, kernels, {
      run: runner,
      allocate: (nBytes) => this.#allocate(nBytes),
      clock: this.#clock,
      notice: (code, message) => this.#sayOnce(code, message),
      ready: (calibration) => this.#calibrationReady(calibration),
    });
  }

  /**
   * Takes one readout; its samples, complex64 [nChannels, nSamples] at `samplesPointer` in the
   * memory, may be overwritten by the caller afterwards.
   * @throws CodedError RECON_ERR_COIL_COUNT, RECON_ERR_LINE, RECON_ERR_NOT_FINITE,
   *   RECON_ERR_NOISE_COIL, RECON_ERR_MEMORY_LIMIT: the scan cannot go on
   */
  push(readout: Readout, samplesPointer: number): void {
    this.#nReadouts++;
    const use = this.#useOf(readout.flags);
    if (use === 'ignored') {
      // Those of other coils may be among them.
      if (!this.#isReference(readout, samplesPointer)) this.#countUnused(readout.flags);
      return;
    }
    this.#checkCoils(readout);
    if (readout.encodingSpaceRef !== 0 && (use !== 'calibration' || this.#plan.referenceCentreLines[readout.encodingSpaceRef] === undefined)) {
      this.#sayOnce('RECON_WARN_OTHER_ENCODING', `Readouts of encoding ${readout.encodingSpaceRef} are left out.`);
      return;
    }
    switch (use) {
      case 'noise':
        if (this.#readouts.started) {
          this.#sayOnce('RECON_WARN_LATE_NOISE', 'Noise readouts came after the first imaging readout and were left out.');
        } else {
          this.#clock.time('noise', () =>
            this.#noise.add(readout, this.#kernels.arena.f32(samplesPointer, 2 * readout.nChannels * readout.nSamples)),
          );
        }
        return;
      case 'phaseCorrection':
      case 'calibration':
      case 'calibrationAndImaging':
      case 'imaging':
        this.#takeLine(readout, samplesPointer, use);
        return;
    }
  }

  /** No readout waits at present: there is time for what was put off. */
  pause(): void {
    this.#synthesisePutOff();
    this.#estimateNoiseAhead();
  }

  /** Complete images wait for their calibrations: more readouts would only take memory. A calibration that is done changes it. */
  get isBehind(): boolean {
    let nWaiting = 0;
    for (const calibration of this.#complete.values()) if (calibration !== undefined && calibration.pending > 0) nWaiting++;
    return nWaiting >= mostUncalibrated || this.#solving.length >= mostSolving;
  }

  /** No more readouts: `done` is called when every image is out, at the latest when the last calibration and the last denoised image are. */
  finish(done: () => void): void {
    if (this.#unused.size > 0) {
      const counts = [...this.#unused].map(([name, count]) => `${count} ${name}`).join(', ');
      this.#sayOnce('RECON_WARN_UNUSED_READOUTS', `Left out of the images: ${counts}.`);
    }
    this.#compression?.decideAll();
    this.#calibrations.noMoreLines();
    this.#finished = done;
    for (const slab of this.#slabs.values()) {
      if (!slab.delivered || slab.changedSinceDelivery) this.#deliverWhenCalibrated(slab);
    }
    this.#deliverComplete();
    this.#finishIfIdle();
  }

  /** The scan broke off: what is complete still comes out, then `done` is called; incomplete images do not. */
  stop(done: () => void): void {
    this.#calibrations.noMoreLines();
    this.#finished = done;
    this.#deliverComplete();
    this.#finishIfIdle();
  }

  get summary(): ReconSummary {
    return {
      nReadouts: this.#nReadouts,
      nImages: this.#nImages,
      stageMs: this.#clock.elapsedMs,
      peakMemoryBytes: this.#kernels.arena.peakBytes,
      noise: this.#noise.statistics,
    };
  }

  /** A line of the surface-coil reference scan that is wanted. */
  #isReference(readout: Readout, samplesPointer: number): boolean {
    if (ignoredBy(readout.flags) !== 'surfaceCoilCorrection' || readout.encodingSpaceRef !== 0) return false;
    const row = rowOf(this.#plan, readout);
    if (row === undefined) return false;
    const samples = this.#kernels.arena.f32(samplesPointer, 2 * readout.nChannels * readout.nSamples);
    return this.#intensity.add(readout, row - Math.floor(this.#plan.nLines / 2), samples);
  }

  #checkCoils(readout: Readout): void {
    if (this.#nChannels === 0) {
      this.#nChannels = readout.nChannels;
      const announced = this.#plan.nCoilsAnnounced;
      if (announced !== undefined && announced !== this.#nChannels) {
        this.#sayOnce('RECON_WARN_COIL_COUNT', `The header announces ${announced} channels, the readouts have ${this.#nChannels}.`);
      }
    } else if (readout.nChannels !== this.#nChannels) {
      throw reconError('RECON_ERR_COIL_COUNT', `a readout of ${readout.nChannels} channels in a scan of ${this.#nChannels}`);
    }
  }

  #takeLine(readout: Readout, samplesPointer: number, use: WaitingUse): void {
    const { kspaceEncodeStep1, kspaceEncodeStep2 } = readout.idx;
    if (use !== 'phaseCorrection' && rowOf(this.#plan, readout) === undefined) {
      throw reconError('RECON_ERR_LINE', `kspace_encode_step_1 = ${kspaceEncodeStep1}, kspace_encode_step_2 = ${kspaceEncodeStep2}`);
    }
    if (!this.#readouts.started) this.#start(readout);
    if (this.#compression?.takes(readout, samplesPointer) !== true) this.#useLine(readout, samplesPointer, use);
  }

  #useLine(readout: Readout, samplesPointer: number, use: WaitingUse): void {
    if (use === 'phaseCorrection') this.#addPhaseCorrection(readout, samplesPointer);
    else this.#addLine(readout, samplesPointer, use);
  }

  #addPhaseCorrection(readout: Readout, samplesPointer: number): void {
    const lineBytes = this.#plan.nColumns * 8;
    this.#clock.time('readout', () => this.#readouts.transform(readout, samplesPointer, this.#ghostLine(), lineBytes, false));
    this.#ghosts?.add(readout, this.#kernels.arena.f32(this.#ghostLine(), 2 * this.#nCoils * this.#plan.nColumns));
  }

  /** [nCoils, nColumns] */
  #ghostLine(): number {
    if (this.#ghostPointer === 0) this.#ghostPointer = this.#allocate(this.#nCoils * this.#plan.nColumns * 8);
    return this.#ghostPointer;
  }

  /** The noise scan is over; how many channels slabs have is known now, or when the coils are compressed. */
  #start(first: Readout): void {
    const whitener = this.#clock.time('noise', () => this.#noise.whitener(first));
    this.#readouts.start(this.#nChannels, whitener);
    const nWhitened = whitener?.nOutputs ?? this.#nChannels;
    if (!Compression.isWanted(this.#plan, nWhitened)) {
      this.#nCoils = nWhitened;
      this.#calibrations.start(this.#nCoils);
      return;
    }
    this.#compression = new Compression(this.#plan, this.#kernels, whitener, {
      allocate: (nBytes) => this.#allocateIfRoom(nBytes),
      notice: (notice) => this.#output.notice(notice),
      decided: (slice, matrix, nVirtualCoils) => {
        this.#nCoils = nVirtualCoils;
        this.#calibrations.start(nVirtualCoils);
        this.#readouts.mix(slice, matrix);
      },
      replay: (readout, pointer) => this.#useLine(readout, pointer, this.#useOf(readout.flags) as WaitingUse),
    });
  }

  #addLine(readout: Readout, samplesPointer: number, use: LineUse): void {
    const row = rowOf(this.#plan, readout)!;
    if (readout.centerSample === 0 && readout.nSamples > 1) {
      this.#sayOnce('RECON_WARN_CENTRE_SAMPLE', `center_sample is 0 in readouts of ${readout.nSamples} samples; the middle was taken.`);
    }

    if (use === 'calibration' && this.#plan.calibration !== 'embedded') {
      this.#calibrations.addLine(readout.idx, row, (pointer, coilBytes, accumulate) =>
        this.#transform(readout, samplesPointer, pointer, coilBytes, accumulate),
      );
      return;
    }
    if (use !== 'calibration') this.#compareCentre(readout);
    const slab = this.#slabOf(readout.idx, readout);
    if (slab.delivered && !this.#acceptsLateLine(slab)) return;
    const lineBytes = this.#plan.nColumns * 8;
    const coilBytes = slabCoilBytes(this.#plan);
    const target = slab.pointer + row * lineBytes;
    const { calibration } = this.#plan;
    const calibrates = use !== 'imaging' && isAccelerated(this.#plan);

    if (use === 'calibration') {
      const stored = this.#calibrations.addLine(readout.idx, row, (pointer, stride, accumulate) =>
        this.#transform(readout, samplesPointer, pointer, stride, accumulate),
      );
      const { keepCalibrationLines, unalias } = this.#plan.parameters;
      const serves = keepCalibrationLines || unalias === 'none' || slab.isOnLattice(row);
      if (stored !== undefined && serves && slab.addCalibrationLine(row, stored.count)) this.#copyLine(stored.pointer, lineBytes, target, coilBytes);
    } else {
      const accumulate = slab.addImagingLine(row);
      this.#transform(readout, samplesPointer, target, coilBytes, accumulate);
      const write: LineWriter = (pointer, stride, add) => this.#transform(readout, samplesPointer, pointer, stride, add);
      if (calibration === 'interleaved') {
        this.#calibrations.addInterleavedLine(slab, readout.idx, row, write);
      } else if (calibrates) {
        this.#calibrations.addLine(readout.idx, row, write);
      } else {
        this.#calibrations.imagingLineCame(slab);
      }
      this.#synthesiseNear(slab, row);
    }
    slab.noteFlags(readout.flags);
    if (slab.isComplete && (!slab.delivered || slab.changedSinceDelivery)) this.#deliverWhenCalibrated(slab);
  }

  /** Once: what the readouts say of the k-space centre may be something else than what the header says. */
  #compareCentre({ idx }: Readout): void {
    if (this.#hasComparedCentre) return;
    this.#hasComparedCentre = true;
    const { readoutsNameCentre, centreLine, centrePartition, nPartitions } = this.#plan;
    const [line, partition] = [idx.user[5] ?? 0, idx.user[6] ?? 0];
    // 0 is what senders without such counters have.
    if (!readoutsNameCentre || line === 0) return;
    const isSame = line === centreLine && (nPartitions === 1 || partition === centrePartition);
    if (isSame) return;
    const places = (l: number, p: number) => `line ${l}${nPartitions > 1 ? `, partition ${p}` : ''}`;
    this.#output.notice(
      reconNotice('RECON_WARN_KSPACE_CENTRE', `The header has the k-space centre in ${places(centreLine, centrePartition)}; the readouts have it in ${places(line, partition)} (idx.user[5] and [6]).`),
    );
  }

  #transform(readout: Readout, samplesPointer: number, target: number, coilBytes: number, accumulate: boolean): void {
    const isBackward = this.#ghosts !== undefined && hasFlag(readout.flags, 'reverse');
    // Asked for forward readouts too: with them the train is in use.
    const phase = this.#ghosts?.phaseOf(readout.idx.slice);
    if (isBackward && phase === undefined) {
      this.#sayOnce('RECON_WARN_GHOST', 'Echo-planar lines came without phase-correction readouts to and fro before them: their ghost is not corrected.');
    }
    this.#clock.time('readout', () => {
      if (isBackward && phase !== undefined) this.#transformBackward(phase, readout, samplesPointer, target, coilBytes, accumulate);
      else this.#readouts.transform(readout, samplesPointer, target, coilBytes, accumulate);
    });
  }

  #transformBackward(
    phase: GhostPhase, readout: Readout, samplesPointer: number, target: number, coilBytes: number, accumulate: boolean,
  ): void {
    const { arena } = this.#kernels;
    const lineFloats = 2 * this.#plan.nColumns;
    this.#readouts.transform(readout, samplesPointer, this.#ghostLine(), 4 * lineFloats, false);
    const lines = arena.f32(this.#ghostLine(), this.#nCoils * lineFloats);
    removeGhostPhase(lines, this.#plan.nColumns, phase);
    for (let coil = 0; coil < this.#nCoils; coil++) {
      const from = lines.subarray(coil * lineFloats, (coil + 1) * lineFloats);
      const to = arena.f32(target + coil * coilBytes, lineFloats);
      if (!accumulate) to.set(from);
      else for (let k = 0; k < lineFloats; k++) to[k] = to[k]! + from[k]!;
    }
  }

  #copyLine(from: number, fromCoilBytes: number, to: number, toCoilBytes: number): void {
    const bytes = new Uint8Array(this.#kernels.memory.buffer);
    const lineBytes = this.#plan.nColumns * 8;
    for (let coil = 0; coil < this.#nCoils; coil++) {
      bytes.copyWithin(to + coil * toCoilBytes, from + coil * fromCoilBytes, from + coil * fromCoilBytes + lineBytes);
    }
  }

  #slabOf(idx: EncodingCounters, readout: Readout): Slab {
    if (this.#current?.holds(idx)) return this.#current;
    const { slice, contrast, phase, repetition, set } = idx;
    const key = [slice, contrast, phase, repetition, set].join();
    let slab = this.#slabs.get(key);
    if (slab === undefined) {
      const nBytes = this.#nCoils * slabCoilBytes(this.#plan);
      const pointer = this.#allocate(nBytes);
      this.#kernels.arena.u8(pointer, nBytes).fill(0);
      slab = new Slab(this.#plan, { slice, contrast, phase, repetition, set, average: 0 }, readout, pointer);
      this.#slabs.set(key, slab);
      if (this.#slabs.size === 1) this.#findHelp();
      if (geometryOf(this.#plan, readout) === undefined) {
        this.#sayOnce('RECON_WARN_NO_GEOMETRY', 'The readouts carry no directions: position and orientation of the images are unknown.');
      }
    }
    this.#current = slab;
    return slab;
  }

  /** Slices of a volume are combined one by one, each after its coil maps were made: there is less to share. */
  #findHelp(): void {
    const help = this.#output.help?.bind(this.#output);
    const { iterative, nPartitions } = this.#plan;
    if (help === undefined || iterative !== undefined || nPartitions > 1 || !needsCoilMaps(this.#plan)) return;
    this.#shared = this.#ifRoom(() => new SharedColumns(this.#kernels, combinedShape(this.#plan, this.#nCoils), help));
  }

  /** Room in the arena; delivered slabs and kept calibrations are given up for it, oldest first. */
  #allocate(nBytes: number): number {
    for (;;) {
      try {
        return this.#kernels.arena.allocate(nBytes);
      } catch (error) {
        const isFull = error instanceof CodedError && error.code === 'RECON_ERR_MEMORY_LIMIT';
        if (!isFull || !(this.#giveUpOldest() || this.#denoising.giveUpOldest())) throw error;
      }
    }
  }

  #allocateIfRoom(nBytes: number): number | undefined {
    return this.#ifRoom(() => this.#allocate(nBytes));
  }

  #giveUpOldest(): boolean {
    const slab = this.#retained.shift();
    if (slab === undefined) return this.#calibrations.giveUpOldest();
    this.#giveUp(slab);
    return true;
  }

  #giveUp(slab: Slab): void {
    this.#calibrations.release(slab);
    this.#kernels.arena.release(slab.pointer);
    slab.released = true;
  }

  #acceptsLateLine(slab: Slab): boolean {
    if (slab.released) {
      this.#sayOnce('RECON_WARN_LATE_LINE', `Lines of slice ${slab.counters.slice} came after its image was delivered and its memory given up; they were left out.`);
      return false;
    }
    this.#sayOnce('RECON_WARN_LATE_LINE', `Lines of slice ${slab.counters.slice} came after its image was delivered; it is delivered again.`);
    if (!slab.changedSinceDelivery) slab.reopen();
    if (slab.averaged) {
      scaleLines(this.#kernels, this.#plan, slab, this.#nCoils, (count) => count);
      slab.averaged = false;
    }
    return true;
  }

  /** While lines still arrive: the lines that `row` completed the sources of are to be made. */
  #synthesiseNear(slab: Slab, row: number): void {
    const { nPartitions, nAverages } = this.#plan;
    // A volume has so many lines that they are better made together.
    if (!isAccelerated(this.#plan) || nPartitions > 1 || nAverages > 1) return;
    if (this.#putOff !== undefined && this.#putOff.slab !== slab) this.#synthesisePutOff();
    const putOff = (this.#putOff ??= { slab, from: row, to: row, count: 0 });
    putOff.from = Math.min(putOff.from, row);
    putOff.to = Math.max(putOff.to, row);
    if (++putOff.count >= mostLinesPutOff) this.#synthesisePutOff();
  }

  #synthesisePutOff(): void {
    if (this.#putOff === undefined) return;
    const { slab, from, to } = this.#putOff;
    this.#putOff = undefined;
    if (slab.sumsAverages || slab.delivered) return;
    const calibration = this.#calibrations.begunFor(slab);
    if (calibration?.kernel === undefined) return;
    this.#clock.time('synthesis', () =>
      synthesise(this.#kernels, this.#plan, slab, calibration, slab.linesReadyNear(from, to)),
    );
  }

  #calibrationReady(calibration: Calibration): void {
    this.#deliverComplete();
    if (this.#current !== undefined && !this.#current.delivered && this.#calibrations.begunFor(this.#current) === calibration) {
      const slab = this.#current;
      if (this.#plan.nAverages === 1 && this.#plan.nPartitions === 1 && !slab.sumsAverages && calibration.kernel !== undefined) {
        this.#clock.time('synthesis', () => synthesise(this.#kernels, this.#plan, slab, calibration, slab.linesReady(), this.#shared));
      }
    }
    this.#finishIfIdle();
  }

  #deliverWhenCalibrated(slab: Slab): void {
    if (this.#complete.has(slab)) return;
    this.#complete.set(slab, this.#calibrations.isAwaitedBy(slab) ? undefined : this.#calibrations.of(slab));
    this.#deliverComplete();
  }

  #deliverComplete(): void {
    // A calibration that is begun here may be ready at once, and call back.
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      this.#deliverInOrder();
    } finally {
      this.#isDelivering = false;
    }
  }

  #deliverInOrder(): void {
    for (const [slab, known] of this.#complete) {
      if (known === undefined && this.#calibrations.isAwaitedBy(slab)) return;
      const calibration = known ?? this.#calibrations.of(slab);
      if (calibration !== known) this.#complete.set(slab, calibration);
      if (calibration !== undefined && calibration.pending > 0) return;
      // Images leave in order: what is made here waits for those that are made elsewhere.
      if (this.#solving.length >= (this.#solvesElsewhere(calibration) ? mostSolving : 1)) return;
      this.#complete.delete(slab);
      this.#deliver(slab, calibration);
      if (calibration !== undefined) this.#calibrations.giveBack(calibration);
    }
  }

  #deliver(slab: Slab, calibration: Calibration | undefined): void {
    const { nPartitions, iterative } = this.#plan;
    const toMake = calibration === undefined ? [] : slab.linesToSynthesise();
    if (this.#mapsFrom(calibration) !== undefined) this.#shared?.call(toMake.length);
    if (!slab.averaged) {
      scaleLines(this.#kernels, this.#plan, slab, this.#nCoils, (count) => 1 / count);
      slab.averaged = true;
    }
    if (calibration !== undefined) {
      this.#clock.time('synthesis', () =>
        synthesise(this.#kernels, this.#plan, slab, calibration, toMake, this.#shared),
      );
    }
    const maps = this.#mapsFrom(calibration);
    const isSolvedFor = iterative !== undefined && maps !== undefined;
    const nAliased = isSolvedFor ? 0 : slab.linesToSynthesise().length;
    this.#noteShortcomings(slab, calibration, nAliased > 0, isSolvedFor);

    const making: ImageMaking = {
      nCoils: this.#nCoils, maps, noiseDeviation: this.#noiseDeviationOf(slab),
      volume: this.#images.volumeOf(this.#readouts.sampledColumns), stage: this.#images, shared: this.#shared,
    };
    const method = methodOf(this.#plan, slab, nAliased > 0);
    const denoises = this.#denoising.canDenoise(slab, method, maps !== undefined);
    const made: MadeSlab = { slab, calibration, making, method, isSolvedFor, denoises, nMissingLines: slab.nMissingLines + nAliased };
    if (!this.#solve(made)) {
      if (isSolvedFor) this.#kernels.arena.release(this.#allocate(iterativeScratchBytes(this.#plan, this.#nCoils, calibration?.nMapSets)));
      let combined: Float32Array[] = [];
      const completed = this.#clock.time(isSolvedFor ? 'iterations' : 'combination', () => {
        if (this.#images.needsCentre(making.volume)) this.#images.checkCentre(slab, this.#nCoils);
        return combinedImages(this.#kernels, this.#plan, slab, making, (values) => {
          if (denoises) combined = inParts(values, this.#plan.combinedSlices);
        });
      });
      this.#emitImages(made, completed, combined);
    }
    slab.delivered = true;
    slab.changedSinceDelivery = false;
    this.#denoising.isDelivered(slab);
    // The partitions of a volume have become slices: late lines have nowhere to go.
    if (nPartitions > 1) this.#giveUp(slab);
    else this.#retain(slab);
  }

  /** What another thread can do without the slab itself, and what it has to know is known. */
  #solvesElsewhere(calibration: Calibration | undefined): calibration is Calibration {
    const { iterative, parameters } = this.#plan;
    if (this.#output.solve === undefined || iterative === undefined || calibration === undefined || calibration.mapsPointer === 0) return false;
    if (parameters.psf || this.#denoising.putsLinesBack) return false;
    return !wantsNoise(parameters) || this.#images.methodFor(this.#images.volumeOf(this.#readouts.sampledColumns)) !== undefined;
  }

  /** Has an image solved for by another thread; false where it has to be done here. */
  #solve(made: MadeSlab): boolean {
    const { slab, calibration, making, denoises } = made;
    if (!this.#solvesElsewhere(calibration)) return false;
    const { mapsPointer, nMapSets } = calibration;
    const slabBytes = this.#nCoils * slabCoilBytes(this.#plan);
    const nBytes = slabBytes + solveBlockBytes(this.#plan, this.#nCoils, nMapSets);
    const blockPointer = this.#allocateIfRoom(nBytes);
    if (blockPointer === undefined || slab.released) {
      if (blockPointer !== undefined) this.#kernels.arena.release(blockPointer);
      return false;
    }
    this.#clock.time('combination', () => this.#images.checkCentre(slab, this.#nCoils));
    this.#kernels.arena.u8(blockPointer, slabBytes).set(this.#kernels.arena.u8(slab.pointer, slabBytes));
    const { available, count, lines } = slab;
    const method = this.#images.methodFor(making.volume);
    const job: SolveJob = {
      kind: 'solve', startByte: blockPointer + slabBytes, endByte: blockPointer + nBytes, plan: this.#plan,
      slab: { pointer: blockPointer, available: available.slice(), count: count.slice(), lines },
      solving: { nCoils: this.#nCoils, mapsPointer, nMapSets, noiseDeviation: making.noiseDeviation },
      completions: [
        ...(denoises ? [noCompletion(this.#plan, making.volume)] : []),
        ...(wantsNoise(this.#plan.parameters) && method !== undefined ? [completionOf(this.#plan, making, method)] : []),
      ],
      sampledColumns: making.volume[2],
    };
    const solving: SolvingSlab = { made, calibration, job, blockPointer, solved: undefined };
    this.#solving.push(solving);
    calibration.nHolders++;
    this.#output.solve!(job, (outcome) => this.#takeSolved(solving, outcome));
    return true;
  }

  #takeSolved(solving: SolvingSlab, outcome: SolveOutcome): void {
    // A thread that died leaves the copy as it was.
    const result = outcome.ok ? outcome : runSolve(this.#kernels.memory, solving.job);
    if (!result.ok) throw reconError('RECON_ERR_INTERNAL', result.message);
    solving.solved = result.result;
    this.#clock.add('iterations', result.result.elapsedMs);
    for (let head = this.#solving[0]; head?.solved !== undefined; head = this.#solving[0]) {
      this.#emitSolved(head, head.solved);
      this.#solving.shift();
      this.#kernels.arena.release(head.blockPointer);
      this.#calibrations.giveBack(head.calibration);
    }
    this.#deliverComplete();
    this.#finishIfIdle();
  }

  #emitSolved({ made }: SolvingSlab, { combined, noises }: SolvedSlab): void {
    const completed = completedImages(this.#kernels, this.#plan, [combined], made.making);
    const [ofDenoiser, ofMaps] = made.denoises ? [noises[0], noises[1]] : [undefined, noises[0]];
    const kept = ofMaps && {
      noise: keptRows(this.#plan, ofMaps.noise, 1).slice(), gFactor: keptRows(this.#plan, ofMaps.gFactor, 1).slice(),
    };
    this.#emitImages(made, completed, made.denoises ? [combined] : [], kept && [kept], ofDenoiser && [ofDenoiser.noise]);
  }

  /** @param combined for the denoiser @param mapNoises @param denoiserNoises where they are known already */
  #emitImages(
    { slab, calibration, making, method, isSolvedFor, denoises, nMissingLines }: MadeSlab, { slices, partialFourier, postProcessing }: CompletedImages,
    combined: readonly Float32Array[], mapNoises?: readonly Pick<NoiseMap, 'noise' | 'gFactor'>[], denoiserNoises?: readonly Float32Array[],
  ): void {
    const { parameters, nPartitions } = this.#plan;
    const gains = slices.map((image) =>
      this.#intensity.gainOf(slab.counters.slice, image, this.#readouts.whitening, this.#nChannels),
    );
    const facts = {
      hasPhase: making.maps !== undefined,
      method,
      partialFourier,
      postProcessing: gains[0] === undefined ? postProcessing : [...postProcessing, gains[0].step],
      nCalibrationLines: isAccelerated(this.#plan) ? (calibration?.nLines ?? 0) : 0,
      nMissingLines,
      ...(isSolvedFor && { nMapSets: calibration!.nMapSets }),
    };
    // Who takes the images may take their memory, too.
    const forMaps = wantsMaps(parameters) ? slices.map((image) => image.slice()) : undefined;
    slices.forEach((image, slice) => {
      multiply(image, gains[slice]?.gain);
      this.#emit(slab, slice, 'image', image, facts);
    });
    if (forMaps !== undefined) {
      if (calibration === undefined || making.maps === undefined) {
        this.#sayOnce('RECON_WARN_NO_MAPS', 'Maps beside the images need coil maps; images combined by root-sum-of-squares come without.');
      } else {
        if (parameters.psf && nPartitions > 1) this.#sayOnce('RECON_WARN_NO_MAPS', 'There is no point-spread function of 3D scans.');
        const { sampledColumns } = this.#readouts;
        const beside = this.#clock.time('maps', () =>
          this.#ifRoom(() =>
            this.#withRoom(iterativeNoiseBytes(this.#plan, this.#nCoils, calibration.nMapSets), () =>
              sliceMaps(this.#kernels, this.#plan, slab, { calibration, making, images: forMaps, partialFourier, sampledColumns, noises: mapNoises }),
            ),
          ),
        );
        if (beside === undefined) this.#sayOnce('RECON_WARN_NO_MAPS', `There is no room in memory for the maps of slice ${slab.counters.slice}.`);
        for (const { kind, data, coil, slice } of beside ?? []) {
          if (kind === 'noise') multiply(data, gains[slice]?.gain);
          this.#emit(slab, slice, kind, data, facts, coil);
        }
      }
    }
    if (denoises && calibration !== undefined) {
      this.#denoising.take(slab, calibration, making, combined, denoiserNoises, (slice, kind, data, denoising) => {
        multiply(data, gains[slice]?.gain);
        this.#emit(slab, slice, kind, data, { ...facts, denoising });
      });
    }
    // Where the image does not need it, nobody waits for it.
    if (nPartitions === 1) this.#clock.time('combination', () => this.#images.checkCentre(slab, this.#nCoils));
  }

  /** Works with so much room in the arena, for which older slabs are given up. */
  #withRoom<T>(nBytes: number, work: () => T): T {
    this.#kernels.arena.release(this.#allocate(nBytes));
    return work();
  }

  #ifRoom<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof CodedError && error.code === 'RECON_ERR_MEMORY_LIMIT') return undefined;
      throw error;
    }
  }

  #estimateNoiseAhead(): void {
    const slab = this.#current;
    if (slab === undefined || !this.#denoising.wantsNoiseAhead(slab)) return;
    const calibration = this.#calibrations.begunFor(slab);
    const maps = this.#mapsFrom(calibration);
    if (calibration === undefined || calibration.pending > 0 || maps === undefined) return;
    const volume = this.#images.volumeOf(this.#readouts.sampledColumns);
    this.#denoising.estimateNoiseAhead(slab, calibration, { nCoils: this.#nCoils, maps, noiseDeviation: 1, volume, stage: this.#images });
  }

  /** 1 after whitening; else from the edge of k-space, where anybody asks for it. */
  #noiseDeviationOf(slab: Slab): number {
    const { parameters, iterative } = this.#plan;
    if (this.#readouts.whitens || !(iterative === 'l1' || parameters.noiseMap || parameters.snrMap || this.#denoising.isOpen)) return 1;
    const deviation = edgeDeviation(this.#kernels, this.#plan, slab, this.#nCoils);
    this.#sayOnce(
      'RECON_INFO_NOISE_ESTIMATE',
      `Without whitening the noise is told by the outermost lines: a standard deviation of ${deviation.toPrecision(4)} in slice ${slab.counters.slice}, taken to be the same in all coils.`,
    );
    return deviation;
  }

  #mapsFrom(calibration: Calibration | undefined): CoilMaps | undefined {
    if (!needsCoilMaps(this.#plan) || calibration === undefined) return undefined;
    if (calibration.lines !== undefined) return { lines: calibration.lines };
    return calibration.mapsPointer === 0 ? undefined : { pointer: calibration.mapsPointer, nSets: calibration.nMapSets };
  }

  #emit(
    slab: Slab, slice: number, kind: ReconImageKind, data: Float32Array,
    facts: ImageFacts & { readonly denoising?: DenoisingRecord }, coil?: number,
  ): void {
    const { nRows, nColumns, nSlices, fovMm, acceleration, sliceAcceleration } = this.#plan;
    const { reference, counters } = slab;
    this.#nImages++;
    this.#output.image({
      ...facts,
      kind,
      ...(restsOnNoise.has(kind) && { noiseMapMethod: noiseMapMethods[this.#plan.iterative ?? 'none'] }),
      rows: nRows,
      columns: nColumns,
      data,
      ...(coil === undefined ? {} : { coil }),
      counters: { ...counters, slice: counters.slice * nSlices + slice },
      geometry: geometryOf(this.#plan, reference, slice),
      fovMm,
      accelerationPhase: acceleration,
      accelerationSlice: sliceAcceleration,
      snrUnits: this.#readouts.whitens,
      nCoils: this.#nChannels,
      nVirtualCoils: this.#nCoils,
      measurementUid: reference.measurementUid,
      acquisitionTimeStamp: reference.acquisitionTimeStamp,
      physiologyTimeStamp: reference.physiologyTimeStamp,
      patientTablePosition: reference.patientTablePosition,
    });
  }

  #noteShortcomings(slab: Slab, calibration: Calibration | undefined, isAliased: boolean, isSolvedFor: boolean): void {
    const { parameters, acceleration, sliceAcceleration, nPartitions } = this.#plan;
    const missing = slab.nMissingLines;
    if (missing > 0) {
      this.#output.notice(
        reconNotice('RECON_WARN_MISSING_LINES', `Slice ${slab.counters.slice} is reconstructed without ${missing} of its lines${isSolvedFor ? '' : '; they are zero'}.`),
      );
    }
    if (isAliased && parameters.unalias !== 'none' && calibration?.kernel === undefined) {
      this.#sayOnce('RECON_WARN_NO_CALIBRATION', `The scan is accelerated (R = ${acceleration}${nPartitions > 1 ? ` x ${sliceAcceleration}` : ''}) but gives no sufficient calibration lines: images are zero-filled and aliased.`);
    }
    if (needsCoilMaps(this.#plan) && this.#mapsFrom(calibration) === undefined) {
      this.#sayOnce('RECON_WARN_NO_COIL_MAPS', 'Coil maps could not be estimated; coils are combined by root-sum-of-squares.');
    }
  }

  /** Keeps a delivered slab for late lines, within a budget. */
  #retain(slab: Slab): void {
    if (!this.#retained.includes(slab)) this.#retained.push(slab);
    this.#calibrations.imageIsOut(slab);
    const bytesEach = this.#nCoils * slabCoilBytes(this.#plan);
    const mostBytes = this.#plan.announcesAverages ? retainedBytesWhereAnnounced : retainedBytes;
    while (this.#retained.length > 1 && this.#retained.length * bytesEach > mostBytes) this.#giveUpOldest();
  }

  #finishIfIdle(): void {
    if (this.#finished === undefined || this.#complete.size > 0 || this.#solving.length > 0 || this.#calibrations.isRunning || this.#denoising.isRunning) return;
    const done = this.#finished;
    this.#finished = undefined;
    done();
  }

  #useOf(flags: bigint): ReadoutUse {
    return useOf(flags, this.#ghosts !== undefined);
  }

  #countUnused(flags: bigint): void {
    const name = ignoredBy(flags)!;
    this.#unused.set(name, (this.#unused.get(name) ?? 0) + 1);
  }

  #sayOnce(code: ReconNoticeCode, message: string): void {
    if (this.#said.has(code)) return;
    this.#said.add(code);
    this.#output.notice(reconNotice(code, message));
  }
}

/** Each pixel of one or two values with its gain. */
function multiply(pixels: Float32Array, gain: Float32Array | undefined): void {
  if (gain === undefined) return;
  const valuesEach = pixels.length / gain.length;
  for (let i = 0; i < pixels.length; i++) pixels[i] = pixels[i]! * gain[Math.floor(i / valuesEach)]!;
}

/** Copies of n equal parts. */
function inParts(values: Float32Array, n: number): Float32Array[] {
  const length = values.length / n;
  return Array.from({ length: n }, (_, part) => values.slice(part * length, (part + 1) * length));
}

/** Slab row of a readout's line; that of a reference scan counts from its own centre. */
function rowOf(plan: CartesianPlan, { idx, encodingSpaceRef }: Readout): number | undefined {
  const ofReference = plan.referenceCentreLines[encodingSpaceRef];
  const shift = ofReference === undefined ? 0 : plan.centreLine - ofReference;
  return rowOfLine(plan, idx.kspaceEncodeStep1 + shift, idx.kspaceEncodeStep2);
}
