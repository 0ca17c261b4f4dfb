/**
 * The way of images through the denoiser, beside that of the conventional ones, which never wait for it:
 *
 *   combined image + its noise map -> the grid that was sampled -> gate -> denoiser (somewhere else)
 *   answer -> trust -> measured lines put back -> blend with the image -> completed like the conventional image -> out
 *
 * Answers come when they like; images leave in the order in which they were taken. One series does not mix what was
 * denoised with what was not: the first image that cannot be denoised ends the series, with the reason. Nor does it mix
 * strengths: from an image on whose light asks for less, all are shown with so much less.
 */
import {
  blend, fromGrid, mapOnGrid, noiseNoveltyOf, noveltyTexts, onGrid, plainNoveltyOf, sampledGrid, strengthAt, trustOf, trustOfColoured, type DenoiseOutcome, type DenoiseRunner,
  type DenoisingRecord, type NoveltyReason, type SampledGrid,
} from '../denoise/index.js';
import type { Kernels } from '../kernels/index.js';
import type { ReconNoticeCode } from '../notices.js';
import type { SampledExtent } from '../partial-fourier/index.js';
import { sampledRows, type CartesianPlan } from './plan.js';
import type { StageClock } from './stageClock.js';

/** Requests that are out at a time: one in the network, one on the way. */
const mostRequests = 2;
/** Images that wait for a denoiser that is slower than the scan, bytes. */
const mostWaitingBytes = 512 * 2 ** 20;

/** What puts measured lines back into the denoised image of a 2D slab. */
export interface MeasuredLines {
  /** Called once, while what the image was made of is still there and the denoiser works already. */
  prepare(): void;
  /** The image with the lines put back into it; undefined where they are no longer there. */
  putBack(denoised: Float32Array): Float32Array<ArrayBuffer> | undefined;
}

/** The images of one slab: one, or those of a volume. */
export interface DenoiseWork {
  /** Slice of the scan that the first of them is. */
  readonly slice: number;
  /** complex64 [combinedRows, nColumns] each, as coil maps combined them */
  readonly images: readonly Float32Array[];
  /** Standard deviation of the real part, [combinedRows, nColumns] each. */
  readonly noises: readonly Float32Array[];
  readonly noiseSource: 'measured' | 'edge';
  /** What was sampled along the columns. */
  readonly sampledColumns: SampledExtent;
  readonly measuredLines?: MeasuredLines;
  /** Takes the images at the strength that was asked for and what full strength took out of them, as they came. */
  emit(denoised: readonly Float32Array[], residuals: readonly Float32Array[], records: readonly DenoisingRecord[]): void;
  /** The work is done with, one way or the other. */
  release(): void;
}

/** What the denoiser is given, until it has answered. */
interface Asked {
  readonly data: Float32Array;
  readonly noise: Float32Array;
  /** What takes longer to see was looked at. */
  isChecked: boolean;
  /** Noise found in the image / noise map. */
  noiseRatio: number | undefined;
}

/** At full strength. */
interface DenoisedImage {
  readonly full: Float32Array;
  readonly residual: Float32Array;
  readonly record: Omit<DenoisingRecord, 'strengthPercent'>;
}

interface Waiting {
  readonly work: DenoiseWork;
  readonly grid: SampledGrid;
  readonly asked: Map<number, Asked>;
  readonly results: DenoisedImage[];
  nAsked: number;
  nAnswered: number;
  /** Its measured lines are. */
  isPrepared: boolean;
  failure: Failure | undefined;
}

interface Failure {
  readonly code: ReconNoticeCode;
  readonly message: string;
}

export interface DenoiseContext {
  readonly run: DenoiseRunner | undefined;
  readonly clock: StageClock;
  notice(code: ReconNoticeCode, message: string): void;
  /** Undefined where the session's memory has no room for the work. */
  ifRoom<T>(work: () => T): T | undefined;
  /** Nothing waits any more. */
  idle(): void;
}

export class DenoiseStage {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #context: DenoiseContext;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #nRequests = 0;
  /** Of the images that leave. */
  #strengthPercent: number;
  /** No image is taken any more. */
  #ended: boolean;
  /** An image failed: what was taken after it does not come out either. */
  #isBroken = false;
  #hasReported = false;

