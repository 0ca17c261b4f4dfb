/**
 * Anatomy on the pixels of a plane.
 *
 *   value(pixel) = Σ_s c(tissue_s) α_s Π_{t over s} (1 - α_t),     α = opacity · cut(1/2 - d / w)
 *
 * with the signed distance d of the pixel's centre and the width w of the edge: the pixel, or more
 * where a structure is soft. So a pixel's value is the mean over its area (a straight edge through a
 * pixel covers the same share to second order, whatever its direction): the painted plane is the
 * anatomy convolved with a box of one pixel, which a scanner can divide out again. For a Fourier
 * transform there is a smoother edge, whose spectrum ends sooner and so folds back less:
 *
 *   cosine edge     1/2 - t - sin(2π t) / 2π,   t = d / w cut to ±1/2,   w two pixels
 *   its transform   sinc(|k| w) / (1 - (|k| w)²)
 *
 * Structures are painted from the top down. What is covered is never looked at again: a pixel keeps the
 * share that is still open, and a tile without open pixels is passed over. Distances decide for whole
 * squares of pixels whether a structure covers them, misses them or has its edge there; only there each
 * pixel is asked.
 */
import type { Vector3 } from '../../imaging/index.js';
import { simulatorError } from '../errors.js';
import { smoothNoise } from './noise.js';
import { cornersOf } from './place.js';
import { grownBox, type Box } from './solid.js';
import type { Anatomy, Structure } from './structure.js';

/** Pixels of a plane in space; LPS, mm. The steps are at right angles. */
export interface Plane {
  /** Centre of pixel [0, 0]. */
  readonly originMm: Vector3;
  readonly columnStepMm: Vector3;
  readonly rowStepMm: Vector3;
  readonly nColumns: number;
  readonly nRows: number;
}

/** How sharp edges are drawn. */
export type EdgeShape = 'box' | 'cosine';

/** w of a cosine edge: two pixels, the longer way where they are not square. */
export const cosineEdgeMm = ({ columnStepMm, rowStepMm }: Pick<Plane, 'columnStepMm' | 'rowStepMm'>): number =>
  2 * Math.max(length(columnStepMm), length(rowStepMm));

/** Pixels along the side of a tile. */
const tileBits = 3;
const tileSize = 1 << tileBits;
/** Of the smallest square that is decided as one: smaller ones ask more often than they spare. */
const smallestSquare = 4;
/** Of squares that are asked first. */
const largestSquare = 64;
/** Distances of bodies that are not exact may be too large by a part of this. */
const caution = 1.3;
const mostPixels = 2 ** 26;

/**
 * Adds the anatomy's channels, times `weight`, to images.
 * @param coefficients one value a channel for every tissue of the anatomy; a tissue without gives zeros
 * @param channels float32 [row, column] each
 * @throws SIM_ERR_PLANE
 */
export function paintChannels(
  anatomy: Anatomy,
  plane: Plane,
  coefficients: ReadonlyMap<string, ArrayLike<number>>,
  channels: readonly Float32Array[],
  weight: number,
  edge: EdgeShape = 'box',
): void {
  const canvas = new Canvas(plane, edge);
  const nChannels = channels.length;
  if (channels.some(({ length }) => length !== plane.nColumns * plane.nRows)) {
    throw simulatorError('SIM_ERR_PLANE', `channels of ${channels.map(({ length }) => length).join(', ')} pixels for ${plane.nColumns} x ${plane.nRows}`);
  }
  const none = new Float64Array(nChannels);
  const valuesOf = (tissue: string) => Float64Array.from(coefficients.get(tissue) ?? none, (value) => weight * value);
  canvas.paint(anatomy.structures, ({ tissue, texture }) => {
    const first = valuesOf(tissue);
    const second = texture === undefined ? undefined : valuesOf(texture.tissue);
    return (pixel, share, mixture) => {
      for (let channel = 0; channel < nChannels; channel++) {
        const value = second === undefined ? first[channel]! : first[channel]! + mixture * (second[channel]! - first[channel]!);
        channels[channel]![pixel]! += share * value;
      }
    };
  });
}

