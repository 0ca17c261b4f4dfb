/**
 * NIfTI-1 files of one volume, .nii and .nii.gz, read and written in memory.
 * Format: Cox 2004, "A (sort of) new image data format standard: NIfTI-1"; nifti1.h of the NIfTI working group.
 *
 *   value(i, j, k) = scl_slope * stored(i, j, k) + scl_inter,  i fastest
 *   [x, y, z]      = affine [i, j, k, 1] in RAS, mm
 *
 * The affine is the sform where sform_code is above zero, else the qform,
 *
 *   affine = [R(b, c, d) diag(dx, dy, qfac dz) | offset],  qfac = sign of pixdim[0]
 *
 * In a volume the axes i, j, k are columns, rows and slices, and coordinates are LPS (geometry.ts). Everything a
 * header announces is checked against what is there before memory is taken for it.
 */
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { ImagingError } from './errors.js';
import { affineRas, geometryOfAffineLps, transformPoint, voxelSizeMm, type Affine } from './geometry.js';
import type { RealArray } from './metrics.js';
import type { ImageGeometry, Vector3 } from './types.js';
import { volumeOf, type Volume } from './volume.js';

export type NiftiDataType = 'uint8' | 'int16' | 'uint16' | 'float32';

export interface NiftiReadOptions {
  /** 2^28 unless given: as float32, 1 GiB. */
  readonly maxVoxels?: number;
}

export interface NiftiWriteOptions {
  /** float32 unless given. */
  readonly dataType?: NiftiDataType;
  /** Integers are stored as round((value - intercept) / slope); 1 and 0 unless given. */
  readonly slope?: number;
  readonly intercept?: number;
  /** A .nii.gz. */
  readonly gzip?: boolean;
  /** Up to 79 bytes of text. */
  readonly description?: string;
}

/** Byte offsets of nifti1.h. */
const at = {
  dim: 40, datatype: 70, bitpix: 72, pixdim: 76, voxOffset: 108, sclSlope: 112, sclInter: 116, xyztUnits: 123, descrip: 148,
  qformCode: 252, sformCode: 254, quaternB: 256, qoffsetX: 268, srow: 280, magic: 344,
} as const;
const headerBytes = 348;
/** Header and the four bytes that say that no extension follows. */
const dataOffsetBytes = 352;
const largestDimension = 32767;
const scannerCoordinates = 1;
const millimetres = 2;
/** What NIfTI calls metres, mm and µm; files that name no unit mean mm. */
const millimetresPerUnit: Readonly<Record<number, number>> = { 0: 1, 1: 1000, 2: 1, 3: 0.001 };

/** The stored numbers behind a NIfTI datatype code. */
const storedTypes = {
  2: Uint8Array, 4: Int16Array, 8: Int32Array, 16: Float32Array, 64: Float64Array, 256: Int8Array, 512: Uint16Array, 768: Uint32Array,
  1024: BigInt64Array, 1280: BigUint64Array,
} as const;
const writtenTypes = {
  uint8: { code: 2, largest: 255, smallest: 0 },
  int16: { code: 4, largest: 32767, smallest: -32768 },
  float32: { code: 16, largest: Infinity, smallest: -Infinity },
  uint16: { code: 512, largest: 65535, smallest: 0 },
} as const;

interface NiftiHeader {
  readonly littleEndian: boolean;
  readonly matrixSize: Vector3;
  readonly stored: (typeof storedTypes)[keyof typeof storedTypes];
  readonly dataStart: number;
  readonly dataEnd: number;
  /** Undefined where the stored numbers are the values. */
  readonly scale: { readonly slope: number; readonly intercept: number } | undefined;
  readonly geometry: ImageGeometry;
}

/**
 * The volume in a NIfTI-1 file, plain or gzipped. Values are rounded to float32: integers up to 2^24 are exact.
 * @throws IMG_ERR_NIFTI_HEADER, IMG_ERR_NIFTI_GZIP, IMG_ERR_NIFTI_DIMENSIONS, IMG_ERR_NIFTI_DATA_TYPE,
 * IMG_ERR_NIFTI_TRUNCATED, IMG_ERR_NIFTI_GEOMETRY, IMG_ERR_AFFINE for an sform with shear
 */
export function readNifti(bytes: Uint8Array, { maxVoxels = 2 ** 28 }: NiftiReadOptions = {}): Volume {
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const header = parseHeader(gzipped ? beginningOf(bytes) : bytes, maxVoxels);
  const file = gzipped ? inflated(bytes, header.dataEnd) : bytes;
  if (file.length < header.dataEnd) {
    throw new ImagingError('IMG_ERR_NIFTI_TRUNCATED', `${file.length} bytes of ${header.dataEnd}`);
  }
  return volumeOf(header.geometry, valuesOf(file, header));
}

