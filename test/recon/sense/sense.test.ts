import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColumnEquations, SenseOperator, solveColumns, solveNormal, solveSense, type SenseModel } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { freshKernels, innerProduct, norm, place, relativeError } from '../fft/reference.js';
import { usedBytes } from '../parallelImaging.js';
import { denseNormal, normals, randomModel, solveDense } from './models.js';

const models = fc.record({
  shape: fc.record({
    nCoils: fc.integer({ min: 1, max: 9 }),
    nRows: fc.integer({ min: 1, max: 40 }),
    nColumns: fc.integer({ min: 1, max: 21 }),
  }),
  sampling: fc.constantFrom('lines' as const, 'points' as const),
  seed: fc.nat(),
});

describe('the SENSE operator', () => {
  it('has the adjoint that it says, at any size and sampling: <E u, v> = <u, E^H v>', () => {
    fc.assert(
      fc.property(models, ({ shape, sampling, seed }) => {
        const kernels = freshKernels();
        const random = new Random(seed);
        const operator = new SenseOperator(kernels, randomModel(kernels, random, shape, sampling));
        const nPixels = shape.nRows * shape.nColumns;
        const u = normals(random, 2 * nPixels);
        const v = normals(random, 2 * nPixels * shape.nCoils);
        const data = place(kernels, new Float64Array(v.length));
        operator.forward(place(kernels, u), data);
        const image = place(kernels, new Float64Array(u.length));
        operator.adjoint(place(kernels, v), image);
        const left = innerProduct(kernels.arena.f32(data, v.length), v);
        const right = innerProduct(u, kernels.arena.f32(image, u.length));
        const scale = norm(u) * norm(v);
        expect(Math.abs(left[0] - right[0]) / scale).toBeLessThan(1e-5);
        expect(Math.abs(left[1] - right[1]) / scale).toBeLessThan(1e-5);
      }),
      { numRuns: 60 },
    );
  });

  it('is what the definition says of one coil: unit maps and full sampling keep every image', () => {
    const kernels = freshKernels();
    const shape = { nCoils: 1, nRows: 9, nColumns: 7 };
    const maps = place(kernels, Float64Array.from({ length: 126 }, (_, i) => 1 - (i % 2)));
    const operator = new SenseOperator(kernels, { ...shape, maps, weights: new Float32Array(63).fill(1) });
    const u = normals(new Random(5), 126);
    const out = place(kernels, new Float64Array(126));
    operator.normal(place(kernels, u), out);
    expect(relativeError(kernels.arena.f32(out, 126), u)).toBeLessThan(1e-6);
  });

  it('counts w averages as w samples: rightSide of d is the adjoint of w^(1/2) d', () => {
    const kernels = freshKernels();
    const random = new Random(8);
    const shape = { nCoils: 3, nRows: 10, nColumns: 6 };
    const model = randomModel(kernels, random, shape, 'lines');
    const operator = new SenseOperator(kernels, model);
    const d = normals(random, 2 * 180);
    const roots = d.map((value, i) => value * Math.sqrt(model.weights[Math.floor(i / 12) % 10]!));
    const image = place(kernels, new Float64Array(240));
    operator.rightSide(place(kernels, d), image);
    operator.adjoint(place(kernels, roots), image + 480);
    expect(relativeError(kernels.arena.f32(image, 120), kernels.arena.f32(image + 480, 120))).toBeLessThan(1e-6);
  });
});

