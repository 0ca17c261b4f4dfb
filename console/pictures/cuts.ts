/** Where a picture is cut: by the plane of another slice, or at a place that somebody points at in another picture. */
import type { SliceGeometry } from '../api/index.js';
import { normalOf, toMm, toPixel } from './geometry.js';
import type { Overlay } from './viewport.js';

/** LPS, mm. */
export type Place = readonly [number, number, number];

/** The line in which another slice cuts the one that is shown. */
export function cutOf(other: SliceGeometry): Overlay {
  return (context, placing, { geometry, rows, columns }) => {
    if (geometry === undefined) return;
    const normal = normalOf(other);
    const heightOf = (column: number, row: number) => toMm(geometry, column, row).reduce((sum, value, axis) => sum + (value - other.originMm[axis]!) * normal[axis]!, 0);
    const corners = [[0, 0], [columns - 1, 0], [columns - 1, rows - 1], [0, rows - 1]] as const;
    const ends = corners.flatMap(([column, row], index): [number, number][] => {
      const [nextColumn, nextRow] = corners[(index + 1) % 4]!;
      const [a, b] = [heightOf(column, row), heightOf(nextColumn, nextRow)];
      if (a > 0 === b > 0) return [];
      const share = a / (a - b);
      return [[column + share * (nextColumn - column), row + share * (nextRow - row)]];
    });
    if (ends.length < 2) return;
    const [[x0, y0], [x1, y1]] = ends as [[number, number], [number, number]];
    context.strokeStyle = '#ffb454';
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(placing.x(x0, y0), placing.y(x0, y0));
    context.lineTo(placing.x(x1, y1), placing.y(x1, y1));
    context.stroke();
  };
}

/** A cross where somebody points in another picture, if that place is in this slice. */
export function crossAt(place: Place | undefined): Overlay | undefined {
  if (place === undefined) return undefined;
  return (context, placing, { geometry }) => {
    if (geometry === undefined) return;
    const { column, row, distanceMm } = toPixel(geometry, place);
    if (Math.abs(distanceMm) > Math.max(1, geometry.thicknessMm)) return;
    const [x, y] = [placing.x(column, row), placing.y(column, row)];
    context.strokeStyle = '#ffe650';
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 11 * dx, y + 11 * dy);
    }
    context.stroke();
  };
}
