/**
 * Thermal noise of a receive array: complex Gaussian, correlated between channels,
 * n = L z with Ψ = L Lᴴ and z of variance 1 in the real and in the imaginary part. So Ψ is the
 * covariance of the real parts (and of the imaginary parts); E[n nᴴ] is 2 Ψ.
 */
import { choleskyFactor } from '../cholesky.js';
import type { Random } from '../random.js';

/**
 * A covariance as arrays have it: unequal standard deviations about 1 (two neighbours differ by up to
 * 20 per cent) and a correlation that falls with the distance in the channel order and has a phase.
 * Mean variance 1; complex128 interleaved [nCoils, nCoils].
 */
export function arrayCovariance(nCoils: number, correlation: number): Float64Array {
  const deviations = Float64Array.from({ length: nCoils }, (_, coil) => 1 + 0.1 * Math.cos(2.4 * coil));
  const meanVariance = deviations.reduce((sum, deviation) => sum + deviation ** 2, 0) / nCoils;
  const covariance = new Float64Array(2 * nCoils * nCoils);
  for (let a = 0; a < nCoils; a++) {
    for (let b = 0; b < nCoils; b++) {
      const magnitude = (deviations[a]! * deviations[b]! * correlation ** Math.abs(a - b)) / meanVariance;
      const phase = 0.6 * (a - b);
      covariance[2 * (a * nCoils + b)] = magnitude * Math.cos(phase);
      covariance[2 * (a * nCoils + b) + 1] = magnitude * Math.sin(phase);
    }
  }
  return covariance;
}

/** A source of readouts of noise. */
export class NoiseSource {
  readonly #factor: Float64Array;
  readonly #nCoils: number;
  readonly #random: Random;
  readonly #white: Float64Array;

  /** @throws SIM_ERR_NOT_POSITIVE_DEFINITE */
  constructor(covariance: Float64Array, nCoils: number, random: Random) {
    this.#factor = choleskyFactor(covariance, nCoils);
    this.#nCoils = nCoils;
    this.#random = random;
    this.#white = new Float64Array(2 * nCoils);
  }

  /** Adds `deviation` times the noise to complex64 interleaved [nCoils, nSamples]. */
  addTo(readout: Float32Array, deviation: number, random = this.#random): void {
    if (deviation === 0) return;
    const n = this.#nCoils;
    const white = this.#white;
    const factor = this.#factor;
    const nSamples = readout.length / (2 * n);
    for (let sample = 0; sample < nSamples; sample++) {
      for (let index = 0; index < white.length; index++) white[index] = deviation * random.normal();
      for (let coil = 0; coil < n; coil++) {
        let re = 0;
        let im = 0;
        for (let k = 0; k <= coil; k++) {
          const lRe = factor[2 * (coil * n + k)]!;
          const lIm = factor[2 * (coil * n + k) + 1]!;
          re += lRe * white[2 * k]! - lIm * white[2 * k + 1]!;
          im += lRe * white[2 * k + 1]! + lIm * white[2 * k]!;
        }
        readout[2 * (coil * nSamples + sample)]! += re;
        readout[2 * (coil * nSamples + sample) + 1]! += im;
      }
    }
  }
}