/**
 * A NIfTI-1 file (.nii, or .nii.gz with `gzip`) with the affine as sform and, without its shear, as qform.
 * @throws IMG_ERR_SHAPE, IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS, IMG_ERR_NIFTI_DIMENSIONS, IMG_ERR_NIFTI_RANGE
 */
export function writeNifti({ geometry, data }: Volume<RealArray>, options: NiftiWriteOptions = {}): Uint8Array {
  const { dataType = 'float32', slope = 1, intercept = 0, gzip = false, description = 'Conus' } = options;
  volumeOf(geometry, data);
  if (geometry.matrixSize.some((size) => size > largestDimension)) refuseDimensions(geometry.matrixSize);
  const { code } = writtenTypes[dataType];
  const bytesPerVoxel = storedTypes[code].BYTES_PER_ELEMENT;
  const file = new Uint8Array(dataOffsetBytes + data.length * bytesPerVoxel);
  const view = new DataView(file.buffer);

  view.setInt32(0, headerBytes, true);
  [3, ...geometry.matrixSize, 1, 1, 1, 1].forEach((size, i) => view.setInt16(at.dim + 2 * i, size, true));
  view.setInt16(at.datatype, code, true);
  view.setInt16(at.bitpix, 8 * bytesPerVoxel, true);
  view.setFloat32(at.voxOffset, dataOffsetBytes, true);
  view.setFloat32(at.sclSlope, slope, true);
  view.setFloat32(at.sclInter, intercept, true);
  view.setUint8(at.xyztUnits, millimetres);
  file.set(new TextEncoder().encode(description).subarray(0, 79), at.descrip);
  file.set(new TextEncoder().encode('n+1\0'), at.magic);
  writeOrientation(view, geometry);
  fill(new storedTypes[code](file.buffer, dataOffsetBytes, data.length), data, dataType, slope, intercept);
  return gzip ? gzipSync(file) : file;
}

function parseHeader(bytes: Uint8Array, maxVoxels: number): NiftiHeader {
  if (bytes.length < dataOffsetBytes) throw new ImagingError('IMG_ERR_NIFTI_HEADER', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, dataOffsetBytes);
  const littleEndian = view.getInt32(0, true) === headerBytes;
  const size = view.getInt32(0, littleEndian);
  const magic = String.fromCharCode(...bytes.subarray(at.magic, at.magic + 3));
  if (size !== headerBytes || magic !== 'n+1') {
    throw new ImagingError('IMG_ERR_NIFTI_HEADER', `a header of ${size} bytes, magic ${JSON.stringify(magic)}`);
  }

  const matrixSize = matrixSizeOf(view, littleEndian, maxVoxels);
  const code = view.getInt16(at.datatype, littleEndian);
  const stored = Object.hasOwn(storedTypes, code) ? storedTypes[code as keyof typeof storedTypes] : undefined;
  const bits = view.getInt16(at.bitpix, littleEndian);
  if (stored === undefined || bits !== 8 * stored.BYTES_PER_ELEMENT) {
    throw new ImagingError('IMG_ERR_NIFTI_DATA_TYPE', `data type ${code} of ${bits} bits`);
  }

  const dataStart = view.getFloat32(at.voxOffset, littleEndian);
  if (!(Number.isInteger(dataStart) && dataStart >= dataOffsetBytes && dataStart < 2 ** 31)) {
    throw new ImagingError('IMG_ERR_NIFTI_HEADER', `data at byte ${dataStart}`);
  }
  const [columns, rows, slices] = matrixSize;
  return {
    littleEndian,
    matrixSize,
    stored,
    dataStart,
    dataEnd: dataStart + columns * rows * slices * stored.BYTES_PER_ELEMENT,
    scale: scaleOf(view, littleEndian),
    geometry: geometryOf(view, littleEndian, matrixSize),
  };
}

function matrixSizeOf(view: DataView, littleEndian: boolean, maxVoxels: number): Vector3 {
  const nAxes = view.getInt16(at.dim, littleEndian);
  const sizes = Array.from({ length: 7 }, (_, axis) => (axis < nAxes ? view.getInt16(at.dim + 2 + 2 * axis, littleEndian) : 1));
  const [columns, rows, slices, ...others] = sizes as [number, number, number, ...number[]];
  const one = nAxes >= 1 && nAxes <= 7 && [columns, rows, slices].every((size) => size >= 1) && others.every((size) => size === 1);
  if (!one || columns * rows * slices > maxVoxels) refuseDimensions(sizes.slice(0, Math.max(3, nAxes)));
  return [columns, rows, slices];
}

