/** Zeros where nothing was sampled, the edge of what was sampled smoothed: f = F^-1( M F ), M of extent.ts. */
import type { Kernels } from '../kernels/index.js';
import type { SampledVolume } from './extent.js';
import { transformVolume } from './phase.js';
import { kspaceWeights } from './weights.js';

/** @param pointer complex64 [nSlices, nRows, nColumns]: k-space, replaced by the image */
export function zeroFill(kernels: Kernels, volume: SampledVolume, pointer: number): void {
  const weights = kspaceWeights(volume, false);
  const values = kernels.arena.f32(pointer, 2 * weights.length);
  for (let i = 0; i < weights.length; i++) {
    values[2 * i] = values[2 * i]! * weights[i]!;
    values[2 * i + 1] = values[2 * i + 1]! * weights[i]!;
  }
  transformVolume(kernels, volume, pointer, 'inverse');
}