describe('the column kernels', () => {
  it('work out the same equations, at any size, up to the coils that they leave out', () => {
    fc.assert(
      fc.property(models, ({ shape, seed }) => {
        const kernels = freshKernels();
        const random = new Random(seed);
        const model = randomModel(kernels, random, shape, 'lines');
        const plain = new SenseOperator(kernels, model);
        const fast = new ColumnEquations(kernels, model);
        const nFloats = 2 * shape.nRows * shape.nColumns;
        const u = place(kernels, normals(random, nFloats));
        const d = place(kernels, normals(random, nFloats * shape.nCoils));
        const out = place(kernels, new Float64Array(2 * nFloats));
        plain.normal(u, out);
        fast.normal(u, out + 4 * nFloats);
        const size = norm(kernels.arena.f32(u, nFloats));
        const results = kernels.arena.f32(out, 2 * nFloats);
        expect(norm(results.subarray(0, nFloats).map((value, i) => value - results[nFloats + i]!)) / size).toBeLessThan(3e-4);
        plain.rightSide(d, out);
        fast.rightSide(d, out + 4 * nFloats);
        expect(norm(results.subarray(0, nFloats).map((value, i) => value - results[nFloats + i]!)) / size).toBeLessThan(1e-5);
      }),
      { numRuns: 60 },
    );
  });

  it('see the sum of two images with two sets of maps, and work out the same equations', () => {
    const kernels = freshKernels();
    const random = new Random(9);
    const shape = { nCoils: 5, nRows: 18, nColumns: 11 };
    const nFloats = 2 * 18 * 11;
    const first = randomModel(kernels, random, shape, 'lines');
    const second = randomModel(kernels, random, shape, 'lines');
    const mapsOf = ({ maps }: SenseModel) => kernels.arena.f32(maps, 5 * nFloats);
    const both: SenseModel = { ...first, nSets: 2, maps: place(kernels, [...mapsOf(first), ...mapsOf(second)]) };
    const u = normals(random, 2 * nFloats);
    const image = place(kernels, u);
    const seen = place(kernels, new Float64Array(15 * nFloats));
    new SenseOperator(kernels, both).forward(image, seen);
    [first, second].forEach((model, set) =>
      new SenseOperator(kernels, { ...model, weights: first.weights }).forward(image + 4 * set * nFloats, seen + 4 * (set + 1) * 5 * nFloats),
    );
    const all = kernels.arena.f32(seen, 15 * nFloats);
    const sum = all.slice(5 * nFloats, 10 * nFloats).map((value, i) => value + all[10 * nFloats + i]!);
    expect(relativeError(all.subarray(0, 5 * nFloats), sum)).toBeLessThan(1e-5);

    const results = place(kernels, new Float64Array(4 * nFloats));
    new SenseOperator(kernels, both).normal(image, results);
    new ColumnEquations(kernels, both).normal(image, results + 8 * nFloats);
    const values = kernels.arena.f32(results, 4 * nFloats);
    expect(relativeError(values.subarray(2 * nFloats), values.subarray(0, 2 * nFloats))).toBeLessThan(1e-3);
    const options = { damping: 0.05, nIterations: 40 };
    const operator = new SenseOperator(kernels, both);
    const right = place(kernels, new Float64Array(2 * nFloats));
    operator.rightSide(seen, right);
    solveNormal(kernels, operator, right, results, options);
    solveColumns(kernels, both, seen, results + 8 * nFloats, options);
    expect(relativeError(values.subarray(2 * nFloats), values.subarray(0, 2 * nFloats))).toBeLessThan(5e-3);
  });

  it('give the same bytes however threads share the columns', () => {
    const kernels = freshKernels();
    const random = new Random(3);
    const shape = { nCoils: 5, nRows: 24, nColumns: 19 };
    const model = randomModel(kernels, random, shape, 'lines');
    const data = place(kernels, normals(random, 2 * 5 * 24 * 19));
    const images = place(kernels, new Float64Array(4 * 24 * 19));
    const other = images + 8 * 24 * 19;
    const options = { damping: 0.01, nIterations: 7 };
    solveColumns(kernels, model, data, images, options);
    for (const [from, end] of [[12, 19], [0, 8], [8, 12]] as const) solveColumns(kernels, model, data, other, options, { from, end });
    expect(kernels.arena.f32(other, 2 * 24 * 19)).toEqual(kernels.arena.f32(images, 2 * 24 * 19));
  });
});

describe('CG-SENSE', () => {
  it.each(['lines', 'points'] as const)('goes to the least-squares solution, %s sampled', (sampling) => {
    const kernels = freshKernels();
    const random = new Random(11);
    const shape = { nCoils: 4, nRows: 14, nColumns: 9 };
    const n = 14 * 9;
    const model = randomModel(kernels, random, shape, sampling);
    const data = place(kernels, normals(random, 2 * 4 * n));
    const operator = new SenseOperator(kernels, model);
    const damping = 0.05;
    const matrix = denseNormal(kernels, operator);
    for (let i = 0; i < n; i++) matrix[2 * i * (n + 1)]! += damping;
    const image = place(kernels, new Float64Array(4 * n));
    operator.rightSide(data, image + 8 * n);
    const expected = solveDense(matrix, kernels.arena.f32(image + 8 * n, 2 * n));
    solveSense(kernels, model, data, image, { damping, nIterations: 80 });
    expect(relativeError(kernels.arena.f32(image, 2 * n), expected)).toBeLessThan(1e-3);
    const after10 = place(kernels, new Float64Array(2 * n));
    solveSense(kernels, model, data, after10, { damping, nIterations: 3 });
    expect(relativeError(kernels.arena.f32(after10, 2 * n), expected)).toBeGreaterThan(1e-2);
  });

  it('leaves zero where the maps are and of no data, and gives its memory back', () => {
    for (const sampling of ['lines', 'points'] as const) {
      const kernels = freshKernels();
      const shape = { nCoils: 2, nRows: 8, nColumns: 6 };
      const model = randomModel(kernels, new Random(1), shape, sampling);
      const data = place(kernels, normals(new Random(2), 192));
      const image = place(kernels, new Float64Array(96).fill(7));
      kernels.arena.f32(model.maps, 2 * 96)[0] = 0;
      for (let coil = 0; coil < 2; coil++) kernels.arena.f32(model.maps, 192).fill(0, 96 * coil, 96 * coil + 12);
      solveSense(kernels, model, data, image, { damping: 0.01, nIterations: 5 });
      expect([...kernels.arena.f32(image, 12)].every((value) => value === 0)).toBe(true);
      expect(norm(kernels.arena.f32(image, 96))).toBeGreaterThan(0);
      solveSense(kernels, { ...model, weights: model.weights.map(() => 0) }, data, image, { damping: 0.01, nIterations: 5 });
      expect(norm(kernels.arena.f32(image, 96))).toBe(0);
      for (const pointer of [data, image, model.maps]) kernels.arena.release(pointer);
      expect(usedBytes(kernels)).toBe(0);
    }
  });
});
