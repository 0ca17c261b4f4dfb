import { describe, expect, it } from 'vitest';
import { edgesOfVolume, residualMap as residualOfEdges } from '../../synth/index.js';
import { sagittal, scanned } from '../imaging/twoContrasts.js';
import type { Volume } from '../../imaging/index.js';

const residualMap = (a: Volume<Float32Array>, b: Volume<Float32Array>) => residualOfEdges(edgesOfVolume(a), edgesOfVolume(b));

const grid = sagittal({ size: [112, 128, 3], pixelMm: 1 });
const seen = { shading: 0.7, noise: 0.03 } as const;
const t2w = scanned(grid, { contrast: 't2w', ...seen });
const t1w = scanned(grid, { contrast: 't1w', ...seen, gain: 300 });

/** Pixels of some slices from elsewhere in the slice. */
function shifted(volume: Volume<Float32Array>, right: number, down: number, where: (slice: number, row: number, column: number) => boolean) {
  const [columns, rows] = volume.geometry.matrixSize;
  const data = volume.data.map((value, at) => {
    const [column, row, slice] = [at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows))];
    const [x, y] = [Math.min(columns - 1, Math.max(0, column - right)), Math.min(rows - 1, Math.max(0, row - down))];
    return where(slice, row, column) ? volume.data[(slice * rows + y) * columns + x]! : value;
  });
  return { geometry: volume.geometry, data };
}

describe('what is left between two contrasts', () => {
  const aligned = residualMap(t2w, t1w);

  it('is a fraction of a pixel where they fit', () => {
    expect(aligned.medianMm).toBeLessThan(0.5);
    aligned.sliceShiftMm.forEach((shiftMm) => expect(shiftMm).toBeLessThan(0.5));
    expect(aligned.toldShare).toBeGreaterThan(0.3);
  });

  it.each([[4, 0], [0, -4], [3, 3], [-2, 1]])('is the shift of the whole: %i, %i', (right, down) => {
    const residual = residualMap(t2w, shifted(t1w, right, down, () => true));
    expect(Math.abs(residual.medianMm - Math.hypot(right, down))).toBeLessThan(0.6);
    expect(residual.percentile90Mm).toBeGreaterThanOrEqual(residual.medianMm);
  });

  it('says which slice it is', () => {
    const { sliceShiftMm } = residualMap(t2w, shifted(t1w, 0, 4, (slice) => slice === 1));
    expect(Math.abs(sliceShiftMm[1]! - 4)).toBeLessThan(0.6);
    expect(sliceShiftMm[0]).toBe(aligned.sliceShiftMm[0]);
    expect(sliceShiftMm[2]).toBe(aligned.sliceShiftMm[2]);
  });

  it('says where in the slice it is', () => {
    const lower = residualMap(t2w, shifted(t1w, 4, 0, (_, row) => row >= 72));
    const [columns, rows] = lower.size;
    const medianOf = (isThere: (row: number) => boolean) => {
      const values = lower.blockShiftMm.filter((value, at) => !Number.isNaN(value) && isThere(Math.floor(at / columns) % rows)).sort();
      return values[Math.floor(values.length / 2)]!;
    };
    expect(medianOf((row) => (row + 0.5) * lower.stepMm[1] > 88)).toBeGreaterThan(2.5);
    expect(medianOf((row) => (row + 0.5) * lower.stepMm[1] < 56)).toBeLessThan(0.6);
  });

  it('does not depend on gain, nor on which is dark', () => {
    const dark = scanned(grid, { contrast: 't1w', ...seen, inverted: true });
    expect(residualMap(t2w, dark).medianMm).toBeLessThan(0.5);
    expect(residualMap({ geometry: grid, data: t2w.data.map((value) => 4 * value) }, t1w)).toEqual(aligned);
  });

  it('cannot be told of nothing', () => {
    const empty = { geometry: grid, data: new Float32Array(t1w.data.length) };
    const { medianMm, toldShare, sliceShiftMm } = residualMap(t2w, empty);
    expect([medianMm, toldShare, ...sliceShiftMm]).toEqual([NaN, 0, NaN, NaN, NaN]);
  });
});
