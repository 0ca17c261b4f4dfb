/** What is drawn over pictures, and what is computed from them. */
import { describe, expect, it, vi } from 'vitest';
import type { SliceGeometry } from '../../console/api/types.js';
import { windowOfMiddle } from '../../console/pictures/window.js';

vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => undefined });
const { outlineOverlay, outlinesAt } = await import('../../console/pictures/outlines.js');
const { cutOf } = await import('../../console/pictures/cuts.js');
const { sharedOf, viewOf } = await import('../../console/pictures/linkedViews.js');
const { placingOf } = await import('../../console/pictures/viewport.js');
const { toPixel } = await import('../../console/pictures/geometry.js');
const { markOf } = await import('../../console/pictures/naming.js');
const { difference, intervalWidth } = await import('../../console/pictures/maps.js');

const sagittal = (xMm: number, pixelMm = 1): SliceGeometry => ({ originMm: [xMm, -100, 120], columnStepMm: [0, pixelMm, 0], rowStepMm: [0, 0, -pixelMm], thicknessMm: 4 });
const picture = (geometry: SliceGeometry, values = new Float32Array(10_000), window = { centre: 50, width: 100 }) =>
  ({ examId: 'e', seriesId: 's', output: 'image', number: 1, slice: 0, rows: 100, columns: 100, window, values, geometry });
/** Two CSS pixels a pixel, from the corner. */
const placing = { x: (column: number) => 2 * column, y: (_: number, row: number) => 2 * row, scale: 2, width: 200, height: 200 };

/** What would be drawn. */
function drawing() {
  const [points, texts] = [[] as [number, number][], [] as [string, number, number][]];
  const context = {
    beginPath: () => undefined, closePath: () => undefined, stroke: () => undefined, setLineDash: () => undefined, measureText: (text: string) => ({ width: 6 * text.length }), strokeText: () => undefined,
    moveTo: (x: number, y: number) => void points.push([x, y]), lineTo: (x: number, y: number) => void points.push([x, y]),
    fillText: (text: string, x: number, y: number) => void texts.push([text, x, y]),
  };
  return { context: context as unknown as CanvasRenderingContext2D, points, texts };
}

const body = { code: 122, kind: 'body', level: 'L3', rings: [[10, 10, 30, 10, 30, 40, 10, 40]] };
const outlines = {
  version: 1 as const,
  series: [
    { description: 'T1w', contrast: 't1w', orientation: 'sagittal', synthetic: false, slices: [{ geometry: sagittal(0), outlines: [body] }, { geometry: sagittal(5), outlines: [] }] },
    { description: 'STIR', contrast: 'stir', orientation: 'sagittal', synthetic: true, slices: [{ geometry: sagittal(0), outlines: [{ ...body, level: 'L4' }] }] },
  ],
};

describe('outlines', () => {
  it('are those of the slice at the same place: of the own contrast, or of the first one where that was not outlined', () => {
    expect(outlinesAt(outlines, sagittal(0.2))!.outlines[0]!.level).toBe('L3');
    expect(outlinesAt(outlines, sagittal(0.2), 'stir')!.outlines[0]!.level).toBe('L4');
    expect(outlinesAt(outlines, sagittal(0.2), 't2w')!.outlines[0]!.level).toBe('L3');
    expect(outlinesAt(outlines, sagittal(2.5))).toBeUndefined();
    expect(outlinesAt(outlines, { ...sagittal(0), columnStepMm: [1, 0, 0] })).toBeUndefined();
  });

  it('lie at the same place of the patient in a picture of another matrix, and are named', () => {
    const { context, points, texts } = drawing();
    const coarse = sagittal(0, 2);
    outlineOverlay(outlines)!(context, placing, picture(coarse));
    // Half as many pixels, each drawn as large.
    expect(points).toEqual([[10, 10], [30, 10], [30, 40], [10, 40]]);
    expect(texts).toEqual([['L3', 20, 25]]);
  });

  it('are none without an analysis, and none of what was not asked for', () => {
    expect(outlineOverlay(undefined)).toBeUndefined();
    const { context, points } = drawing();
    outlineOverlay(outlines, { shows: ({ kind }) => kind === 'disc' })!(context, placing, picture(sagittal(0)));
    expect(points).toEqual([]);
  });
});

