/**
 * Labels as a network gives them: of pixels of 0.8 mm, with edges that wander by about a pixel, small islands of what lies
 * nearby, and holes.
 */
import type { LabelledStack, Spine } from '../../analysis/index.js';
import { volumeOf } from '../../imaging/index.js';
import { Random } from '../../simulator/index.js';

export interface Perturbation {
  /** Standard deviation of the edges' wandering, mm. */
  readonly wanderMm: number;
  /** Along the edge, mm. */
  readonly correlationMm: number;
  readonly pixelMm: number;
  /** A slice, each. */
  readonly nSpecks: number;
}

export const asSegmented: Perturbation = { wanderMm: 0.5, correlationMm: 4, pixelMm: 0.8, nSpecks: 30 };

export function perturbed(spine: Spine, seed: number, perturbation: Perturbation = asSegmented): Spine {
  return { ...spine, stacks: spine.stacks.map((stack, index) => perturbedStack(stack, new Random(seed + index), perturbation)) };
}

function perturbedStack(stack: LabelledStack, random: Random, { wanderMm, correlationMm, pixelMm, nSpecks }: Perturbation): LabelledStack {
  const { geometry, data } = stack.codes;
  const [columns, rows, slices] = geometry.matrixSize;
  const fineMm = geometry.fovMm[0] / columns;
  const coarse = Math.max(1, Math.round(pixelMm / fineMm));
  const codes = new Uint16Array(data.length);
  for (let slice = 0; slice < slices; slice++) {
    const [offColumns, offRows] = [0, 1].map(() => smoothField(columns, rows, correlationMm / fineMm, wanderMm / fineMm, random)) as [Float32Array, Float32Array];
    const from = slice * rows * columns;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [j, i] = [row, column].map((at) => Math.floor(at / coarse) * coarse + Math.floor(coarse / 2)) as [number, number];
        const knot = Math.min(j, rows - 1) * columns + Math.min(i, columns - 1);
        const sourceRow = Math.min(rows - 1, Math.max(0, Math.round(j + offRows[knot]!)));
        const sourceColumn = Math.min(columns - 1, Math.max(0, Math.round(i + offColumns[knot]!)));
        codes[from + row * columns + column] = data[from + sourceRow * columns + sourceColumn]!;
      }
    }
    for (let speck = 0; speck < nSpecks; speck++) {
      const [row, column] = [rows, columns].map((size) => Math.floor(random.uniform() * size)) as [number, number];
      const radius = 1 + Math.floor((1.2 / fineMm) * random.uniform());
      // Holes, and islands of whatever is within 25 mm.
      const [awayRows, awayColumns] = [0, 1].map(() => Math.round(((random.uniform() - 0.5) * 50) / fineMm)) as [number, number];
      const [otherRow, otherColumn] = [Math.min(rows - 1, Math.max(0, row + awayRows)), Math.min(columns - 1, Math.max(0, column + awayColumns))];
      const code = speck % 2 === 0 ? 0 : data[from + otherRow * columns + otherColumn]!;
      for (let j = Math.max(0, row - radius); j <= Math.min(rows - 1, row + radius); j++) {
        for (let i = Math.max(0, column - radius); i <= Math.min(columns - 1, column + radius); i++) codes[from + j * columns + i] = code;
      }
    }
  }
  return { ...stack, codes: volumeOf(geometry, codes) };
}

/** Normal values at knots, linear between them. */
function smoothField(columns: number, rows: number, spacing: number, sd: number, random: Random): Float32Array {
  const [nColumns, nRows] = [Math.ceil(columns / spacing) + 2, Math.ceil(rows / spacing) + 2];
  const knots = Float32Array.from({ length: nColumns * nRows }, () => sd * random.normal());
  const field = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const [y, t] = [Math.floor(row / spacing), (row / spacing) % 1];
    for (let column = 0; column < columns; column++) {
      const [x, s] = [Math.floor(column / spacing), (column / spacing) % 1];
      const at = (j: number, i: number) => knots[j * nColumns + i]!;
      field[row * columns + column] = (1 - t) * ((1 - s) * at(y, x) + s * at(y, x + 1)) + t * ((1 - s) * at(y + 1, x) + s * at(y + 1, x + 1));
    }
  }
  return field;
}
