import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pointOf, resample, transformPoint, affineLps, volumeOf, type ImageGeometry, type Interpolation, type Vector3, type Volume } from '../../imaging/index.js';
import { directions, geometriesUpTo, oblique } from './grids.js';

const methods: readonly Interpolation[] = ['nearest', 'linear', 'cubic'];

/** The volume of a function of the point in the patient. */
function sampled(geometry: ImageGeometry, value: (point: Vector3) => number): Volume {
  const [columns, rows, slices] = geometry.matrixSize;
  const affine = affineLps(geometry);
  const data = new Float32Array(columns * rows * slices);
  for (let k = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) data[(k * rows + j) * columns + i] = value(transformPoint(affine, [i, j, k]));
  }
  return volumeOf(geometry, data);
}

/** Turned, finer and inside of `oblique`, so that every tap of the kernels has a voxel. */
const inside: ImageGeometry = {
  centreMm: oblique.centreMm,
  ...directions(1.1, 0.4, -0.6, false),
  fovMm: [8, 7, 6],
  matrixSize: [6, 5, 4],
};

const largestDifference = (a: Volume, b: Volume) => a.data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b.data[i]!)), 0);

describe('the same grid', () => {
  it.each(methods)('%s changes nothing', (method) => {
    fc.assert(
      fc.property(geometriesUpTo(7), (geometry) => {
        const volume = sampled(geometry, ([x, y, z]) => Math.sin(x) + Math.cos(3 * y) + z / 100);
        expect(largestDifference(resample(volume, geometry, method), volume)).toBeLessThan(1e-4);
      }),
      { numRuns: 40 },
    );
  });
});

describe('what each method is exact for', () => {
  it.each(methods)('%s: constants, up to half a voxel beyond the outermost centres', (method) => {
    const volume = sampled(oblique, () => 3.5);
    const wide: ImageGeometry = { ...oblique, matrixSize: [22, 16, 10] };
    expect(resample(volume, wide, method).data.every((value) => Math.abs(value - 3.5) < 1e-6)).toBe(true);
  });

  it.each(['linear', 'cubic'] as const)('%s: planes, on a turned grid', (method) => {
    const plane = ([x, y, z]: Vector3) => 2 + 0.3 * x - 0.2 * y + 0.7 * z;
    expect(largestDifference(resample(sampled(oblique, plane), inside, method), sampled(inside, plane))).toBeLessThan(2e-5);
  });

  it('cubic: quadratics along an axis; linear is not', () => {
    const line: ImageGeometry = { ...oblique, fovMm: [20, 1, 1], matrixSize: [20, 1, 1] };
    const finer: ImageGeometry = { ...line, fovMm: [10, 1, 1], matrixSize: [33, 1, 1] };
    const square = (point: Vector3) => point.reduce((sum, value, axis) => sum + (value - oblique.centreMm[axis]!) * line.rowDirection[axis]!, 0) ** 2;
    expect(largestDifference(resample(sampled(line, square), finer, 'cubic'), sampled(finer, square))).toBeLessThan(1e-4);
    expect(largestDifference(resample(sampled(line, square), finer, 'linear'), sampled(finer, square))).toBeGreaterThan(0.2);
  });

  it('nearest: keeps labels, and finds the voxel that the point lies in', () => {
    const labels = volumeOf(oblique, Float32Array.from({ length: 440 }, (_, i) => i));
    const out = resample(labels, inside, 'nearest');
    const [columns, rows] = inside.matrixSize;
    out.data.forEach((label, at) => {
      expect(Number.isInteger(label)).toBe(true);
      const there = pointOf(inside, [at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows))]);
      const here = pointOf(oblique, [label % 11, Math.floor(label / 11) % 8, Math.floor(label / 88)]);
      // Half of the diagonal of a voxel of 5 x 4.5 x 12 mm.
      expect(Math.hypot(...there.map((value, axis) => value - here[axis]!))).toBeLessThanOrEqual(Math.hypot(5, 4.5, 12) / 2 + 1e-6);
    });
  });

  it('cubic: Keys weights at a quarter of a voxel', () => {
    const line: ImageGeometry = { ...oblique, fovMm: [5, 1, 1], matrixSize: [5, 1, 1] };
    const volume = volumeOf(line, Float32Array.of(0, 0, 1, 0, 0));
    // Quarter steps about the centre: the kernel itself, (3|t|^3 - 5|t|^2 + 2) / 2 and (-|t|^3 + 5|t|^2 - 8|t| + 4) / 2.
    const out = resample(volume, { ...line, fovMm: [4, 1, 1], matrixSize: [16, 1, 1] }, 'cubic').data;
    const kernel = (t: number) => (t < 1 ? (3 * t ** 3 - 5 * t ** 2 + 2) / 2 : (-(t ** 3) + 5 * t ** 2 - 8 * t + 4) / 2);
    out.forEach((value, i) => expect(value).toBeCloseTo(kernel(Math.abs(i - 8) / 4), 5));
  });
});

