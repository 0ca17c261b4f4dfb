/**
 * NHLBI-compressed samples, as the Gadgetron client sends them:
 *
 *   value[i] = int[i] / scale
 *
 * The blob is uint64 elements, float32 scale, uint8 bits, then the ints, two's complement, `bits` wide,
 * packed into a little-endian bit stream: int i starts at bit i * bits, least significant bit first.
 */
import { readLength } from './binary.js';
import { mrdError } from './errors.js';

export const NHLBI_HEADER_BYTES = 13;

export interface NhlbiHeader {
  /** Floats in the blob: twice the complex samples. */
  readonly elements: number;
  readonly scale: number;
  /** Width of an int, 1..32. */
  readonly bits: number;
}

/** Bytes of the bit stream behind the header. */
export function nhlbiBytes({ elements, bits }: Pick<NhlbiHeader, 'elements' | 'bits'>): number {
  return Math.ceil((elements * bits) / 8);
}

/**
 * Reads the 13 bytes at the view's start and holds them against what the acquisition needs.
 * @param elements floats that the acquisition has
 * @param blobBytes declared length of the blob, these 13 bytes included
 * @throws MRD_ERR_NHLBI_ELEMENTS, MRD_ERR_NHLBI_BITS, MRD_ERR_NHLBI_SCALE, MRD_ERR_NHLBI_LENGTH
 */
export function decodeNhlbiHeader(view: DataView, elements: number, blobBytes: number): NhlbiHeader {
  const header = { elements: readLength(view, 0), scale: view.getFloat32(8, true), bits: view.getUint8(12) };
  if (header.elements !== elements) {
    throw mrdError('MRD_ERR_NHLBI_ELEMENTS', `${header.elements} elements where the header says ${elements}`);
  }
  if (header.bits < 1 || header.bits > 32) throw mrdError('MRD_ERR_NHLBI_BITS', `${header.bits} bits`);
  // A sender whose samples are all zero divides by their maximum and arrives at an infinite scale.
  if (!(header.scale > 0)) throw mrdError('MRD_ERR_NHLBI_SCALE', `scale ${header.scale}`);
  const expectedBytes = NHLBI_HEADER_BYTES + nhlbiBytes(header);
  if (blobBytes !== expectedBytes) {
    throw mrdError(
      'MRD_ERR_NHLBI_LENGTH',
      `${blobBytes} bytes where ${elements} elements of ${header.bits} bits take ${expectedBytes}`,
    );
  }
  return header;
}

/**
 * Unpacks the bit stream.
 * @param packed nhlbiBytes(header) bytes
 * @param samples [elements], written
 */
export function decodeNhlbi(header: NhlbiHeader, packed: Uint8Array, samples: Float32Array): void {
  const { elements, scale, bits } = header;
  const signBit = 2 ** (bits - 1);
  const range = 2 ** bits;
  let at = 0;
  // Holds at most 7 bits left over and 32 new ones: too many for int32, exact in a double.
  let window = 0;
  let nBits = 0;
  for (let i = 0; i < elements; i++) {
    while (nBits < bits) {
      window += packed[at++]! * 2 ** nBits;
      nBits += 8;
    }
    const value = window % range;
    window = (window - value) / range;
    nBits -= bits;
    samples[i] = (value >= signBit ? value - range : value) / scale;
  }
}
