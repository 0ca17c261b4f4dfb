/**
 * Outlines of everything that was found, as JSON, for whoever draws them over the images: per slice of each series closed
 * rings in pixels of that slice.
 *
 *   m = 1/2,   m the mask of a code smoothed by the quadratic B-spline (at pixel centres 1/8, 3/4, 1/8 along each axis)
 *
 * as in the evidence pictures. Points that are nearer than a quarter of a pixel of the labels to the line without them are
 * left out, more where the whole would be too large.
 */
import { z } from 'zod';
import { closedContours, pointOf, ringArea, simplified, slicePlaneOf, voxelOf, voxelSizeMm, type ImageGeometry } from '../../imaging/index.js';
import { levelCodeOf, structureCodes } from '../anatomy.js';
import type { LabelledStack, Spine } from '../types.js';

export const OUTLINES_VERSION = 1;

/** Of all rings together. */
const mostNumbers = 400_000;
const tolerancePixels = 0.25;
/** What is smaller is a speck. */
const leastAreaMm2 = 2;

const point = z.tuple([z.number(), z.number(), z.number()]).readonly().describe('LPS, mm');
const outlineSchema = z.strictObject({
  code: z.int().min(1).max(799).describe('of the labelled stacks (analysis/anatomy.ts)'),
  kind: z.string().min(1).max(32).describe('body, disc, sac, cord, arch, …'),
  level: z.string().max(16).exactOptional().describe('vertebra or segment'),
  rings: z.array(z.array(z.number()).min(6).readonly()).readonly().describe('closed; flat [column, row, …], pixel centres at whole numbers, one decimal'),
});

export const outlinesSchema = z
  .strictObject({
    version: z.literal(OUTLINES_VERSION),
    series: z.array(z.strictObject({
      seriesInstanceUid: z.string().regex(/^[0-9.]{1,64}$/, 'must be a DICOM UID').exactOptional(),
      description: z.string().max(256),
      contrast: z.string().max(16),
      orientation: z.enum(['sagittal', 'axial', 'coronal']),
      synthetic: z.boolean().describe('computed, not scanned'),
      slices: z.array(z.strictObject({
        geometry: z.strictObject({ originMm: point, columnStepMm: point, rowStepMm: point, thicknessMm: z.number() })
          .describe('of the slice in the series: r(column, row) = originMm + column columnStepMm + row rowStepMm'),
        outlines: z.array(outlineSchema).readonly(),
      })).readonly(),
    })).readonly(),
  })
  .describe('outlines of structures');

export type Outlines = Readonly<z.output<typeof outlinesSchema>>;
type Slice = Outlines['series'][number]['slices'][number];
type Outline = Slice['outlines'][number];

/** Of every series that structures were found in; slices without any are left out. */
export function outlinesOf(spine: Spine): Outlines {
  // Series on one grid share their labels.
  const ringsOfLabels = new Map([...new Set(spine.stacks.map(({ codes }) => codes))].map((codes) => [codes, ringsBySlice(codes)]));
  for (let tolerance = tolerancePixels; ; tolerance *= 2) {
    const outlines = outlinesWithin(spine, ringsOfLabels, tolerance);
    const nNumbers = outlines.series.flatMap(({ slices }) => slices.flatMap((slice) => slice.outlines.flatMap(({ rings }) => rings))).reduce((sum, ring) => sum + ring.length, 0);
    if (nNumbers <= mostNumbers) return outlines;
  }
}

/** Closed, in pixels of the labels. */
interface CodedRings {
  readonly code: number;
  readonly rings: readonly (readonly number[])[];
}

function outlinesWithin({ series, stacks, segments }: Spine, ringsOfLabels: ReadonlyMap<LabelledStack['codes'], readonly CodedRings[][]>, tolerance: number): Outlines {
  const segmentBelow = new Map(segments.map(({ upper, name }) => [upper, name]));
  return {
    version: OUTLINES_VERSION,
    series: series.flatMap(({ volume, description, contrast, orientation, synthetic, seriesInstanceUid }, seriesIndex) => {
      const slices = stacks.filter((stack) => stack.seriesIndex === seriesIndex)
        .flatMap(({ codes }) => slicesOf(ringsOfLabels.get(codes)!, codes.geometry, volume.geometry, segmentBelow, tolerance));
      if (slices.length === 0) return [];
      return [{ ...(seriesInstanceUid !== undefined && { seriesInstanceUid }), description: description.slice(0, 256), contrast, orientation, synthetic, slices }];
    }),
  };
}

