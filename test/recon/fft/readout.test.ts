import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planReadout, releaseFft, releaseReadout, transformReadout, type ReadoutShape } from '../../../recon/index.js';
import {
  centredDft,
  distance,
  freshKernels,
  lineOf,
  norm,
  place,
  randomComplex,
  relativeError,
  shifted,
} from './reference.js';

const kernels = freshKernels();
const { arena } = kernels;

interface Case extends ReadoutShape {
  readonly reverse: boolean;
}

/** Whiten, turn round, pad about the centre, transform, crop: one step after the other in float64. */
function stepByStep(samples: Float64Array, shape: Case, whitener?: Float64Array): Float64Array[] {
  const { nCoils, nSamples, centerSample, paddedLength, nColumns, reverse } = shape;
  return Array.from({ length: nCoils }, (_, coil) => {
    const whitened = new Float64Array(2 * nSamples);
    for (let other = 0; other < nCoils; other++) {
      const line = lineOf(samples, other, nSamples);
      const re = whitener ? whitener[2 * (coil * nCoils + other)]! : Number(other === coil);
      const im = whitener ? whitener[2 * (coil * nCoils + other) + 1]! : 0;
      for (let i = 0; i < 2 * nSamples; i += 2) {
        whitened[i]! += re * line[i]! - im * line[i + 1]!;
        whitened[i + 1]! += re * line[i + 1]! + im * line[i]!;
      }
    }
    const ordered = Float64Array.from({ length: 2 * nSamples }, (_, i) => {
      const sample = Math.floor(i / 2);
      return whitened[2 * (reverse ? nSamples - 1 - sample : sample) + (i % 2)]!;
    });
    const centre = reverse ? nSamples - 1 - centerSample : centerSample;
    const padded = shifted(ordered, centre, Math.floor(paddedLength / 2), paddedLength);
    const image = centredDft(padded, 'inverse');
    return shifted(image, Math.floor(paddedLength / 2), Math.floor(nColumns / 2), nColumns);
  });
}

/** Coil lines of the kernel, written `gap` columns apart into memory that holds `before`. */
function runKernel(
  samples: Float64Array,
  shape: Case,
  { whitener, before = 0, accumulate = false }: { whitener?: Float64Array; before?: number; accumulate?: boolean } = {},
): Float32Array[] {
  const { nCoils, nColumns, reverse } = shape;
  const plan = planReadout(kernels, shape, whitener && Float32Array.from(whitener));
  // Samples straight from a socket are aligned to nothing but their own size.
  const source = place(kernels, Float64Array.from([0, ...samples]));
  const stride = nColumns + 3;
  const target = place(kernels, new Float64Array(2 * nCoils * stride).fill(before));
  transformReadout(kernels, plan, source + 4, target, 8 * stride, { reverse, accumulate });
  const lines = Array.from({ length: nCoils }, (_, coil) =>
    arena.f32(target + 8 * stride * coil, 2 * nColumns).slice(),
  );
  for (let coil = 0; coil < nCoils; coil++) {
    const gap = arena.f32(target + 8 * (stride * coil + nColumns), 6);
    expect([...gap], 'between the lines').toEqual(new Array(6).fill(before));
  }
  arena.release(source);
  arena.release(target);
  releaseReadout(kernels, plan);
  return lines;
}

const flat = (lines: readonly ArrayLike<number>[]): number[] => lines.flatMap((line) => Array.from(line));

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    nCoils: fc.integer({ min: 1, max: 9 }),
    nSamples: fc.integer({ min: 1, max: 80 }),
    paddedLength: fc.integer({ min: 1, max: 90 }),
    reverse: fc.boolean(),
  })
  .chain((size) =>
    fc.record({
      nCoils: fc.constant(size.nCoils),
      nSamples: fc.constant(size.nSamples),
      paddedLength: fc.constant(size.paddedLength),
      reverse: fc.constant(size.reverse),
      centerSample: fc.integer({ min: 0, max: size.nSamples - 1 }),
      nColumns: fc.integer({ min: 1, max: size.paddedLength }),
    }),
  );

