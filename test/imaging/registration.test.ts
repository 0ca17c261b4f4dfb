import { describe, expect, it } from 'vitest';
import {
  invertAffine, motionAffine, pointOf, registerRigid, resample, transformPoint, type Affine, type ImageGeometry, type RigidMotion, type Vector3,
} from '../../imaging/index.js';
import { directions } from './grids.js';
import { sagittal, scanned, type Seen } from './twoContrasts.js';

const nothing: RigidMotion = { rotationDeg: [0, 0, 0], shiftMm: [0, 0, 0], centreMm: [0, 0, 0] };

/** Root mean square over the middle of the grid, along its columns, rows and slices, mm. */
function errorMm(geometry: ImageGeometry, a: Affine, b: Affine): Vector3 {
  const places = [0.25, 0.5, 0.75];
  const squares = [0, 0, 0];
  for (const u of places) for (const v of places) for (const w of places) {
    const point = pointOf(geometry, geometry.matrixSize.map((size, axis) => size * [u, v, w][axis]!) as unknown as Vector3);
    const [here, there] = [transformPoint(a, point), transformPoint(b, point)];
    [geometry.rowDirection, geometry.columnDirection, geometry.sliceDirection].forEach((direction, axis) => {
      squares[axis]! += direction.reduce((sum, part, at) => sum + part * (here[at]! - there[at]!), 0) ** 2 / 27;
    });
  }
  return squares.map(Math.sqrt) as unknown as Vector3;
}

/** A T2w where the body is described, and a T1w of it after the motion. */
function pairOf(motion: RigidMotion, fixedGrid: ImageGeometry, movingGrid: ImageGeometry, seen: Omit<Partial<Seen>, 'toBody' | 'contrast'> = {}) {
  return {
    fixed: scanned(fixedGrid, { ...seen, inverted: false, contrast: 't2w' }),
    moving: scanned(movingGrid, { ...seen, contrast: 't1w', toBody: invertAffine(motionAffine(motion)) }),
  };
}

describe('the map of a motion', () => {
  it('turns right-handed about the centre, then shifts', () => {
    const map = motionAffine({ rotationDeg: [0, 0, 90], shiftMm: [1, 2, 3], centreMm: [10, 0, 0] });
    transformPoint(map, [11, 0, 0]).forEach((value, axis) => expect(value).toBeCloseTo([11, 3, 3][axis]!, 12));
    transformPoint(map, [10, 0, 5]).forEach((value, axis) => expect(value).toBeCloseTo([11, 2, 8][axis]!, 12));
  });
});

