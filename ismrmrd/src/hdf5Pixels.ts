/** Pixel types in HDF5: plain numbers, and for complex ones a compound of `real` and `imag`. */
import { bytesOf } from './binary.js';
import { mrdError } from './errors.js';
import { TypeClass, type ElementType, type Hdf5Member, type Hdf5Type } from './hdf5Library.js';
import { elementBytes, pixelsOver } from './pixels.js';
import { ImageDataType, type ImageDataTypeName, type PixelArray } from './types.js';

const dataTypes = Object.keys(ImageDataType) as ImageDataTypeName[];

/** How a dataset of this pixel type is created. */
export function elementTypeOf(dataType: ImageDataTypeName): ElementType {
  const isComplex = dataType.startsWith('complex');
  const isInteger = dataType.includes('int');
  const bytes = elementBytes(dataType);
  const size = isComplex ? bytes / 2 : bytes;
  const type = isInteger ? TypeClass.integer : TypeClass.float;
  const number = { type, size, signed: !dataType.startsWith('u'), vlen: false, littleEndian: true };
  if (!isComplex) return number;
  const part = (name: string, offset: number): Hdf5Member => ({
    ...number,
    name,
    offset,
    total_size: 1,
    shape: [],
    maxshape: [],
    chunks: null,
  });
  return {
    ...number,
    type: TypeClass.compound,
    size: bytes,
    compound_type: { nmembers: 2, members: [part('real', 0), part('imag', size)] },
  };
}

type NumberType = Pick<Hdf5Type, 'type' | 'size' | 'signed' | 'littleEndian'>;

function isSameNumber(a: NumberType, b: NumberType): boolean {
  const sameSign = a.signed === b.signed || a.type === TypeClass.float;
  return a.type === b.type && a.size === b.size && a.littleEndian === b.littleEndian && sameSign;
}

function isSameElement(found: Hdf5Type, wanted: ElementType): boolean {
  const [re, im, ...more] = found.compound_type?.members ?? [];
  const parts = wanted.compound_type?.members;
  if (!parts) return re === undefined && isSameNumber(found, wanted);
  const isPair = re !== undefined && im !== undefined && more.length === 0 && re.offset === 0;
  return isPair && isSameNumber(re, parts[0]!) && isSameNumber(im, parts[1]!) && im.offset === parts[1]!.offset;
}

/** The pixel type of a dataset. @throws MRD_ERR_HDF5_LAYOUT */
export function pixelTypeOf(type: Hdf5Type, path: string): ImageDataTypeName {
  const dataType = dataTypes.find((candidate) => isSameElement(type, elementTypeOf(candidate)));
  if (!dataType) throw mrdError('MRD_ERR_HDF5_LAYOUT', `${path} with elements that are no MRD pixel type`);
  return dataType;
}

/** A copy of pixels that lie in the library's memory. */
export function copyPixels(dataType: ImageDataTypeName, rows: DataView): PixelArray {
  return pixelsOver(dataType, new Uint8Array(bytesOf(rows)).buffer);
}
