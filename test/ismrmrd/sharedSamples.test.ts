import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ACQUISITION_HEADER_BYTES, type Acquisition, decodeAcquisitionHeader, encodeAcquisition, MrdParser } from 'ismrmrd';

function acquisitionOf(nChannels: number, nSamples: number): Acquisition {
  const blank = decodeAcquisitionHeader(new DataView(new ArrayBuffer(ACQUISITION_HEADER_BYTES)));
  return {
    header: { ...blank, nChannels, nSamples },
    trajectory: new Float32Array(0),
    data: Float32Array.from({ length: 2 * nChannels * nSamples }, (_, i) => i + 1),
  };
}

it('copies samples into shared memory alike, wherever they are to lie and however the bytes come', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 15 }),
      fc.integer({ min: 0, max: 7 }), fc.array(fc.integer({ min: 1, max: 23 }), { minLength: 1, maxLength: 8 }),
      (nChannels, nSamples, firstFloat, shift, pieces) => {
        const acquisition = acquisitionOf(nChannels, nSamples);
        const encoded = Buffer.concat(encodeAcquisition(acquisition));
        // The bytes end where their buffer ends, so that a read beyond them is seen.
        const bytes = new Uint8Array(new ArrayBuffer(shift + encoded.length), shift);
        bytes.set(encoded);
        const memory = new Float32Array(new SharedArrayBuffer(4 * (firstFloat + 2 * nChannels * nSamples + 4)));
        const end = firstFloat + 2 * nChannels * nSamples;
        const parser = new MrdParser({ allocate: () => memory.subarray(firstFloat, end) });
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const n = pieces[i % pieces.length]!;
          parser.write(bytes.subarray(at, at + n));
          at += n;
        }
        parser.end();
        expect([...memory.subarray(firstFloat, end)]).toEqual([...acquisition.data]);
        expect(memory.subarray(0, firstFloat).every((value) => value === 0)).toBe(true);
        expect(memory.subarray(end).every((value) => value === 0)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
