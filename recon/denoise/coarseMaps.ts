/** Maps on coarse grids: smoothed where they are known, and drawn out to the pixels. */

/** exp(-x² / 2 σ²) is cut off here: below a hundred-thousandth of its middle. */
const gaussianReach = 5;

/**
 * sum_q w_q G(p - q) y_q / sum_q w_q G(p - q), G a Gaussian of `sigma` points: values of weight 0 are filled in from
 * the nearest others, however far.
 * @param values @param weights [rows, columns]; at least one weight above 0
 */
export function gaussianSmoothed(values: Float64Array, weights: Float64Array, rows: number, columns: number, sigma: number): Float64Array {
  const top = blurred(values.map((value, p) => value * weights[p]!), rows, columns, sigma);
  const bottom = blurred(weights, rows, columns, sigma);
  const heaviest = bottom.reduce((most, weight) => Math.max(most, weight), 0);
  const known = bottom.map((weight) => (weight > 1e-6 * heaviest ? 1 : 0));
  if (known.every((is) => is === 1)) return top.map((value, p) => value / bottom[p]!);
  const found = top.map((value, p) => (known[p] === 1 ? value / bottom[p]! : 0));
  const wider = gaussianSmoothed(found, known, rows, columns, 2 * sigma);
  return found.map((value, p) => (known[p] === 1 ? value : wider[p]!));
}

/** Separable; beyond the border is nothing. */
function blurred(values: Float64Array, rows: number, columns: number, sigma: number): Float64Array {
  const reach = Math.ceil(gaussianReach * sigma);
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, at) => Math.exp(-((at - reach) ** 2) / (2 * sigma * sigma)));
  const along = (source: Float64Array, length: number, stride: number, lines: number, lineStride: number) => {
    const result = new Float64Array(source.length);
    for (let line = 0; line < lines; line++) {
      for (let to = 0; to < length; to++) {
        let sum = 0;
        for (let from = Math.max(0, to - reach); from <= Math.min(length - 1, to + reach); from++) {
          sum += kernel[from - to + reach]! * source[line * lineStride + from * stride]!;
        }
        result[line * lineStride + to * stride] = sum;
      }
    }
    return result;
  };
  return along(along(values, columns, 1, rows, columns), rows, columns, columns, 1);
}

/**
 * Linear between the points of a grid, of which point k lies on pixel k * step + offset; beyond the outermost ones, theirs.
 * @param values [rows, columns]
 * @param shown what a pixel gets of the value there
 * @returns float32 [nRows, nColumns]
 */
export function interpolated(
  values: Float64Array, rows: number, columns: number, nRows: number, nColumns: number, step: number, offset: number, shown: (value: number) => number,
): Float32Array<ArrayBuffer> {
  const across = placesOf(nColumns, columns, step, offset);
  const down = placesOf(nRows, rows, step, offset);
  const line = new Float64Array(columns);
  const result = new Float32Array(nRows * nColumns);
  for (let row = 0; row < nRows; row++) {
    const [upper, lower, share] = [down.from[row]! * columns, down.to[row]! * columns, down.share[row]!];
    for (let column = 0; column < columns; column++) line[column] = values[upper + column]! + share * (values[lower + column]! - values[upper + column]!);
    for (let column = 0; column < nColumns; column++) {
      const first = line[across.from[column]!]!;
      result[row * nColumns + column] = shown(first + across.share[column]! * (line[across.to[column]!]! - first));
    }
  }
  return result;
}

/** Of each pixel: the points that it lies between, and how far from the first one. */
function placesOf(nPixels: number, nPoints: number, step: number, offset: number) {
  const [from, to, share] = [new Int32Array(nPixels), new Int32Array(nPixels), new Float64Array(nPixels)];
  for (let pixel = 0; pixel < nPixels; pixel++) {
    const place = Math.min(nPoints - 1, Math.max(0, (pixel - offset) / step));
    from[pixel] = Math.min(Math.max(0, nPoints - 2), Math.floor(place));
    to[pixel] = Math.min(nPoints - 1, from[pixel]! + 1);
    share[pixel] = place - from[pixel]!;
  }
  return { from, to, share };
}