/**
 * Tells what the anatomy is made of: `painter(tissue)` is asked once for every tissue of every structure, and told its pixels
 * with the share that the tissue takes of each. What nothing covers is told to nobody.
 * @throws SIM_ERR_PLANE
 */
export function paintShares(anatomy: Anatomy, plane: Plane, painter: (tissue: string) => (pixel: number, share: number) => void): void {
  new Canvas(plane).paint(anatomy.structures, ({ tissue, texture }) => {
    const paintFirst = painter(tissue);
    if (texture === undefined) return paintFirst;
    const paintSecond = painter(texture.tissue);
    return (pixel, share, mixture) => {
      paintFirst(pixel, share * (1 - mixture));
      paintSecond(pixel, share * mixture);
    };
  });
}

/**
 * The topmost labelled structure at the centre of every pixel, and the topmost lesion that no labelled
 * structure hides; 0 where there is none. Soft and faint structures count where they take half or more.
 * @throws SIM_ERR_PLANE
 */
export function paintLabels(anatomy: Anatomy, plane: Plane): { labels: Uint16Array; lesions: Uint8Array } {
  const [structureCanvas, lesionCanvas] = [new Canvas(plane), new Canvas(plane)];
  const labels = new Uint16Array(plane.nColumns * plane.nRows);
  const lesions = new Uint8Array(labels.length);
  const labelled = anatomy.structures.filter(({ label }) => label !== undefined);
  // A labelled structure hides the lesions under it; what is painted before the first lesion hides none.
  const firstLesion = anatomy.structures.findIndex(({ lesion }) => lesion !== undefined);
  const diseased = firstLesion < 0 ? [] : anatomy.structures.slice(firstLesion).filter(({ lesion, label }) => lesion !== undefined || label !== undefined);
  structureCanvas.mark(labelled, ({ label }) => (pixel) => {
    labels[pixel] = label!;
  });
  lesionCanvas.mark(diseased, ({ lesion }) => (pixel) => {
    lesions[pixel] = lesion ?? 0;
  });
  return { labels, lesions };
}

type PaintPixel = (pixel: number, share: number, mixture: number) => void;

/** What of a plane is still open. */
class Canvas {
  readonly #plane: Plane;
  /** Share of each pixel that nothing covers yet. */
  readonly #open: Float32Array;
  /** Pixels of each tile that are open. */
  readonly #openInTile: Uint8Array;
  readonly #tilesARow: number;
  readonly #pixelMm: number;
  readonly #edgeMm: number;
  readonly #edge: EdgeShape;

