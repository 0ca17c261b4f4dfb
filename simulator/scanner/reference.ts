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
 */
import { Arena, bindKernels, createSessionMemory, fftColumns, fftLines, planFft } from '../../recon/index.js';
import { choleskyFactor, solveLower } from '../cholesky.js';
import type { Sampling } from './kspace.js';

/**
 * @param kspace complex64 [nCoils, rows, columns * readoutOversampling]
 * @param covariance Ψ, complex128 [nCoils, nCoils]; the identity where it is not given
 * @returns float32 [rows, columns]
 * @throws SIM_ERR_NOT_POSITIVE_DEFINITE
 */
export function referenceImage(
  kspace: Float32Array,
  nCoils: number,
  sampling: Sampling,
  covariance?: Float64Array,
): Float32Array {
  const [columns, rows] = sampling.matrix;
  const images = coilImages(kspace, nCoils, sampling);
  const factor = covariance && choleskyFactor(covariance, nCoils);
  const nPixels = rows * columns;
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

/** complex64 [nCoils, rows, columns]: centred, orthonormal, the readout oversampling cropped. */
function coilImages(kspace: Float32Array, nCoils: number, { matrix, readoutOversampling }: Sampling): Float32Array {
  const [columns, rows] = matrix;
  const nSamples = columns * readoutOversampling;
  const limitBytes = 64 * (nSamples + rows) * 1024 + 16 * nSamples * rows;
  const memory = createSessionMemory(limitBytes);
  const kernels = bindKernels(memory, new Arena(memory, { startByte: 0, limitBytes }));
  const readout = planFft(kernels, nSamples);
  const phase = planFft(kernels, rows);
  const lines = kernels.arena.allocate(8 * rows * nSamples);
  const first = Math.floor(nSamples / 2) - Math.floor(columns / 2);
  const images = new Float32Array(2 * nCoils * rows * columns);
  for (let coil = 0; coil < nCoils; coil++) {
    const view = kernels.arena.f32(lines, 2 * rows * nSamples);
    view.set(kspace.subarray(2 * coil * rows * nSamples, 2 * (coil + 1) * rows * nSamples));
    fftLines(kernels, readout, lines, rows, 'inverse');
    fftColumns(kernels, phase, lines, nSamples, 'inverse');
    for (let row = 0; row < rows; row++) {
      const from = 2 * (row * nSamples + first);
      images.set(view.subarray(from, from + 2 * columns), 2 * (coil * rows + row) * columns);
    }
  }
  return images;
}
