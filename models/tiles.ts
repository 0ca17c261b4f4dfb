/**
 * Images of any size through a network that takes certain sizes only: filled up by reflection, cut into tiles
 * that overlap, and blended so that nothing shows where they meet.
 *
 *     y = sum_t w_t f(x_t),   sum_t w_t = 1 at every pixel, exactly
 *
 * Steps: rows and columns are filled up to a multiple by mirroring about the border pixels; tiles of one size are
 * spread evenly over the image; across the middle of each overlap the weight goes over linearly, separably in rows
 * and columns, in steps of 2^-20, so that the weights of two neighbours add up to 1 without rounding (a partition
 * of unity); what was filled up is cut off. A network that computes each pixel from its surroundings gives the same
 * as on the whole image wherever these surroundings lie within the tiles.
 */
import { modelError } from './errors.js';
import type { Manifest } from './manifest.js';
import type { Tensor, Tensors } from './tensors.js';

/** One tile along one axis. */
export interface Span {
  readonly start: number;
  /** Weights of its pixels, [length]. */
  readonly weights: Float64Array;
}

const weightSteps = 2 ** 20;

/**
 * Tiles along an axis.
 * @param length pixels; at least `size`
 * @param size pixels of a tile
 * @param overlap pixels over which two neighbours are blended; at most a third of size
 */
export function spansOf(length: number, size: number, overlap: number): Span[] {
  const n = length <= size ? 1 : Math.ceil((length - overlap) / (size - overlap));
  const starts = Array.from({ length: n }, (_, tile) => (n === 1 ? 0 : Math.round((tile * (length - size)) / (n - 1))));
  return starts.map((start, tile) => ({
    start,
    weights: Float64Array.from({ length: size }, (_, pixel) => {
      const at = start + pixel;
      const rising = tile === 0 ? 1 : shareOfSecond(at, starts[tile - 1]! + size, start, overlap);
      const falling = tile === n - 1 ? 0 : shareOfSecond(at, start + size, starts[tile + 1]!, overlap);
      return rising - falling;
    }),
  }));
}

/** What the second of two neighbours counts at a pixel; the first one counts the rest. */
function shareOfSecond(pixel: number, firstEnd: number, secondStart: number, overlap: number): number {
  const middle = (firstEnd + secondStart) / 2;
  const share = overlap === 0 ? (pixel + 0.5 > middle ? 1 : 0) : (pixel + 0.5 - middle) / overlap + 0.5;
  return Math.round(Math.min(1, Math.max(0, share)) * weightSteps) / weightSteps;
}

/** Index into 0 … length - 1 of a pixel beyond the border, mirrored about the border pixels as often as it takes. */
export function reflected(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = index % period;
  return at < length ? at : period - at;
}

/**
 * Runs images of [n, channels, rows, columns], all inputs with the same n, rows and columns, through a network of
 * which every output has them too.
 * @param run one call of the network, on up to `mostAtOnce` tiles
 * @throws CodedError (as a rejection) MODEL_ERR_INPUT; what `run` rejects with
 */
export async function runTiled(run: (inputs: Tensors) => Promise<Tensors>, inputs: Tensors, patch: Manifest['patch'], mostAtOnce = 1): Promise<Tensors> {
  const [n, rows, columns] = commonSizes(inputs);
  const rowTiling = tilingOf(rows, patch);
  const columnTiling = tilingOf(columns, patch);
  // One tile that is the image: nothing to fill up, to cut and to blend.
  if (n === 1 && rowTiling.size === rows && columnTiling.size === columns) return run(inputs);
  const tiles = Array.from({ length: n }, (_, image) =>
    rowTiling.spans.flatMap((row) => columnTiling.spans.map((column) => ({ image, row, column }))),
  ).flat();

  const sums = new Map<string, { nChannels: number; data: Float64Array }>();
  for (let first = 0; first < tiles.length; first += mostAtOnce) {
    const some = tiles.slice(first, first + mostAtOnce);
    const cut = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, cutOut(tensor, some, rowTiling.size, columnTiling.size)]));
    for (const [name, tensor] of Object.entries(await run(cut))) {
      const nChannels = tensor.dims[1]!;
      const sum = sums.get(name) ?? { nChannels, data: new Float64Array(n * nChannels * rows * columns) };
      sums.set(name, sum);
      some.forEach((tile, index) => addTile(sum, tensor, index, tile, rows, columns));
    }
  }
  return Object.fromEntries([...sums].map(([name, { nChannels, data }]) => [name, { dims: [n, nChannels, rows, columns], data: Float32Array.from(data) }]));
}

interface Tile {
  readonly image: number;
  readonly row: Span;
  readonly column: Span;
}

function commonSizes(inputs: Tensors): [n: number, rows: number, columns: number] {
  const shapes = Object.entries(inputs).map(([name, { dims }]) => {
    if (dims.length !== 4) throw modelError('MODEL_ERR_INPUT', `"${name}" with ${dims.length} axes in place of [n, channels, rows, columns]`);
    return [dims[0]!, dims[2]!, dims[3]!] as const;
  });
  const [first] = shapes;
  if (first === undefined || shapes.some((shape) => shape.join() !== first.join())) throw modelError('MODEL_ERR_INPUT', `images of ${shapes.map((shape) => shape.join(' x ')).join(' and ')}`);
  return [...first];
}

/** Tiles and their size along an axis; where all fits into one tile, that is no larger than it has to be. */
function tilingOf(length: number, { size, overlap, multipleOf }: Manifest['patch']): { size: number; spans: Span[] } {
  const filled = Math.ceil(length / multipleOf) * multipleOf;
  const tileSize = size === undefined ? filled : Math.min(size, filled);
  return { size: tileSize, spans: spansOf(filled, tileSize, overlap) };
}

function cutOut({ dims, data }: Tensor, tiles: readonly Tile[], tileRows: number, tileColumns: number): Tensor {
  const [, nChannels, rows, columns] = dims as [number, number, number, number];
  const cut = new Float32Array(tiles.length * nChannels * tileRows * tileColumns);
  let to = 0;
  for (const { image, row, column } of tiles) {
    const from = Int32Array.from({ length: tileColumns }, (_, at) => reflected(column.start + at, columns));
    for (let channel = 0; channel < nChannels; channel++) {
      for (let at = 0; at < tileRows; at++) {
        const line = ((image * nChannels + channel) * rows + reflected(row.start + at, rows)) * columns;
        for (let c = 0; c < tileColumns; c++) cut[to++] = data[line + from[c]!]!;
      }
    }
  }
  return { dims: [tiles.length, nChannels, tileRows, tileColumns], data: cut };
}

function addTile(sum: { nChannels: number; data: Float64Array }, { dims, data }: Tensor, index: number, tile: Tile, rows: number, columns: number): void {
  const [, nChannels, tileRows, tileColumns] = dims as [number, number, number, number];
  const { image, row, column } = tile;
  const lastRow = Math.min(tileRows, rows - row.start);
  const lastColumn = Math.min(tileColumns, columns - column.start);
  for (let channel = 0; channel < nChannels; channel++) {
    for (let r = 0; r < lastRow; r++) {
      const rowWeight = row.weights[r]!;
      if (rowWeight === 0) continue;
      const from = ((index * nChannels + channel) * tileRows + r) * tileColumns;
      const to = ((image * nChannels + channel) * rows + row.start + r) * columns + column.start;
      for (let c = 0; c < lastColumn; c++) sum.data[to + c]! += rowWeight * column.weights[c]! * data[from + c]!;
    }
  }
}
