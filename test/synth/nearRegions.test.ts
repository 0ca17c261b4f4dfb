import { describe, expect, it } from 'vitest';
import { doubtNear } from '../../synth/nearRegions.js';
import { gateFeatureNames, type GateFeatures, type PairEvidence } from '../../synth/trust.js';

const [rows, columns, slices, pixelMm] = [61, 48, 2, 1];
const [halfRows, halfColumns] = [rows >> 1, columns >> 1];
const nHalf = halfRows * halfColumns;
const none = Object.fromEntries(gateFeatureNames.map((name) => [name, 3])) as GateFeatures;
/** A vertebra of 10 x 10 pixels in the first slice; something without a name beside it. */
const codes = new Uint8Array(slices * rows * columns);
for (let row = 20; row < 30; row++) for (let column = 20; column < 30; column++) codes[row * columns + column] = 7;
for (let row = 2; row < 8; row++) for (let column = 2; column < 8; column++) codes[row * columns + column] = 9;
const regions = { codes, names: new Map([[7, 'L3']]) };

function evidenceOf(places: readonly (readonly [slice: number, row: number, column: number])[]): PairEvidence {
  const doubt = new Float32Array(slices * nHalf).fill(-30);
  const isDoubted = new Uint8Array(doubt.length);
  for (const [slice, row, column] of places) {
    const at = slice * nHalf + (row >> 1) * halfColumns + (column >> 1);
    doubt[at] = 5;
    isDoubted[at] = 1;
  }
  return { slices: [none, none], z: new Float32Array(doubt.length), isDoubted, doubt, lnStatedOverTrue: [0, 0] };
}
const near = (...places: readonly (readonly [number, number, number])[]) => doubtNear(evidenceOf(places), regions, { rows, columns, pixelMm });

describe('the doubt near named structures', () => {
  it('is that of places on them and within 5 mm of them, diagonally too', () => {
    for (const [row, column] of [[25, 25], [25, 33], [16, 24], [16, 16]] as const) {
      expect(near([0, row, column]).slices[0]!.doubt).toBeCloseTo(Math.log1p(Math.exp(5) / 30), 4);
      expect(near([0, row, column]).isDoubted.reduce((n, is) => n + is, 0)).toBe(1);
    }
  });
  it('is nothing farther away, on what has no name, or in a slice without any', () => {
    for (const [slice, row, column] of [[0, 25, 42], [0, 5, 5], [0, 58, 24], [1, 25, 25]] as const) {
      const { slices: found, isDoubted } = near([slice, row, column]);
      expect(Math.max(...found.map(({ doubt }) => doubt))).toBeLessThan(1e-6);
      expect(isDoubted.some((is) => is === 1)).toBe(false);
    }
  });
  it('leaves all other evidence as it is', () => {
    const { slices: found, lnStatedOverTrue, z } = near([0, 25, 25]);
    for (const name of gateFeatureNames) if (name !== 'doubt') expect(found[0]![name]).toBe(3);
    expect([lnStatedOverTrue, z.length]).toEqual([[0, 0], slices * nHalf]);
  });
});