  /** @throws SIM_ERR_PLANE */
  constructor(plane: Plane, edge: EdgeShape = 'box') {
    const { nColumns, nRows, columnStepMm, rowStepMm } = plane;
    const steps = [length(columnStepMm), length(rowStepMm)] as const;
    const valid =
      Number.isInteger(nColumns) && Number.isInteger(nRows) && nColumns > 0 && nRows > 0 && nColumns * nRows <= mostPixels &&
      steps.every((step) => step > 0 && Number.isFinite(step)) &&
      Math.abs(dot(columnStepMm, rowStepMm)) < 1e-6 * steps[0] * steps[1];
    if (!valid) throw simulatorError('SIM_ERR_PLANE', `${nColumns} x ${nRows} pixels of ${steps.join(' x ')} mm`);
    this.#plane = plane;
    this.#pixelMm = (steps[0] + steps[1]) / 2;
    this.#edgeMm = edge === 'box' ? this.#pixelMm : cosineEdgeMm(plane);
    this.#edge = edge;
    this.#open = new Float32Array(nColumns * nRows).fill(1);
    this.#tilesARow = Math.ceil(nColumns / tileSize);
    this.#openInTile = new Uint8Array(this.#tilesARow * Math.ceil(nRows / tileSize));
    for (let tile = 0; tile < this.#openInTile.length; tile++) {
      const columns = Math.min(tileSize, nColumns - tileSize * (tile % this.#tilesARow));
      const rows = Math.min(tileSize, nRows - tileSize * Math.floor(tile / this.#tilesARow));
      this.#openInTile[tile] = columns * rows;
    }
  }

  /** From the last structure to the first, by the share that each takes of each pixel. */
  paint(structures: readonly Structure[], painter: (structure: Structure) => PaintPixel): void {
    for (let index = structures.length - 1; index >= 0; index--) {
      const structure = structures[index]!;
      const paintPixel = painter(structure);
      this.#cover(structure, Math.max(structure.edgeMm ?? 0, this.#edgeMm), mixtureOf(structure), (pixel, coverage, mixture) => {
        const open = this.#open[pixel]!;
        paintPixel(pixel, open * coverage, mixture);
        return open * (1 - coverage);
      });
    }
  }

  /** From the last structure to the first, the pixels of which each covers half or more. */
  mark(structures: readonly Structure[], marker: (structure: Structure) => (pixel: number) => void): void {
    for (let index = structures.length - 1; index >= 0; index--) {
      const structure = structures[index]!;
      const markPixel = marker(structure);
      // Sharp edges count by the centre alone: the label of a pixel does not depend on its size.
      this.#cover(structure, structure.edgeMm ?? 0, noMixture, (pixel, coverage) => {
        if (coverage < 0.5) return this.#open[pixel]!;
        markPixel(pixel);
        return 0;
      });
    }
  }

