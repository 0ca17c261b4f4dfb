/**
 * What the network said of a whole stack, kept for the stacks that see the same from another side.
 *
 *   code = round(-ln p / step),     p = exp(-step code) / Σ_c exp(-step code_c)
 *
 * A byte a class, the classes of a pixel beside each other; what is below e^-10.2 counts as that. The sum mends what rounding
 * does to the likeliest class.
 */
import type { ImageGeometry } from '../../imaging/index.js';
import { nClasses } from './classes.js';

/** Of logarithms of probability. */
export const evidenceStep = 0.04;
const mostCode = 255;
/** Above it the other classes count as nothing. */
const sure = 0.999;
const probabilityOf = Float32Array.from({ length: mostCode + 1 }, (_, code) => Math.exp(-evidenceStep * code));

/** Some rows and columns. */
export interface Part {
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly rows: number;
  readonly columns: number;
}

export class Evidence {
  /** Of the network's pixels. */
  readonly geometry: ImageGeometry;
  /** [slice, row, column, class] */
  readonly codes: Uint8Array;
  /** [slice, row, column] */
  readonly winners: Uint8Array;

  constructor(geometry: ImageGeometry) {
    const [columns, rows, slices] = geometry.matrixSize;
    this.geometry = geometry;
    this.codes = new Uint8Array(columns * rows * slices * nClasses).fill(mostCode);
    this.winners = new Uint8Array(columns * rows * slices);
  }

  /** @param probabilities [class, row, column], rows `stride` apart */
  keep(slice: number, probabilities: Float32Array, stride: number): void {
    const [columns, rows] = this.geometry.matrixSize;
    const plane = probabilities.length / nClasses;
    for (let row = 0, pixel = slice * rows * columns; row < rows; row++) {
      for (let column = 0, from = row * stride; column < columns; column++, from++, pixel++) {
        let best = 0;
        let highest = probabilities[from]!;
        for (let index = 1, at = from + plane; index < nClasses && highest <= 0.5; index++, at += plane) {
          if (probabilities[at]! > highest) [best, highest] = [index, probabilities[at]!];
        }
        this.winners[pixel] = best;
        const to = pixel * nClasses;
        if (highest > sure) {
          this.codes[to + best] = 0;
          continue;
        }
        for (let index = 0, at = from; index < nClasses; index++, at += plane) {
          this.codes[to + index] = Math.min(mostCode, Math.round(-Math.log(probabilities[at]! + 1e-9) / evidenceStep));
        }
      }
    }
  }

  /** Whether the other classes of a voxel hardly count. */
  isSure(voxel: number): boolean {
    return this.codes[voxel * nClasses + this.winners[voxel]!] === 0;
  }

  /** [class, row, column] of a part of a slice */
  probabilities(slice: number, { firstRow, firstColumn, rows, columns }: Part): Float32Array {
    const [allColumns, allRows] = this.geometry.matrixSize;
    const into = new Float32Array(nClasses * rows * columns);
    for (let row = 0, pixel = 0; row < rows; row++) {
      let from = ((slice * allRows + firstRow + row) * allColumns + firstColumn) * nClasses;
      for (let column = 0; column < columns; column++, pixel++, from += nClasses) {
        let sum = 0;
        for (let index = 0; index < nClasses; index++) sum += probabilityOf[this.codes[from + index]!]!;
        for (let index = 0, at = pixel; index < nClasses; index++, at += rows * columns) into[at] = probabilityOf[this.codes[from + index]!]! / sum;
      }
    }
    return into;
  }
}
