import { describe, expect, it } from 'vitest';
import { SenseOperator, shrinkWavelets, solveCompressedSensing, waveletShape, waveletTransform, type SenseModel } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { freshKernels, norm, place, relativeError } from '../fft/reference.js';
import { dftColumns, phantomScan, usedBytes } from '../parallelImaging.js';
import { normals, randomModel } from '../sense/models.js';

const shape = { nCoils: 5, nRows: 40, nColumns: 33 };
const n = shape.nRows * shape.nColumns;
const wavelets = waveletShape(shape.nRows, shape.nColumns);

/** 1/2 |E u - W^(1/2) d|^2 + lambda |Psi u|_1 of the details. */
function objective(kernels: ReturnType<typeof freshKernels>, model: SenseModel, d: Float64Array, image: number, lambda: number): number {
  const operator = new SenseOperator(kernels, model);
  const data = place(kernels, new Float64Array(d.length));
  operator.forward(image, data);
  const predicted = kernels.arena.f32(data, d.length);
  const width = model.weights.length === model.nRows ? 2 * model.nColumns : 2;
  let misfit = 0;
  for (let i = 0; i < d.length; i++) {
    const weight = model.weights[Math.floor(i / width) % model.weights.length]!;
    misfit += 0.5 * (predicted[i]! - Math.sqrt(weight) * d[i]!) ** 2;
  }
  const coefficients = place(kernels, kernels.arena.f32(image, 2 * n));
  waveletTransform(kernels, wavelets, coefficients, kernels.arena.allocate(8 * n));
  const values = kernels.arena.f32(coefficients, 2 * n);
  const low = [Math.ceil(shape.nRows / 2 ** wavelets.nLevels), Math.ceil(shape.nColumns / 2 ** wavelets.nLevels)] as const;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    if (Math.floor(i / shape.nColumns) < low[0] && i % shape.nColumns < low[1]) continue;
    sum += Math.hypot(values[2 * i]!, values[2 * i + 1]!);
  }
  return misfit + lambda * sum;
}

describe('compressed sensing', () => {
  it.each(['lines', 'points'] as const)('lowers its objective and ends at a fixed point, %s sampled', (sampling) => {
    const kernels = freshKernels(2 ** 27);
    const random = new Random(6);
    const model = randomModel(kernels, random, shape, sampling, 0.95);
    const d = normals(random, 2 * shape.nCoils * n);
    const data = place(kernels, d);
    const image = place(kernels, new Float64Array(2 * n));
    const lambda = 0.4;
    const after = (nIterations: number): number => {
      solveCompressedSensing(kernels, model, data, image, { lambda, nIterations, cycleSpinning: false });
      return objective(kernels, model, d, image, lambda);
    };
    const values = [0, 1, 5, 20, 400].map(after);
    values.slice(1).forEach((value, i) => expect(value).toBeLessThan(values[i]! * (1 + 1e-6)));
    // x = prox(x - (E^H E x - b) / L)
    const operator = new SenseOperator(kernels, model);
    const step = 1 / model.weights.reduce((most, weight) => Math.max(most, weight), 0);
    const slope = place(kernels, new Float64Array(2 * n));
    const right = place(kernels, new Float64Array(2 * n));
    operator.normal(image, slope);
    operator.rightSide(data, right);
    const next = place(kernels, new Float64Array(2 * n));
    kernels.wasm.descend(image, slope, right, step, next, n);
    kernels.arena.withScratch(16 * n, (scratch) => shrinkWavelets(kernels, wavelets, next, scratch, lambda * step, { rows: 0, columns: 0 }));
    expect(relativeError(kernels.arena.f32(next, 2 * n), kernels.arena.f32(image, 2 * n))).toBeLessThan(1e-3);
  });

  it('removes noise that least squares leaves, and gives its memory back', () => {
    const kernels = freshKernels(2 ** 28);
    const scan = phantomScan({ nCoils: 6, nLines: 48, nColumns: 40 });
    const nPixels = 48 * 40;
    const images = dftColumns(scan.hybrid, { nCoils: 6, nLines: 48, nColumns: 40 }, 'inverse');
    const truth = new Float64Array(2 * nPixels);
    const maps = new Float64Array(images.length);
    for (let pixel = 0; pixel < nPixels; pixel++) {
      let energy = 0;
      for (let coil = 0; coil < 6; coil++) energy += scan.sensitivities[2 * (coil * nPixels + pixel)]! ** 2 + scan.sensitivities[2 * (coil * nPixels + pixel) + 1]! ** 2;
      for (let coil = 0; coil < 6; coil++) {
        const at = 2 * (coil * nPixels + pixel);
        maps[at] = scan.sensitivities[at]! / Math.sqrt(energy);
        maps[at + 1] = scan.sensitivities[at + 1]! / Math.sqrt(energy);
        truth[2 * pixel]! += maps[at]! * images[at]! + maps[at + 1]! * images[at + 1]!;
        truth[2 * pixel + 1]! += maps[at]! * images[at + 1]! - maps[at + 1]! * images[at]!;
      }
    }
    const random = new Random(9);
    const noise = 0.1;
    const data = place(kernels, scan.hybrid.map((value) => value + noise * random.normal()));
    const weights = Float32Array.from({ length: 48 }, (_, line) => (line % 3 === 0 || Math.abs(line - 24) < 6 ? 1 : 0));
    const model = { maps: place(kernels, maps), nCoils: 6, nRows: 48, nColumns: 40, weights };
    const image = place(kernels, new Float64Array(2 * nPixels));
    const errorWith = (lambda: number) => {
      solveCompressedSensing(kernels, model, data, image, { lambda: lambda * noise, nIterations: 40 });
      return relativeError(kernels.arena.f32(image, 2 * nPixels), truth);
    };
    expect(errorWith(0.5)).toBeLessThan(0.7 * errorWith(0));
    expect(norm(kernels.arena.f32(image, 2 * nPixels))).toBeGreaterThan(0);
    for (const pointer of [data, image, model.maps]) kernels.arena.release(pointer);
    expect(usedBytes(kernels)).toBe(0);
  });

  it('gives the same bytes every time', () => {
    const run = () => {
      const kernels = freshKernels(2 ** 27);
      const random = new Random(12);
      const model = randomModel(kernels, random, shape, 'lines', 0.9);
      const data = place(kernels, normals(random, 2 * shape.nCoils * n));
      const image = place(kernels, new Float64Array(2 * n));
      solveCompressedSensing(kernels, model, data, image, { lambda: 0.3, nIterations: 6 });
      return kernels.arena.f32(image, 2 * n).slice();
    };
    expect(run()).toEqual(run());
  });
});