describe('a known motion is found', () => {
  // Pixels of 2 mm and slices of 5 mm: within a third of a pixel, and of a slice.
  const cases: readonly { name: string; motion: RigidMotion; fixed?: ImageGeometry; moving?: ImageGeometry; seen?: Partial<Seen> }[] = [
    { name: 'none', motion: nothing },
    { name: 'within slices', motion: { ...nothing, shiftMm: [0, 7, -6] } },
    { name: 'rotation within slices', motion: { ...nothing, rotationDeg: [5, 0, 0], shiftMm: [0, -3, 2] } },
    { name: 'across slices', motion: { rotationDeg: [1, -2, 2], shiftMm: [6, 2, 3], centreMm: [0, 0, 0] } },
    {
      name: 'oblique, other field of view, matrix and gap, shading and noise',
      motion: { rotationDeg: [-3, 1, -2], shiftMm: [-2, 4, 9], centreMm: [5, 5, 5] },
      fixed: sagittal({ obliqueDeg: 12 }),
      moving: sagittal({ centreMm: [1, -9, 6], size: [54, 90, 10], pixelMm: 1.8, spacingMm: 4.4, obliqueDeg: -7 }),
      seen: { shading: 0.8, noise: 0.04, gain: 700 },
    },
    {
      name: 'inverse contrast',
      motion: { ...nothing, rotationDeg: [2, 0, 0], shiftMm: [0, -8, 5] },
      seen: { inverted: true, noise: 0.03 },
    },
    {
      name: 'axes of a left-handed volume turned anyhow',
      motion: { rotationDeg: [2, 2, -1], shiftMm: [3, -2, 4], centreMm: [0, 0, 0] },
      fixed: { centreMm: [0, 0, 0], ...directions(0.4, -0.3, 0.5, true), fovMm: [110, 110, 60], matrixSize: [44, 44, 15] },
      moving: { centreMm: [4, -3, 2], ...directions(0.5, -0.25, 0.4, false), fovMm: [120, 110, 64], matrixSize: [48, 44, 16] },
    },
  ];
  it.each(cases)('$name', ({ motion, fixed: fixedGrid = sagittal(), moving: movingGrid = sagittal(), seen = {} }) => {
    const { fixed, moving } = pairOf(motion, fixedGrid, movingGrid, seen);
    const found = registerRigid(fixed, moving);
    const [column, row, slice] = errorMm(fixedGrid, motionAffine(found.motion), motionAffine(motion));
    expect(Math.max(column, row)).toBeLessThan(0.6);
    expect(slice).toBeLessThan(1.2);
    expect(found.nmiAfter).toBeGreaterThanOrEqual(found.nmiBefore);
    expect(found.overlapShare).toBeGreaterThan(0.5);
  });

  it('there and back is nowhere', () => {
    const grid = sagittal({ obliqueDeg: 5 });
    const other = sagittal({ size: [70, 76, 9], obliqueDeg: -5 });
    const { fixed, moving } = pairOf({ rotationDeg: [3, 0, 1], shiftMm: [0, 5, -4], centreMm: [0, 0, 0] }, grid, other, { noise: 0.03 });
    const [there, back] = [registerRigid(fixed, moving), registerRigid(moving, fixed)];
    const [column, row, slice] = errorMm(grid, motionAffine(there.motion), invertAffine(motionAffine(back.motion)));
    expect(Math.max(column, row)).toBeLessThan(0.6);
    expect(slice).toBeLessThan(1.2);
  });

  it('a single slice moves within itself only', () => {
    const grid = sagittal({ size: [96, 110, 1], pixelMm: 1.5 });
    const motion = { ...nothing, rotationDeg: [4, 0, 0], shiftMm: [0, 6, -5] } as const;
    const { fixed, moving } = pairOf(motion, grid, grid, { noise: 0.03 });
    const found = registerRigid(fixed, moving);
    expect(Math.max(...errorMm(grid, motionAffine(found.motion), motionAffine(motion)))).toBeLessThan(0.45);
    expect(found.motion.shiftMm[0]).toBeCloseTo(0, 12);
    expect(found.motion.rotationDeg.slice(1)).toEqual([0, 0].map((zero) => expect.closeTo(zero, 12) as number));
  });
});

describe('what comes with it', () => {
  it('resampled with the motion, the moving volume looks as if nothing had moved', () => {
    const motion = { ...nothing, rotationDeg: [3, 0, 0], shiftMm: [0, 6, 4] } as const;
    const moved = scanned(sagittal(), { contrast: 't1w', toBody: invertAffine(motionAffine(motion)) });
    const middle = sagittal({ size: [44, 56, 9] });
    const still = scanned(middle, { contrast: 't1w' });
    const difference = (volume: { data: Float32Array }) => Math.hypot(...volume.data.map((value, at) => value - still.data[at]!));
    const back = resample(moved, middle, 'cubic', { motion: motionAffine(motion) });
    expect(difference(back)).toBeLessThan(0.35 * difference(resample(moved, middle, 'cubic')));
  });

  it('is the same in every run, and for any gain', () => {
    const grid = sagittal({ size: [40, 48, 5], pixelMm: 3 });
    const { fixed, moving } = pairOf({ ...nothing, shiftMm: [0, 4, 3] }, grid, grid, { noise: 0.05 });
    const first = registerRigid(fixed, moving);
    expect(registerRigid(fixed, moving)).toEqual(first);
    // A power of two leaves every digit of the mantissa.
    const louder = { geometry: grid, data: moving.data.map((value) => value * 1024) };
    expect(registerRigid(fixed, louder)).toEqual(first);
  });

  it('volumes without anything in them do not move', () => {
    const grid = sagittal({ size: [32, 32, 3], pixelMm: 4 });
    const empty = { geometry: grid, data: new Float32Array(32 * 32 * 3) };
    expect(registerRigid(empty, scanned(grid, { contrast: 't1w' }))).toMatchObject({ motion: { shiftMm: [0, 0, 0] }, nmiBefore: 1 });
  });

  it('refuses volumes that headers put apart', () => {
    const grid = sagittal({ size: [32, 32, 3], pixelMm: 4 });
    const away = { ...grid, centreMm: [0, 0, 400] as const };
    expect(() => registerRigid(scanned(grid, { contrast: 't2w' }), scanned(away, { contrast: 't1w' }))).toThrow('IMG_ERR_NO_OVERLAP');
    expect(() => registerRigid({ geometry: grid, data: [1, 2] }, scanned(grid, { contrast: 't1w' }))).toThrow('IMG_ERR_SHAPE');
  });
});
