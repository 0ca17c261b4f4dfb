import { describe, expect, it } from 'vitest';
import { fatEdges, fatLevel } from '../../../analysis/measure/fatEdge.js';

/** Fat from one place to another, in pixels, blurred over two of them. */
const profileOf = (from: number, to: number, level = 700) =>
  Float32Array.from({ length: 60 }, (_, pixel) => level * Math.max(0, Math.min(1, (pixel - from) / 2 + 0.5) - Math.max(0, Math.min(1, (pixel - to) / 2 + 0.5))));
const widthOf = ({ from, to }: { from: number; to: number }) => to - from - 1;

describe('fat edges', () => {
  it('lie at half of the level, between pixels, wherever the outline is a few pixels off', () => {
    for (const [from, to] of [[20, 30], [20.3, 31.6], [19.8, 27.1]] as const) {
      for (const off of [-2, 0, 2, 4]) {
        const gap = { from: Math.round(from) - 1 - off, to: Math.round(to) + 1 + off };
        expect(Math.abs(widthOf(fatEdges(profileOf(from, to), gap, 700, 0.25)) - (to - from)), `${from} to ${to}, outlined ${off} pixels off`).toBeLessThan(0.2);
      }
    }
  });

  it('do not go farther out than the outline may be wrong', () => {
    const { from, to } = fatEdges(profileOf(5, 55), { from: 20, to: 30 }, 700, 0.25);
    expect(20 - from).toBeLessThan(4.5);
    expect(to - 30).toBeLessThan(4.5);
  });

  it('close where no fat is, and stay as outlined where its level is not known', () => {
    expect(widthOf(fatEdges(profileOf(20, 30, 200), { from: 18, to: 32 }, 700, 0.25))).toBe(0);
    expect(fatEdges(profileOf(20, 30), { from: 18, to: 32 }, fatLevel([]), 0.25)).toEqual({ from: 18, to: 32 });
  });
});
