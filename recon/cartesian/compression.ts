/**
 * Coil compression of a scan, slice by slice, on arrival. Which virtual coils a slice gets, its central
 * lines tell; until they are in, its readouts wait as they are. They do not wait for ever: where too much
 * has gathered, or the scan is over, what has come decides.
 *
 * Every slice has as many virtual coils as the first one wanted, so that all slabs have the same size.
 */
import { compressCoils } from '../coil-compression/index.js';
import { SampleGram } from '../sample-gram/index.js';
import type { Kernels } from '../kernels/index.js';
import type { Whitener } from '../noise/index.js';
import { reconNotice } from '../notices.js';
import type { ReconNotice } from '../types.js';
import { mostCoilsUncompressed, type CartesianPlan } from './plan.js';
import type { Readout } from './readout.js';

/** Lines and samples this near the centre tell the coils: what is further out is noise and detail. */
const centralLines = 8;
const centralSamples = 24;
/** So many central lines are enough … */
const wantedCentralLines = 12;
/** … and so few, where lines beyond them come already. */
const fewestCentralLines = 4;
/** Readouts that wait may take so much. */
export const mostWaitingBytes = 256 * 2 ** 20;

/** What arrays of any size come down to, or nearly so, at the energies that are asked for. */
const usualVirtualCoils = 16;

/** Virtual coils to reckon with before the data are there. */
export function expectedVirtualCoils({ parameters }: CartesianPlan, nCoils: number): number {
  const { coilCompression } = parameters;
  return Math.min(nCoils, typeof coilCompression === 'number' ? coilCompression : usualVirtualCoils);
}

interface WaitingReadout {
  readonly readout: Readout;
  readonly pointer: number;
}

interface WaitingSlice {
  readonly readouts: WaitingReadout[];
  readonly centralLines: Set<number>;
}

export interface CompressionContext {
  /** Undefined where there is no room. */
  allocate(nBytes: number): number | undefined;
  notice(notice: ReconNotice): void;
  /** The channels of a slice are known: [nVirtualCoils, nCoils]. */
  decided(slice: number, matrix: Float32Array, nVirtualCoils: number): void;
  /** A readout that waited. */
  replay(readout: Readout, pointer: number): void;
}

export class Compression {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #whitener: Whitener | undefined;
  readonly #context: CompressionContext;
  readonly #waiting = new Map<number, WaitingSlice>();
  readonly #decided = new Set<number>();
  #waitingBytes = 0;
  #nVirtualCoils: number | undefined;
  #hasWarned = false;

  constructor(plan: CartesianPlan, kernels: Kernels, whitener: Whitener | undefined, context: CompressionContext) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#whitener = whitener;
    this.#context = context;
  }

  /** Whether the coils of a scan are to be compressed. */
  static isWanted(plan: CartesianPlan, nCoils: number): boolean {
    const { coilCompression } = plan.parameters;
    if (coilCompression === 'off') return false;
    return coilCompression === 'auto' ? nCoils > mostCoilsUncompressed : nCoils > coilCompression;
  }

  /** Keeps a readout that has to wait; false: it is to be used now. */
  takes(readout: Readout, samplesPointer: number): boolean {
    const { slice, kspaceEncodeStep1, kspaceEncodeStep2 } = readout.idx;
    if (this.#decided.has(slice)) return false;
    const nBytes = 8 * readout.nChannels * readout.nSamples;
    if (this.#waitingBytes + nBytes > mostWaitingBytes) this.decideAll();
    const pointer = this.#context.allocate(nBytes);
    if (pointer === undefined) this.decideAll();
    if (pointer === undefined || this.#decided.has(slice)) {
      if (pointer !== undefined) this.#kernels.arena.release(pointer);
      if (!this.#decided.has(slice)) this.#decide(slice, [{ readout, pointer: samplesPointer }]);
      return false;
    }
    new Uint8Array(this.#kernels.memory.buffer).copyWithin(pointer, samplesPointer, samplesPointer + nBytes);
    this.#waitingBytes += nBytes;
    let waiting = this.#waiting.get(slice);
    if (waiting === undefined) this.#waiting.set(slice, (waiting = { readouts: [], centralLines: new Set() }));
    waiting.readouts.push({ readout, pointer });
    const isCentral = this.#isCentral(readout);
    if (isCentral) waiting.centralLines.add(kspaceEncodeStep2 * 65536 + kspaceEncodeStep1);
    const enough = isCentral ? wantedCentralLines : fewestCentralLines;
    if (waiting.centralLines.size >= enough) this.#decideWaiting(slice);
    return true;
  }

  /** What has come decides: for all slices that wait. */
  decideAll(): void {
    for (const slice of [...this.#waiting.keys()]) this.#decideWaiting(slice);
  }

  #decideWaiting(slice: number): void {
    const { readouts } = this.#waiting.get(slice)!;
    this.#waiting.delete(slice);
    this.#decide(slice, readouts);
    for (const { readout, pointer } of readouts) {
      this.#context.replay(readout, pointer);
      this.#kernels.arena.release(pointer);
      this.#waitingBytes -= 8 * readout.nChannels * readout.nSamples;
    }
  }

  #decide(slice: number, readouts: readonly WaitingReadout[]): void {
    const { coilCompression, coilCompressionEnergy: energy } = this.#plan.parameters;
    const central = readouts.filter(({ readout }) => this.#isCentral(readout));
    const nCoils = readouts[0]!.readout.nChannels;
    const gram = new SampleGram(nCoils);
    for (const { readout, pointer } of central.length > 0 ? central : readouts) {
      const { nSamples } = readout;
      const centre = readout.centerSample === 0 ? Math.floor(nSamples / 2) : readout.centerSample;
      const samples = this.#kernels.arena.f32(pointer, 2 * nCoils * nSamples);
      gram.add(samples, nSamples, Math.max(0, centre - centralSamples), Math.min(nSamples, centre + centralSamples));
    }
    const wanted = this.#nVirtualCoils ?? (coilCompression === 'auto' || coilCompression === 'off' ? undefined : coilCompression);
    const compression = compressCoils(gram, { energy, ...(wanted === undefined ? {} : { nVirtualCoils: wanted }) }, this.#whitener?.matrix);
    const { matrix, nVirtualCoils, keptEnergy } = compression;
    this.#decided.add(slice);
    this.#report(slice, nCoils, nVirtualCoils, keptEnergy);
    this.#nVirtualCoils = nVirtualCoils;
    this.#context.decided(slice, matrix, nVirtualCoils);
  }

  #report(slice: number, nCoils: number, nVirtualCoils: number, keptEnergy: number): void {
    const kept = `${nVirtualCoils} virtual coils hold ${(100 * keptEnergy).toFixed(2)} % of the signal of ${nCoils} in slice ${slice}`;
    if (this.#nVirtualCoils === undefined) {
      this.#context.notice(reconNotice('RECON_INFO_COIL_COMPRESSION', `${kept}.`));
    } else if (!this.#hasWarned && 1 - keptEnergy > 4 * (1 - this.#plan.parameters.coilCompressionEnergy)) {
      this.#hasWarned = true;
      this.#context.notice(reconNotice('RECON_WARN_COIL_COMPRESSION', `${kept}, fewer than it needs.`));
    }
  }

  #isCentral({ idx }: Readout): boolean {
    const { centreLine, centrePartition } = this.#plan;
    return Math.abs(idx.kspaceEncodeStep1 - centreLine) <= centralLines && Math.abs(idx.kspaceEncodeStep2 - centrePartition) <= centralLines;
  }
}
