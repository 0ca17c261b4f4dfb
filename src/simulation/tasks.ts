/** What the simulation's threads are asked for, and what they answer. */
import type { CtSlice } from '../../simulator/index.js';

export interface MrTask {
  readonly kind: 'mr';
  readonly seriesId: string;
  readonly slice: number;
}

export interface CtTask {
  readonly kind: 'ct';
  readonly slice: number;
}

export type SliceTask = MrTask | CtTask;

export interface MrResult {
  /** In the order of acquisition. */
  readonly readouts: readonly Float32Array[];
}

export interface CtResult {
  /** At every dose, with every kernel. */
  readonly ct: readonly CtSlice[];
}

export type SliceResult = MrResult | CtResult | { readonly failure: string };

export type ResultOf<Task extends SliceTask> = Task extends MrTask ? MrResult : CtResult;
