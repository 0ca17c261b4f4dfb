/**
 * The Fourier transform of a painted window on the lattice of k-space.
 *
 *   F(k) = 1/B(k) Σ_pixels f exp(-i 2π k·r) du dv,     B(k) = sinc(|k| w) / (1 - (|k| w)²)
 *
 * B is the transform of the painter's edges, of width w in whatever direction they run (anatomy/paint.ts);
 * at k an object's transform comes from the edges across k. Two real images are transformed as
 * the parts of a complex one, Z = A + iB, and stay together: A = (Z(k) + conj Z(-k)) / 2 and
 * B = (Z(k) - conj Z(-k)) / 2i are taken apart when rows are combined (coilSum.ts).
 *
 * Pruned: rows without body and columns beyond the lattice are never transformed.
 */
import { fftColumns, fftLines, planFft, type Kernels } from '../../recon/index.js';
import type { SampledLattice } from './lattice.js';
import type { PaintGrid } from './paintedSlice.js';

export class GridTransform {
  readonly #kernels: Kernels;
  readonly #grid: PaintGrid;
  readonly #lattice: SampledLattice;
  readonly #scale: number;
  readonly #lines: number;
  readonly #columns: number;

  /** @param scale what a sample is multiplied by, beside du dv */
  constructor(kernels: Kernels, grid: PaintGrid, lattice: SampledLattice, scale: number) {
    this.#kernels = kernels;
    this.#grid = grid;
    this.#lattice = lattice;
    const { nColumns, nRows, columnMm, rowMm } = grid;
    // The kernels' transform is orthonormal.
    this.#scale = scale * columnMm * rowMm * Math.sqrt(nColumns * nRows);
    planFft(kernels, nColumns);
    planFft(kernels, nRows);
    this.#lines = kernels.arena.allocate(8 * (grid.endRow - grid.firstRow) * nColumns);
    this.#columns = kernels.arena.allocate(8 * nRows * this.#width);
  }

  /** Gives back what the constructor took, except the plans. */
  release(): void {
    this.#kernels.arena.release(this.#lines);
    this.#kernels.arena.release(this.#columns);
  }

  /** Bytes that a transform needs, plans included. */
  static nBytes(grid: PaintGrid, lattice: SampledLattice): number {
    const { nColumns, nRows, firstRow, endRow } = grid;
    // 17 slots of 32 bytes an element, and the roots of unity of every stage.
    const plans = (nColumns + nRows) * (17 * 32 + 64) + 2 ** 16;
    return 8 * (endRow - firstRow) * nColumns + 8 * nRows * (2 * lattice.halfU + 1) + plans;
  }

  get #width(): number {
    return 2 * this.#lattice.halfU + 1;
  }

  /**
   * @param real float32 [row, column] of the window
   * @param imaginary likewise; zeros where it is left out
   * @returns Z, complex64 interleaved [2 halfV + 1, 2 halfU + 1]
   */
  of(real: Float32Array, imaginary?: Float32Array): Float32Array {
    const { arena } = this.#kernels;
    const { nColumns, nRows, firstColumn, endColumn, firstRow, endRow } = this.#grid;
    const { halfU, halfV } = this.#lattice;
    const width = this.#width;
    const windowRows = endRow - firstRow;
    const windowColumns = endColumn - firstColumn;
    const lines = arena.f32(this.#lines, 2 * windowRows * nColumns).fill(0);
    for (let row = 0, from = 0; row < windowRows; row++) {
      let to = 2 * (row * nColumns + firstColumn);
      for (let column = 0; column < windowColumns; column++, from++, to += 2) {
        lines[to] = real[from]!;
        if (imaginary !== undefined) lines[to + 1] = imaginary[from]!;
      }
    }
    fftLines(this.#kernels, planFft(this.#kernels, nColumns), this.#lines, windowRows, 'forward');

    const columns = arena.f32(this.#columns, 2 * nRows * width).fill(0);
    const firstU = Math.floor(nColumns / 2) - halfU;
    for (let row = 0; row < windowRows; row++) {
      const from = 2 * (row * nColumns + firstU);
      columns.set(lines.subarray(from, from + 2 * width), 2 * (row + firstRow) * width);
    }
    fftColumns(this.#kernels, planFft(this.#kernels, nRows), this.#columns, width, 'forward');

    const first = 2 * (Math.floor(nRows / 2) - halfV) * width;
    const values = columns.slice(first, first + 2 * (2 * halfV + 1) * width);
    this.#divideByEdge(values);
    return values;
  }

  #divideByEdge(values: Float32Array): void {
    const { stepU, stepV, halfU, halfV } = this.#lattice;
    const widthMm = 2 * Math.max(this.#grid.columnMm, this.#grid.rowMm);
    for (let j = -halfV, index = 0; j <= halfV; j++) {
      for (let i = -halfU; i <= halfU; i++, index += 2) {
        const factor = this.#scale / edgeTransform(widthMm * Math.sqrt((i * stepU) ** 2 + (j * stepV) ** 2));
        values[index]! *= factor;
        values[index + 1]! *= factor;
      }
    }
  }
}

/** sinc(x) / (1 - x²), smooth at 0 and, one half, at 1. */
function edgeTransform(x: number): number {
  if (x < 1e-4) return 1;
  if (Math.abs(x - 1) < 1e-4) return 0.5;
  return Math.sin(Math.PI * x) / (Math.PI * x * (1 - x * x));
}
