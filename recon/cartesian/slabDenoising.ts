/**
 * What the images of a slab take along to the denoiser: whether they can be denoised at all, their noise maps, and the measured lines that
 * are put back into them. A noise map depends on which lines an image is made of, not on what they hold, so that it is made while lines still come.
 */
import { consistencyBytes, ConsistencyEquations, type DenoiseRunner, type DenoisingRecord } from '../denoise/index.js';
import type { Kernels } from '../kernels/index.js';
import type { ReconNoticeCode } from '../notices.js';
import type { SampledExtent } from '../partial-fourier/index.js';
import type { ReconMethod } from '../types.js';
import type { Calibration } from './calibrations.js';
import { DenoiseStage, type DenoiseWork } from './denoiseStage.js';
import { iterativeNoiseBytes, senseModelOf } from './iterative.js';
import { consistencyOptions, putsLinesBack, type CartesianPlan } from './plan.js';
import type { ReadoutStage } from './readoutStage.js';
import type { Slab, SlabLines } from './slab.js';
import { completedImages, keptRows, keptSlices, noiseBeforeCompletion, type ImageMaking } from './slabImage.js';
import type { StageClock } from './stageClock.js';

/** With so many lines of an image it is plain which lattice they lie on. */
const fewestLinesAhead = 8;

interface NoisesAhead {
  readonly calibration: Calibration;
  readonly contents: SlabLines;
  readonly columns: SampledExtent;
  /** In units of the noise of a sample. */
  readonly noises: readonly Float32Array[];
}

export interface SlabDenoisingContext {
  readonly run: DenoiseRunner | undefined;
  readonly clock: StageClock;
  readonly readouts: ReadoutStage;
  readonly sayOnce: (code: ReconNoticeCode, message: string) => void;
  /** Undefined where the session's memory has no room for the work. */
  readonly ifRoom: <T>(work: () => T) => T | undefined;
  /** Works with so much room, for which older images are given up. @throws CodedError RECON_ERR_MEMORY_LIMIT */
  readonly withRoom: <T>(nBytes: number, work: () => T) => T;
  /** Nothing waits any more. */
  readonly idle: () => void;
}

/** An image of a slab, whose slice is counted within it. */
export type DenoisedOut = (slice: number, kind: 'denoised' | 'residual', data: Float32Array, denoising: DenoisingRecord) => void;

export class SlabDenoising {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #context: SlabDenoisingContext;
  readonly #stage: DenoiseStage;
  readonly #ahead = new Map<Slab, NoisesAhead>();
  /** Gives up what images at the denoiser keep in the arena, oldest first. */
  readonly #kept = new Set<() => void>();
  #putsLinesBack: boolean;

