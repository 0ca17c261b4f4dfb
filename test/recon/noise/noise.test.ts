import { CodedError } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { NoiseAccumulator, noiseStatistics, whitener, type NoiseCovariance } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { freshKernels, place, randomComplex } from '../fft/reference.js';

const nCoils = 16;
const nSamples = 10_000;
const random = new Random(5);
const plain = { acquisitionDwellTimeUs: 5, noiseDwellTimeUs: 5, relativeReceiverNoiseBandwidth: 1 };

/** A complex coupling of coils of unlike gain. */
const mixing = Float64Array.from({ length: 2 * nCoils * nCoils }, (_, i) => {
  const row = Math.floor(i / 2 / nCoils);
  const diagonal = Math.floor(i / 2) % nCoils === row;
  return (1 + row / 5) * ((diagonal && i % 2 === 0 ? 1 : 0) + 0.2 * random.normal());
});

/** mixing · white noise, complex [nCoils, n]; 1 in the real and in the imaginary part before mixing. */
function noise(n: number): Float32Array {
  const white = Float64Array.from({ length: 2 * nCoils * n }, () => random.normal());
  return multiply(mixing, white, n);
}

/** complex [nCoils, nCoils] times complex [nCoils, n] */
function multiply(matrix: ArrayLike<number>, samples: ArrayLike<number>, n: number): Float32Array {
  const out = new Float32Array(2 * nCoils * n);
  for (let a = 0; a < nCoils; a++) {
    for (let s = 0; s < n; s++) {
      let re = 0;
      let im = 0;
      for (let b = 0; b < nCoils; b++) {
        const m = 2 * (a * nCoils + b);
        const i = 2 * (b * n + s);
        re += matrix[m]! * samples[i]! - matrix[m + 1]! * samples[i + 1]!;
        im += matrix[m]! * samples[i + 1]! + matrix[m + 1]! * samples[i]!;
      }
      out[2 * (a * n + s)] = re;
      out[2 * (a * n + s) + 1] = im;
    }
  }
  return out;
}

function covarianceOf(samples: Float32Array, n: number, coils = nCoils): NoiseCovariance {
  const accumulator = new NoiseAccumulator(coils);
  accumulator.add(samples, n);
  return accumulator.covariance();
}

/** Variance of the real parts, then of the imaginary parts, of each coil; the mean is zero. */
function variances(samples: Float32Array, n: number): number[] {
  return [0, 1].flatMap((part) =>
    Array.from({ length: nCoils }, (_, coil) => {
      let sum = 0;
      for (let s = 0; s < n; s++) sum += samples[2 * (coil * n + s) + part]! ** 2;
      return sum / n;
    }),
  );
}

/** 2 · mixing · mixing^H */
const truth = multiply(mixing, conjugateTranspose(mixing), nCoils).map((value) => 2 * value);

function conjugateTranspose(matrix: Float64Array): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let a = 0; a < nCoils; a++) {
    for (let b = 0; b < nCoils; b++) {
      out[2 * (b * nCoils + a)] = matrix[2 * (a * nCoils + b)]!;
      out[2 * (b * nCoils + a) + 1] = -matrix[2 * (a * nCoils + b) + 1]!;
    }
  }
  return out;
}

describe('noise covariance', () => {
  it('estimates E[n n^H] to what the number of samples allows', () => {
    // Whitened by the truth, the relative error in the Frobenius norm is sqrt(nCoils / nSamples).
    const accumulated = covarianceOf(noise(nSamples), nSamples);
    const whiten = whitener({ nCoils, nSamples, matrix: Float64Array.from(truth) }, plain);
    const left = multiply(whiten.matrix, accumulated.matrix, nCoils);
    const whitened = multiply(whiten.matrix, conjugateTranspose(Float64Array.from(left)), nCoils);
    let error = 0;
    for (let i = 0; i < whitened.length; i++) {
      const unit = i % 2 === 0 && Math.floor(i / 2) % (nCoils + 1) === 0 ? 2 : 0;
      error += (whitened[i]! - unit) ** 2;
    }
    expect(Math.sqrt(error / (4 * nCoils))).toBeLessThan(1.2 * Math.sqrt(nCoils / nSamples));
  });

  it('does not depend on how the samples are cut into readouts', () => {
    const samples = noise(300);
    const parts = new NoiseAccumulator(nCoils);
    for (const [start, count] of [[0, 1], [1, 99], [100, 200]] as const) {
      const part = new Float32Array(2 * nCoils * count);
      for (let coil = 0; coil < nCoils; coil++) {
        part.set(samples.subarray(2 * (coil * 300 + start), 2 * (coil * 300 + start + count)), 2 * coil * count);
      }
      parts.add(part, count);
    }
    const whole = covarianceOf(samples, 300);
    expect(parts.nSamples).toBe(300);
    parts.covariance().matrix.forEach((value, i) => expect(value).toBeCloseTo(whole.matrix[i]!, 10));
  });

  it.each([1, 2, 3, 4, 7])('is the same by the kernel, of %i coils', (coils) => {
    const kernels = freshKernels();
    const count = 37;
    const samples = Float32Array.from(randomComplex(coils * count, coils));
    const pointer = place(kernels, samples);
    const [plainly, byKernel] = [new NoiseAccumulator(coils), new NoiseAccumulator(coils, kernels)];
    for (let time = 0; time < 2; time++) {
      plainly.add(samples, count);
      byKernel.add(kernels.arena.f32(pointer, samples.length), count);
    }
    expect(byKernel.nSamples).toBe(plainly.nSamples);
    const expected = plainly.covariance().matrix;
    byKernel.covariance().matrix.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
  });

  it('does not exist without samples', () => {
    expect(() => new NoiseAccumulator(2).covariance()).toThrowError(
      expect.objectContaining({ code: 'RECON_ERR_NOISE_NO_SAMPLES' }),
    );
  });
});

