/**
 * The truth to which a reconstruction is compared: the noise-free, fully sampled scan of the same
 * coils, transformed and combined as a reconstruction does,
 *
 *   x_c = F⁻¹ s_c,     image = sqrt(x ᴴ Ψ⁻¹ x) = |ρ| sqrt(S ᴴ Ψ⁻¹ S)
 *
 * the root sum of squares after whitening with the true noise covariance Ψ (Roemer 1990,
 * doi 10.1002/mrm.1910160203), in units of the noise of the real part. It has the finite resolution,
 * the ringing and the shading that a perfect reconstruction of the accelerated scan would have: what
 * is left to see is noise and aliasing. A combination by coil maps equals it where the maps do.
 * Phase oversampling is cropped, what was not encoded or is interpolated is zero-filled, both centred.
 */
import { Arena, bindKernels, createSessionMemory, fftColumns, fftLines, planFft } from '../../recon/index.js';
import { choleskyFactor, solveLower } from '../cholesky.js';
import { partitionsOf, phaseOf, samplesOf, type PhaseAxis, type Sampling } from './encoding.js';

/**
 * @param kspace complex64 [nCoils, (partitions,) lines, samples]
 * @param covariance Ψ, complex128 [nCoils, nCoils]; the identity where it is not given
 * @returns float32 [(slices,) rows, columns], in the plane `interpolation` times the matrix
 * @throws SIM_ERR_NOT_POSITIVE_DEFINITE
 */
export function referenceImage(
  kspace: Float32Array,
  nCoils: number,
  sampling: Sampling,
  covariance?: Float64Array,
): Float32Array {
  const images = coilImages(kspace, nCoils, sampling);
  const factor = covariance && choleskyFactor(covariance, nCoils);
  const nPixels = images.length / (2 * nCoils);
  const image = new Float32Array(nPixels);
  const pixel = new Float64Array(2 * nCoils);
  for (let at = 0; at < nPixels; at++) {
    for (let coil = 0; coil < nCoils; coil++) {
      pixel[2 * coil] = images[2 * (coil * nPixels + at)]!;
      pixel[2 * coil + 1] = images[2 * (coil * nPixels + at) + 1]!;
    }
    if (factor !== undefined) solveLower(factor, nCoils, pixel);
    let sum = 0;
    for (const part of pixel) sum += part * part;
    image[at] = Math.sqrt(sum);
  }
  return image;
}

/** One axis on its way from k-space to the image. */
interface AxisPlan {
  readonly nEncoded: number;
  /** Length of the transform. */
  readonly nPadded: number;
  readonly nKept: number;
}

/** complex64 [nCoils, (slices,) rows, columns]: centred, orthonormal. */
function coilImages(kspace: Float32Array, nCoils: number, sampling: Sampling): Float32Array {
  const { matrix, readoutOversampling, interpolation = 1 } = sampling;
  const ofPhase = ({ nLines, nPixels, encodedFovMm, fovMm }: PhaseAxis, finer: number): AxisPlan => ({
    nEncoded: nLines,
    nPadded: Math.round((nPixels * finer * encodedFovMm) / fovMm),
    nKept: nPixels * finer,
  });
  const x: AxisPlan = {
    nEncoded: samplesOf(sampling),
    nPadded: matrix[0] * interpolation * readoutOversampling,
    nKept: matrix[0] * interpolation,
  };
  const y = ofPhase(phaseOf(sampling), interpolation);
  const z = ofPhase(partitionsOf(sampling), 1);
  const nPadded = x.nPadded * y.nPadded * z.nPadded;
  const limitBytes = 64 * (x.nPadded + y.nPadded + z.nPadded + 64) * 1024 + 16 * nPadded;
  const memory = createSessionMemory(limitBytes);
  const kernels = bindKernels(memory, new Arena(memory, { startByte: 0, limitBytes }));
  const plans = { x: planFft(kernels, x.nPadded), y: planFft(kernels, y.nPadded), z: planFft(kernels, z.nPadded) };
  const padded = kernels.arena.allocate(8 * nPadded);
  const images = new Float32Array(2 * nCoils * x.nKept * y.nKept * z.nKept);
  for (let coil = 0; coil < nCoils; coil++) {
    const view = kernels.arena.f32(padded, 2 * nPadded);
    view.fill(0);
    copyCentred(kspace, coil * x.nEncoded * y.nEncoded * z.nEncoded, view, 0, [x, y, z], 'nEncoded', 'nPadded');
    fftLines(kernels, plans.x, padded, y.nPadded * z.nPadded, 'inverse');
    for (let slice = 0; slice < z.nPadded; slice++) {
      fftColumns(kernels, plans.y, padded + 8 * slice * x.nPadded * y.nPadded, x.nPadded, 'inverse');
    }
    if (z.nPadded > 1) fftColumns(kernels, plans.z, padded, x.nPadded * y.nPadded, 'inverse');
    copyCentred(view, 0, images, coil * x.nKept * y.nKept * z.nKept, [x, y, z], 'nPadded', 'nKept');
  }
  return images;
}

/** Copies complex [z, y, x] centre onto centre: what is missing stays, what is too much is left out. */
function copyCentred(
  from: Float32Array,
  fromElement: number,
  to: Float32Array,
  toElement: number,
  [x, y, z]: readonly [AxisPlan, AxisPlan, AxisPlan],
  source: keyof AxisPlan,
  target: keyof AxisPlan,
): void {
  const overlap = (axis: AxisPlan) => {
    const [centreFrom, centreTo] = [Math.floor(axis[source] / 2), Math.floor(axis[target] / 2)];
    const first = Math.max(0, centreFrom - centreTo);
    const end = Math.min(axis[source], centreFrom - centreTo + axis[target]);
    return { first, end, shift: centreTo - centreFrom };
  };
  const [alongX, alongY, alongZ] = [overlap(x), overlap(y), overlap(z)];
  for (let k = alongZ.first; k < alongZ.end; k++) {
    for (let j = alongY.first; j < alongY.end; j++) {
      const row = fromElement + (k * y[source] + j) * x[source];
      const at = toElement + ((k + alongZ.shift) * y[target] + j + alongY.shift) * x[target] + alongX.shift;
      to.set(from.subarray(2 * (row + alongX.first), 2 * (row + alongX.end)), 2 * (at + alongX.first));
    }
  }
}
