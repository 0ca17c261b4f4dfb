import { describe, expect, it } from 'vitest';
import { bodyCode, discCode, levelCodeOf, outlinesOf, outlinesSchema } from '../../../analysis/index.js';
import type { LabelledStack, Outlines, Spine } from '../../../analysis/index.js';
import { affineLps, geometryOfAffineLps, ringArea, slicePlaneOf, volumeOf, voxelOf } from '../../../imaging/index.js';
import type { ImageGeometry } from '../../../imaging/index.js';
import { blockSpine } from '../blockSpine.js';

const { series, codes, frames } = blockSpine({ nLumbar: 5 });
const { geometry } = series.volume;

/** Half as large pixels, rows and columns exchanged. */
const finer: ImageGeometry = (() => {
  const affine = affineLps(geometry);
  const swapped = affine.map((value, at) => (at < 12 && at % 4 < 2 ? affine[at % 4 === 0 ? at + 1 : at - 1]! / 2 : value));
  const [columns, rows, slices] = geometry.matrixSize;
  return geometryOfAffineLps(swapped, [2 * rows, 2 * columns, slices]);
})();

/** @param from which pixel of the series a pixel of the grid is */
function labelled(grid: ImageGeometry, from: (column: number, row: number) => readonly [number, number] = (column, row) => [column, row]): LabelledStack {
  const [columns, rows, slices] = grid.matrixSize;
  const [ofColumns, ofRows] = geometry.matrixSize;
  const data = Uint16Array.from({ length: columns * rows * slices }, (_, at) => {
    const [column, row] = from(at % columns, Math.floor(at / columns) % rows);
    return codes[(Math.floor(at / (columns * rows)) * ofRows + row) * ofColumns + column]!;
  });
  return { seriesIndex: 0, orientation: 'sagittal', codes: volumeOf(grid, data), confidence: new Uint8Array(data.length) };
}

const segments = [{ name: 'L3-L4', upper: 'L3', lower: 'L4', frame: frames.get('L3-L4')!, halfWidthMm: 22, halfDepthMm: 17, confidence: 1 }];
const spineOf = (...stacks: LabelledStack[]): Spine => ({ series: [{ ...series, seriesInstanceUid: '1.2.3' }], stacks, vertebrae: [], segments, numbering: { certain: true, reasons: [] } });
const only = ({ series: [one] }: Outlines) => one!;

describe('outlines', () => {
  const outlines = outlinesOf(spineOf(labelled(geometry)));

  it('are what their schema says, of every slice that something was found in, where the slice lies', () => {
    expect(outlinesSchema.parse(JSON.parse(JSON.stringify(outlines)))).toEqual(JSON.parse(JSON.stringify(outlines)));
    const { slices, ...head } = only(outlines);
    expect(head).toEqual({ seriesInstanceUid: '1.2.3', description: series.description, contrast: series.contrast, orientation: 'sagittal', synthetic: false });
    const [columns, rows, nSlices] = geometry.matrixSize;
    const isFull = Array.from({ length: nSlices }, (_, slice) => codes.subarray(slice * columns * rows, (slice + 1) * columns * rows).some((code) => code !== 0));
    expect(slices.map((slice) => slice.geometry)).toEqual(isFull.flatMap((isIt, slice) => (isIt ? [slicePlaneOf(geometry, slice)] : [])));
  });

  it('enclose as much as there is of each structure, under its name', () => {
    const [columns, rows] = geometry.matrixSize;
    const middle = only(outlines).slices.find(({ geometry: plane }) => Math.abs(plane.originMm[0]) < 1)!;
    const slice = Math.round(voxelOf(geometry, middle.geometry.originMm)[2]);
    const labels = codes.subarray(slice * columns * rows, (slice + 1) * columns * rows);
    expect(middle.outlines.map(({ code }) => code)).toEqual([...new Set(labels)].filter((code) => code !== 0).sort((a, b) => a - b));
    for (const { code, kind, level, rings } of middle.outlines) {
      expect([kind, level?.split('-')[0]]).toEqual(levelCodeOf(code) === undefined ? [kind, undefined] : [levelCodeOf(code)!.kind, levelCodeOf(code)!.level]);
      const area = rings.reduce((sum, ring) => sum + ringArea(ring), 0);
      const nPixels = labels.reduce((sum, label) => sum + Number(label === code), 0);
      // Smoothing rounds the corners off, as far as half a pixel of each.
      if (nPixels > 100) expect(area / nPixels).toBeCloseTo(1, 1);
    }
    expect(middle.outlines.find(({ code }) => code === bodyCode('L3'))).toMatchObject({ kind: 'body', level: 'L3' });
    expect(middle.outlines.find(({ code }) => code === discCode('L3-L4'))).toMatchObject({ kind: 'disc', level: 'L3-L4' });
  });

  it('are in pixels of the series, whatever the grid of the labels', () => {
    const other = outlinesOf(spineOf(labelled(finer, (column, row) => [row >> 1, column >> 1])));
    expect(only(other).slices.map((slice) => slice.geometry)).toEqual(only(outlines).slices.map((slice) => slice.geometry));
    const boxOf = (one: Outlines, slice: number, code: number) => {
      const ring = only(one).slices[slice]!.outlines.find((outline) => outline.code === code)!.rings.flat();
      const along = (axis: number) => ring.filter((_, at) => at % 2 === axis);
      return [0, 1].flatMap((axis) => [Math.min(...along(axis)), Math.max(...along(axis))]);
    };
    const [a, b] = [boxOf(outlines, 5, bodyCode('L4')), boxOf(other, 5, bodyCode('L4'))];
    a.forEach((value, side) => expect(Math.abs(value - b[side]!)).toBeLessThan(0.6));
  });

  it('are bounded in size', () => {
    const [columns, rows, slices] = [64, 64, 60];
    const grid: ImageGeometry = { ...geometry, fovMm: [640, 640, 60], matrixSize: [columns, rows, slices] };
    // Every second pixel another structure: nothing has a simpler outline.
    const data = Uint16Array.from({ length: columns * rows * slices }, (_, at) => ((at % columns) % 2 === 0 && Math.floor(at / columns) % 2 === 0 ? 101 + (at % 20) : 0));
    const many = outlinesOf({ ...spineOf({ seriesIndex: 0, orientation: 'sagittal', codes: volumeOf(grid, data), confidence: new Uint8Array(data.length) }), series: [{ ...series, volume: volumeOf(grid, new Float32Array(data.length)) }] });
    const nNumbers = many.series.flatMap((one) => one.slices.flatMap((slice) => slice.outlines.flatMap(({ rings }) => rings))).reduce((sum, ring) => sum + ring.length, 0);
    expect(nNumbers).toBeLessThanOrEqual(400_000);
  });
});