describe('a coarser grid', () => {
  const fine: ImageGeometry = { ...oblique, fovMm: [48, 40, 12], matrixSize: [48, 40, 4] };
  const coarse: ImageGeometry = { ...fine, fovMm: [42, 35, 9], matrixSize: [15, 14, 3] };

  it.each(['linear', 'cubic'] as const)('%s: holds no stripes that it cannot resolve, and aliases them unless band-limited', (method) => {
    const along = fine.rowDirection;
    const stripes = sampled(fine, (point) => 1 + Math.cos(Math.PI * 0.9 * point.reduce((sum, value, axis) => sum + value * along[axis]!, 0)));
    const ripple = (volume: Volume) => Math.max(...volume.data.map((value) => Math.abs(value - 1)));
    expect(ripple(resample(stripes, coarse, method, { bandLimited: true }))).toBeLessThan(0.12);
    expect(ripple(resample(stripes, coarse, method))).toBeGreaterThan(0.8);
  });

  it.each(['linear', 'cubic'] as const)('%s: constants stay what they are, planes nearly', (method) => {
    const inner: ImageGeometry = { ...coarse, fovMm: [28, 20, 3], matrixSize: [10, 8, 1] };
    const error = (value: (point: Vector3) => number) =>
      largestDifference(resample(sampled(fine, value), inner, method, { bandLimited: true }), sampled(inner, value));
    expect(error(() => 3.5)).toBeLessThan(1e-6);
    expect(error(([x, y, z]) => 2 + 0.3 * x - 0.2 * y + 0.7 * z)).toBeLessThan(0.05);
  });

  it('a finer grid is not smoothed', () => {
    const volume = sampled(oblique, ([x, y]) => Math.sin(x / 5) + Math.cos(y / 4));
    expect(resample(volume, inside, 'cubic', { bandLimited: true }).data).toEqual(resample(volume, inside, 'cubic').data);
  });
});

describe('a motion', () => {
  it('is the grid moved with it', () => {
    const volume = sampled(oblique, ([x, y, z]) => Math.sin(x / 5) + Math.cos(y / 4) + z / 30);
    const shift: Vector3 = [1.5, -2, 0.7];
    const motion = [1, 0, 0, shift[0], 0, 1, 0, shift[1], 0, 0, 1, shift[2], 0, 0, 0, 1];
    const moved: ImageGeometry = { ...inside, centreMm: inside.centreMm.map((value, axis) => value + shift[axis]!) as unknown as Vector3 };
    expect(largestDifference(resample(volume, inside, 'cubic', { motion }), resample(volume, moved, 'cubic'))).toBeLessThan(1e-5);
  });
});

describe('a motion that leaves slices in their planes', () => {
  it('takes nothing from other slices', () => {
    const volume = sampled(oblique, ([x, y, z]) => Math.sin(x) + Math.cos(y) + Math.sin(2 * z));
    const [columns, rows, slices] = oblique.matrixSize;
    const shift = oblique.rowDirection.map((value, axis) => 1.3 * value - 0.8 * oblique.columnDirection[axis]!);
    const motion = [1, 0, 0, shift[0]!, 0, 1, 0, shift[1]!, 0, 0, 1, shift[2]!, 0, 0, 0, 1];
    const whole = resample(volume, oblique, 'cubic', { motion });
    for (let slice = 0; slice < slices; slice++) {
      const others = volumeOf(oblique, volume.data.map((value, voxel) => (Math.floor(voxel / (columns * rows)) === slice ? value : NaN)));
      const part = ({ data }: Volume) => data.subarray(slice * columns * rows, (slice + 1) * columns * rows);
      expect(part(resample(others, oblique, 'cubic', { motion }))).toEqual(part(whole));
    }
  });
});

