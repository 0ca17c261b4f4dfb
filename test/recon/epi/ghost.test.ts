import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ghostPhase, removeGhostPhase } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { randomComplex } from '../parallelImaging.js';

const nColumns = 60;
const nCoils = 3;

function turned(lines: Float32Array, constantRad: number, slopeRad: number): Float32Array {
  const out = lines.slice();
  removeGhostPhase(out, nColumns, { constantRad: -constantRad, slopeRad: -slopeRad });
  return out;
}

describe('the phase between readouts to and fro', () => {
  it('is found, whatever the image along the readout', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: -0.4, max: 0.4, noNaN: true }), fc.nat(), (constant, slope, seed) => {
        const forward = Float32Array.from(randomComplex(new Random(seed), nCoils * nColumns));
        const found = ghostPhase(forward, turned(forward, constant, slope), nColumns);
        expect(found.slopeRad).toBeCloseTo(slope, 4);
        expect(Math.cos(found.constantRad - constant)).toBeCloseTo(1, 6);
      }),
      { numRuns: 50 },
    );
  });

  it('is found to a hundredth of a radian in noise of a tenth of the signal', () => {
    const random = new Random(3);
    const forward = Float32Array.from({ length: 2 * nCoils * nColumns }, (_, i) => (i % 2 === 0 ? 1 : 0));
    const noisy = (lines: Float32Array) => lines.map((value) => value + 0.1 * random.normal());
    const found = ghostPhase(noisy(forward), noisy(turned(forward, 0.7, 0.05)), nColumns);
    expect(Math.abs(found.constantRad - 0.7)).toBeLessThan(0.03);
    expect(Math.abs(found.slopeRad - 0.05)).toBeLessThan(0.002);
  });

  it('is 0 where there is no signal', () => {
    const nothing = new Float32Array(2 * nCoils * nColumns);
    expect(ghostPhase(nothing, nothing, nColumns)).toEqual({ constantRad: 0, slopeRad: 0 });
  });
});
