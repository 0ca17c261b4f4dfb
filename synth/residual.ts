/**
 * How far two images of different contrast still lie apart, by their edges, from place to place:
 *
 *   s(block) = argmax_s Σ_pixels (n1(x) · n2(x + s))²,   n = ∇I / sqrt(|∇I|² + <|∇I|²> + ε²)
 *
 * the normalised gradient fields of Haber and Modersitzki 2006, doi 10.1007/11866565_89: edges count where both images
 * have them in one direction, light-to-dark or dark-to-light, however strong. <> is a mean over the neighbourhood, so that
 * shading does not count; ε, from the slopes of the flattest third of the slice, keeps noise from making edges. Nothing of
 * this is what registration maximised.
 *
 * Steps, slice by slice:
 * 1. Gradients of both images after a binomial mean over 3 x 3 pixels.
 * 2. The sum over every cell of the slice for every shift of up to six pixels.
 * 3. A block is 3 x 3 cells about each cell, so that neighbouring blocks overlap; a slice is all of its cells. Where its
 *    summit stands out of the other shifts, it is the shift, refined by a parabola along each axis. Where edges run one way
 *    only, the summit is a ridge, and the shift across it is what can be told.
 *
 * Only shifts within slices are seen. The shift of fat along the readout (chemical shift) is one of them, where it differs
 * between the series. A shift is measured to some tenths of a pixel: of a perfectly aligned noisy pair the median is not 0.
 */
import { percentileAmong, percentileOf, voxelSizeMm, type ImageGeometry, type Volume } from '../imaging/index.js';

export interface ResidualMap {
  /** Blocks lie on a lattice of this many mm, [along columns, along rows]. */
  readonly stepMm: readonly [number, number];
  /** Columns, rows and slices of the lattice. */
  readonly size: readonly [number, number, number];
  /** Length of the shift of each block, mm, [slice, row, column]; NaN where it cannot be told. */
  readonly blockShiftMm: Float32Array;
  /** The same of each slice as a whole. */
  readonly sliceShiftMm: Float32Array;
  /** Over the blocks that tell, or the slices where no block does; NaN where nothing does. */
  readonly medianMm: number;
  readonly percentile90Mm: number;
  /** Part of the blocks with edges in both images whose shift could be told, 0 to 1. */
  readonly toldShare: number;
}

const reachPixels = 6;
const nShifts = (2 * reachPixels + 1) ** 2;
const cellMm = 10;
const neighbourhoodMm = 12;
/** The summit over the mean of all shifts, in their standard deviations: of a block, and of a slice, which errs less. */
const leastProminence = { block: 3, slice: 2 } as const;
/** Of the curvatures of the summit, the flatter over the sharper; below it is a ridge. */
const leastRoundness = 0.2;
/** |n|² of an edge. */
const edgeEnergy = 0.15;
/** Mean of |n1|² |n2|² over a block that has edges in both images. */
const leastEdges = 0.01;

/** Edges of a volume, slice by slice: of one that is compared more than once they are found once. */
export interface VolumeEdges {
  readonly geometry: ImageGeometry;
  /** Nothing of slices that are not asked. */
  readonly slices: readonly (Edges | undefined)[];
}

/** @param every of how many slices one is asked, from the first on */
export function edgesOfVolume({ geometry, data }: Volume<Float32Array>, every = 1): VolumeEdges {
  const [columns, rows, slices] = geometry.matrixSize;
  const [columnMm] = voxelSizeMm(geometry);
  const leastSlope = (0.005 * percentileAmong(everySeventh(data), 90)) ** 2;
  const room = roomFor(columns, rows);
  const edges = Array.from({ length: slices }, (_, slice) => slice % every !== 0 ? undefined :
    edgesOf(data.subarray(slice * columns * rows, (slice + 1) * columns * rows), columns, rows, neighbourhoodMm / columnMm, leastSlope, room));
  return { geometry, slices: edges };
}