/** In the order of the slices, and of their codes. */
function ringsBySlice({ geometry, data }: LabelledStack['codes']): CodedRings[][] {
  const [columns, rows, nSlices] = geometry.matrixSize;
  const [columnMm, rowMm] = voxelSizeMm(geometry);
  return Array.from({ length: nSlices }, (_, slice) => {
    const labels = data.subarray(slice * columns * rows, (slice + 1) * columns * rows);
    return extentsOf(labels, columns).map(([code, extent]): CodedRings => ({
      code, rings: ringsOf(labels, columns, rows, code, extent).filter((ring) => Math.abs(ringArea(ring)) * columnMm * rowMm >= leastAreaMm2),
    }));
  });
}

function slicesOf(coded: readonly CodedRings[][], labels: ImageGeometry, ofSeries: ImageGeometry, segmentBelow: ReadonlyMap<string, string>, tolerance: number): Slice[] {
  return coded.map((ofSlice, slice): Slice => {
    const place = placing(labels, ofSeries, slice);
    const outlines = ofSlice.flatMap(({ code, rings }): Outline[] => {
      const placed = rings.map((ring) => place(simplified(ring, tolerance))).filter((ring) => ring.length >= 6);
      return placed.length === 0 ? [] : [{ code, ...structureOf(code, segmentBelow), rings: placed }];
    });
    return { geometry: slicePlaneOf(ofSeries, slice), outlines };
  }).filter(({ outlines }) => outlines.length > 0);
}

const plainKinds = new Map<number, string>(Object.entries(structureCodes).map(([kind, code]) => [code, kind]));

function structureOf(code: number, segmentBelow: ReadonlyMap<string, string>): Pick<Outline, 'kind' | 'level'> {
  const found = levelCodeOf(code);
  if (found === undefined) return { kind: plainKinds.get(code) ?? 'other' };
  const { kind, level } = found;
  // Discs, foramina and facet joints have the code of the vertebra above them, and the name of their segment.
  return { kind, level: kind === 'body' || kind === 'arch' ? level : (segmentBelow.get(level) ?? level) };
}

interface Extent {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Where each code is, in one pass; background is none. */
function extentsOf(labels: Uint16Array, columns: number): [code: number, extent: Extent][] {
  const extents = new Map<number, Extent>();
  for (let pixel = 0; pixel < labels.length; pixel++) {
    const code = labels[pixel]!;
    if (code === 0) continue;
    const [column, row] = [pixel % columns, Math.floor(pixel / columns)];
    const known = extents.get(code);
    if (known === undefined) extents.set(code, { left: column, right: column, top: row, bottom: row });
    else {
      known.left = Math.min(known.left, column);
      known.right = Math.max(known.right, column);
      known.bottom = row;
    }
  }
  return [...extents].sort(([a], [b]) => a - b);
}

const spline = [0.125, 0.75, 0.125] as const;

/** In pixels of the labels. */
function ringsOf(labels: Uint16Array, columns: number, rows: number, code: number, { left, right, top, bottom }: Extent): number[][] {
  // The smoothed mask reaches a pixel further.
  const [x0, y0] = [left - 1, top - 1];
  const [wide, high] = [right - left + 3, bottom - top + 3];
  const field = new Float32Array(wide * high);
  for (let row = Math.max(0, top); row <= Math.min(rows - 1, bottom); row++) {
    for (let column = left; column <= right; column++) {
      if (labels[row * columns + column] !== code) continue;
      for (let j = -1; j <= 1; j++) for (let i = -1; i <= 1; i++) field[(row - y0 + j) * wide + column - x0 + i]! += spline[i + 1]! * spline[j + 1]!;
    }
  }
  return closedContours(field, high, wide, 0.5).map((ring) => ring.map((value, at) => value + (at % 2 === 0 ? x0 : y0)));
}

/** From pixels of the labels to those of the series, one decimal: both grids are regular, so three points tell all. */
function placing(labels: ImageGeometry, ofSeries: ImageGeometry, slice: number): (ring: readonly number[]) => number[] {
  const [origin, right, below] = ([[0, 0], [1, 0], [0, 1]] as const).map(([column, row]) => voxelOf(ofSeries, pointOf(labels, [column, row, slice])));
  const round = (value: number) => Math.round(10 * value) / 10;
  return (ring) => {
    const placed: number[] = [];
    for (let at = 0; at < ring.length; at += 2) {
      for (const axis of [0, 1] as const) placed.push(round(origin![axis] + ring[at]! * (right![axis] - origin![axis]) + ring[at + 1]! * (below![axis] - origin![axis])));
    }
    return placed;
  };
}
