import { describe, expect, it } from 'vitest';
import { ViewFilter, backproject, forwardProject, kernelWindow, toHounsfield } from '../../../simulator/index.js';
import type { Beam, PixelGrid, ReconstructionKernel } from '../../../simulator/index.js';
import { centredGrid, rasterised, regionOf, smallFan, smallParallel } from './phantoms.js';

const water = 0.0193;
const body = [
  { xMm: 0, yMm: 0, aMm: 100, bMm: 100, angleRad: 0, value: water },
  { xMm: 50, yMm: -20, aMm: 16, bMm: 16, angleRad: 0, value: 0.6 * water },
  { xMm: -45, yMm: 30, aMm: 16, bMm: 16, angleRad: 0, value: -0.1 * water },
];
const bodyGrid = centredGrid(440, 0.5);
const image = rasterised(body, bodyGrid);

const projections = new Map([smallFan, smallParallel].map((beam) => [beam.kind, forwardProject(image, bodyGrid, beam)]));

function reconstructed(beam: Beam, kernel: ReconstructionKernel, grid: PixelGrid): Float32Array {
  return toHounsfield(backproject(new ViewFilter(beam, kernel).apply(projections.get(beam.kind)!), grid), water);
}

describe.each([smallFan, smallParallel])('filtered backprojection ($kind)', (beam) => {
  it.each(['soft', 'bone', 'ramLak'] as const)('gives back the HU of a water disc with inserts (%s)', (kernel) => {
    const grid = centredGrid(121, 2);
    const hu = reconstructed(beam, kernel, grid);
    const at = (xMm: number, yMm: number) => regionOf(hu, 121, Math.round(60 + xMm / 2), Math.round(60 + yMm / 2), 3).mean;
    expect(Math.abs(at(0, 0))).toBeLessThan(3);
    expect(Math.abs(at(0, 70))).toBeLessThan(3);
    expect(Math.abs(at(-60, -40))).toBeLessThan(3);
    expect(Math.abs(at(50, -20) - 600)).toBeLessThan(6);
    expect(Math.abs(at(-45, 30) + 100)).toBeLessThan(4);
    expect(Math.abs(at(110, 0) + 1000)).toBeLessThan(6);
  });

  it('gives a point the same value in any matrix, field and centre', () => {
    const wide = reconstructed(beam, 'soft', centredGrid(121, 2));
    const small = { rows: 41, columns: 61, pixelMm: 1, firstXMm: 20, firstYMm: -40 };
    const near = reconstructed(beam, 'soft', small);
    for (const [x, y] of [[50, -20], [34, -20], [24, -4], [66, -8]] as const) {
      const expected = wide[(60 + y / 2) * 121 + 60 + x / 2]!;
      expect(near[(y + 40) * 61 + x - 20]).toBeCloseTo(expected, 1);
    }
  });

  it('is air outside what every view sees', () => {
    const hu = reconstructed(beam, 'soft', { rows: 1, columns: 3, pixelMm: 400, firstXMm: -400, firstYMm: 0 });
    expect([hu[0], hu[2]]).toEqual([-1000, -1000]);
  });
});

describe('kernels', () => {
  it('keep the mean, and end at the highest frequency', () => {
    for (const kernel of ['ramLak', 'soft', 'bone'] as const) expect(kernelWindow(kernel, 0, 0.85)).toBe(1);
    for (const kernel of ['soft', 'bone'] as const) expect(kernelWindow(kernel, 0.85, 0.85)).toBeCloseTo(0, 10);
    expect(kernelWindow('soft', 0.375, 0.85)).toBeCloseTo(0.5, 6);
  });

  it('show an edge the steeper, the sharper they are', () => {
    const steepness = (kernel: ReconstructionKernel) => {
      const row = reconstructed(smallFan, kernel, { rows: 1, columns: 80, pixelMm: 0.25, firstXMm: 90, firstYMm: 0 });
      let largest = 0;
      for (let column = 1; column < 80; column++) largest = Math.max(largest, Math.abs(row[column]! - row[column - 1]!));
      return largest;
    };
    const [soft, ramLak, bone] = [steepness('soft'), steepness('ramLak'), steepness('bone')];
    expect(ramLak).toBeGreaterThan(1.3 * soft);
    expect(bone).toBeGreaterThan(1.2 * soft);
  });
});