  constructor(plan: CartesianPlan, kernels: Kernels, context: SlabDenoisingContext) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#context = context;
    this.#putsLinesBack = putsLinesBack(plan);
    this.#stage = new DenoiseStage(plan, kernels, {
      run: context.run,
      clock: context.clock,
      notice: (code, message) => context.sayOnce(code, message),
      ifRoom: (work) => context.ifRoom(() => context.withRoom(this.#imagesBytes, work)),
      idle: () => context.idle(),
    });
  }

  /** Images are to be denoised, and all that came so far could be. */
  get isOpen(): boolean {
    return this.#stage.isOpen;
  }

  get isRunning(): boolean {
    return this.#stage.isRunning;
  }

  get putsLinesBack(): boolean {
    return this.#putsLinesBack;
  }

  /**
   * Makes room in the arena: the oldest image that waits to have its measured lines put back goes on without them.
   * @returns whether there was one
   */
  giveUpOldest(): boolean {
    const [giveUp] = this.#kept;
    giveUp?.();
    return giveUp !== undefined;
  }

  /** Whether an image has what a denoiser needs: coil maps, and a noise that is known. */
  canDenoise(slab: Slab, method: ReconMethod, hasMaps: boolean): boolean {
    if (!this.isOpen) return false;
    const reason = !hasMaps
      ? 'root-sum-of-squares images have no phase, and no noise that is known pixel by pixel'
      : method === 'zeroFilled'
        ? 'it is incomplete'
        : undefined;
    if (reason !== undefined) this.#stage.end('RECON_WARN_NOT_DENOISED', `Slice ${slab.counters.slice} is not denoised: ${reason}.`);
    return reason === undefined;
  }

  /** Whether the noise maps of a slab can be made while its lines still come, and are not made yet. */
  wantsNoiseAhead(slab: Slab): boolean {
    const { nPartitions, nAverages, iterative } = this.#plan;
    if (slab.delivered || slab.sumsAverages || slab.nImagingLines < fewestLinesAhead || this.#ahead.has(slab)) return false;
    return this.isOpen && nPartitions === 1 && nAverages === 1 && iterative === undefined;
  }

  /** @param making with a noise deviation of 1 */
  estimateNoiseAhead(slab: Slab, calibration: Calibration, making: ImageMaking): void {
    const contents = slab.expectedContents;
    const noises = this.#noisesBeforeCompletion(slab, calibration, making, contents);
    if (noises !== undefined) this.#ahead.set(slab, { calibration, contents, columns: making.volume[2], noises });
  }

  /** The slab has its images. */
  isDelivered(slab: Slab): void {
    this.#ahead.delete(slab);
  }

  /**
   * Hands the images of a slab to the denoiser; the conventional ones have left.
   * @param images complex64, as coil maps combined them @param knownNoises of them, where they are known already
   */
  take(slab: Slab, calibration: Calibration, making: ImageMaking, images: readonly Float32Array[], knownNoises: readonly Float32Array[] | undefined, out: DenoisedOut): void {
    const plan = this.#plan;
    const noises = knownNoises ?? this.#noisesOf(slab, calibration, making);
    if (noises === undefined) return;
    const { whitens, sampledColumns } = this.#context.readouts;
    this.#stage.take({
      slice: slab.counters.slice * plan.nSlices,
      images,
      noises,
      noiseSource: whitens ? 'measured' : 'edge',
      sampledColumns,
      emit: (denoised, residuals, records) => {
        const { slices } = this.#context.clock.time('denoising', () => completedImages(this.#kernels, plan, denoised, making));
        keptSlices(plan).forEach((combinedSlice, slice) => {
          const record = records[combinedSlice]!;
          out(slice, 'denoised', slices[slice]!, record);
          if (plan.parameters.residualMap) out(slice, 'residual', keptRows(plan, residuals[combinedSlice]!, 2).slice(), record);
        });
      },
      ...this.#measuredLinesOf(slab, calibration, making, noises[0]!),
    });
  }

  /** What puts the measured lines back into a denoised image: made while slab and coil maps are there, kept as long as memory allows. */
  #measuredLinesOf(
    slab: Slab, calibration: Calibration, { nCoils, noiseDeviation }: ImageMaking, noise: Float32Array,
  ): Pick<DenoiseWork, 'measuredLines' | 'release'> {
    const { clock, ifRoom, withRoom, sayOnce } = this.#context;
    if (!this.#putsLinesBack || calibration.mapsPointer === 0 || calibration.nMapSets > 1) return { release: () => undefined };
    let equations: ConsistencyEquations | undefined;
    const giveUp = () => {
      this.#kept.delete(giveUp);
      equations?.release();
      equations = undefined;
    };
    const prepare = () => {
      const model = senseModelOf(this.#plan, slab, nCoils, calibration.mapsPointer);
      const inSamples = noise.map((value) => value / noiseDeviation);
      equations = ifRoom(() => withRoom(consistencyBytes(model), () => new ConsistencyEquations(this.#kernels, model, slab.pointer, inSamples)));
      if (equations !== undefined) this.#kept.add(giveUp);
    };
    const putBack = (denoised: Float32Array) => {
      const consistent = this.#putsLinesBack && equations ? ifRoom(() => equations!.solve(denoised, consistencyOptions)) : undefined;
      if (consistent === undefined) {
        // One series does not mix: from here on no image has its lines put back.
        this.#putsLinesBack = false;
        sayOnce('RECON_WARN_DATA_CONSISTENCY', 'Memory is short: from here on images are denoised without putting measured lines back.');
      }
      return consistent;
    };
    return {
      measuredLines: {
        prepare: () => clock.time('data consistency', prepare),
        putBack: (denoised) => clock.time('data consistency', () => putBack(denoised)),
      },
      release: giveUp,
    };
  }

  get #imagesBytes(): number {
    const { combinedRows, nColumns, combinedSlices } = this.#plan;
    return 8 * combinedRows * nColumns * (combinedSlices + 2);
  }

  /** Noise maps of the combined images; undefined, and the denoised series over, where there is no room for them. */
  #noisesOf(slab: Slab, calibration: Calibration, making: ImageMaking): Float32Array[] | undefined {
    const { contents } = slab;
    const ahead = this.#ahead.get(slab);
    const noises =
      ahead?.calibration === calibration && JSON.stringify([ahead.contents, ahead.columns]) === JSON.stringify([contents, making.volume[2]])
        ? ahead.noises.map((noise) => scaled(noise, making.noiseDeviation))
        : this.#noisesBeforeCompletion(slab, calibration, making, contents);
    if (noises === undefined) this.#stage.end('RECON_WARN_NOT_DENOISED', `There is no room for the noise map of slice ${slab.counters.slice}.`);
    return noises;
  }

  #noisesBeforeCompletion(slab: Slab, calibration: Calibration, making: ImageMaking, contents: SlabLines): Float32Array[] | undefined {
    const { clock, ifRoom, withRoom } = this.#context;
    return clock.time('noise maps', () =>
      ifRoom(() =>
        withRoom(this.#imagesBytes + iterativeNoiseBytes(this.#plan, making.nCoils, calibration.nMapSets), () =>
          noiseBeforeCompletion(this.#kernels, this.#plan, slab, calibration.kernel, making, contents),
        ),
      ),
    );
  }
}

function scaled(values: Float32Array, factor: number): Float32Array {
  const result = new Float32Array(values);
  if (factor !== 1) for (let i = 0; i < result.length; i++) result[i] = result[i]! * factor;
  return result;
}
