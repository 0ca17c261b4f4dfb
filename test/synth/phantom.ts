/** A stack of alike slices with what a spine has, and a network that knows their parameters. */
import { fatAt, tissueAt, type ImageGeometry, type TissueName } from '../../imaging/index.js';
import type { Tensors } from '../../models/index.js';
import { contrastEquation, SignalEquation, type RunModel, type SynthesisInput, type TissueMaps } from '../../synth/index.js';
import { Random } from '../../simulator/index.js';

export const [rows, columns, slices] = [96, 80, 3];
export const nPixels = rows * columns;
export const sequences = {
  t1w: { trMs: 600, teMs: 10, echoTrainLength: 3, echoSpacingMs: 10, refocusingAngleDeg: 150 },
  t2w: { trMs: 3500, teMs: 100, echoTrainLength: 17, echoSpacingMs: 10, refocusingAngleDeg: 150 },
  stir: { trMs: 4500, teMs: 45, echoTrainLength: 11, echoSpacingMs: 9, refocusingAngleDeg: 150 },
};

export const geometry: ImageGeometry = {
  centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [1, 0, 0],
  fovMm: [columns * 0.9, rows * 0.9, slices * 4], matrixSize: [columns, rows, slices],
};

/** Air, muscle, fat in front and behind, a canal, vertebrae and discs. */
export function tissueOf(row: number, column: number): TissueName {
  if (column < 6 || column > 75) return 'air';
  if (column > 66 || (column < 20 && row % 32 < 16)) return 'subcutaneousFat';
  if (column > 44 && column < 54) return 'csf';
  if (column > 20 && column <= 44) return row % 24 < 6 ? 'annulus' : 'cancellousBone';
  return 'muscle';
}

/** Of one slice. */
export function truthOf(fieldStrengthT: 1.5 | 3): TissueMaps {
  const tissues = Array.from({ length: nPixels }, (_, pixel) => tissueAt(tissueOf(Math.floor(pixel / columns), pixel % columns), fieldStrengthT));
  return {
    protonDensity: Float32Array.from(tissues, ({ protonDensity }) => Math.max(0.001, protonDensity)),
    lnT1Ms: Float32Array.from(tissues, ({ t1Ms }) => Math.log(t1Ms)),
    lnT2Ms: Float32Array.from(tissues, ({ t2Ms }) => Math.log(t2Ms)),
    fatFraction: Float32Array.from(tissues, ({ fatFraction }) => Math.min(0.99, Math.max(0.001, fatFraction))),
  };
}

export interface ScanOptions {
  readonly fieldStrengthT?: 1.5 | 3;
  readonly noise?: number;
  /** ln of what the coils see, from column and row in -1 to 1. */
  readonly lnShading?: (u: number, v: number) => number;
  /** What one of both shows besides. */
  readonly change?: (series: 't1w' | 't2w', slice: number, row: number, column: number) => number;
  readonly teOfT2wMs?: number;
}

export function scan({ fieldStrengthT = 1.5, noise = 0.004, lnShading = () => 0, change = () => 1, teOfT2wMs = 100 }: ScanOptions = {}): SynthesisInput {
  const truth = truthOf(fieldStrengthT);
  const random = new Random(7);
  const acquire = (name: 't1w' | 't2w', gain: number) => {
    const sequence = name === 't2w' ? { ...sequences.t2w, teMs: teOfT2wMs } : sequences.t1w;
    const signal = new SignalEquation(sequence, fieldStrengthT).signal(truth);
    const data = Float32Array.from({ length: slices * nPixels }, (_, voxel) => {
      const [slice, pixel] = [Math.floor(voxel / nPixels), voxel % nPixels];
      const [row, column] = [Math.floor(pixel / columns), pixel % columns];
      const shade = Math.exp(lnShading((2 * column) / (columns - 1) - 1, (2 * row) / (rows - 1) - 1));
      return gain * Math.hypot(signal[pixel]! * shade * change(name, slice, row, column) + noise * random.normal(), noise * random.normal());
    });
    return { volume: { geometry, data }, sequence: sequences[name] };
  };
  return { t1w: acquire('t1w', 900), t2w: acquire('t2w', 2300), fieldStrengthT };
}

export interface KnowingOptions {
  /** Deviations of each map: of its own and common. */
  readonly own?: number;
  readonly common?: number;
  /** Whether what the images are brighter or darker than the truth is taken for proton density, as networks do with what shading left. */
  readonly explains?: boolean;
  /** Of what is by the equation, its images of the contrasts. */
  readonly brightness?: number;
  /** Logits of what one image has and the other one does not, by row and column of 2 x 2 pixels, and ln of T2w's stated echo time over the true one. */
  readonly doubt?: (row: number, column: number) => number;
  readonly lnStatedOverTrue?: number;
}

