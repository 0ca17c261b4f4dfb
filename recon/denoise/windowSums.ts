/**
 * Sums over rectangular windows of an image, each in four look-ups whatever its size, from the table
 *
 *   T[r, c] = sum over r' < r, c' < c of v[r', c'].
 *
 * Crow FC. Summed-area tables for texture mapping. SIGGRAPH Comput Graph 1984;18:207-212. doi:10.1145/964965.808600
 */

export interface LargestWindow {
  /** Square of the sum; of a complex image, of its magnitude. */
  readonly energy: number;
  /** First row and column. */
  readonly row: number;
  readonly column: number;
}

export class WindowSums {
  readonly #rows: number;
  readonly #columns: number;
  /** [rows + 1, columns + 1] */
  readonly #table: Float64Array;

  constructor(values: Float32Array, rows: number, columns: number) {
    this.#rows = rows;
    this.#columns = columns;
    const stride = columns + 1;
    const table = new Float64Array((rows + 1) * stride);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let column = 0; column < columns; column++) {
        sum += values[row * columns + column]!;
        table[(row + 1) * stride + column + 1] = table[row * stride + column + 1]! + sum;
      }
    }
    this.#table = table;
  }

  /** Over `height` rows from `row` and `width` columns from `column`, all within the image. */
  sum(row: number, column: number, height: number, width: number): number {
    const stride = this.#columns + 1;
    const from = row * stride + column;
    const to = from + height * stride;
    return this.#table[to + width]! - this.#table[to]! - this.#table[from + width]! + this.#table[from]!;
  }

  /**
   * The window of the largest sum, in magnitude, of those a quarter of a window apart; `imaginary`: the sums of the
   * imaginary part.
   */
  largest(imaginary: WindowSums | undefined, height: number, width: number): LargestWindow {
    const stride = this.#columns + 1;
    const down = height * stride;
    const table = this.#table;
    const other = imaginary === undefined ? undefined : imaginary.#table;
    let energy = -1;
    let at = 0;
    const [rowStep, columnStep] = [Math.max(1, height >> 2), Math.max(1, width >> 2)];
    for (let row = 0; row + height <= this.#rows; row += rowStep) {
      let from = row * stride;
      for (const end = from + this.#columns - width; from <= end; from += columnStep) {
        const re = table[from + down + width]! - table[from + down]! - table[from + width]! + table[from]!;
        let found = re * re;
        if (other !== undefined) {
          const im = other[from + down + width]! - other[from + down]! - other[from + width]! + other[from]!;
          found += im * im;
        }
        if (found <= energy) continue;
        energy = found;
        at = from;
      }
    }
    return { energy: Math.max(0, energy), row: Math.floor(at / stride), column: at % stride };
  }
}

