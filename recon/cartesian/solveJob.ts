/**
 * The iterations of an image, and of its noise maps, as a job: any thread can do them that shares the session's memory, while the
 * thread that takes readouts goes on taking them. The job works on a copy of the slab, in a block of its own, so that
 * lines which come meanwhile change nothing of it.
 */
import { CodedError } from 'ismrmrd';
import { Arena, bindKernels } from '../kernels/index.js';
import type { NoiseMap } from '../noise-map/index.js';
import type { SampledExtent } from '../partial-fourier/index.js';
import { iterativeNoiseBytes, solvedNoiseMap, solveSlab, type Completion, type Lines, type Solving } from './iterative.js';
import type { CartesianPlan } from './plan.js';

/** Plain data: a job crosses threads. */
export interface SolveJob {
  readonly kind: 'solve';
  /** Where the job allocates. */
  readonly startByte: number;
  readonly endByte: number;
  readonly plan: CartesianPlan;
  readonly slab: Lines;
  readonly solving: Solving;
  /** Noise maps that are wanted: one for each way to complete the image. */
  readonly completions: readonly Completion[];
  readonly sampledColumns: SampledExtent;
}

export interface SolvedSlab {
  readonly kind: 'solve';
  /** complex64 [combinedRows, nColumns] */
  readonly combined: Float32Array;
  /** [combinedRows, nColumns], in the order of `completions` */
  readonly noises: readonly Pick<NoiseMap, 'noise' | 'gFactor'>[];
  readonly elapsedMs: number;
}

export type SolveOutcome =
  | { readonly ok: true; readonly result: SolvedSlab }
  | { readonly ok: false; readonly message: string };

/** Runs a job now, on this thread. */
export function runSolve(memory: WebAssembly.Memory, job: SolveJob): SolveOutcome {
  const start = performance.now();
  const { startByte, endByte, plan, slab, solving, completions, sampledColumns } = job;
  try {
    const arena = new Arena(memory, { startByte, endByte, limitBytes: endByte });
    const kernels = bindKernels(memory, arena);
    const nFloats = 2 * plan.combinedRows * plan.nColumns;
    const combined = arena.withScratch(4 * nFloats, (image) => {
      solveSlab(kernels, plan, slab, solving, image);
      return new Float32Array(arena.f32(image, nFloats));
    });
    const noises = completions.map((completion) => solvedNoiseMap(kernels, plan, slab, solving, completion, sampledColumns));
    return { ok: true, result: { kind: 'solve', combined, noises, elapsedMs: performance.now() - start } };
  } catch (error) {
    if (error instanceof CodedError) return { ok: false, message: error.message };
    throw error;
  }
}

/** Bytes of a job's block beside the copy of the slab, with room to spare: its pages are touched only as far as they are used. */
export function solveBlockBytes(plan: CartesianPlan, nCoils: number, nMapSets: number): number {
  const spareBytes = 4 * 2 ** 20;
  return iterativeNoiseBytes(plan, nCoils, nMapSets) + 8 * plan.combinedRows * plan.nColumns * (2 + nMapSets) + spareBytes;
}
