/**
 * Connected regions of a labelled stack, one class each, over its slices.
 *
 * Rows are cut into runs of one class. Runs of a class belong together where they touch: in the next row also diagonally, in the
 * next slice where they lie over each other. Sets are joined by union-find (Tarjan 1975, doi 10.1145/321879.321884). What is told
 * of a region costs its runs and a sample of its pixels, not the volume.
 */
import { voxelSizeMm } from '../../imaging/index.js';
import { latticeOf } from '../geometry.js';
import type { LabelledClasses } from '../segment/index.js';

export interface Region {
  readonly structure: number;
  readonly volumeMm3: number;
  /** Every second pixel of every second row: x, y, z; x, y, z; … in the patient, mm. */
  readonly points: Float32Array;
  /** What a point stands for. */
  readonly pointMm3: number;
  /** 0 to 1, mean over the points. */
  readonly confidence: number;
}

/** Runs of every class but background, in the order of slices and rows. */
export interface Runs {
  readonly n: number;
  /** Row of the stack: slice · rows + row. */
  readonly line: Int32Array;
  readonly first: Int32Array;
  /** One behind the last column. */
  readonly end: Int32Array;
  readonly structure: Uint8Array;
  readonly region: Int32Array;
}

export interface Stack {
  readonly labelled: LabelledClasses;
  readonly runs: Runs;
  readonly regions: readonly Region[];
}

const sampledEvery = 2;

export function stackOf(labelled: LabelledClasses): Stack {
  const { classes: { geometry, data } } = labelled;
  const [columns, rows, slices] = geometry.matrixSize;
  const lines = rows * slices;
  const runs = runsOf(data, columns, lines);
  const parent = Int32Array.from({ length: runs.n }, (_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  const starts = startsOf(runs, lines);
  for (let line = 0; line < lines; line++) {
    if (line % rows > 0) join(runs, starts, line, line - 1, 1, parent, root);
    if (line >= rows) join(runs, starts, line, line - rows, 0, parent, root);
  }
  const numbers = new Map<number, number>();
  for (let run = 0; run < runs.n; run++) {
    const own = root(run);
    if (!numbers.has(own)) numbers.set(own, numbers.size);
    runs.region[run] = numbers.get(own)!;
  }
  return { labelled, runs, regions: describe(labelled, runs, numbers.size) };
}

function runsOf(data: Uint8Array, columns: number, lines: number): Runs {
  const [line, first, end, structure]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let row = 0; row < lines; row++) {
    const start = row * columns;
    for (let column = 0; column < columns;) {
      const own = data[start + column]!;
      const from = column;
      while (column < columns && data[start + column] === own) column++;
      if (own === 0) continue;
      line.push(row);
      first.push(from);
      end.push(column);
      structure.push(own);
    }
  }
  return {
    n: line.length, line: Int32Array.from(line), first: Int32Array.from(first), end: Int32Array.from(end),
    structure: Uint8Array.from(structure), region: new Int32Array(line.length),
  };
}

/** First run of each line, and of the one behind the last. */
function startsOf({ n, line }: Runs, lines: number): Int32Array {
  const starts = new Int32Array(lines + 1).fill(n);
  for (let run = n - 1; run >= 0; run--) starts[line[run]!] = run;
  for (let row = lines - 1; row >= 0; row--) starts[row] = Math.min(starts[row]!, starts[row + 1]!);
  return starts;
}

function join({ first, end, structure }: Runs, starts: Int32Array, line: number, other: number, reach: number, parent: Int32Array, root: (index: number) => number): void {
  let b = starts[other]!;
  for (let a = starts[line]!; a < starts[line + 1]!; a++) {
    while (b < starts[other + 1]! && end[b]! + reach <= first[a]!) b++;
    for (let next = b; next < starts[other + 1]! && first[next]! < end[a]! + reach; next++) {
      if (structure[a] === structure[next]) parent[root(a)] = root(next);
    }
  }
}

function describe({ classes: { geometry }, confidence }: LabelledClasses, { n, line, first, end, structure, region }: Runs, nRegions: number): Region[] {
  const [columns, rows] = geometry.matrixSize;
  const [columnMm, rowMm, sliceMm] = voxelSizeMm(geometry);
  const pixelMm3 = columnMm * rowMm * sliceMm;
  const [pixels, sampled, sums] = [new Int32Array(nRegions), new Int32Array(nRegions), new Float64Array(nRegions)];
  const eachPoint = (visit: (own: number, slice: number, row: number, column: number) => void) => {
    for (let run = 0; run < n; run++) {
      const row = line[run]! % rows;
      if (row % sampledEvery !== 0) continue;
      const slice = (line[run]! - row) / rows;
      for (let column = first[run]! + (first[run]! % sampledEvery); column < end[run]!; column += sampledEvery) visit(region[run]!, slice, row, column);
    }
  };
  const structures = new Uint8Array(nRegions);
  for (let run = 0; run < n; run++) {
    pixels[region[run]!]! += end[run]! - first[run]!;
    structures[region[run]!] = structure[run]!;
  }
  eachPoint((own, slice, row, column) => {
    sampled[own]!++;
    sums[own]! += confidence[(slice * rows + row) * columns + column]!;
  });
  const points = Array.from(sampled, (length) => new Float32Array(3 * length));
  const filled = new Int32Array(nRegions);
  const { origin, across, down, on } = latticeOf(geometry);
  eachPoint((own, slice, row, column) => {
    const at = 3 * filled[own]!++;
    for (let axis = 0; axis < 3; axis++) points[own]![at + axis] = origin[axis]! + column * across[axis]! + row * down[axis]! + slice * on[axis]!;
  });
  return points.map((own, index) => ({
    structure: structures[index]!,
    volumeMm3: pixels[index]! * pixelMm3,
    points: own,
    pointMm3: pixelMm3 * sampledEvery ** 2,
    confidence: sampled[index]! > 0 ? sums[index]! / sampled[index]! / 255 : 0,
  }));
}
