/**
 * The weight of each k-space sample in the image, and the noise that it carries into it.
 *
 *   zero-filling:             W = M
 *   with conjugate symmetry:  W = 2 M(k) / (M(k) + M(-k)),  0 where neither k nor -k was sampled
 *
 * so that W(k) + W(-k) = 2: a sample counts once where its conjugate was measured too and twice where
 * it was not (Noll 1991, doi 10.1109/42.79473, with the transition that M's taper gives). Noise is
 * circular, so that taking the real part leaves half of it, whatever the weights: along the direction
 * of the signal it has the variance of
 *
 *   sum_k W(k)^2 n(k).
 */
import { conjugateIndex, samplingWindow, type SampledVolume } from './extent.js';

/** W, float32 [nSlices, nRows, nColumns]. */
export function kspaceWeights(volume: SampledVolume, conjugateSymmetry: boolean): Float32Array {
  const [slices, rows, columns] = volume.map((extent) => samplingWindow(extent)) as [Float64Array, Float64Array, Float64Array];
  const mirror = (window: Float64Array) => window.map((_, i) => window[conjugateIndex(i, window.length)]!);
  const [mirroredSlices, mirroredRows, mirroredColumns] = [mirror(slices), mirror(rows), mirror(columns)];
  const weights = new Float32Array(slices.length * rows.length * columns.length);
  let at = 0;
  for (let s = 0; s < slices.length; s++) {
    for (let r = 0; r < rows.length; r++) {
      const here = slices[s]! * rows[r]!;
      const there = mirroredSlices[s]! * mirroredRows[r]!;
      for (let k = 0; k < columns.length; k++, at++) {
        const sampled = here * columns[k]!;
        if (!conjugateSymmetry) weights[at] = sampled;
        else if (sampled > 0) weights[at] = (2 * sampled) / (sampled + there * mirroredColumns[k]!);
      }
    }
  }
  return weights;
}

/**
 * Mean of W^2 over the samples of each line: what its noise power is multiplied by on the way into the image.
 * @returns float64 [nSlices, nRows]
 */
export function meanSquareWeights(weights: Float32Array, nColumns: number): Float64Array {
  const powers = new Float64Array(weights.length / nColumns);
  for (let line = 0; line < powers.length; line++) {
    let sum = 0;
    for (let k = line * nColumns; k < (line + 1) * nColumns; k++) sum += weights[k]! * weights[k]!;
    powers[line] = sum / nColumns;
  }
  return powers;
}