describe('the readout transform', () => {
  it('is whitening, reversal, padding, transform and cropping, whatever the sizes', () => {
    fc.assert(
      fc.property(anyCase, fc.nat(2 ** 31), fc.boolean(), (shape, seed, whiten) => {
        const samples = randomComplex(shape.nCoils * shape.nSamples, seed);
        const whitener = whiten ? randomComplex(shape.nCoils ** 2, seed + 1) : undefined;
        const expected = flat(stepByStep(samples, shape, whitener));
        const got = flat(runKernel(samples, shape, whitener ? { whitener } : {}));
        // What is left after cropping may be small: errors are measured against what went in.
        const size = norm(samples) * (whitener ? norm(whitener) : 1);
        expect(distance(got, expected) / size).toBeLessThan(5e-7);
      }),
      { numRuns: 150 },
    );
  });

  const clinical = { nCoils: 16, nSamples: 640, centerSample: 320, paddedLength: 640, nColumns: 320 };

  it('holds for a twofold oversampled readout of 16 coils and a lower triangular whitener', () => {
    const samples = randomComplex(16 * 640, 3);
    const whitener = randomComplex(256, 4).map((value, i) => {
      const [row, column] = [Math.floor(i / 32), Math.floor(i / 2) % 16];
      return column <= row ? value : 0;
    });
    for (const reverse of [false, true]) {
      const shape = { ...clinical, reverse };
      const expected = flat(stepByStep(samples, shape, whitener));
      expect(relativeError(flat(runKernel(samples, shape, { whitener })), expected)).toBeLessThan(1e-6);
    }
  });

  it('leaves a readout empty whose centre lies beyond the padded line', () => {
    const shape = { nCoils: 2, nSamples: 8, centerSample: 100, paddedLength: 16, nColumns: 8, reverse: false };
    expect(flat(runKernel(randomComplex(16), shape, { before: 5 }))).toEqual(new Array(32).fill(0));
  });

  it('adds to what is there when asked to', () => {
    for (const nCoils of [3, 4, 6]) {
      const shape = { nCoils, nSamples: 21, centerSample: 9, paddedLength: 24, nColumns: 13, reverse: true };
      const samples = randomComplex(nCoils * 21, 7);
      const whitener = randomComplex(nCoils ** 2, 8);
      for (const options of [{}, { whitener }]) {
        const alone = flat(runKernel(samples, shape, options));
        const added = flat(runKernel(samples, shape, { ...options, before: 1, accumulate: true }));
        expect(relativeError(added, alone.map((value) => value + 1))).toBeLessThan(1e-6);
      }
    }
  });

  it('lets a broken sample spoil only the coils that whitening mixes it into', () => {
    const shape = { nCoils: 5, nSamples: 16, centerSample: 8, paddedLength: 16, nColumns: 16, reverse: false };
    const samples = randomComplex(5 * 16, 9);
    samples[2 * (2 * 16 + 5)] = NaN;
    const spoiled = runKernel(samples, shape).map((line) => line.some(Number.isNaN));
    expect(spoiled).toEqual([false, false, true, false, false]);
  });

  it('gives back what it took', () => {
    const own = freshKernels();
    const plan = planReadout(own, clinical, new Float32Array(512));
    releaseReadout(own, plan);
    releaseFft(own);
    expect(own.arena.usedBytes).toBe(0);
  });

  it.each([
    [{ nCoils: 0 }, undefined],
    [{ nSamples: 1.5 }, undefined],
    [{ nColumns: 641 }, undefined],
    [{ centerSample: NaN }, undefined],
    [{}, new Float32Array(16)],
  ])('refuses %o', (change, whitener) => {
    expect(() => planReadout(kernels, { ...clinical, ...change }, whitener)).toThrow(
      expect.objectContaining({ code: 'RECON_ERR_FFT_SHAPE' }),
    );
  });
});
