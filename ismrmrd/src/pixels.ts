/** The eight element types of images and NDARRAYs: their number on the wire, and their typed array. */
import { ImageDataType, type ImageDataTypeName, type PixelArray } from './types.js';

interface ElementType {
  readonly array: { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer): PixelArray };
  /** Array entries an element: 2 where it is complex. */
  readonly nEntries: 1 | 2;
}

const elementTypes: Record<ImageDataTypeName, ElementType> = {
  uint16: { array: Uint16Array, nEntries: 1 },
  int16: { array: Int16Array, nEntries: 1 },
  uint32: { array: Uint32Array, nEntries: 1 },
  int32: { array: Int32Array, nEntries: 1 },
  float32: { array: Float32Array, nEntries: 1 },
  float64: { array: Float64Array, nEntries: 1 },
  complex64: { array: Float32Array, nEntries: 2 },
  complex128: { array: Float64Array, nEntries: 2 },
};

const names = new Map(Object.entries(ImageDataType).map(([name, number]) => [number as number, name as ImageDataTypeName]));

/** The type with this number on the wire; undefined where the standard has none. */
export function dataTypeName(number: number): ImageDataTypeName | undefined {
  return names.get(number);
}

/** Bytes of one pixel or element. */
export function elementBytes(type: ImageDataTypeName): number {
  return elementTypes[type].array.BYTES_PER_ELEMENT * elementTypes[type].nEntries;
}

/** The whole buffer as an array of this type. */
export function pixelsOver(type: ImageDataTypeName, buffer: ArrayBuffer): PixelArray {
  return new elementTypes[type].array(buffer);
}

/** Whether `data` is an array of this type with exactly `nElements` elements. */
export function isPixelArray(type: ImageDataTypeName, data: PixelArray, nElements: number): boolean {
  const { array, nEntries } = elementTypes[type];
  return data instanceof array && data.length === nElements * nEntries;
}