  constructor(plan: CartesianPlan, kernels: Kernels, context: DenoiseContext) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#context = context;
    this.#strengthPercent = plan.parameters.denoise;
    this.#ended = plan.parameters.denoise === 0;
  }

  /** Images are to be denoised, and all that came so far could be. */
  get isOpen(): boolean {
    return !this.#ended;
  }

  get isRunning(): boolean {
    return this.#nRequests > 0 || this.#waiting.length > 0;
  }

  /** No image is denoised any more, those that were taken before excepted. */
  end(code: ReconNoticeCode, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#context.notice(code, `${reason} The denoised series ends here; the conventional one goes on.`);
  }

  take(work: DenoiseWork): void {
    const { run } = this.#context;
    if (run === undefined) {
      work.release();
      this.end('RECON_WARN_NOT_DENOISED', 'No denoiser is ready.');
      return;
    }
    const nBytes = bytesOf(work);
    if (this.#waitingBytes + nBytes > mostWaitingBytes && this.#waiting.length > 0) {
      work.release();
      this.end('RECON_WARN_NOT_DENOISED', `The denoiser does not keep up with the scan: ${this.#waiting.length} images wait for it.`);
      return;
    }
    this.#waitingBytes += nBytes;
    const grid = sampledGrid(this.#sampledRows(), work.sampledColumns);
    const waiting: Waiting = { work, grid, asked: new Map(), results: [], nAsked: 0, nAnswered: 0, isPrepared: false, failure: undefined };
    this.#waiting.push(waiting);
    this.#ask(run);
    if (waiting.failure === undefined) this.#prepare(waiting);
    this.#leave();
  }

  #prepare(waiting: Waiting): void {
    if (waiting.isPrepared) return;
    waiting.isPrepared = true;
    waiting.work.measuredLines?.prepare();
  }

  /** Sampled of the rows that coils are combined on. Cropping the image makes its k-space coarser, not smaller. */
  #sampledRows(): SampledExtent {
    const { combinedRows, paddedRows } = this.#plan;
    const { from, end, n } = sampledRows(this.#plan);
    const scaled = (count: number) => Math.ceil((count * combinedRows) / paddedRows);
    const [middle, centre] = [Math.floor(n / 2), Math.floor(combinedRows / 2)];
    return { n: combinedRows, from: Math.max(0, centre - scaled(middle - from)), end: Math.min(combinedRows, centre + scaled(end - middle)) };
  }

  /** Keeps the denoiser busy, in order. */
  #ask(run: DenoiseRunner): void {
    for (const waiting of this.#waiting) {
      while (this.#nRequests < mostRequests && waiting.failure === undefined && waiting.nAsked < waiting.work.images.length) {
        this.#askFor(run, waiting, waiting.nAsked++);
      }
    }
  }

  #askFor(run: DenoiseRunner, waiting: Waiting, at: number): void {
    const { work, grid } = waiting;
    const { gridRows: rows, gridColumns: columns } = grid;
    const prepared = this.#context.clock.time('denoising', () => {
      const data = this.#context.ifRoom(() => onGrid(this.#kernels, grid, work.images[at]!));
      if (data === undefined) return undefined;
      const noise = mapOnGrid(grid, work.noises[at]!);
      return { data, noise, novelty: plainNoveltyOf({ rows, columns, data, noise, components: 2 }) };
    });
    if (prepared === undefined) {
      waiting.failure = noRoom(work.slice + at);
      return;
    }
    const { data, noise, novelty } = prepared;
    if (novelty !== undefined) {
      waiting.failure = novel(work.slice + at, novelty);
      return;
    }
    waiting.asked.set(at, { data, noise, isChecked: false, noiseRatio: undefined });
    this.#nRequests++;
    // The denoiser may transfer its arrays.
    const image = { rows, columns, data: data.slice(), noise: everywhere(noise) };
    let answered = false;
    run({ images: [image], slice: work.slice + at }, (outcome) => {
      if (answered) return;
      answered = true;
      this.#nRequests--;
      this.#take(waiting, at, outcome);
      this.#ask(run);
      this.#leave();
    });
    this.#checkNoise(waiting, at);
  }

  /** Whether the noise is what its map says, looked at while the denoiser works: where it is not, its answer is not used. */
  #checkNoise(waiting: Waiting, at: number): void {
    const asked = waiting.asked.get(at);
    if (asked === undefined || asked.isChecked) return;
    asked.isChecked = true;
    const { data, noise } = asked;
    const { work, grid: { gridRows: rows, gridColumns: columns } } = waiting;
    const { reason, ratio } = this.#context.clock.time('denoising', () =>
      noiseNoveltyOf({ rows, columns, data, noise, components: 2, noiseIsWhite: this.#plan.iterative !== 'l1' }),
    );
    asked.noiseRatio = ratio;
    if (reason !== undefined) waiting.failure ??= novel(work.slice + at, reason);
  }

  #take(waiting: Waiting, at: number, outcome: DenoiseOutcome): void {
    const { work } = waiting;
    this.#checkNoise(waiting, at);
    const asked = waiting.asked.get(at)!;
    waiting.asked.delete(at);
    waiting.nAnswered++;
    if (waiting.failure !== undefined) return;
    const fail = (message: string) => (waiting.failure = { code: 'RECON_WARN_DENOISER_FAILED', message });
    if ('failure' in outcome) {
      fail(`Slice ${work.slice + at} was not denoised: ${outcome.failure.code}: ${outcome.failure.message}`);
      return;
    }
    const denoised = outcome.images[0];
    if (denoised?.length !== asked.data.length || !areFinite(denoised)) {
      fail(`Slice ${work.slice + at} was not denoised: the answer has another size, or values that are not finite.`);
      return;
    }
    this.#context.clock.add('denoiser', outcome.ms);
    const result = this.#context.clock.time('denoising', () =>
      this.#context.ifRoom(() => this.#finish(waiting, at, asked, denoised, outcome.model)),
    );
    if (result === undefined) waiting.failure = noRoom(work.slice + at);
    else waiting.results[at] = result;
  }

  #finish(
    waiting: Waiting, at: number, { data, noise, noiseRatio }: Asked, denoised: Float32Array,
    model: { id: string; version: string; sha256: string },
  ): DenoisedImage {
    const { work, grid } = waiting;
    const image = work.images[at]!;
    const { light, reasons, residualStd, edgeCorrelation, largestStructure } = (this.#plan.iterative === 'l1' ? trustOfColoured : trustOf)({
      rows: grid.gridRows, columns: grid.gridColumns, noisy: data, denoised, noise, components: 2, noiseRatio,
    });
    const residual = fromGrid(this.#kernels, grid, difference(data, denoised));
    let full = difference(image, residual);
    this.#prepare(waiting);
    const consistent = work.measuredLines?.putBack(full);
    if (consistent !== undefined) full = consistent;
    return {
      full,
      residual,
      record: {
        noiseSource: work.noiseSource, light, reasons, residualStd, edgeCorrelation, largestStructure,
        dataConsistency: consistent !== undefined, modelId: model.id, modelVersion: model.version, modelSha256: model.sha256,
      },
    };
  }

  /** What is complete at the head of the queue goes out. */
  #leave(): void {
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      const isOver = head.failure !== undefined || head.nAnswered === head.work.images.length;
      if (!isOver) return;
      this.#waiting.shift();
      this.#waitingBytes -= bytesOf(head.work);
      const failure = head.failure ?? (this.#isBroken ? undefined : this.#emit(head));
      if (failure !== undefined) this.#endWith(failure);
      head.work.release();
    }
    if (!this.isRunning) this.#context.idle();
  }

  #emit({ work, results }: Waiting): Failure | undefined {
    // The slices of a volume belong together: the worst light is that of all.
    this.#strengthPercent = results.reduce((percent, { record: { light } }) => strengthAt(light, percent, this.#plan.parameters), this.#strengthPercent);
    const strengthPercent = this.#strengthPercent;
    if (!this.#hasReported) {
      this.#hasReported = true;
      const { dataConsistency, modelId, modelVersion } = results[0]!.record;
      const noise = { measured: 'measured', edge: 'told by the edge of k-space' }[work.noiseSource];
      this.#context.notice(
        'RECON_INFO_DENOISING',
        `A second series is denoised at ${strengthPercent} % by ${modelId} ${modelVersion}; its noise is ${noise}, measured lines are ${dataConsistency ? '' : 'not '}put back.`,
      );
    }
    const isOut = this.#context.ifRoom(() => {
      const shown = this.#context.clock.time('denoising', () => results.map(({ full }, at) => blend(work.images[at]!, full, strengthPercent / 100)));
      work.emit(shown, results.map(({ residual }) => residual), results.map(({ record }) => ({ strengthPercent, ...record })));
      return true;
    });
    return isOut === undefined ? noRoom(work.slice) : undefined;
  }

  #endWith({ code, message }: Failure): void {
    this.#isBroken = true;
    this.end(code, message);
  }
}

function novel(slice: number, reason: NoveltyReason): Failure {
  return { code: 'RECON_WARN_DENOISE_INPUT', message: `Slice ${slice} ${noveltyTexts[reason]}.` };
}

function noRoom(slice: number): Failure {
  return { code: 'RECON_WARN_NOT_DENOISED', message: `There is no room in memory to denoise slice ${slice}.` };
}

function bytesOf({ images, noises }: DenoiseWork): number {
  return images.reduce((sum, { byteLength }) => sum + byteLength, 0) + noises.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function difference(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(a.length);
  for (let i = 0; i < values.length; i++) values[i] = a[i]! - b[i]!;
  return values;
}

function areFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!);
  return Number.isFinite(sum);
}

/** A copy. Where coil maps are zero, so are image and noise: a denoiser divides by the noise, so that it gets the middle of what there is. */
function everywhere(noise: Float32Array): Float32Array {
  if (!noise.includes(0)) return noise.slice();
  const known = noise.filter((value) => value > 0).sort();
  const middle = known[known.length >> 1] ?? 0;
  return noise.map((value) => (value > 0 ? value : middle));
}
