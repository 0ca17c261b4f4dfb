/**
 * What the coils receive, exact at every sample:
 *
 *   s_c(k) = ∫ ρ(r) S_c(r) exp(-i 2π k·r) dr = Σ_m a_c,m F(k - m/L)
 *
 * with the phantom's transform F (phantom/transform.ts) and the series S_c (coils/sensitivities.ts).
 * With L twice the field of view all k - m/L lie on one lattice of half steps, on which F is computed
 * once for all coils. Never a Fourier transform of a sampled image: that would be the inverse crime,
 * data without Gibbs ringing and without what lies between the pixels.
 *
 * Samples are scaled so that a centred, orthonormal inverse Fourier transform gives ρ S_c in the
 * phantom's units: s_c / (Δu Δv sqrt(N)), N samples in all, Δ the pixel size.
 */
import type { CoilSensitivities } from '../coils/sensitivities.js';
import type { Point, WeightedShape } from '../phantom/shapes.js';
import { transformOnLattice } from '../phantom/transform.js';

export interface Sampling {
  /** [columns, rows] of the image */
  readonly matrix: Point;
  readonly fovMm: Point;
  /** Samples a readout over columns. */
  readonly readoutOversampling: 1 | 2;
}

/** complex64 interleaved [nCoils, rows, columns * readoutOversampling] */
export function coilKspace(phantom: readonly WeightedShape[], coils: CoilSensitivities, sampling: Sampling): Float32Array {
  const { matrix, fovMm, readoutOversampling } = sampling;
  const [columns, rows] = matrix;
  const { nCoils, nHarmonics, periodMm, coefficients } = coils;
  const nSamples = columns * readoutOversampling;
  /** Steps of the lattice, 1/L, between neighbouring samples and lines. */
  const sampleSteps = Math.round(periodMm[0] / (fovMm[0] * readoutOversampling));
  const lineSteps = Math.round(periodMm[1] / fovMm[1]);
  const halfU = Math.ceil(nSamples / 2) * sampleSteps + nHarmonics;
  const halfV = Math.ceil(rows / 2) * lineSteps + nHarmonics;
  const lattice = transformOnLattice(phantom, { stepU: 1 / periodMm[0], stepV: 1 / periodMm[1], halfU, halfV });
  const width = 2 * halfU + 1;

  const scale = (columns * rows) / (fovMm[0] * fovMm[1] * Math.sqrt(nSamples * rows));
  const firstU = halfU - Math.floor(nSamples / 2) * sampleSteps;
  const firstV = halfV - Math.floor(rows / 2) * lineSteps;
  const kspace = new Float32Array(2 * nCoils * rows * nSamples);
  const line = new Float64Array(2 * nSamples);
  for (let coil = 0; coil < nCoils; coil++) {
    for (let row = 0; row < rows; row++) {
      line.fill(0);
      let term = 2 * coil * (2 * nHarmonics + 1) ** 2;
      for (let mv = -nHarmonics; mv <= nHarmonics; mv++) {
        const latticeRow = (firstV + row * lineSteps - mv) * width + firstU;
        for (let mu = -nHarmonics; mu <= nHarmonics; mu++, term += 2) {
          const first = 2 * (latticeRow - mu);
          addScaled(line, coefficients[term]!, coefficients[term + 1]!, lattice, first, 2 * sampleSteps);
        }
      }
      const to = 2 * (coil * rows + row) * nSamples;
      for (let index = 0; index < line.length; index++) kspace[to + index] = scale * line[index]!;
    }
  }
  return kspace;
}

/** line += (re + i im) values[first, first + stride, ...], complex interleaved. */
function addScaled(
  line: Float64Array,
  re: number,
  im: number,
  values: Float64Array,
  first: number,
  stride: number,
): void {
  for (let index = 0, from = first; index < line.length; index += 2, from += stride) {
    const vRe = values[from]!;
    const vIm = values[from + 1]!;
    line[index]! += re * vRe - im * vIm;
    line[index + 1]! += re * vIm + im * vRe;
  }
}
