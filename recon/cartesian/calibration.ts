/**
 * Calibration lines, and what is made of them: a GRAPPA kernel and coil maps. Both are jobs that any
 * thread can do which shares the session's memory; each works in a block of its own.
 */
import { CodedError } from 'ismrmrd';
import { Arena, bindKernels, type Kernels } from '../kernels/index.js';
import { coilMapBytes, estimateCoilMaps, type CoilMapCalibration } from '../coil-maps/index.js';
import { espiritBytes, estimateEspiritMaps, estimateEspiritSets, type EspiritSets } from '../espirit/index.js';
import { calibrateGrappa, grappaBytes, type GrappaCalibration, type GrappaKernel } from '../grappa/index.js';
import { coilMapEstimator, latticeOf, type CartesianPlan } from './plan.js';

/** Neighbouring lines of neighbouring partitions of a slab. */
export interface LineBlock {
  readonly firstLine: number;
  readonly nLines: number;
  readonly firstPartition: number;
  readonly nPartitions: number;
}

/** Hybrid lines [coil, column] by slab row, with how many averages each is the sum of. */
export class CalibrationLines {
  readonly rows = new Map<number, { readonly pointer: number; count: number }>();

  /**
   * The lines that calibrate: the longest run of partitions that have any, and of their longest runs of
   * lines the ones that all have.
   * @param nLines of a partition of the slab
   */
  block(nLines: number): LineBlock {
    const byPartition = new Map<number, number[]>();
    for (const row of this.rows.keys()) {
      const partition = Math.floor(row / nLines);
      const lines = byPartition.get(partition);
      if (lines === undefined) byPartition.set(partition, [row % nLines]);
      else lines.push(row % nLines);
    }
    const partitions = longestRun([...byPartition.keys()]);
    let first = 0;
    let end = nLines;
    for (let partition = partitions.first; partition < partitions.first + partitions.count; partition++) {
      const lines = longestRun(byPartition.get(partition)!);
      first = Math.max(first, lines.first);
      end = Math.min(end, lines.first + lines.count);
    }
    const isEmpty = partitions.count === 0 || end <= first;
    return {
      firstLine: first, nLines: isEmpty ? 0 : end - first, firstPartition: partitions.first, nPartitions: isEmpty ? 0 : partitions.count,
    };
  }
}

/** The longest run of neighbours; of equally long ones the first. */
function longestRun(numbers: number[]): { first: number; count: number } {
  numbers.sort((a, b) => a - b);
  let best = { first: 0, count: 0 };
  let start = 0;
  for (let i = 0; i < numbers.length; i++) {
    if (i > 0 && numbers[i] !== numbers[i - 1]! + 1) start = i;
    if (i - start + 1 > best.count) best = { first: numbers[start]!, count: i - start + 1 };
  }
  return best;
}

/** Plain data: a job crosses threads. */
export interface CalibrationJob {
  readonly kind: 'grappa' | 'coilMaps';
  /** Where the job allocates, and leaves its result. */
  readonly startByte: number;
  readonly endByte: number;
  /** [nCoils, nCalibrationPartitions, nCalibrationLines, nColumns] */
  readonly calibrationPointer: number;
  readonly nCoils: number;
  readonly nCalibrationPartitions: number;
  readonly nCalibrationLines: number;
  /** First calibration line relative to the k-space centre line. */
  readonly firstLine: number;
  readonly plan: CartesianPlan;
}

export type CalibrationResult =
  | { readonly kind: 'grappa'; readonly kernel: GrappaKernel; readonly elapsedMs: number }
  | {
      readonly kind: 'coilMaps'; readonly mapsPointer: number; readonly nSets: number;
      /** Part of the object where the field of view is too small for it. */
      readonly foldedPart: number; readonly elapsedMs: number;
    };

/** What comes back across threads: a coded error loses its class there, so it travels as data. */
export type CalibrationOutcome =
  | { readonly ok: true; readonly result: CalibrationResult }
  | { readonly ok: false; readonly message: string };

/** Runs a job now, on this thread. Never throws: a failed calibration leaves a zero-filled image. */
export function runCalibration(memory: WebAssembly.Memory, job: CalibrationJob): CalibrationOutcome {
  const start = performance.now();
  try {
    const arena = new Arena(memory, { startByte: job.startByte, endByte: job.endByte, limitBytes: job.endByte });
    const kernels = bindKernels(memory, arena);
    const { plan, calibrationPointer: calibration } = job;
    if (job.kind === 'grappa') {
      const kernel = calibrateGrappa(kernels, { ...grappaShape(plan, job), calibration, regularization: plan.parameters.grappaRegularization });
      return { ok: true, result: { kind: 'grappa', kernel, elapsedMs: performance.now() - start } };
    }
    const { pointer, nSets, foldedPart } = coilMaps(kernels, plan, { ...mapShape(plan, job), calibration });
    return { ok: true, result: { kind: 'coilMaps', mapsPointer: pointer, nSets, foldedPart, elapsedMs: performance.now() - start } };
  } catch (error) {
    if (error instanceof CodedError) return { ok: false, message: error.message };
    throw error;
  }
}

function coilMaps(kernels: Kernels, plan: CartesianPlan, lines: CoilMapCalibration): Pick<EspiritSets, 'pointer' | 'nSets' | 'foldedPart'> {
  const estimator = coilMapEstimator(plan.parameters, plan.iterative);
  if (estimator !== 'espirit') return { pointer: estimateCoilMaps(kernels, lines, estimator), nSets: 1, foldedPart: 0 };
  // Where coils are only combined, the background stays as it is.
  if (plan.iterative === undefined) return { pointer: estimateEspiritMaps(kernels, lines, 0), nSets: 1, foldedPart: 0 };
  return estimateEspiritSets(kernels, lines, plan.parameters.espiritSets);
}

type CalibrationShape = Pick<CalibrationJob, 'nCoils' | 'nCalibrationPartitions' | 'nCalibrationLines' | 'firstLine'>;

/** Bytes of a job's block: its result and what it takes beside it. */
export function calibrationBlockBytes(kind: CalibrationJob['kind'], plan: CartesianPlan, shape: CalibrationShape): number {
  if (kind === 'grappa') return grappaBytes(grappaShape(plan, shape));
  const lines = mapShape(plan, shape);
  if (coilMapEstimator(plan.parameters, plan.iterative) !== 'espirit') return coilMapBytes(lines);
  return espiritBytes(lines, plan.iterative === undefined ? 1 : plan.parameters.espiritSets);
}

function grappaShape(plan: CartesianPlan, { nCoils, nCalibrationPartitions, nCalibrationLines }: CalibrationShape): Omit<GrappaCalibration, 'calibration' | 'regularization'> {
  return { nCoils, nCalibrationPartitions, nCalibrationLines, nColumns: plan.nColumns, ...latticeOf(plan), kernelReadout: plan.parameters.kernelReadout };
}

function mapShape(plan: CartesianPlan, { nCoils, nCalibrationLines, firstLine }: CalibrationShape): Omit<CoilMapCalibration, 'calibration'> {
  return {
    nCoils, nCalibrationLines, nColumns: plan.nColumns, firstLine,
    paddedRows: plan.iterative === undefined ? plan.paddedRows : plan.nLines, nRows: plan.mapRows,
  };
}
