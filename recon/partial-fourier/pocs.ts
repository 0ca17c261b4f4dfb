/**
 * Projection onto convex sets: the image that has the phase p (phase.ts) and the image that has the
 * measured k-space are approached in turns,
 *
 *   f <- Re( conj(p) f ) p,   F <- M F_measured + (1 - M) F(f),
 *
 * and the last step is the second one: what was measured stays as it is, also where the phase is not
 * quite p.
 *
 * Haacke EM, Lindskog ED, Lin W. A fast, iterative, partial-Fourier technique capable of local phase
 * recovery. J Magn Reson 1991;92:126-145. doi:10.1016/0022-2364(91)90253-P
 */
import type { Kernels } from '../kernels/index.js';
import { samplingWindow, type SampledVolume } from './extent.js';
import { projectOnPhase } from './homodyne.js';
import { lowResolutionImage, toUnitPhase, transformVolume } from './phase.js';

/** The error falls by about half with each; after these it moves by less than the noise does. */
const nIterations = 10;

/** @param pointer complex64 [nSlices, nRows, nColumns]: k-space, replaced by the image */
export function pocs(kernels: Kernels, volume: SampledVolume, pointer: number): void {
  const { arena } = kernels;
  const [slices, rows, columns] = volume.map((extent) => samplingWindow(extent)) as [Float64Array, Float64Array, Float64Array];
  const n = slices.length * rows.length * columns.length;
  const nBytes = 8 * n;
  arena.withScratch(2 * nBytes, (phasePointer) => {
    const measuredPointer = phasePointer + nBytes;
    lowResolutionImage(kernels, volume, pointer, phasePointer);
    const phase = arena.f32(phasePointer, 2 * n);
    toUnitPhase(phase);
    const image = arena.f32(pointer, 2 * n);
    const measured = arena.f32(measuredPointer, 2 * n);
    measured.set(image);
    for (let iteration = 0; iteration < nIterations; iteration++) {
      transformVolume(kernels, volume, pointer, 'inverse');
      projectOnPhase(image, phase);
      transformVolume(kernels, volume, pointer, 'forward');
      let at = 0;
      for (const s of slices) {
        for (const r of rows) {
          const line = s * r;
          for (let k = 0; k < columns.length; k++, at += 2) {
            const share = line * columns[k]!;
            image[at] = share * measured[at]! + (1 - share) * image[at]!;
            image[at + 1] = share * measured[at + 1]! + (1 - share) * image[at + 1]!;
          }
        }
      }
    }
    transformVolume(kernels, volume, pointer, 'inverse');
  });
}