describe('views of several pictures', () => {
  const [near, far] = [picture(sagittal(0)), { ...picture({ originMm: [4, -130, 150], columnStepMm: [0, 0.8, 0], rowStepMm: [0, 0, -0.8], thicknessMm: 4 }), rows: 256, columns: 224 }];
  const view = { zoom: 2.5, panX: 0.2, panY: -0.1 };

  it('are what they were after a way there and back', () => {
    for (const aspect of [0.5, 1, 2.2]) {
      const back = viewOf(sharedOf(view, near, aspect), near, aspect);
      expect([back.zoom, back.panX, back.panY]).toEqual([view.zoom, view.panX, view.panY].map((value) => expect.closeTo(value, 9) as number));
    }
  });

  it('have the same place in the middle, and a millimetre is as long in both', () => {
    const size = { width: 300, height: 540 };
    const aspect = size.height / size.width;
    const placings = [placingOf(near, view, size), placingOf(far, viewOf(sharedOf(view, near, aspect), far, aspect), size)] as const;
    const placeOf = (place: (typeof placings)[number], { geometry }: typeof near, yMm: number, zMm: number) => {
      const { column, row } = toPixel(geometry, [0, yMm, zMm]);
      return [place.x(column, row), place.y(column, row)];
    };
    for (const [yMm, zMm] of [[-60, 60], [-10, 100]] as const) {
      const [a, b] = [placeOf(placings[0], near, yMm, zMm), placeOf(placings[1], far, yMm, zMm)];
      a.forEach((value, axis) => expect(value).toBeCloseTo(b[axis]!, 6));
    }
  });
});

describe('the mark', () => {
  it('is on what was computed, here or elsewhere, and on nothing that was scanned', () => {
    expect(markOf({ source: 'synthesis', facts: {} })).toBe('SYNTHETIC');
    expect(markOf({ source: 'dicom', facts: { isSimulated: true } })).toBe('SYNTHETIC');
    expect(markOf({ source: 'dicom', facts: {} })).toBeUndefined();
    expect(markOf({ source: 'scan', facts: { isSimulated: true } })).toBeUndefined();
  });
});

describe('the line of another slice', () => {
  it('is where the planes cross', () => {
    const { context, points } = drawing();
    // Axial, 30 mm below the first row.
    cutOf({ originMm: [-80, -80, 90], columnStepMm: [0.5, 0, 0], rowStepMm: [0, 0.5, 0], thicknessMm: 4 })(context, placing, picture(sagittal(0)));
    expect(points.map(([, y]) => y)).toEqual([60, 60]);
    expect(points.map(([x]) => x).sort((a, b) => a - b)).toEqual([0, 198]);
  });

  it('is none where they do not', () => {
    const { context, points } = drawing();
    cutOf(sagittal(3))(context, placing, picture(sagittal(0)));
    expect(points).toEqual([]);
  });
});

describe('computed pictures', () => {
  const [low, high] = [1, 3].map((value) => picture(sagittal(0), new Float32Array(10_000).fill(value), { centre: 2, width: 4 })) as [ReturnType<typeof picture>, ReturnType<typeof picture>];

  it('of a difference have a sign and a window that is symmetric about 0', () => {
    const taken = difference(low, high, 'removed')!;
    expect([taken.values[7], taken.window, taken.output]).toEqual([-2, { centre: 0, width: 4 }, 'removed']);
    expect(difference(low, { ...high, rows: 50, values: new Float32Array(5000) }, 'removed')).toBeUndefined();
  });

  it('of an interval are in per cent of white', () => {
    expect(intervalWidth(low, high)!.values[7]).toBe(50);
  });
});

describe('the window of the middle', () => {
  it('does not mind what is bright beside it, and what is no number', () => {
    const values = Float32Array.from({ length: 10_000 }, (_, pixel) => (pixel % 100 < 30 ? 1000 : pixel % 7 === 0 ? NaN : 10 + (pixel % 41)));
    const { centre, width } = windowOfMiddle({ rows: 100, columns: 100, values });
    expect([centre - width / 2, centre + width / 2].map(Math.round)).toEqual([10, 50]);
    expect(windowOfMiddle({ rows: 100, columns: 100, values: new Float32Array(10_000) })).toEqual({ centre: 0, width: 1 });
  });
});