/** Shifts of the edges of `b` from those of `a`, two volumes on one grid, in the slices of which both have some. */
export function residualMap(a: VolumeEdges, b: VolumeEdges): ResidualMap {
  const [columns, rows, slices] = a.geometry.matrixSize;
  const [columnMm, rowMm] = voxelSizeMm(a.geometry);
  const cell = [Math.max(6, Math.round(cellMm / columnMm)), Math.max(6, Math.round(cellMm / rowMm))] as const;
  const lattice = { columns: Math.max(1, Math.floor(columns / cell[0])), rows: Math.max(1, Math.floor(rows / cell[1])) };
  const nCells = lattice.columns * lattice.rows;
  const blockShiftMm = new Float32Array(nCells * slices).fill(NaN);
  const sliceShiftMm = new Float32Array(slices).fill(NaN);
  let [nWithEdges, nTold] = [0, 0];
  const whole = new Float64Array(nShifts);
  const sum = new Float64Array(nShifts);
  for (let slice = 0; slice < slices; slice++) {
    const [edgesOfA, edgesOfB] = [a.slices[slice], b.slices[slice]];
    if (edgesOfA === undefined || edgesOfB === undefined) continue;
    const { scores, edges } = scoresOf(edgesOfA, edgesOfB, columns, rows, cell, lattice);
    whole.fill(0);
    for (let row = 0; row < lattice.rows; row++) {
      for (let column = 0; column < lattice.columns; column++) {
        const own = (row * lattice.columns + column) * nShifts;
        for (let shift = 0; shift < nShifts; shift++) whole[shift]! += scores[own + shift]!;
        const [top, bottom] = [Math.max(0, row - 1), Math.min(lattice.rows - 1, row + 1)];
        const [left, right] = [Math.max(0, column - 1), Math.min(lattice.columns - 1, column + 1)];
        let [edge, nPixels] = [0, 0];
        for (let y = top; y <= bottom; y++) {
          for (let x = left; x <= right; x++) {
            edge += edges[y * lattice.columns + x]!;
            nPixels += (cell[0] * cell[1]) / 2;
          }
        }
        if (edge < leastEdges * nPixels) continue;
        nWithEdges++;
        sum.fill(0);
        for (let y = top; y <= bottom; y++) {
          for (let x = left; x <= right; x++) {
            const from = (y * lattice.columns + x) * nShifts;
            for (let shift = 0; shift < nShifts; shift++) sum[shift]! += scores[from + shift]!;
          }
        }
        const shiftMm = summitMm(sum, columnMm, rowMm, leastProminence.block);
        blockShiftMm[slice * nCells + row * lattice.columns + column] = shiftMm;
        if (Number.isNaN(shiftMm)) continue;
        nTold++;
      }
    }
    sliceShiftMm[slice] = summitMm(whole, columnMm, rowMm, leastProminence.slice);
  }
  const told = toldShifts({ blockShiftMm, sliceShiftMm });
  return {
    stepMm: [cell[0] * columnMm, cell[1] * rowMm], size: [lattice.columns, lattice.rows, slices], blockShiftMm, sliceShiftMm,
    medianMm: percentileOfTold(told, 50),
    percentile90Mm: percentileOfTold(told, 90),
    toldShare: nWithEdges > 0 ? nTold / nWithEdges : 0,
  };
}

/** Ascending; of blocks, or of slices where no block tells. */
function toldShifts({ blockShiftMm, sliceShiftMm }: Pick<ResidualMap, 'blockShiftMm' | 'sliceShiftMm'>): Float32Array {
  const isTold = (shiftMm: number) => !Number.isNaN(shiftMm);
  const blocks = blockShiftMm.filter(isTold);
  return (blocks.length > 0 ? blocks : sliceShiftMm.filter(isTold)).sort();
}

const percentileOfTold = (told: Float32Array, percent: number) => (told.length > 0 ? percentileOf(told, percent) : NaN);

/** n, [x or y][row, column]. */
export type Edges = readonly [Float32Array, Float32Array];

/** What the slices of a volume are worked on in, one after the other. */
interface Room {
  readonly across: Float32Array;
  readonly smooth: Float32Array;
  /** 0 along the border, like the first row and column of the table. */
  readonly energy: Float32Array;
  readonly around: Float32Array;
  readonly table: Float64Array;
}

function roomFor(columns: number, rows: number): Room {
  const image = () => new Float32Array(columns * rows);
  return { across: image(), smooth: image(), energy: image(), around: image(), table: new Float64Array((columns + 1) * (rows + 1)) };
}

function edgesOf(image: Float32Array, columns: number, rows: number, reach: number, leastSlope: number, { across, smooth, energy, around, table }: Room): Edges {
  binomial(image, across, columns, rows, 1);
  binomial(across, smooth, columns, rows, columns);
  const [x, y] = [new Float32Array(image.length), new Float32Array(image.length)];
  for (let row = 1; row < rows - 1; row++) {
    for (let column = 1; column < columns - 1; column++) {
      const at = row * columns + column;
      x[at] = (smooth[at + 1]! - smooth[at - 1]!) / 2;
      y[at] = (smooth[at + columns]! - smooth[at - columns]!) / 2;
      energy[at] = x[at] ** 2 + y[at] ** 2;
    }
  }
  // Of noise alone, |∇I|² is distributed exponentially: a third of it lies below 0.41 of its mean.
  const noise = percentileAmong(everySeventh(energy), 33) / 0.41;
  const floor = Math.max(4 * noise, leastSlope);
  boxMean(energy, around, table, columns, rows, Math.max(1, Math.round(reach)));
  for (let at = 0; at < image.length; at++) {
    const length = Math.sqrt(energy[at]! + around[at]! + floor);
    if (length > 0) {
      x[at]! /= length;
      y[at]! /= length;
    }
  }
  return [x, y];
}

/** (1, 2, 1) / 4 along one axis, whose neighbours are `stride` apart; border pixels stay. */
function binomial(image: Float32Array, out: Float32Array, columns: number, rows: number, stride: number): void {
  out.set(image);
  const [left, top] = stride === 1 ? [1, 0] : [0, 1];
  for (let row = top; row < rows - top; row++) {
    for (let column = left; column < columns - left; column++) {
      const at = row * columns + column;
      out[at] = (image[at - stride]! + 2 * image[at]! + image[at + stride]!) / 4;
    }
  }
}