  /** `take` gets every open pixel that the structure covers, and gives the share that stays open. */
  #cover(
    structure: Structure,
    edgeMm: number,
    mixtureAt: (x: number, y: number, z: number) => number,
    take: (pixel: number, coverage: number, mixture: number) => number,
  ): void {
    const range = this.#pixelsOf(grownBox(structure.solid.bounds, edgeMm / 2));
    if (range === undefined) return;
    const { solid, opacity = 1 } = structure;
    const { originMm, columnStepMm, rowStepMm, nColumns } = this.#plane;
    const open = this.#open;
    const openInTile = this.#openInTile;
    const tilesARow = this.#tilesARow;
    const edge = this.#edge;
    const pixelMm = this.#pixelMm;
    const steepness = edgeMm > 0 ? 1 / edgeMm : Infinity;

    const square = (row: number, column: number, size: number): void => {
      const endRow = Math.min(row + size, range.endRow);
      const endColumn = Math.min(column + size, range.endColumn);
      if (row + size <= range.row || column + size <= range.column || row >= endRow || column >= endColumn) return;
      if (size === tileSize && openInTile[(row >> tileBits) * tilesARow + (column >> tileBits)] === 0) return;
      const middleRow = row + (size - 1) / 2;
      const middleColumn = column + (size - 1) / 2;
      const distance = solid.distanceMm(
        originMm[0] + middleColumn * columnStepMm[0] + middleRow * rowStepMm[0],
        originMm[1] + middleColumn * columnStepMm[1] + middleRow * rowStepMm[1],
        originMm[2] + middleColumn * columnStepMm[2] + middleRow * rowStepMm[2],
      );
      const reach = caution * (pixelMm * size * Math.SQRT1_2 + edgeMm / 2);
      if (distance > reach) return;
      const covers = distance < -reach;
      if (!covers && size > smallestSquare) {
        const half = size / 2;
        square(row, column, half);
        square(row, column + half, half);
        square(row + half, column, half);
        square(row + half, column + half, half);
        return;
      }
      const needsPoint = !covers || mixtureAt !== noMixture;
      for (let r = Math.max(row, range.row); r < endRow; r++) {
        const rowX = originMm[0] + r * rowStepMm[0];
        const rowY = originMm[1] + r * rowStepMm[1];
        const rowZ = originMm[2] + r * rowStepMm[2];
        for (let c = Math.max(column, range.column); c < endColumn; c++) {
          const pixel = r * nColumns + c;
          if (open[pixel] === 0) continue;
          let share = 1;
          let mixture = 0;
          if (needsPoint) {
            const x = rowX + c * columnStepMm[0];
            const y = rowY + c * columnStepMm[1];
            const z = rowZ + c * columnStepMm[2];
            if (!covers) share = shareOf(solid.distanceMm(x, y, z), steepness, edge);
            if (share === 0) continue;
            mixture = mixtureAt(x, y, z);
          }
          const left = take(pixel, opacity * share, mixture);
          open[pixel] = left;
          if (left === 0) openInTile[(r >> tileBits) * tilesARow + (c >> tileBits)]! -= 1;
        }
      }
    };
    const firstRow = range.row - (range.row % largestSquare);
    const firstColumn = range.column - (range.column % largestSquare);
    for (let row = firstRow; row < range.endRow; row += largestSquare) {
      for (let column = firstColumn; column < range.endColumn; column += largestSquare) square(row, column, largestSquare);
    }
  }

  /** The pixels that a box may touch. */
  #pixelsOf(box: Box): { row: number; endRow: number; column: number; endColumn: number } | undefined {
    const { originMm, columnStepMm, rowStepMm, nColumns, nRows } = this.#plane;
    if (!box.min.every(Number.isFinite) || !box.max.every(Number.isFinite)) {
      return { row: 0, endRow: nRows, column: 0, endColumn: nColumns };
    }
    const normal = cross(columnStepMm, rowStepMm);
    let [row, endRow, column, endColumn] = [Infinity, -Infinity, Infinity, -Infinity];
    let [above, below] = [false, false];
    for (const corner of cornersOf(box)) {
      const way: Vector3 = [corner[0] - originMm[0], corner[1] - originMm[1], corner[2] - originMm[2]];
      const height = dot(way, normal);
      above ||= height >= 0;
      below ||= height <= 0;
      const c = dot(way, columnStepMm) / dot(columnStepMm, columnStepMm);
      const r = dot(way, rowStepMm) / dot(rowStepMm, rowStepMm);
      row = Math.min(row, r);
      endRow = Math.max(endRow, r);
      column = Math.min(column, c);
      endColumn = Math.max(endColumn, c);
    }
    if (!above || !below) return undefined;
    const range = {
      row: Math.max(0, Math.floor(row)),
      endRow: Math.min(nRows, Math.ceil(endRow) + 1),
      column: Math.max(0, Math.floor(column)),
      endColumn: Math.min(nColumns, Math.ceil(endColumn) + 1),
    };
    return range.row < range.endRow && range.column < range.endColumn ? range : undefined;
  }
}

function shareOf(distanceMm: number, steepness: number, edge: EdgeShape): number {
  if (steepness === Infinity) return distanceMm <= 0 ? 1 : 0;
  const t = Math.min(0.5, Math.max(-0.5, distanceMm * steepness));
  return edge === 'box' || Math.abs(t) === 0.5 ? 0.5 - t : 0.5 - t - Math.sin(2 * Math.PI * t) / (2 * Math.PI);
}

function noMixture(): number {
  return 0;
}

function mixtureOf({ texture }: Structure): (x: number, y: number, z: number) => number {
  if (texture === undefined) return noMixture;
  const { mean, amplitude, scaleMm, seed } = texture;
  const [sx, sy, sz] = scaleMm.map((mm) => 1 / mm) as [number, number, number];
  return (x, y, z) => Math.min(1, Math.max(0, mean + amplitude * smoothNoise(x * sx, y * sy, z * sz, seed)));
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function length(a: Vector3): number {
  return Math.hypot(...a);
}
