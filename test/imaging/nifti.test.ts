import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  affineRas, ImagingError, pointOf, readNifti, resample, transformPoint, volumeOf, voxelOf, writeNifti,
  type ImageGeometry, type NiftiDataType, type Vector3, type Volume,
} from '../../imaging/index.js';
import { geometriesUpTo, oblique } from './grids.js';

const nVoxels = ({ matrixSize }: ImageGeometry) => matrixSize[0] * matrixSize[1] * matrixSize[2];
const ramp = (geometry: ImageGeometry): Volume => volumeOf(geometry, Float32Array.from({ length: nVoxels(geometry) }, (_, i) => i % 251));
const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    return error instanceof ImagingError ? error.code : String(error);
  }
  return undefined;
};

/** As near as float32 keeps a position in the scanner. */
function expectSameGrid(got: ImageGeometry, expected: ImageGeometry, toleranceMm = 2e-3): void {
  expect(got.matrixSize).toEqual(expected.matrixSize);
  const [columns, rows, slices] = expected.matrixSize;
  const corners: readonly Vector3[] = [[0, 0, 0], [columns - 1, 0, 0], [0, rows - 1, 0], [0, 0, slices - 1], [columns, rows, slices]];
  for (const corner of corners) {
    const [there, here] = [pointOf(expected, corner), pointOf(got, corner)];
    expect(Math.hypot(there[0] - here[0], there[1] - here[1], there[2] - here[2])).toBeLessThan(toleranceMm);
  }
}

/** The file with one header field changed. */
function withHeader(file: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = file.slice();
  change(new DataView(copy.buffer));
  return copy;
}

/** The same file by a machine of the other byte order. */
function bigEndian(file: Uint8Array, bytesPerVoxel: number): Uint8Array {
  const swapped = Buffer.from(file);
  const fields: readonly (readonly [offset: number, bytes: number, count: number])[] = [
    [0, 4, 1], [40, 2, 8], [56, 4, 3], [68, 2, 4], [76, 4, 11], [124, 4, 6], [252, 2, 2], [256, 4, 18], [352, bytesPerVoxel, (file.length - 352) / bytesPerVoxel],
  ];
  for (const [offset, bytes, count] of fields) {
    for (let i = 0; i < count; i++) swapped.subarray(offset + i * bytes, offset + (i + 1) * bytes).reverse();
  }
  return swapped;
}

describe('round trip', () => {
  it('keeps any grid, by sform and by qform', () => {
    fc.assert(
      fc.property(geometriesUpTo(9), fc.boolean(), (geometry, gzip) => {
        const file = writeNifti(ramp(geometry), { gzip });
        const read = readNifti(file);
        expectSameGrid(read.geometry, geometry);
        expect(read.data).toEqual(ramp(geometry).data);
        if (gzip) return;
        const byQform = readNifti(withHeader(file, (view) => view.setInt16(254, 0, true)));
        expectSameGrid(byQform.geometry, geometry, 0.5);
      }),
      { numRuns: 60 },
    );
  });

  it.each(['uint8', 'int16', 'uint16', 'float32'] as const)('keeps values as %s', (dataType: NiftiDataType) => {
    const values = { uint8: [0, 1, 255], int16: [-32768, -1, 32767], uint16: [0, 40000, 65535], float32: [-0.25, NaN, 1e30] }[dataType];
    const geometry: ImageGeometry = { ...oblique, matrixSize: [3, 1, 1] };
    expect([...readNifti(writeNifti({ geometry, data: values }, { dataType })).data]).toEqual(values.map(Math.fround));
  });

  it('scales integers by slope and intercept', () => {
    const geometry: ImageGeometry = { ...oblique, matrixSize: [4, 1, 1] };
    const file = writeNifti({ geometry, data: [-1, -0.5, 0.25, 1] }, { dataType: 'int16', slope: 1 / 1024, intercept: 0.5 });
    expect([...readNifti(file).data]).toEqual([-1, -0.5, 0.25, 1]);
    expect(new DataView(file.buffer).getInt16(352, true)).toBe(-1.5 * 1024);
  });

  it('leaves a fiducial where it is in the patient', () => {
    const data = new Float32Array(nVoxels(oblique));
    const [i, j, k] = [9, 1, 3];
    data[(k * 8 + j) * 11 + i] = 7;
    const read = readNifti(writeNifti({ geometry: oblique, data }));
    const found = read.data.indexOf(7);
    const voxel: Vector3 = [found % 11, Math.floor(found / 11) % 8, Math.floor(found / 88)];
    const [x, y, z] = pointOf(read.geometry, voxel);
    const [expectedX, expectedY, expectedZ] = pointOf(oblique, [i, j, k]);
    expect(Math.hypot(x - expectedX, y - expectedY, z - expectedZ)).toBeLessThan(1e-4);
  });
});

