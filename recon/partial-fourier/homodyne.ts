/**
 * Homodyne detection. An image of smooth phase p is f = m p with a real m, whose k-space is conjugate
 * symmetric; so with weights W(k) + W(-k) = 2 (weights.ts)
 *
 *   m = Re( conj(p) F^-1( W F ) ),   p from the symmetric part of k-space (phase.ts),   f = m p.
 *
 * Noll DC, Nishimura DG, Macovski A. Homodyne detection in magnetic resonance imaging. IEEE Trans Med
 * Imaging 1991;10:154-163. doi:10.1109/42.79473
 */
import type { Kernels } from '../kernels/index.js';
import type { SampledVolume } from './extent.js';
import { lowResolutionImage, toUnitPhase, transformVolume } from './phase.js';
import { kspaceWeights } from './weights.js';

/** @param pointer complex64 [nSlices, nRows, nColumns]: k-space, replaced by the image */
export function homodyne(kernels: Kernels, volume: SampledVolume, pointer: number): void {
  const { arena } = kernels;
  const weights = kspaceWeights(volume, true);
  const n = weights.length;
  arena.withScratch(8 * n, (phasePointer) => {
    lowResolutionImage(kernels, volume, pointer, phasePointer);
    const phase = arena.f32(phasePointer, 2 * n);
    toUnitPhase(phase);
    const image = arena.f32(pointer, 2 * n);
    for (let i = 0; i < n; i++) {
      image[2 * i] = image[2 * i]! * weights[i]!;
      image[2 * i + 1] = image[2 * i + 1]! * weights[i]!;
    }
    transformVolume(kernels, volume, pointer, 'inverse');
    projectOnPhase(image, phase);
  });
}

/** f <- Re( conj(p) f ) p */
export function projectOnPhase(image: Float32Array, phase: Float32Array): void {
  for (let at = 0; at < image.length; at += 2) {
    const along = image[at]! * phase[at]! + image[at + 1]! * phase[at + 1]!;
    image[at] = along * phase[at]!;
    image[at + 1] = along * phase[at + 1]!;
  }
}
