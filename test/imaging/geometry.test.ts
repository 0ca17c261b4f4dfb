import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  affineLps,
  affineRas,
  geometryOfAffineLps,
  imagePositionPatient,
  ImagingError,
  invertAffine,
  pixelSpacingMm,
  pointOf,
  transformPoint,
  voxelOf,
  voxelSizeMm,
  type ImageGeometry,
  type Vector3,
} from '../../imaging/index.js';
import { directions, geometriesUpTo } from './grids.js';

const coordinate = fc.double({ min: -300, max: 300, noNaN: true });
const geometries = geometriesUpTo(512);

const expectClose = (got: Vector3, expected: readonly number[]) => {
  for (let axis = 0; axis < 3; axis++) expect(got[axis]).toBeCloseTo(expected[axis]!, 8);
};

/** Sagittal: columns run to posterior, rows to the feet, slices to the left. Nothing is square. */
const sagittal: ImageGeometry = {
  centreMm: [10, -20, 30],
  rowDirection: [0, 1, 0],
  columnDirection: [0, 0, -1],
  sliceDirection: [1, 0, 0],
  fovMm: [200, 300, 4],
  matrixSize: [100, 75, 1],
};

describe('the half-pixel rule', () => {
  it('puts the centre on voxel floor(N/2), and the first voxel where DICOM wants it', () => {
    // 100 columns of 2 mm: 50 pixels before the centre. 75 rows of 4 mm: 37 before it, as many behind.
    expectClose(imagePositionPatient(sagittal), [10, -20 - 100, 30 + 37 * 4]);
    expectClose(voxelOf(sagittal, sagittal.centreMm), [50, 37, 0]);
    expect(voxelSizeMm(sagittal)).toEqual([2, 4, 4]);
    expect(pixelSpacingMm(sagittal)).toEqual([4, 2]);
  });

  it('places asymmetric fiducials by hand', () => {
    expectClose(pointOf(sagittal, [53, 37, 0]), [10, -14, 30]); // 3 columns to posterior
    expectClose(pointOf(sagittal, [50, 47, 0]), [10, -20, -10]); // 10 rows to the feet
    expectClose(pointOf(sagittal, [99, 0, 0]), [10, 78, 178]);
  });

  it('makes an even grid lie half a pixel off the field of view, an odd one symmetric in it', () => {
    const ends = (columns: number) => {
      const geometry: ImageGeometry = { ...sagittal, matrixSize: [columns, 75, 1] };
      return [pointOf(geometry, [0, 37, 0])[1] + 20, pointOf(geometry, [columns - 1, 37, 0])[1] + 20];
    };
    expect(ends(100)).toEqual([-100, 98]);
    expect(ends(25)).toEqual([-96, 96]);
  });

  it('is what a centred Fourier transform does: the image of flat k-space lies at the centre', () => {
    for (const n of [7, 8, 25, 100]) {
      const geometry: ImageGeometry = { ...sagittal, matrixSize: [n, 75, 1] };
      // Unit k-space is a point source at phase zero. Centred DFT by its definition.
      const magnitude = Array.from({ length: n }, (_, i) => {
        let [re, im] = [0, 0];
        for (let k = 0; k < n; k++) {
          const phase = (2 * Math.PI * (k - Math.floor(n / 2)) * (i - Math.floor(n / 2))) / n;
          re += Math.cos(phase);
          im += Math.sin(phase);
        }
        return Math.hypot(re, im);
      });
      const brightest = magnitude.indexOf(Math.max(...magnitude));
      expectClose(pointOf(geometry, [brightest, 37, 0]), sagittal.centreMm);
    }
  });

  it('holds for the slices of a volume', () => {
    const volume: ImageGeometry = { ...sagittal, fovMm: [200, 300, 32], matrixSize: [100, 75, 8] };
    expect(imagePositionPatient(volume)[0]).toBe(10 - 4 * 4);
    expect(imagePositionPatient(volume, 4)[0]).toBe(10);
  });
});

