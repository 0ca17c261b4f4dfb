/**
 * The phantom as pixels, for masks and pictures: each pixel is the mean intensity over its area, by
 * subsamples. Pixel floor(N/2) is centred on zero. Not the truth to which a reconstruction is
 * compared: that one has the reconstruction's finite resolution (scanner/reference.ts).
 */
import { boundsMm, contains, type Point, type WeightedShape } from './shapes.js';

/** [columns, rows] matrix and extents. @returns float32 [rows, columns] */
export function rasterise(
  shapes: readonly WeightedShape[],
  [columns, rows]: Point,
  fovMm: Point,
  subsamples = 4,
): Float32Array {
  const image = new Float32Array(rows * columns);
  const [du, dv] = [fovMm[0] / columns, fovMm[1] / rows];
  const [middleColumn, middleRow] = [Math.floor(columns / 2), Math.floor(rows / 2)];
  const offsets = Float64Array.from({ length: subsamples }, (_, sample) => (sample + 0.5) / subsamples - 0.5);
  for (const { shape, weight } of shapes) {
    const [smallest, largest] = boundsMm(shape);
    const share = weight / (subsamples * subsamples);
    const firstRow = Math.max(0, Math.floor(smallest[1] / dv) + middleRow);
    const lastRow = Math.min(rows - 1, Math.ceil(largest[1] / dv) + middleRow);
    const firstColumn = Math.max(0, Math.floor(smallest[0] / du) + middleColumn);
    const lastColumn = Math.min(columns - 1, Math.ceil(largest[0] / du) + middleColumn);
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        let hits = 0;
        for (const offsetV of offsets) {
          for (const offsetU of offsets) {
            const u = (column - middleColumn + offsetU) * du;
            const v = (row - middleRow + offsetV) * dv;
            if (contains(shape, [u, v])) hits += 1;
          }
        }
        image[row * columns + column]! += share * hits;
      }
    }
  }
  return image;
}