describe('the format, byte by byte', () => {
  const geometry: ImageGeometry = { ...oblique, matrixSize: [2, 3, 1] };
  const file = writeNifti({ geometry, data: [0, 1, 2, 3, 4, 5] }, { dataType: 'uint8', description: 'a name' });
  const view = new DataView(file.buffer);

  it('has the fields of nifti1.h', () => {
    expect(view.getInt32(0, true)).toBe(348);
    expect([0, 1, 2, 3, 4].map((i) => view.getInt16(40 + 2 * i, true))).toEqual([3, 2, 3, 1, 1]);
    expect([view.getInt16(70, true), view.getInt16(72, true)]).toEqual([2, 8]);
    expect(view.getFloat32(108, true)).toBe(352);
    expect(view.getUint8(123) & 7).toBe(2);
    expect(Buffer.from(file.subarray(148, 155)).toString()).toBe('a name\0');
    expect(Buffer.from(file.subarray(344, 348)).toString()).toBe('n+1\0');
    expect([...file.subarray(348, 352)]).toEqual([0, 0, 0, 0]);
    expect([...file.subarray(352)]).toEqual([0, 1, 2, 3, 4, 5]);
    const sform = Array.from({ length: 12 }, (_, i) => view.getFloat32(280 + 4 * i, true));
    affineRas(geometry).slice(0, 12).forEach((value, i) => expect(sform[i]).toBeCloseTo(value, 4));
    // Left-handed in LPS is left-handed in RAS: two axes are turned round.
    expect(view.getFloat32(76, true)).toBe(-1);
  });

  it('a qform by hand: a quarter turn about z, then the flip of qfac', () => {
    const half = Math.SQRT1_2;
    const turned = withHeader(file, (header) => {
      header.setInt16(254, 0, true);
      [-1, 2, 3, 4].forEach((value, i) => header.setFloat32(76 + 4 * i, value, true));
      [0, 0, half, 10, 20, 30].forEach((value, i) => header.setFloat32(256 + 4 * i, value, true));
    });
    const affine = affineRas(readNifti(turned).geometry);
    // i runs along +y, j along -x, k along -z.
    [0, -3, 0, 10, 2, 0, 0, 20, 0, 0, -4, 30].forEach((value, i) => expect(affine[i]).toBeCloseTo(value, 5));
  });

  it('metres and micrometres become millimetres', () => {
    const scaled = (code: number) => transformPoint(affineRas(readNifti(withHeader(file, (header) => header.setUint8(123, code))).geometry), [1, 2, 0]);
    const [metres, millimetres, micrometres, unnamed] = [1, 2, 3, 0].map(scaled) as [Vector3, Vector3, Vector3, Vector3];
    expect(unnamed).toEqual(millimetres);
    millimetres.forEach((value, axis) => {
      expect(metres[axis]! / value).toBeCloseTo(1000, 3);
      expect(micrometres[axis]! * 1000).toBeCloseTo(value, 6);
    });
  });

  it.each([
    [2, 8, 'setUint8'], [256, 8, 'setInt8'], [4, 16, 'setInt16'], [512, 16, 'setUint16'], [8, 32, 'setInt32'], [768, 32, 'setUint32'],
    [16, 32, 'setFloat32'], [64, 64, 'setFloat64'], [1024, 64, 'setBigInt64'], [1280, 64, 'setBigUint64'],
  ] as const)('reads data type %i of %i bits in both byte orders', (code, bits, setter) => {
    const values = [3, 100, 7, 120, 0, 1];
    const stored = new Uint8Array(352 + (6 * bits) / 8);
    stored.set(file.subarray(0, 352));
    const little = withHeader(stored, (header) => {
      header.setInt16(70, code, true);
      header.setInt16(72, bits, true);
      values.forEach((value, i) => {
        const offset = 352 + (i * bits) / 8;
        if (setter === 'setBigInt64' || setter === 'setBigUint64') header[setter](offset, BigInt(value), true);
        else header[setter](offset, value, true);
      });
    });
    expect([...readNifti(little).data]).toEqual(values);
    const big = readNifti(bigEndian(little, bits / 8));
    expect([...big.data]).toEqual(values);
    expect(big.geometry).toEqual(readNifti(little).geometry);
    // From an odd place in memory, as a part of a larger buffer is.
    const shifted = new Uint8Array(little.length + 1);
    shifted.set(little, 1);
    expect([...readNifti(shifted.subarray(1)).data]).toEqual(values);
  });

  it('takes a slope of zero for none, and data behind extensions from where they are', () => {
    const unscaled = withHeader(file, (header) => {
      header.setFloat32(112, 0, true);
      header.setFloat32(116, 9, true);
    });
    expect([...readNifti(unscaled).data]).toEqual([0, 1, 2, 3, 4, 5]);
    const extended = new Uint8Array(file.length + 32);
    extended.set(file.subarray(0, 352));
    extended.set(file.subarray(352), 384);
    expect([...readNifti(withHeader(extended, (header) => header.setFloat32(108, 384, true))).data]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('takes 2D files and single volumes of a series', () => {
    const flat = withHeader(file, (header) => header.setInt16(40, 2, true));
    expect(readNifti(flat).geometry.matrixSize).toEqual([2, 3, 1]);
    const series = withHeader(file, (header) => header.setInt16(40, 4, true));
    expect(readNifti(series).geometry.matrixSize).toEqual([2, 3, 1]);
  });
});

describe('what is no volume is refused before it costs memory', () => {
  const file = writeNifti(ramp(oblique));
  const change = (apply: (view: DataView) => void) => withHeader(file, apply);
  const cases: Readonly<Record<string, readonly [bytes: Uint8Array, code: string]>> = {
    'nothing': [new Uint8Array(0), 'IMG_ERR_NIFTI_HEADER'],
    'text': [Buffer.from('not a volume '.repeat(40)), 'IMG_ERR_NIFTI_HEADER'],
    'NIfTI-2': [change((view) => view.setInt32(0, 540, true)), 'IMG_ERR_NIFTI_HEADER'],
    'a header without its data': [change((view) => view.setUint8(345, 'i'.charCodeAt(0))), 'IMG_ERR_NIFTI_HEADER'],
    'data inside the header': [change((view) => view.setFloat32(108, 100, true)), 'IMG_ERR_NIFTI_HEADER'],
    'data at no place': [change((view) => view.setFloat32(108, NaN, true)), 'IMG_ERR_NIFTI_HEADER'],
    'an infinite slope': [change((view) => view.setFloat32(112, Infinity, true)), 'IMG_ERR_NIFTI_HEADER'],
    'an intercept that is no number': [change((view) => view.setFloat32(116, NaN, true)), 'IMG_ERR_NIFTI_HEADER'],
    'no axes': [change((view) => view.setInt16(40, 0, true)), 'IMG_ERR_NIFTI_DIMENSIONS'],
    'eight axes': [change((view) => view.setInt16(40, 8, true)), 'IMG_ERR_NIFTI_DIMENSIONS'],
    'no columns': [change((view) => view.setInt16(42, 0, true)), 'IMG_ERR_NIFTI_DIMENSIONS'],
    'fewer than no rows': [change((view) => view.setInt16(44, -5, true)), 'IMG_ERR_NIFTI_DIMENSIONS'],
    'several volumes': [change((view) => [4, 11, 8, 5, 2].forEach((size, i) => view.setInt16(40 + 2 * i, size, true))), 'IMG_ERR_NIFTI_DIMENSIONS'],
    'more voxels than anybody has': [change((view) => [3, 32767, 32767, 32767].forEach((size, i) => view.setInt16(40 + 2 * i, size, true))), 'IMG_ERR_NIFTI_DIMENSIONS'],
    'complex values': [change((view) => view.setInt16(70, 32, true)), 'IMG_ERR_NIFTI_DATA_TYPE'],
    'colours': [change((view) => view.setInt16(70, 128, true)), 'IMG_ERR_NIFTI_DATA_TYPE'],
    'bits that do not fit the type': [change((view) => view.setInt16(72, 16, true)), 'IMG_ERR_NIFTI_DATA_TYPE'],
    'half of the data': [file.subarray(0, 1000), 'IMG_ERR_NIFTI_TRUNCATED'],
    'a header that announces more': [change((view) => view.setInt16(46, 500, true)), 'IMG_ERR_NIFTI_TRUNCATED'],
    'no orientation': [change((view) => view.setInt32(252, 0, true)), 'IMG_ERR_NIFTI_GEOMETRY'],
    'an sform that is no number': [change((view) => view.setFloat32(280, NaN, true)), 'IMG_ERR_NIFTI_GEOMETRY'],
    'a quaternion too long': [change((view) => { view.setInt16(254, 0, true); view.setFloat32(256, 1.1, true); }), 'IMG_ERR_NIFTI_GEOMETRY'],
    'voxels without size': [change((view) => { view.setInt16(254, 0, true); view.setFloat32(80, 0, true); }), 'IMG_ERR_NIFTI_GEOMETRY'],
    'an unknown unit': [change((view) => view.setUint8(123, 5)), 'IMG_ERR_NIFTI_GEOMETRY'],
    'shear': [change((view) => view.setFloat32(284, view.getFloat32(284, true) + 0.5, true)), 'IMG_ERR_AFFINE'],
    'a gzip stream of something else': [gzipSync(new Uint8Array(5000)), 'IMG_ERR_NIFTI_HEADER'],
    'half a gzip stream': [gzipSync(file).subarray(0, 300), 'IMG_ERR_NIFTI_GZIP'],
    'the two bytes of gzip': [Uint8Array.of(0x1f, 0x8b), 'IMG_ERR_NIFTI_HEADER'],
    'a gzip stream that goes on and on': [gzipSync(Buffer.concat([file, new Uint8Array(5_000_000)])), 'IMG_ERR_NIFTI_GZIP'],
  };
  it.each(Object.entries(cases))('%s', (_, [bytes, code]) => expect(codeOf(() => readNifti(bytes))).toBe(code));

  it('more voxels than the caller allows', () => {
    expect(codeOf(() => readNifti(file, { maxVoxels: 439 }))).toBe('IMG_ERR_NIFTI_DIMENSIONS');
    expect(codeOf(() => readNifti(file, { maxVoxels: 440 }))).toBeUndefined();
  });

  it('any header is read or refused with a code', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 351 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 }), (changes) => {
        const code = codeOf(() => readNifti(change((view) => changes.forEach(([offset, value]) => view.setUint8(offset, value)))));
        expect(code ?? 'IMG_ERR_').toMatch(/^IMG_ERR_/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what cannot be written', () => {
  const geometry: ImageGeometry = { ...oblique, matrixSize: [2, 1, 1] };
  it.each([
    ['a value above the type', { dataType: 'uint8' }, [1, 256]],
    ['a value below the type', { dataType: 'uint16' }, [1, -1]],
    ['no number as an integer', { dataType: 'int16' }, [NaN, 1]],
    ['a slope of zero', { dataType: 'int16', slope: 0 }, [1, 1]],
  ] as const)('%s', (_, options, data) => expect(codeOf(() => writeNifti({ geometry, data }, options))).toBe('IMG_ERR_NIFTI_RANGE'));

  it('data that do not fill the grid, an axis too long', () => {
    expect(codeOf(() => writeNifti({ geometry, data: [1] }))).toBe('IMG_ERR_SHAPE');
    const long: ImageGeometry = { ...geometry, matrixSize: [40000, 1, 1] };
    expect(codeOf(() => writeNifti({ geometry: long, data: new Uint8Array(40000) }))).toBe('IMG_ERR_NIFTI_DIMENSIONS');
  });
});

/** Compared as bytes: element by element costs seconds for a whole volume. */
const bytesOf = ({ data }: Volume) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

const folder = fileURLToPath(new URL('../../../shared/data/spine-mr', import.meta.url));
describe.skipIf(!existsSync(folder))('files of others', () => {
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.nii.gz')).sort() : [];

  it('are there', () => expect(files.length).toBeGreaterThan(10));

  it.each(files)('%s', (file) => {
    const volume = readNifti(readFileSync(join(folder, file)));
    expect(volume.data.length).toBe(nVoxels(volume.geometry));
    expect(volume.data.every(Number.isFinite)).toBe(true);
    expect(volume.data.some((value) => value > 0)).toBe(true);
    const again = readNifti(writeNifti(volume));
    expectSameGrid(again.geometry, volume.geometry);
    expect(bytesOf(again).equals(bytesOf(volume))).toBe(true);
  });

  // Two masks of one cord, drawn on two scans whose voxel axes run in different directions.
  const masks = ['t1w', 't2'].map((name) => `${folder}/sct-testing-cervical-t1-t2-t2s/${name}_seg-manual.nii.gz`);
  it.skipIf(!masks.every((file) => existsSync(file)))('agree about where the cord is', () => {
    const [t1, t2] = masks.map((file) => readNifti(readFileSync(file))) as [Volume, Volume];
    const moved = resample(t1, t2.geometry, 'nearest', { outside: -1 });
    let [common, all] = [0, 0];
    moved.data.forEach((value, i) => {
      if (value < 0) return;
      common += 2 * value * t2.data[i]!;
      all += value + t2.data[i]!;
    });
    expect(common / all).toBeGreaterThan(0.8);
  });
});

it('voxelOf of a read volume is exact to a hundredth of a voxel', () => {
  const { geometry } = readNifti(writeNifti(ramp(oblique)));
  voxelOf(geometry, pointOf(oblique, [3.25, 6.5, 1.75])).forEach((value, axis) => expect(value).toBeCloseTo([3.25, 6.5, 1.75][axis]!, 2));
});