describe('oblique, non-square, either handedness', () => {
  it('maps points back and forth', () => {
    fc.assert(
      fc.property(geometries, fc.tuple(coordinate, coordinate, coordinate), (geometry, voxel) => {
        const point = pointOf(geometry, voxel);
        expectClose(voxelOf(geometry, point), voxel);
        expectClose(transformPoint(invertAffine(affineLps(geometry)), point), voxel);
      }),
    );
  });

  it('takes the centre to voxel floor(N/2) and steps by the voxel size along the directions', () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const middle = geometry.matrixSize.map((n) => Math.floor(n / 2)) as unknown as Vector3;
        expectClose(pointOf(geometry, middle), geometry.centreMm);
        const next = pointOf(geometry, [middle[0] + 1, middle[1], middle[2]]);
        const step = geometry.fovMm[0] / geometry.matrixSize[0];
        expectClose(next, geometry.centreMm.map((centre, i) => centre + step * geometry.rowDirection[i]!));
      }),
    );
  });

  it('is DICOM PS3.3 equation C.7.6.2.1-1 with our position, spacing and directions', () => {
    fc.assert(
      fc.property(geometries, fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 500 }), (geometry, i, j) => {
        const position = imagePositionPatient(geometry);
        const [betweenRows, betweenColumns] = pixelSpacingMm(geometry);
        const expected = position.map(
          (s, a) => s + geometry.rowDirection[a]! * betweenColumns * i + geometry.columnDirection[a]! * betweenRows * j,
        );
        expectClose(pointOf(geometry, [i, j, 0]), expected);
      }),
    );
  });

  it('comes back from its affine', () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const back = geometryOfAffineLps(affineLps(geometry), geometry.matrixSize);
        for (const key of ['centreMm', 'rowDirection', 'columnDirection', 'sliceDirection', 'fovMm', 'matrixSize'] as const) {
          expectClose(back[key], geometry[key]);
        }
      }),
    );
  });

  it('is the same point in RAS', () => {
    fc.assert(
      fc.property(geometries, fc.tuple(coordinate, coordinate, coordinate), (geometry, voxel) => {
        const [x, y, z] = pointOf(geometry, voxel);
        expectClose(transformPoint(affineRas(geometry), voxel), [-x, -y, z]);
      }),
    );
  });
});

describe('errors', () => {
  const codeOf = (geometry: ImageGeometry): string | undefined => {
    try {
      affineLps(geometry);
    } catch (error) {
      return error instanceof ImagingError ? error.code : undefined;
    }
    return undefined;
  };
  it.each([
    ['directions of zero', { rowDirection: [0, 0, 0] }, 'IMG_ERR_DIRECTIONS'],
    ['a direction that is no unit vector', { rowDirection: [0, 1.01, 0] }, 'IMG_ERR_DIRECTIONS'],
    ['directions that are not orthogonal', { columnDirection: [0, 0.6, -0.8] }, 'IMG_ERR_DIRECTIONS'],
    ['NaN', { sliceDirection: [NaN, 0, 0] }, 'IMG_ERR_DIRECTIONS'],
    ['no field of view', { fovMm: [0, 300, 4] }, 'IMG_ERR_GEOMETRY'],
    ['an infinite field of view', { fovMm: [200, Infinity, 4] }, 'IMG_ERR_GEOMETRY'],
    ['half a pixel', { matrixSize: [100, 75.5, 1] }, 'IMG_ERR_GEOMETRY'],
  ] as const)('refuses %s', (_, change, code) => expect(codeOf({ ...sagittal, ...change })).toBe(code));

  it('takes directions that float32 or four digits have rounded', () => {
    const rounded = (v: Vector3) => v.map((x) => Number(x.toFixed(4))) as unknown as Vector3;
    const exact = directions(0.3, 0.7, -1.1, false);
    const geometry = {
      ...sagittal,
      rowDirection: rounded(exact.rowDirection),
      columnDirection: rounded(exact.columnDirection),
      sliceDirection: rounded(exact.sliceDirection),
    };
    expect(codeOf(geometry)).toBeUndefined();
  });

  it.each([
    ['shear', [2, 0.1, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]],
    ['an axis without length', [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]],
    ['two axes along one line', [2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]],
    ['an offset that is no number', [2, 0, 0, NaN, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]],
  ])('refuses an affine with %s', (_, affine) => {
    expect(() => geometryOfAffineLps(affine, [4, 4, 4])).toThrow('IMG_ERR_AFFINE');
  });

  it('does not invert a singular matrix', () => {
    expect(() => invertAffine(new Array<number>(16).fill(0))).toThrow('IMG_ERR_DIRECTIONS');
  });
});
