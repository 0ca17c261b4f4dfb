import { describe, expect, it } from 'vitest';
import { channelDistanceMm, clinicalFanBeam, fieldRadiusMm, forwardProject, lineAngleRad } from '../../../simulator/index.js';
import type { Beam } from '../../../simulator/index.js';
import { centredGrid, lineIntegral, rasterised, smallFan, smallParallel, type EllipsePart } from './phantoms.js';

const parts: readonly EllipsePart[] = [
  { xMm: 12, yMm: -20, aMm: 110, bMm: 70, angleRad: 0.3, value: 0.019 },
  { xMm: -30, yMm: 5, aMm: 18, bMm: 25, angleRad: -0.8, value: 0.02 },
  { xMm: 60, yMm: -40, aMm: 12, bMm: 6, angleRad: 1.2, value: -0.019 },
];

/** The mean over the width of the channel. */
function exact(beam: Beam, view: number, channel: number): number {
  const n = 24;
  let sum = 0;
  for (let sample = 0; sample < n; sample++) {
    const at = channel + (sample + 0.5) / n - 0.5;
    for (const part of parts) sum += lineIntegral(part, lineAngleRad(beam, view, at), channelDistanceMm(beam, at));
  }
  return sum / n;
}

describe('forwardProject', () => {
  const grid = centredGrid(400, 0.625);
  const image = rasterised(parts, grid);

  it.each([smallFan, smallParallel])('gives the exact line integrals of ellipses ($kind)', (beam) => {
    const projections = forwardProject(image, grid, beam);
    let [worst, squares, count] = [0, 0, 0];
    for (let view = 0; view < beam.nViews; view += 7) {
      for (let channel = 0; channel < beam.nChannels; channel++) {
        const error = projections[view * beam.nChannels + channel]! - exact(beam, view, channel);
        worst = Math.max(worst, Math.abs(error));
        squares += error * error;
        count++;
      }
    }
    // The largest integral is 4.5; the worst line touches an edge.
    expect(Math.sqrt(squares / count)).toBeLessThan(1e-3);
    expect(worst).toBeLessThan(0.02);
  });

  it('loses nothing between the channels: every parallel view has the whole mass', () => {
    const projections = forwardProject(image, grid, smallParallel);
    const mass = image.reduce((sum, value) => sum + value, 0) * grid.pixelMm ** 2;
    for (let view = 0; view < smallParallel.nViews; view += 13) {
      const line = projections.subarray(view * smallParallel.nChannels, (view + 1) * smallParallel.nChannels);
      expect(line.reduce((sum, value) => sum + value, 0) * smallParallel.channelStepMm / mass).toBeCloseTo(1, 5);
    }
  });

  it('measures every line of a fan twice in a turn, half a channel apart', () => {
    const beam = { ...smallFan, channelOffset: 0, nViews: 360 };
    const projections = forwardProject(image, grid, beam);
    // The line (theta, t) of channel c in view v comes back in channel n - 1 - c, half a turn less two fan angles later.
    const middle = 149.5;
    for (const channel of [60, 120, 200]) {
      const laterViews = 180 - (2 * (channel - middle) * beam.channelStepRad * 180) / Math.PI;
      const view = 10 + laterViews;
      const [below, share] = [Math.floor(view), view - Math.floor(view)];
      const at = (v: number) => projections[v * beam.nChannels + beam.nChannels - 1 - channel]!;
      const opposite = (1 - share) * at(below) + share * at(below + 1);
      expect(Math.abs(opposite - projections[10 * beam.nChannels + channel]!)).toBeLessThan(0.02);
    }
  });

  it('does not depend on where the grid ends', () => {
    const large = centredGrid(440, 0.625);
    const projections = forwardProject(rasterised(parts, large), large, smallFan);
    let worst = 0;
    forwardProject(image, grid, smallFan).forEach((value, at) => (worst = Math.max(worst, Math.abs(value - projections[at]!))));
    expect(worst).toBeLessThan(1e-4);
  });

  it('sees nothing of air', () => {
    expect(forwardProject(new Float32Array(100), centredGrid(10, 1), smallFan).every((value) => value === 0)).toBe(true);
  });

  it('refuses beams that are none', () => {
    for (const broken of [{ nViews: 0 }, { channelStepRad: -1 }, { nChannels: 1e6 }, { channelOffset: NaN }, { channelStepRad: 0.01 }]) {
      expect(() => forwardProject(new Float32Array(4), centredGrid(2, 1), { ...smallFan, ...broken })).toThrow(/SIM_ERR_OPTION/);
    }
  });
});

describe('the clinical beam', () => {
  it('covers 500 mm', () => {
    expect(fieldRadiusMm(clinicalFanBeam)).toBeCloseTo(249, 0);
  });
});