function refuseDimensions(sizes: readonly number[]): never {
  throw new ImagingError('IMG_ERR_NIFTI_DIMENSIONS', sizes.join(' x '));
}

/** A slope of zero, or none that is a number, means that nothing is scaled. */
function scaleOf(view: DataView, littleEndian: boolean): NiftiHeader['scale'] {
  const slope = view.getFloat32(at.sclSlope, littleEndian);
  const intercept = view.getFloat32(at.sclInter, littleEndian);
  if (slope === 0 || Number.isNaN(slope)) return undefined;
  if (!(Number.isFinite(slope) && Number.isFinite(intercept))) {
    throw new ImagingError('IMG_ERR_NIFTI_HEADER', `slope ${slope}, intercept ${intercept}`);
  }
  return slope === 1 && intercept === 0 ? undefined : { slope, intercept };
}

function geometryOf(view: DataView, littleEndian: boolean, matrixSize: Vector3): ImageGeometry {
  const unitMm = millimetresPerUnit[view.getUint8(at.xyztUnits) & 7];
  if (unitMm === undefined) throw new ImagingError('IMG_ERR_NIFTI_GEOMETRY', `unit code ${view.getUint8(at.xyztUnits) & 7}`);
  const ras = view.getInt16(at.sformCode, littleEndian) > 0 ? sformOf(view, littleEndian) : qformOf(view, littleEndian);
  // x and y turn round from RAS to LPS: the first eight of twelve numbers.
  const lps = ras.map((value, i) => unitMm * (i < 8 ? -value : value));
  return geometryOfAffineLps([...lps, 0, 0, 0, 1], matrixSize);
}

/** Twelve numbers, row by row. */
function sformOf(view: DataView, littleEndian: boolean): readonly number[] {
  const sform = Array.from({ length: 12 }, (_, i) => view.getFloat32(at.srow + 4 * i, littleEndian));
  if (!sform.every(Number.isFinite)) throw new ImagingError('IMG_ERR_NIFTI_GEOMETRY', `sform [${sform.join(', ')}]`);
  return sform;
}

function qformOf(view: DataView, littleEndian: boolean): readonly number[] {
  const floats = (offset: number, count: number) => Array.from({ length: count }, (_, i) => view.getFloat32(offset + 4 * i, littleEndian));
  const [b, c, d] = floats(at.quaternB, 3) as [number, number, number];
  const offset = floats(at.qoffsetX, 3);
  const [handedness, dx, dy, dz] = floats(at.pixdim, 4) as [number, number, number, number];
  const vector = b * b + c * c + d * d;
  // Beyond 1 by more than float32 rounds, it is no rotation.
  const valid =
    view.getInt16(at.qformCode, littleEndian) > 0 && vector <= 1 + 1e-5 && [dx, dy, dz].every((size) => size > 0 && Number.isFinite(size)) &&
    offset.every(Number.isFinite);
  if (!valid) {
    const code = view.getInt16(at.qformCode, littleEndian);
    throw new ImagingError('IMG_ERR_NIFTI_GEOMETRY', `no sform, qform ${code}, quaternion [${b}, ${c}, ${d}], voxels ${dx} x ${dy} x ${dz}`);
  }
  const a = Math.sqrt(Math.max(0, 1 - vector));
  const sizes = [dx, dy, handedness < 0 ? -dz : dz];
  return rotationOf([a, b, c, d]).flatMap((row, i) => [...row.map((value, axis) => value * sizes[axis]!), offset[i]!]);
}

type Quaternion = readonly [number, number, number, number];

/** The rotation of [a, b, c, d], which need not be quite of unit length. */
function rotationOf(quaternion: Quaternion): readonly (readonly number[])[] {
  const length = Math.hypot(...quaternion);
  const [a, b, c, d] = quaternion.map((value) => value / length) as [number, number, number, number];
  return [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
  ];
}

/** The quaternion of a rotation, by its largest component (Shepperd 1978, J Guid Control 1:223), with a >= 0. */
function quaternionOf(r: readonly (readonly number[])[]): Quaternion {
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = r as [[number, number, number], [number, number, number], [number, number, number]];
  // Each row is the quaternion times four of its components.
  const candidates: readonly Quaternion[] = [
    [1 + xx + yy + zz, zy - yz, xz - zx, yx - xy],
    [zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx],
    [xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy],
    [yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz],
  ];
  const best = candidates.reduce((chosen, candidate) => (Math.hypot(...candidate) > Math.hypot(...chosen) ? candidate : chosen));
  const length = Math.hypot(...best) * (best[0] < 0 ? -1 : 1);
  return best.map((value) => value / length) as unknown as Quaternion;
}

