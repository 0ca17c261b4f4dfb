/**
 * What the coils receive, exact at every sample:
 *
 *   s_c(k) = ∫ ρ(r) S_c(r) exp(-i 2π k·r) dr = Σ_m a_c,m F(k - m/L)
 *
 * with the object's transform F (phantom/transform.ts, phantom/ellipsoid.ts) and the series S_c
 * (coils/sensitivities.ts). With L a whole multiple of the encoded field of view, two or more, all
 * k - m/L lie on one lattice, on which F is computed once for all coils. Never a Fourier transform of
 * a sampled image: that would be the inverse crime, data without Gibbs ringing and without what lies
 * between the pixels.
 *
 * Samples are scaled so that a centred, orthonormal inverse Fourier transform gives ρ S_c in the
 * object's units: s_c / (Δu Δv (Δw) sqrt(N)), N samples in all, Δ the size of an encoded pixel.
 */
import type { CoilSensitivities } from '../coils/sensitivities.js';
import { ellipsoidsOnLattice, type WeightedEllipsoid } from '../phantom/ellipsoid.js';
import type { WeightedShape } from '../phantom/shapes.js';
import { transformOnLattice } from '../phantom/transform.js';
import { partitionsOf, phaseOf, samplesOf, type Sampling } from './encoding.js';
import { latticeOf, scaleOf, type SampledLattice } from './lattice.js';
import { withSlabProfile, type SlabProfile } from './slabProfile.js';

/**
 * @param shiftSamples by how many samples the centre of k-space is missed along the readout
 * @returns complex64 interleaved [nCoils, lines, samples]
 */
export function coilKspace(
  phantom: readonly WeightedShape[],
  coils: CoilSensitivities,
  sampling: Sampling,
  shiftSamples = 0,
): Float32Array {
  const lattice = latticeOf(coils, sampling);
  const { stepU, stepV, halfU, halfV } = lattice;
  const shiftU = shiftSamples / (sampling.fovMm[0] * sampling.readoutOversampling);
  const values = transformOnLattice(phantom, { stepU, stepV, halfU, halfV, shiftU });
  return sumOverTerms(values, lattice, coils, sampling);
}

/** The same of a slab. @returns complex64 interleaved [nCoils, partitions, lines, samples] */
export function coilKspace3d(
  phantom: readonly WeightedEllipsoid[],
  coils: CoilSensitivities,
  sampling: Sampling,
  profile: SlabProfile,
): Float32Array {
  const lattice = latticeOf(coils, sampling);
  const nHarmonics = profile.coefficients.length - 1;
  const wider = { ...lattice, halfW: lattice.halfW + nHarmonics };
  const values = withSlabProfile(ellipsoidsOnLattice(phantom, wider), wider, profile);
  return sumOverTerms(values, lattice, coils, sampling);
}

/** @param values F, complex128 interleaved [2 halfW + 1, 2 halfV + 1, 2 halfU + 1] */
function sumOverTerms(
  values: Float64Array,
  lattice: SampledLattice,
  coils: CoilSensitivities,
  sampling: Sampling,
): Float32Array {
  const { nCoils, nHarmonics, nHarmonicsV = nHarmonics, across, coefficients } = coils;
  const acrossHarmonics = across?.nHarmonics ?? 0;
  const { halfU, halfV, halfW, sampleSteps, lineSteps, partitionSteps } = lattice;
  const [phase, partitions] = [phaseOf(sampling), partitionsOf(sampling)];
  const nSamples = samplesOf(sampling);
  const [width, height] = [2 * halfU + 1, 2 * halfV + 1];
  const scale = scaleOf(sampling);
  const firstU = halfU - Math.floor(nSamples / 2) * sampleSteps;
  const firstV = halfV - Math.floor(phase.nLines / 2) * lineSteps;
  const firstW = halfW - Math.floor(partitions.nLines / 2) * partitionSteps;
  const nTerms = coefficients.length / (2 * nCoils);
  const kspace = new Float32Array(2 * nCoils * partitions.nLines * phase.nLines * nSamples);
  const line = new Float64Array(2 * nSamples);
  let to = 0;
  for (let coil = 0; coil < nCoils; coil++) {
    for (let partition = 0; partition < partitions.nLines; partition++) {
      for (let row = 0; row < phase.nLines; row++) {
        line.fill(0);
        let term = 2 * coil * nTerms;
        for (let mw = -acrossHarmonics; mw <= acrossHarmonics; mw++) {
          const plane = (firstW + partition * partitionSteps - mw) * height;
          for (let mv = -nHarmonicsV; mv <= nHarmonicsV; mv++) {
            const latticeRow = (plane + firstV + row * lineSteps - mv) * width + firstU;
            for (let mu = -nHarmonics; mu <= nHarmonics; mu++, term += 2) {
              const first = 2 * (latticeRow - mu);
              addScaled(line, coefficients[term]!, coefficients[term + 1]!, values, first, 2 * sampleSteps);
            }
          }
        }
        for (const value of line) kspace[to++] = scale * value;
      }
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
