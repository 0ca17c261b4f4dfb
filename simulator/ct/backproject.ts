/**
 * Filtered views smeared back over the pixels and summed:
 *
 *   parallel   mu(x, y) = dtheta sum_views q(a),             a = x cos(theta) + y sin(theta)
 *   fan        mu(x, y) = dbeta sum_views q(a / U) / U²,      U = D - x sin(beta) + y cos(beta)
 *
 * a / U is the tangent of the fan angle at which the source sees the pixel; the square of its cosine,
 * which makes 1/U² the 1/L² of the distance L from the source, is in q already (filter.ts). Kak &
 * Slaney 1988, chapters 3.3.2 and 3.4.1. Linear interpolation between the samples of q.
 */
import { fieldRadiusMm, viewStepRad, type Beam } from './beam.js';
import type { FilteredViews } from './filter.js';
import type { PixelGrid } from './grid.js';

/** @returns float32 [rows, columns], per mm; 0 outside the disc that every view sees */
export function backproject(views: FilteredViews, grid: PixelGrid): Float32Array {
  const { beam } = views;
  const image = new Float32Array(grid.rows * grid.columns);
  const spans = spansInField(grid, beam);
  for (let view = 0; view < beam.nViews; view++) {
    if (beam.kind === 'fan') addFanView(views, view, grid, spans, beam.sourceIsocentreMm, image);
    else addParallelView(views, view, grid, spans, image);
  }
  const scale = viewStepRad(beam);
  for (let pixel = 0; pixel < image.length; pixel++) image[pixel]! *= scale;
  return image;
}

/** For every row the columns from..end inside the disc, [rows, 2]. */
function spansInField({ rows, columns, pixelMm, firstXMm, firstYMm }: PixelGrid, beam: Beam): Int32Array {
  const radiusMm = fieldRadiusMm(beam);
  const spans = new Int32Array(2 * rows);
  for (let row = 0; row < rows; row++) {
    const y = firstYMm + row * pixelMm;
    if (Math.abs(y) >= radiusMm) continue;
    const reach = Math.sqrt(radiusMm * radiusMm - y * y);
    spans[2 * row] = Math.max(0, Math.ceil((-reach - firstXMm) / pixelMm));
    spans[2 * row + 1] = Math.min(columns, Math.floor((reach - firstXMm) / pixelMm) + 1);
  }
  return spans;
}

function addParallelView(
  { beam, data, nSamples, firstPosition, step }: FilteredViews,
  view: number,
  { rows, columns, pixelMm, firstXMm, firstYMm }: PixelGrid,
  spans: Int32Array,
  image: Float32Array,
): void {
  const theta = view * viewStepRad(beam);
  const [cos, sin] = [Math.cos(theta), Math.sin(theta)];
  const first = view * nSamples;
  const last = nSamples - 2;
  const placeStep = (pixelMm * cos) / step;
  for (let row = 0; row < rows; row++) {
    const y = firstYMm + row * pixelMm;
    const rowPlace = (firstXMm * cos + y * sin - firstPosition) / step;
    const end = spans[2 * row + 1]!;
    for (let column = spans[2 * row]!; column < end; column++) {
      const place = rowPlace + column * placeStep;
      let whole = place | 0;
      if (whole > last) whole = last;
      const lower = data[first + whole]!;
      image[row * columns + column]! += lower + (place - whole) * (data[first + whole + 1]! - lower);
    }
  }
}

function addFanView(
  { beam, data, nSamples, firstPosition, step }: FilteredViews,
  view: number,
  { rows, columns, pixelMm, firstXMm, firstYMm }: PixelGrid,
  spans: Int32Array,
  sourceIsocentreMm: number,
  image: Float32Array,
): void {
  const beta = view * viewStepRad(beam);
  const [cos, sin] = [Math.cos(beta), Math.sin(beta)];
  const first = view * nSamples;
  const last = nSamples - 2;
  const inverseStep = 1 / step;
  const firstPlace = firstPosition / step;
  for (let row = 0; row < rows; row++) {
    const y = firstYMm + row * pixelMm;
    const rowAcross = firstXMm * cos + y * sin;
    const rowAlong = sourceIsocentreMm - firstXMm * sin + y * cos;
    const end = spans[2 * row + 1]!;
    for (let column = spans[2 * row]!; column < end; column++) {
      const inverse = 1 / (rowAlong - column * pixelMm * sin);
      const place = (rowAcross + column * pixelMm * cos) * inverse * inverseStep - firstPlace;
      let whole = place | 0;
      if (whole > last) whole = last;
      const lower = data[first + whole]!;
      image[row * columns + column]! += inverse * inverse * (lower + (place - whole) * (data[first + whole + 1]! - lower));
    }
  }
}
