/** The transforms of recon/fft/plan.ts, in place in the kernels' memory. */
import type { Kernels } from '../kernels/index.js';
import type { FftDirection, FftPlan } from './plan.js';

/** Where the kernels put real parts: the inverse is the forward transform with the parts exchanged. */
function realOffset(direction: FftDirection): number {
  return direction === 'forward' ? 0 : 16;
}

/** Transforms every line of complex64 [nLines, n], in place. */
export function fftLines(
  { wasm }: Kernels,
  plan: FftPlan,
  pointer: number,
  nLines: number,
  direction: FftDirection,
): void {
  const { slots, slotBytes } = plan;
  wasm.fftLines(plan.pointer, pointer, nLines, realOffset(direction), plan.scale, slots, slotBytes);
}

/** Transforms every column of complex64 [n, nColumns], in place. */
export function fftColumns(
  { wasm }: Kernels,
  plan: FftPlan,
  pointer: number,
  nColumns: number,
  direction: FftDirection,
): void {
  const { slots, slotBytes } = plan;
  wasm.fftColumns(plan.pointer, pointer, nColumns, realOffset(direction), plan.scale, slots, slotBytes);
}
