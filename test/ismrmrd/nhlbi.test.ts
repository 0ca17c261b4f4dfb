import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAcquisition, flagsOf, hasFlag, type Acquisition } from 'ismrmrd';
import { cutAt, parseChunks } from './mrdMessages.js';
import { acquisition } from './mrdRecords.js';

/** Packs by one big number: bit i * bits and up hold int i. */
function pack(ints: readonly number[], bits: number): Uint8Array {
  const stream = ints.reduceRight((rest, int) => (rest << BigInt(bits)) | BigInt.asUintN(bits, BigInt(int)), 0n);
  return Uint8Array.from({ length: Math.ceil((ints.length * bits) / 8) }, (_, i) => Number((stream >> BigInt(8 * i)) & 0xffn));
}

function compressedAcquisition(plain: Acquisition, ints: readonly number[], bits: number, scale: number): Buffer {
  const flags = plain.header.flags | flagsOf('compressionNhlbi');
  const pieces = encodeAcquisition(plain).map((piece) => Buffer.from(piece));
  pieces.pop();
  pieces[0]!.writeBigUInt64LE(flags, 2 + 2);
  const packed = pack(ints, bits);
  const head = Buffer.alloc(4 + 13);
  head.writeUInt32LE(13 + packed.length, 0);
  head.writeBigUInt64LE(BigInt(ints.length), 4);
  head.writeFloatLE(scale, 12);
  head.writeUInt8(bits, 16);
  return Buffer.concat([...pieces, head, packed]);
}

describe('NHLBI-compressed samples', () => {
  const cases = fc.integer({ min: 1, max: 32 }).chain((bits) =>
    fc.record({
      bits: fc.constant(bits),
      ints: fc.array(fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }), { minLength: 12, maxLength: 12 }),
      scale: fc.float({ min: Math.fround(1e-6), max: Math.fround(1e6), noNaN: true }),
      trajectoryDimensions: fc.nat(2),
      cuts: fc.array(fc.nat(600), { maxLength: 5 }),
    }),
  );

  it('are int / scale for every width, and are handed over as plain ones', () => {
    fc.assert(
      fc.property(cases, ({ bits, ints, scale, trajectoryDimensions, cuts }) => {
        const plain = acquisition(3, 2, { trajectoryDimensions, flags: flagsOf('reverse') });
        const bytes = compressedAcquisition(plain, ints, bits, scale);
        const [message, ...rest] = parseChunks(cutAt(bytes, cuts));
        expect(rest).toEqual([]);
        if (message?.kind !== 'acquisition') throw new Error('no acquisition');
        const { header, data, trajectory } = message.acquisition;
        expect([...data]).toEqual(ints.map((int) => Math.fround(int / scale)));
        expect(trajectory).toEqual(plain.trajectory);
        expect(hasFlag(header.flags, 'compressionNhlbi')).toBe(false);
        expect(header).toEqual(plain.header);
      }),
    );
  });

  it('may come after a while without room', () => {
    const plain = acquisition(2, 1);
    let refuse = 3;
    const allocate = () => (refuse-- > 0 ? undefined : new Float32Array(4));
    const [message] = parseChunks([compressedAcquisition(plain, [1, -1, 2, -2], 7, 0.5)], { allocate });
    expect(message?.kind === 'acquisition' && [...message.acquisition.data]).toEqual([2, -2, 4, -4]);
  });

  it('that are all zero have an infinite scale', () => {
    const [message] = parseChunks([compressedAcquisition(acquisition(2, 1), [0, 0, 0, 0], 16, Infinity)]);
    expect(message?.kind === 'acquisition' && [...message.acquisition.data]).toEqual([0, 0, 0, 0]);
  });
});
