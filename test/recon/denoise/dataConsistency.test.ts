import { describe, expect, it } from 'vitest';
import { ConsistencyEquations, SenseOperator, type ConsistencyOptions, type Kernels, type SenseModel } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { freshKernels, place, relativeError } from '../fft/reference.js';
import { normals, randomModel } from '../sense/models.js';

const shape = { nCoils: 6, nRows: 24, nColumns: 10 };
const n = shape.nRows * shape.nColumns;
const noise = Float32Array.from({ length: n }, (_, p) => 1 + 0.5 * Math.sin(p));

/** Every other line, once; data of a known image, hybrid: W^(1/2) d = E u there. */
function scan(noiseStd = 0): { kernels: Kernels; model: SenseModel; data: number; truth: Float32Array; random: Random } {
  const kernels = freshKernels();
  const random = new Random(7);
  const weights = Float32Array.from({ length: shape.nRows }, (_, row) => 1 - (row % 2));
  const model = { ...randomModel(kernels, random, shape, 'lines'), weights };
  const truth = Float32Array.from(normals(random, 2 * n));
  const data = kernels.arena.allocate(8 * n * shape.nCoils);
  const operator = new SenseOperator(kernels, model);
  operator.forward(place(kernels, truth), data);
  operator.release();
  const samples = kernels.arena.f32(data, 2 * n * shape.nCoils);
  if (noiseStd > 0) samples.forEach((value, i) => (samples[i] = value + noiseStd * random.normal()));
  return { kernels, model, data, truth, random };
}

function dataConsistent(
  kernels: Kernels, model: SenseModel, data: number, denoised: Float32Array, map: Float32Array, options: ConsistencyOptions,
): Float32Array {
  const equations = new ConsistencyEquations(kernels, model, data, map);
  const consistent = equations.solve(denoised, options);
  expect(equations.solve(denoised, options)).toEqual(consistent);
  equations.release();
  return consistent;
}

/** E^H (E u - W^(1/2) d) + weight (u - D) / noise^2: 0 at the minimum. */
function gradient({ kernels, model, data }: ReturnType<typeof scan>, u: Float32Array, denoised: Float32Array, weight: number): Float32Array {
  const operator = new SenseOperator(kernels, model);
  const [normal, right] = [kernels.arena.allocate(8 * n), kernels.arena.allocate(8 * n)];
  operator.normal(place(kernels, u), normal);
  operator.rightSide(data, right);
  const [a, b] = [kernels.arena.f32(normal, 2 * n), kernels.arena.f32(right, 2 * n)];
  return Float32Array.from(a, (value, i) => value - b[i]! + (weight * (u[i]! - denoised[i]!)) / noise[i >> 1]! ** 2);
}

describe('measured lines put back into a denoised image', () => {
  it('leave it as it is where it agrees with them', () => {
    const { kernels, model, data, truth } = scan();
    expect(relativeError(dataConsistent(kernels, model, data, truth, noise, { weight: 1, nIterations: 5 }), truth)).toBeLessThan(1e-5);
  });

  it('have the last word where the weight is small, whatever the denoised image was', () => {
    const { kernels, model, data, truth, random } = scan();
    const denoised = Float32Array.from(normals(random, 2 * n));
    const consistent = dataConsistent(kernels, model, data, denoised, noise, { weight: 1e-6, nIterations: 400 });
    expect(relativeError(consistent, truth)).toBeLessThan(1e-2);
  });

  it('change nothing where the weight is large', () => {
    const { kernels, model, data, random } = scan();
    const denoised = Float32Array.from(normals(random, 2 * n));
    expect(relativeError(dataConsistent(kernels, model, data, denoised, noise, { weight: 1e7, nIterations: 3 }), denoised)).toBeLessThan(1e-5);
  });

  it('end where the gradient is zero, nearer with each step', () => {
    const all = scan(0.3);
    const denoised = Float32Array.from(all.truth, (value) => 0.8 * value);
    const left = [0, 1, 2, 4, 30].map((nIterations) => {
      const u = dataConsistent(all.kernels, all.model, all.data, denoised, noise, { weight: 4, nIterations });
      return Math.hypot(...gradient(all, u, denoised, 4));
    });
    for (let i = 1; i < left.length; i++) expect(left[i]!).toBeLessThan(left[i - 1]!);
    expect(left.at(-1)! / left[0]!).toBeLessThan(1e-4);
    // The weight that is used leaves next to nothing to do after three steps.
    const of = (nIterations: number) => dataConsistent(all.kernels, all.model, all.data, denoised, noise, { weight: 16, nIterations });
    expect(relativeError(of(3), of(60))).toBeLessThan(1e-2);
  });

  it('leave pixels without noise, outside of the coil maps, alone; and all memory is given back', () => {
    const { kernels, model, data, truth } = scan();
    const before = kernels.arena.usedBytes;
    const masked = noise.map((value, p) => (p < 20 ? 0 : value));
    const denoised = truth.map((value) => 0.5 * value);
    const consistent = dataConsistent(kernels, model, data, denoised, masked, { weight: 1, nIterations: 5 });
    expect(consistent.subarray(0, 40)).toEqual(denoised.subarray(0, 40));
    expect(relativeError(consistent, truth)).toBeLessThan(relativeError(denoised, truth));
    expect(kernels.arena.usedBytes).toBe(before);
  });

  it('give the memory back that they got where there is not enough', () => {
    const { kernels, model, data } = scan();
    // The transform's tables stay.
    new ConsistencyEquations(kernels, model, data, noise).release();
    const all = kernels.arena.usedBytes;
    const rest = 2 ** 26 - all - 8 * n * 12;
    const taken = kernels.arena.allocate(rest);
    expect(() => new ConsistencyEquations(kernels, model, data, noise)).toThrow('RECON_ERR_MEMORY_LIMIT');
    kernels.arena.release(taken);
    expect(kernels.arena.usedBytes).toBe(all);
  });

  it('with the denoiser in between, find an image that the denoiser and the data agree on', () => {
    // A denoiser that pulls towards the truth by half: neither it nor the noisy data alone has it.
    const { kernels, model, data, truth } = scan(0.2);
    const denoise = (x: Float32Array) => x.map((value, i) => 0.5 * value + 0.5 * truth[i]!);
    let x: Float32Array = new Float32Array(2 * n);
    const errors: number[] = [];
    for (let k = 0; k < 6; k++) {
      x = dataConsistent(kernels, model, data, denoise(x), noise, { weight: 4, nIterations: 8 });
      errors.push(relativeError(x, truth));
    }
    expect(errors.at(-1)!).toBeLessThan(0.15);
    expect(Math.abs(errors.at(-1)! - errors.at(-2)!)).toBeLessThan(0.02);
  });
});
