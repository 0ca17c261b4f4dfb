import { describe, expect, it } from 'vitest';
import { compressCoils, hermitianEigensystem, SampleGram } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { randomComplex } from '../parallelImaging.js';

/** sum_k a[i, k] conj(b[j, k]) */
function inner(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number, n: number): [number, number] {
  let re = 0;
  let im = 0;
  for (let k = 0; k < n; k++) {
    const [ar, ai, br, bi] = [a[2 * (i * n + k)]!, a[2 * (i * n + k) + 1]!, b[2 * (j * n + k)]!, b[2 * (j * n + k) + 1]!];
    re += ar * br + ai * bi;
    im += ai * br - ar * bi;
  }
  return [re, im];
}

function randomHermitian(random: Random, n: number): Float64Array {
  const factor = randomComplex(random, n * n);
  const matrix = new Float64Array(2 * n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) [matrix[2 * (i * n + j)], matrix[2 * (i * n + j) + 1]] = inner(factor, i, factor, j, n);
  }
  return matrix;
}

describe('the eigensystem of a Hermitian matrix', () => {
  it.each([1, 2, 3, 8, 33])('of %i rows: A u = lambda u, descending, orthonormal', (n) => {
    const matrix = randomHermitian(new Random(n), n);
    const { values, vectors } = hermitianEigensystem(matrix, n);
    const conjugate = matrix.map((value, i) => (i % 2 === 0 ? value : -value));
    for (let v = 0; v < n; v++) {
      if (v > 0) expect(values[v]!).toBeLessThanOrEqual(values[v - 1]!);
      for (let w = 0; w < n; w++) {
        const [re, im] = inner(vectors, v, vectors, w, n);
        expect(re).toBeCloseTo(v === w ? 1 : 0, 9);
        expect(im).toBeCloseTo(0, 9);
      }
      for (let i = 0; i < n; i++) {
        // sum_k A[i, k] u[k] = the inner product of u with the conjugate of row i of A.
        const [re, im] = inner(vectors, v, conjugate, i, n);
        expect(re).toBeCloseTo(values[v]! * vectors[2 * (v * n + i)]!, 8);
        expect(im).toBeCloseTo(values[v]! * vectors[2 * (v * n + i) + 1]!, 8);
      }
    }
  });
});

const nCoils = 12;
const nSamples = 600;

/** Samples of three sources seen by all channels, and noise of the given standard deviation. */
function samplesOf(random: Random, noiseStd: number): Float32Array {
  const mixing = randomComplex(new Random(5), nCoils * 3);
  const samples = new Float32Array(2 * nCoils * nSamples);
  const sources = randomComplex(random, 3 * nSamples);
  for (let c = 0; c < nCoils; c++) {
    for (let s = 0; s < nSamples; s++) {
      let [re, im] = [noiseStd * random.normal(), noiseStd * random.normal()];
      for (let k = 0; k < 3; k++) {
        const [ar, ai] = [mixing[2 * (c * 3 + k)]! * 10 ** -k, mixing[2 * (c * 3 + k) + 1]! * 10 ** -k];
        const [br, bi] = [sources[2 * (k * nSamples + s)]!, sources[2 * (k * nSamples + s) + 1]!];
        re += 100 * (ar * br - ai * bi);
        im += 100 * (ar * bi + ai * br);
      }
      samples[2 * (c * nSamples + s)] = re;
      samples[2 * (c * nSamples + s) + 1] = im;
    }
  }
  return samples;
}

function gramOf(samples: Float32Array): SampleGram {
  const gram = new SampleGram(nCoils);
  gram.add(samples, nSamples, 0, nSamples);
  return gram;
}

const identity = Float32Array.from({ length: 2 * nCoils * nCoils }, (_, i) => ((i / 2) % (nCoils + 1) === 0 ? 1 : 0));

describe('virtual coils', () => {
  it('are as many as the sources, and hold all of their energy', () => {
    const samples = samplesOf(new Random(1), 0);
    const { nVirtualCoils, matrix, keptEnergy } = compressCoils(gramOf(samples), { energy: 1 - 1e-9 });
    expect(nVirtualCoils).toBe(3);
    expect(keptEnergy).toBeCloseTo(1, 9);
    let before = 0;
    for (const value of samples) before += value * value;
    let after = 0;
    for (let v = 0; v < nVirtualCoils; v++) {
      for (let s = 0; s < nSamples; s++) {
        let [re, im] = [0, 0];
        for (let c = 0; c < nCoils; c++) {
          const [wr, wi] = [matrix[2 * (v * nCoils + c)]!, matrix[2 * (v * nCoils + c) + 1]!];
          const [x, y] = [samples[2 * (c * nSamples + s)]!, samples[2 * (c * nSamples + s) + 1]!];
          re += wr * x - wi * y;
          im += wr * y + wi * x;
        }
        after += re * re + im * im;
      }
    }
    expect(after / before).toBeCloseTo(1, 5);
  });

  it('are fewer where less energy is asked for, and as many as are asked for', () => {
    const gram = gramOf(samplesOf(new Random(1), 0));
    expect(compressCoils(gram, { energy: 0.95 }).nVirtualCoils).toBe(1);
    expect(compressCoils(gram, { energy: 0.9995 }).nVirtualCoils).toBe(2);
    expect(compressCoils(gram, { energy: 0.5, nVirtualCoils: 7 }).nVirtualCoils).toBe(7);
    expect(compressCoils(gram, { energy: 0.5, nVirtualCoils: 99 }).nVirtualCoils).toBe(nCoils);
  });

  it('do not count white noise as signal', () => {
    const gram = gramOf(samplesOf(new Random(2), 1));
    const energy = 1 - 1e-4;
    expect(compressCoils(gram, { energy }, identity).nVirtualCoils).toBeLessThanOrEqual(4);
    expect(compressCoils(gram, { energy: 1 - 1e-6 }).nVirtualCoils).toBe(nCoils);
  });

  it('leave white noise white: the rows are orthonormal after whitening', () => {
    // A diagonal whitener d: rows of U^H are matrix / d.
    const scales = Array.from({ length: nCoils }, (_, c) => 0.5 + c / 4);
    const whitener = identity.map((value, i) => value * scales[Math.floor(i / 2) % nCoils]!);
    const { matrix, nVirtualCoils } = compressCoils(gramOf(samplesOf(new Random(3), 1)), { energy: 0.5, nVirtualCoils: 5 }, whitener);
    const rows = matrix.map((value, i) => value / scales[Math.floor(i / 2) % nCoils]!);
    for (let v = 0; v < nVirtualCoils; v++) {
      for (let w = 0; w < nVirtualCoils; w++) {
        const [re, im] = inner(rows, v, rows, w, nCoils);
        expect(re).toBeCloseTo(v === w ? 1 : 0, 5);
        expect(im).toBeCloseTo(0, 5);
      }
    }
  });
});