describe('whitening', () => {
  it('gives the estimate’s own samples variance 1.00 in each real channel', () => {
    const samples = noise(nSamples);
    const { matrix } = whitener(covarianceOf(samples, nSamples), plain);
    const parts = variances(multiply(matrix, samples, nSamples), nSamples);
    // The mean of both parts is fixed by the estimate; how it is shared varies by sqrt(1 / N) = 0.01.
    for (let c = 0; c < nCoils; c++) {
      expect((parts[c]! + parts[c + nCoils]!) / 2).toBeCloseTo(1, 4);
      expect(Math.abs(parts[c]! - 1)).toBeLessThan(0.04);
    }
  });

  it('gives fresh samples variance 1 within the statistical bound', () => {
    const { matrix } = whitener(covarianceOf(noise(nSamples), nSamples), plain);
    const fresh = multiply(matrix, noise(nSamples), nSamples);
    // Two estimates from N samples each: standard deviation of a variance sqrt(2 / N) and sqrt(1 / N); 4.5 of them.
    for (const variance of variances(fresh, nSamples)) {
      expect(Math.abs(variance - 1)).toBeLessThan(4.5 * Math.sqrt(3 / nSamples));
    }
  });

  it('scales with the dwell times and the noise bandwidth, exactly', () => {
    const covariance = covarianceOf(noise(500), 500);
    const unit = whitener(covariance, plain);
    const scaled = whitener(covariance, { acquisitionDwellTimeUs: 8, noiseDwellTimeUs: 2, relativeReceiverNoiseBandwidth: 0.25 });
    expect(scaled.scale).toBe(unit.scale);
    expect(scaled.matrix).toEqual(unit.matrix);
    const longer = whitener(covariance, { ...plain, acquisitionDwellTimeUs: 20 });
    expect(longer.matrix).toEqual(unit.matrix.map((value) => 2 * value));
    const assumed = whitener(covariance, { ...plain, relativeReceiverNoiseBandwidth: undefined });
    expect(assumed.scale).toBeCloseTo(Math.sqrt(2 * 0.793), 12);
  });

  it('takes unknown dwell times as equal and says so', () => {
    const covariance = covarianceOf(noise(500), 500);
    const unknown = whitener(covariance, { ...plain, noiseDwellTimeUs: 0 });
    expect(unknown.dwellTimesKnown).toBe(false);
    expect(unknown.matrix).toEqual(whitener(covariance, plain).matrix);
    expect(whitener(covariance, plain).dwellTimesKnown).toBe(true);
  });

  it.each([
    ['silent', () => 0],
    ['not finite', () => NaN],
    ['a copy of coil 2', (samples: Float32Array, s: number) => samples[2 * 2 * 500 + s]!],
  ])('names the coil that is %s', (_, spoil) => {
    const samples = noise(500);
    for (let s = 0; s < 1000; s++) samples[2 * 7 * 500 + s] = spoil(samples, s);
    const names = Array.from({ length: nCoils }, (_n, c) => `SP${c}`);
    const attempt = () => whitener(covarianceOf(samples, 500), plain, names);
    expect(attempt).toThrowError(CodedError);
    expect(attempt).toThrowError(/^RECON_ERR_NOISE_COIL: got SP7 \(channel 7\)/);
  });
});

describe('noise statistics', () => {
  it('reports each coil by name, and their correlation', () => {
    const report = noiseStatistics(covarianceOf(noise(nSamples), nSamples), ['A', 'B']);
    expect(report.enoughSamples).toBe(true);
    expect(report.coils.map((coil) => coil.name).slice(0, 3)).toEqual(['A', 'B', 'coil 2']);
    for (const { coil, standardDeviation, fault } of report.coils) {
      expect(fault).toBeUndefined();
      const expected = Math.sqrt(truth[2 * coil * (nCoils + 1)]! / 2);
      expect(standardDeviation / expected).toBeCloseTo(1, 1);
      expect(report.correlation[coil * (nCoils + 1)]).toBeCloseTo(1, 12);
    }
    expect(report.largestCorrelation).toBeGreaterThan(0.05);
    expect(report.largestCorrelation).toBeLessThan(1);
  });

  it.each([
    [0, /no noise/],
    [NaN, /not finite/],
    [30, /30 times the median/],
    [1 / 30, /30 times below/],
  ])('names a coil whose noise is changed by a factor %s', (factor, fault) => {
    // Uncoupled, equal coils.
    const samples = Float32Array.from({ length: 2 * nCoils * 400 }, () => random.normal());
    for (let s = 0; s < 800; s++) samples[2 * 3 * 400 + s] = factor * Math.SQRT2 * Math.cos(s);
    const report = noiseStatistics(covarianceOf(samples, 400));
    expect(report.enoughSamples).toBe(false);
    expect(report.coils.filter((coil) => coil.fault !== undefined).map((coil) => coil.coil)).toEqual([3]);
    expect(report.coils[3]!.fault).toMatch(fault);
  });

  it('is invariant to the unit of the samples, but for the deviations', () => {
    const samples = noise(400);
    const one = noiseStatistics(covarianceOf(samples, 400));
    const other = noiseStatistics(covarianceOf(samples.map((value) => value * 2 ** -20), 400));
    expect(other.correlation).toEqual(one.correlation);
    expect(other.medianStandardDeviation).toBe(one.medianStandardDeviation * 2 ** -20);
  });
});
