/**
 * Numbers and strings as MRD writes them: little endian, text as UTF-8. Sample and pixel arrays go to
 * and from the wire without conversion, hence the host must be little endian too, as every platform
 * that Node supports for WebAssembly SIMD is.
 */
import type { Vector3 } from './types.js';

const utf8Decoder = new TextDecoder();
const utf8Encoder = new TextEncoder();

/** Text up to the first NUL: some senders count a trailing NUL, others leave garbage behind it. */
export function decodeString(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return utf8Decoder.decode(nul === -1 ? bytes : bytes.subarray(0, nul));
}

export function encodeString(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** A uint64 length. Above 2^53 it is rounded, which is still beyond every limit. */
export function readLength(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

export function writeLength(view: DataView, at: number, length: number): void {
  view.setBigUint64(at, BigInt(length), true);
}

export function readVector(view: DataView, at: number): Vector3 {
  return [view.getFloat32(at, true), view.getFloat32(at + 4, true), view.getFloat32(at + 8, true)];
}

export function readUint16s(view: DataView, at: number, n: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < n; i++) values.push(view.getUint16(at + 2 * i, true));
  return values;
}

export function readUint32s(view: DataView, at: number, n: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < n; i++) values.push(view.getUint32(at + 4 * i, true));
  return values;
}

export function readInt32s(view: DataView, at: number, n: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < n; i++) values.push(view.getInt32(at + 4 * i, true));
  return values;
}

export function readFloat32s(view: DataView, at: number, n: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < n; i++) values.push(view.getFloat32(at + 4 * i, true));
  return values;
}

/** Writes n numbers; those that `values` does not have are 0. */
export function writeUint16s(view: DataView, at: number, values: readonly number[], n: number): void {
  for (let i = 0; i < n; i++) view.setUint16(at + 2 * i, values[i] ?? 0, true);
}

/** As writeUint16s. Serves int32 too: the bits are the same. */
export function writeUint32s(view: DataView, at: number, values: readonly number[], n: number): void {
  for (let i = 0; i < n; i++) view.setUint32(at + 4 * i, values[i] ?? 0, true);
}

/** As writeUint16s. */
export function writeFloat32s(view: DataView, at: number, values: readonly number[], n: number): void {
  for (let i = 0; i < n; i++) view.setFloat32(at + 4 * i, values[i] ?? 0, true);
}

/** The bytes of an array, not copied. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
