import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { voxelToPatient, type Affine, type MrdGeometry, type Vector3 } from 'ismrmrd';

const sagittal: MrdGeometry = {
  position: [3, -40, 120],
  readDir: [0, 0, -1],
  phaseDir: [0, 1, 0],
  sliceDir: [1, 0, 0],
  fovMm: [300, 200, 4],
  matrixSize: [320, 160, 1],
};

function apply(affine: Affine, [x, y, z]: Vector3): number[] {
  return [0, 4, 8].map((row) => affine[row]! * x + affine[row + 1]! * y + affine[row + 2]! * z + affine[row + 3]!);
}

/** Three orthogonal unit vectors, from a unit quaternion. */
const directions = fc
  .tuple(...([1, 2, 3, 4].map(() => fc.double({ min: -1, max: 1, noNaN: true })) as [fc.Arbitrary<number>, fc.Arbitrary<number>, fc.Arbitrary<number>, fc.Arbitrary<number>]))
  .filter((q) => Math.hypot(...q) > 0.1)
  .map((q): [Vector3, Vector3, Vector3] => {
    const [w, x, y, z] = q.map((value) => value / Math.hypot(...q)) as [number, number, number, number];
    return [
      [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
      [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
      [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
    ];
  });

describe('voxelToPatient', () => {
  it('puts voxel ⌊N/2⌋ at the position and its neighbours one voxel size along each direction', () => {
    const size = fc.integer({ min: 1, max: 512 });
    const mm = fc.double({ min: 0.5, max: 500, noNaN: true });
    const coordinate = fc.double({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(
        directions,
        fc.tuple(size, size, size),
        fc.tuple(mm, mm, mm),
        fc.tuple(coordinate, coordinate, coordinate),
        ([readDir, phaseDir, sliceDir], matrixSize, fovMm, position) => {
          const affine = voxelToPatient({ position, readDir, phaseDir, sliceDir, fovMm, matrixSize })!;
          const centre = matrixSize.map((n) => Math.floor(n / 2)) as [number, number, number];
          [readDir, phaseDir, sliceDir].forEach((direction, axis) => {
            const neighbour = centre.map((index, other) => (other === axis ? index + 1 : index)) as [number, number, number];
            apply(affine, neighbour).forEach((value, i) => {
              expect(value).toBeCloseTo(position[i]! + (direction[i]! * fovMm[axis]!) / matrixSize[axis]!, 8);
            });
          });
          apply(affine, centre).forEach((value, i) => {
            expect(value).toBeCloseTo(position[i]!, 8);
          });
        },
      ),
    );
  });

  it('reaches half a pixel further before the position than behind it when the size is even', () => {
    const affine = voxelToPatient(sagittal)!;
    expect(apply(affine, [0, 80, 0])).toEqual([3, -40, 120 + 150]);
    expect(apply(affine, [319, 80, 0])[2]).toBeCloseTo(120 - 150 + 300 / 320, 10);
  });

  it('is as symmetric as the volume when the size is odd', () => {
    const affine = voxelToPatient({ ...sagittal, matrixSize: [3, 3, 1] })!;
    expect(apply(affine, [0, 1, 0])[2]).toBeCloseTo(220, 10);
    expect(apply(affine, [2, 1, 0])[2]).toBeCloseTo(20, 10);
  });

  const zero: Vector3 = [0, 0, 0];
  it.each([
    ['directions are zero', { readDir: zero, phaseDir: zero, sliceDir: zero }],
    ['one direction is zero', { sliceDir: zero }],
    ['two directions are the same', { phaseDir: sagittal.readDir }],
    ['the field of view is zero', { fovMm: zero }],
    ['the matrix is empty', { matrixSize: zero }],
    ['the position is not a number', { position: [0, NaN, 0] as Vector3 }],
  ])('is unknown where %s', (_, change) => {
    expect(voxelToPatient({ ...sagittal, ...change })).toBeUndefined();
  });
});