function writeOrientation(view: DataView, geometry: ImageGeometry): void {
  const ras: Affine = affineRas(geometry);
  const sizeMm = voxelSizeMm(geometry);
  const rotation = [0, 1, 2].map((row) => sizeMm.map((size, axis) => ras[4 * row + axis]! / size));
  const leftHanded = determinantOf(rotation) < 0;
  const [, ...vector] = quaternionOf(leftHanded ? rotation.map(([x, y, z]) => [x!, y!, -z!]) : rotation);
  view.setInt16(at.qformCode, scannerCoordinates, true);
  view.setInt16(at.sformCode, scannerCoordinates, true);
  [leftHanded ? -1 : 1, ...sizeMm, 1, 1, 1, 1].forEach((value, i) => view.setFloat32(at.pixdim + 4 * i, value, true));
  vector.forEach((value, i) => view.setFloat32(at.quaternB + 4 * i, value, true));
  transformPoint(ras, [0, 0, 0]).forEach((value, i) => view.setFloat32(at.qoffsetX + 4 * i, value, true));
  ras.slice(0, 12).forEach((value, i) => view.setFloat32(at.srow + 4 * i, value, true));
}

function determinantOf(r: readonly (readonly number[])[]): number {
  const [[a, b, c], [d, e, f], [g, h, i]] = r as [[number, number, number], [number, number, number], [number, number, number]];
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

function valuesOf(file: Uint8Array, { stored, dataStart, dataEnd, littleEndian, scale }: NiftiHeader): Float32Array {
  // A copy: it is aligned, and the bytes of a big-endian file can be turned round in it.
  const bytes = Buffer.from(file.subarray(dataStart, dataEnd));
  if (!littleEndian && stored.BYTES_PER_ELEMENT === 2) bytes.swap16();
  if (!littleEndian && stored.BYTES_PER_ELEMENT === 4) bytes.swap32();
  if (!littleEndian && stored.BYTES_PER_ELEMENT === 8) bytes.swap64();
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const numbers = new stored(aligned.buffer, aligned.byteOffset, aligned.length / stored.BYTES_PER_ELEMENT);
  const values = new Float32Array(numbers.length);
  const { slope, intercept } = scale ?? { slope: 1, intercept: 0 };
  for (let voxel = 0; voxel < values.length; voxel++) values[voxel] = slope * Number(numbers[voxel]) + intercept;
  return values;
}

function fill(
  target: Uint8Array | Int16Array | Uint16Array | Float32Array, data: RealArray, dataType: NiftiDataType, slope: number, intercept: number,
): void {
  if (!(Number.isFinite(slope) && slope !== 0 && Number.isFinite(intercept))) {
    throw new ImagingError('IMG_ERR_NIFTI_RANGE', `slope ${slope}, intercept ${intercept}`);
  }
  const { smallest, largest } = writtenTypes[dataType];
  const whole = dataType !== 'float32';
  // As the file has them, so that what is read back is as near as the integers allow.
  const [storedSlope, storedIntercept] = [Math.fround(slope), Math.fround(intercept)];
  for (let voxel = 0; voxel < target.length; voxel++) {
    const number = (data[voxel]! - storedIntercept) / storedSlope;
    const value = whole ? Math.round(number) : number;
    if (whole && !(value >= smallest && value <= largest)) {
      throw new ImagingError('IMG_ERR_NIFTI_RANGE', `${data[voxel]} at voxel ${voxel} for ${dataType}`);
    }
    target[voxel] = value;
  }
}

/** What the first bytes of a gzip stream hold: at most a thousand times as many. */
function beginningOf(bytes: Uint8Array): Uint8Array {
  const beginning = 4096;
  return gunzip(() => gunzipSync(bytes.subarray(0, beginning), { finishFlush: constants.Z_SYNC_FLUSH }));
}

/** Everything, where it is not much more than what the header announces. */
function inflated(bytes: Uint8Array, announcedBytes: number): Uint8Array {
  const tolerance = 65536;
  return gunzip(() => gunzipSync(bytes, { maxOutputLength: announcedBytes + tolerance }));
}

function gunzip(action: () => Uint8Array): Uint8Array {
  try {
    return action();
  } catch (error) {
    throw new ImagingError('IMG_ERR_NIFTI_GZIP', error instanceof Error ? error.message : String(error));
  }
}