describe('oblique fiducials', () => {
  it('a blob stays where it is in the patient', () => {
    const fine: ImageGeometry = { ...oblique, fovMm: [48, 48, 48], matrixSize: [32, 33, 31] };
    const turned: ImageGeometry = { ...fine, ...directions(-0.8, 0.5, 2.2, false), fovMm: [46, 47, 48], matrixSize: [41, 37, 43] };
    const at: Vector3 = [oblique.centreMm[0] + 3.1, oblique.centreMm[1] - 4.7, oblique.centreMm[2] + 2.3];
    const blob = ([x, y, z]: Vector3) => Math.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2 + (z - at[2]) ** 2) / (2 * 4 ** 2));
    for (const method of ['linear', 'cubic'] as const) {
      const out = resample(sampled(fine, blob), turned, method);
      const affine = affineLps(turned);
      const moment = [0, 0, 0];
      let mass = 0;
      out.data.forEach((value, i) => {
        const point = transformPoint(affine, [i % 41, Math.floor(i / 41) % 37, Math.floor(i / (41 * 37))]);
        mass += value;
        point.forEach((coordinate, axis) => (moment[axis]! += value * coordinate));
      });
      moment.forEach((value, axis) => expect(Math.abs(value / mass - at[axis]!)).toBeLessThan(0.05));
    }
  });

  it('there and back is nearly the same for what the grid resolves, nearer with cubic', () => {
    const fine: ImageGeometry = { ...oblique, fovMm: [40, 40, 40], matrixSize: [40, 40, 40] };
    const shifted: ImageGeometry = { ...fine, ...directions(0.2, -0.3, 0.4, false) };
    const core: ImageGeometry = { ...fine, fovMm: [20, 20, 20], matrixSize: [20, 20, 20] };
    const wave = ([x, y, z]: Vector3) => Math.cos(x / 3) * Math.cos(y / 4) * Math.cos(z / 3.5);
    const error = (method: Interpolation) =>
      largestDifference(resample(resample(sampled(fine, wave), shifted, method), core, method), sampled(core, wave));
    expect(error('linear')).toBeLessThan(0.1);
    expect(error('cubic')).toBeLessThan(0.02);
    expect(error('cubic')).toBeLessThan(error('linear') / 3);
  });
});

describe('borders', () => {
  it('outside is what the caller says', () => {
    const away: ImageGeometry = { ...oblique, centreMm: [500, 0, 0] };
    expect(new Set(resample(sampled(oblique, () => 1), away, 'linear', { outside: -1000 }).data)).toEqual(new Set([-1000]));
  });

  it('a single slice is as thick as it is, and no thicker', () => {
    const slice: ImageGeometry = { ...oblique, fovMm: [55, 36, 12], matrixSize: [11, 8, 1] };
    const across = (offsetMm: number): ImageGeometry => ({
      ...slice, centreMm: slice.centreMm.map((value, axis) => value + offsetMm * slice.sliceDirection[axis]!) as unknown as Vector3,
    });
    for (const method of methods) {
      expect(resample(sampled(slice, () => 1), across(5.9), method).data[40]).toBeCloseTo(1, 6);
      expect(resample(sampled(slice, () => 1), across(6.1), method).data[40]).toBe(0);
    }
  });

  it('nearest does not spread what is no number', () => {
    const volume = sampled(oblique, () => 1);
    volume.data[0] = NaN;
    expect(resample(volume, oblique, 'nearest').data.filter(Number.isNaN).length).toBe(1);
  });

  it('asks the voxel alone that a place lies on, to a millionth', () => {
    const volume = sampled(oblique, () => 1);
    volume.data[0] = NaN;
    const [x, y, z] = oblique.centreMm;
    expect(resample(volume, { ...oblique, centreMm: [x + 1e-9, y, z] }, 'cubic').data.filter(Number.isNaN).length).toBe(1);
  });

  it('refuses data that do not fill their grid', () => {
    expect(() => resample({ geometry: oblique, data: [1, 2, 3] }, oblique, 'linear')).toThrow('IMG_ERR_SHAPE');
  });
});