/** A network that gives the true parameters and images of these; at half the resolution, their means. */
export function knowing(
  fieldStrengthT: 1.5 | 3, { own = 0.05, common = 0, explains = false, brightness = 1, doubt = () => -20, lnStatedOverTrue = 0 }: KnowingOptions = {},
): RunModel & { readonly asked: Tensors[] } {
  const truth = truthOf(fieldStrengthT);
  const parts = [truth.protonDensity.map(Math.log), truth.lnT1Ms, truth.lnT2Ms, truth.fatFraction.map((fat) => Math.log(fat / (1 - fat)))];
  const signals = [sequences.t1w, sequences.t2w].map((sequence) => new SignalEquation(sequence, fieldStrengthT).signal(truth));
  const asked: Tensors[] = [];
  const run = (inputs: Tensors): Promise<Tensors> => {
    asked.push(inputs);
    const { dims, data: images } = inputs['images']!;
    const [n, , paddedRows, paddedColumns] = dims as [number, number, number, number];
    const isHalf = paddedRows < rows;
    const padded = paddedRows * paddedColumns;
    const at = (part: Float32Array, pixel: number) => {
      const [row, column] = [Math.floor(pixel / paddedColumns), pixel % paddedColumns];
      const inside = (y: number, x: number) => part[Math.min(rows - 1, y) * columns + Math.min(columns - 1, x)]!;
      if (!isHalf) return inside(row, column);
      return (inside(2 * row, 2 * column) + inside(2 * row, 2 * column + 1) + inside(2 * row + 1, 2 * column) + inside(2 * row + 1, 2 * column + 1)) / 4;
    };
    const maps = new Float32Array(n * 4 * padded);
    for (let k = 0; k < n; k++) {
      for (let pixel = 0; pixel < padded; pixel++) {
        parts.forEach((part, map) => { maps[(k * 4 + map) * padded + pixel] = at(part, pixel); });
        const ratios = [0, 1].map((channel) => images[(k * 4 + channel) * padded + pixel]! / at(signals[channel]!, pixel)).filter((ratio) => ratio > 0.05 && ratio < 50);
        if (explains && ratios.length > 0) maps[k * 4 * padded + pixel]! += ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length;
      }
    }
    const spread = Float32Array.from({ length: n * 8 * padded }, (_, index) => (Math.floor(index / padded) % 8 < 4 ? own : common));
    const has = inputs['exam']!.data;
    const contrasts = new Float32Array(n * 2 * padded);
    for (let k = 0; k < n && has[16] === 1 && has[17] === 1; k++) {
      const [lnPd, lnT1Ms, lnT2Ms, logitFat] = [0, 1, 2, 3].map((map) => maps.subarray((k * 4 + map) * padded, (k * 4 + map + 1) * padded)) as [Float32Array, Float32Array, Float32Array, Float32Array];
      const tissue = { protonDensity: lnPd.map(Math.exp), lnT1Ms, lnT2Ms, fatFraction: logitFat.map((logit) => 1 / (1 + Math.exp(-logit))) };
      equationsOf(inputs['target']!.data, fieldStrengthT).forEach((equation, channel) => {
        contrasts.set(equation.signal(tissue).map((value) => brightness * Math.abs(value)), (k * 2 + channel) * padded);
      });
    }
    const [halfRows, halfColumns] = [paddedRows / 2, paddedColumns / 2];
    const doubts = Float32Array.from({ length: n * 2 * halfRows * halfColumns }, (_, index) => {
      const [row, column, isOfPlace] = [Math.floor(index / halfColumns) % halfRows, index % halfColumns, Math.floor(index / (halfRows * halfColumns)) % 2 === 0];
      return isOfPlace ? doubt(row, column) : lnStatedOverTrue;
    });
    return Promise.resolve({
      maps: { dims: [n, 4, paddedRows, paddedColumns], data: maps }, spread: { dims: [n, 8, paddedRows, paddedColumns], data: spread },
      doubt: { dims: [n, 2, halfRows, halfColumns], data: doubts }, contrasts: { dims: [n, 2, paddedRows, paddedColumns], data: contrasts },
    });
  };
  return Object.assign(run, { asked });
}

/** Of STIR and of T2 with fat saturation, as an image network is told of them. */
function equationsOf(target: Float32Array, fieldStrengthT: 1.5 | 3): readonly SignalEquation[] {
  const [trMs, teMs, tiMs, trainMs, trOfT2fsMs, teOfT2fsMs, trainOfT2fsMs] = [5000, 50, 190, 110, 4000, 75, 140].map((unit, k) => unit * Math.exp(target[k]!)) as [
    number, number, number, number, number, number, number,
  ];
  // Trains enter by their lengths alone, nearly.
  const train = (lengthMs: number, spacingMs: number) => ({ echoTrainLength: Math.round(lengthMs / spacingMs), echoSpacingMs: spacingMs, refocusingAngleDeg: 150 });
  return [
    contrastEquation({ contrast: 'stir', sequence: { trMs, teMs, ...train(trainMs, 9) }, tiMs }, fieldStrengthT).equation,
    contrastEquation({ contrast: 't2fs', sequence: { trMs: trOfT2fsMs, teMs: teOfT2fsMs, ...train(trainOfT2fsMs, 10) } }, fieldStrengthT).equation,
  ];
}

export const fatT1Ms = (fieldStrengthT: 1.5 | 3) => fatAt(fieldStrengthT).t1Ms;