/** Mean over the square of `reach` neighbours that lies in the image, by a table of sums. */
function boxMean(image: Float32Array, means: Float32Array, table: Float64Array, columns: number, rows: number, reach: number): void {
  const width = columns + 1;
  for (let row = 0; row < rows; row++) {
    let alongRow = 0;
    for (let column = 0; column < columns; column++) {
      alongRow += image[row * columns + column]!;
      table[(row + 1) * width + column + 1] = table[row * width + column + 1]! + alongRow;
    }
  }
  for (let row = 0; row < rows; row++) {
    const [top, bottom] = [Math.max(0, row - reach), Math.min(rows, row + reach + 1)];
    for (let column = 0; column < columns; column++) {
      const left = Math.max(0, column - reach);
      const right = Math.min(columns, column + reach + 1);
      const sum = table[bottom * width + right]! - table[top * width + right]! - table[bottom * width + left]! + table[top * width + left]!;
      means[row * columns + column] = sum / ((bottom - top) * (right - left));
    }
  }
}

/** Σ (n1(x) · n2(x + s))² of each cell, [cell, shift], and Σ |n1|² |n2|² at no shift. */
function scoresOf(
  [ax, ay]: Edges, [bx, by]: Edges, columns: number, rows: number, cell: readonly [number, number],
  lattice: { readonly columns: number; readonly rows: number },
): { scores: Float64Array; edges: Float64Array } {
  const scores = new Float64Array(lattice.columns * lattice.rows * nShifts);
  const edges = new Float64Array(lattice.columns * lattice.rows);
  for (let row = reachPixels; row < Math.min(rows - reachPixels, lattice.rows * cell[1]); row++) {
    // Every other pixel, like the fields of a chessboard: edges are longer than that.
    for (let column = reachPixels + (row % 2); column < Math.min(columns - reachPixels, lattice.columns * cell[0]); column += 2) {
      const at = row * columns + column;
      const x = ax[at]!;
      const y = ay[at]!;
      const energy = x * x + y * y;
      if (energy < edgeEnergy) continue;
      const place = Math.floor(row / cell[1]) * lattice.columns + Math.floor(column / cell[0]);
      edges[place]! += energy * (bx[at]! ** 2 + by[at]! ** 2);
      let shift = place * nShifts;
      for (let down = -reachPixels; down <= reachPixels; down++) {
        const from = at + down * columns;
        for (let right = -reachPixels; right <= reachPixels; right++) {
          const product = x * bx[from + right]! + y * by[from + right]!;
          scores[shift++]! += product * product;
        }
      }
    }
  }
  return { scores, edges };
}

/** Length of the shift at the summit; NaN where there is none that stands out. */
function summitMm(scores: Float64Array, columnMm: number, rowMm: number, prominence: number): number {
  const side = 2 * reachPixels + 1;
  let [highest, sum, squares] = [0, 0, 0];
  for (let shift = 0; shift < nShifts; shift++) {
    if (scores[shift]! > scores[highest]!) highest = shift;
    sum += scores[shift]!;
    squares += scores[shift]! ** 2;
  }
  const mean = sum / nShifts;
  const deviation = Math.sqrt(Math.max(squares / nShifts - mean * mean, 0));
  if (!(scores[highest]! - mean > prominence * deviation)) return NaN;
  const [right, down] = [(highest % side) - reachPixels, Math.floor(highest / side) - reachPixels];
  // At the end of the reach the shift is at least that long.
  if (Math.max(Math.abs(right), Math.abs(down)) === reachPixels) return Math.hypot(right * columnMm, down * rowMm);
  const [x, y] = [parabola(scores, highest, 1), parabola(scores, highest, side)];
  const twist = (scores[highest + side + 1]! + scores[highest - side - 1]! - scores[highest + side - 1]! - scores[highest - side + 1]!) / 4;
  const [middle, spread] = [(x.curvature + y.curvature) / 2, Math.hypot((x.curvature - y.curvature) / 2, twist)];
  const shiftMm = [(right + x.vertex) * columnMm, (down + y.vertex) * rowMm] as const;
  if (middle - spread > leastRoundness * (middle + spread)) return Math.hypot(...shiftMm);
  // Across the ridge: along the sharper of the principal curvatures, of [[x, -twist], [-twist, y]].
  const across = Math.atan2(-2 * twist, x.curvature - y.curvature) / 2;
  return Math.abs(shiftMm[0] * Math.cos(across) + shiftMm[1] * Math.sin(across));
}

/** Enough to know a percentile by. */
function everySeventh(values: Float32Array): Float32Array {
  const some = new Float32Array(Math.ceil(values.length / 7));
  for (let at = 0; at < some.length; at++) some[at] = values[7 * at]!;
  return some;
}

function parabola(scores: Float64Array, at: number, stride: number): { curvature: number; vertex: number } {
  const [before, here, behind] = [scores[at - stride]!, scores[at]!, scores[at + stride]!];
  const curvature = 2 * here - before - behind;
  return { curvature, vertex: curvature > 0 ? (behind - before) / (2 * curvature) : 0 };
}
