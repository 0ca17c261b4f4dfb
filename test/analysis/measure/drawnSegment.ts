/**
 * A lumbar segment drawn by formulas, so that every measure of it is known: boxes for bodies and disc, an elliptic sac whose
 * depth narrows at the disc, processes behind recess and foramen, joints as plates. The disc's middle is the origin.
 */
import {
  archCode, bodyCode, discCode, facetCode, foramenCode, structureCodes, type AnalysisSeries, type LabelledStack, type Orientation, type Spine,
} from '../../../analysis/index.js';
import { affineLps, transformPoint, volumeOf, type ImageGeometry, type Vector3 } from '../../../imaging/index.js';
import { Random } from '../../../simulator/index.js';

export interface Drawn {
  /** AP width of the sac in the disc's plane; 14 mm away from it. */
  readonly sacApMm?: number;
  readonly recessMm?: number;
  /** Where the processes behind the recesses begin, from the midline: the sac ends at 9 mm. */
  readonly processFromMm?: number;
  readonly foramenMm?: number;
  /** How much wider it is a millimetre beside the pedicle's middle, mm; with the square of the distance. */
  readonly foramenOpensMm?: number;
  readonly jointMm?: number;
  /** Disc in the canal, 12 mm wide in the midline, and all round. */
  readonly protrusionMm?: number;
  readonly bulgeMm?: number;
}

export const drawnSacTransverseMm = 18;
const [halfWidthMm, halfDepthMm] = [24, 17];
const lengthOfNarrowingMm = 5;

export function sacAreaMm2(apMm: number): number {
  return (Math.PI / 4) * drawnSacTransverseMm * apMm;
}

function codeAt(drawn: Drawn): (point: Vector3) => number {
  const { sacApMm = 14, recessMm = 6, processFromMm = 9, foramenMm = 6, foramenOpensMm = 0, jointMm = 2, protrusionMm = 0, bulgeMm = 0 } = drawn;
  return ([x, y, z]) => {
    const side = x > 0 ? 'left' : 'right';
    const lateral = Math.abs(x);
    if (lateral < halfWidthMm && Math.abs(y) < halfDepthMm && Math.abs(z) < 30) return Math.abs(z) < 5 ? discCode('L4-L5') : bodyCode(z > 0 ? 'L4' : 'L5');
    if (Math.abs(z) < 5 && Math.hypot(Math.max(0, lateral - halfWidthMm), Math.max(0, Math.abs(y) - halfDepthMm)) < bulgeMm) return discCode('L4-L5');
    if (Math.abs(z) < 4 && lateral < 6 && y > 0 && y < halfDepthMm + protrusionMm) return discCode('L4-L5');
    const apMm = 14 - (14 - sacApMm) * Math.exp(-((z / lengthOfNarrowingMm) ** 2));
    if ((x / (drawnSacTransverseMm / 2)) ** 2 + ((y - 27) / (apMm / 2)) ** 2 < 1) return structureCodes.sac;
    if (lateral > 13 && lateral < 23 && y >= halfDepthMm && y < 32) {
      if (z > 11 && z < 22) return archCode('L4');
      if (z < -11 && z > -22) return archCode('L5');
    }
    const behind = halfDepthMm + (lateral < 13 ? (lateral < processFromMm ? 18.5 : recessMm) : foramenMm + foramenOpensMm * (lateral - 18) ** 2);
    if (Math.abs(z) < 24 && lateral < 26 && y >= behind && y < 42) {
      if (Math.abs(lateral - 17) < jointMm / 2 && y > 27 && y < 39 && Math.abs(z) < 8) return facetCode('L4-L5', side);
      return archCode(lateral < 17 ? 'L4' : 'L5');
    }
    if (y < halfDepthMm || y > behind || Math.abs(z) > 11) return lateral < 11 && y >= halfDepthMm && y < 36 ? structureCodes.epiduralFat : 0;
    return lateral < 12 ? structureCodes.epiduralFat : lateral < 24 ? foramenCode('L4-L5', side) : 0;
  };
}

export interface DrawnStack {
  readonly orientation: Orientation;
  /** About the patient's left-right axis. */
  readonly tiltDeg?: number;
  readonly shiftMm?: number;
  readonly nSlices?: number;
  /** Boundaries shifted smoothly by about a pixel of 0.8 mm, islands, holes. */
  readonly roughSeed?: number;
  readonly confidence?: number;
}

export function drawnSpine(drawn: Drawn, stacks: readonly DrawnStack[]): Spine {
  const at = (z: number) => ({ originMm: [0, 0, z] as const, x: [1, 0, 0] as const, y: [0, 1, 0] as const, z: [0, 0, 1] as const });
  const labelled = stacks.map((stack, seriesIndex): LabelledStack => stackOf(codeAt(drawn), stack, seriesIndex));
  return {
    series: labelled.map(({ codes: { geometry, data }, orientation }): AnalysisSeries => ({
      volume: volumeOf(geometry, t2wOf(data, geometry.matrixSize[0])),
      contrast: 't2w', orientation, synthetic: false, denoised: false, description: `t2w ${orientation}`,
    })),
    stacks: labelled,
    vertebrae: [{ name: 'L4', frame: at(17.5), partial: false, confidence: 1 }, { name: 'L5', frame: at(-17.5), partial: false, confidence: 1 }],
    segments: [{ name: 'L4-L5', upper: 'L4', lower: 'L5', frame: at(0), halfWidthMm, halfDepthMm, confidence: 1 }],
    numbering: { certain: true, reasons: [] },
  };
}

/** CSF and fat are bright, the rest is dark, and so is the dura, a pixel of labels thick; pixels of the image are twice as large. */
function t2wOf(codes: Uint16Array, columns: number): Float32Array {
  const isSac = (pixel: number) => codes[pixel] === structureCodes.sac;
  const sharp = Float32Array.from(codes, (code, pixel) => {
    if (isSac(pixel)) return 1000;
    const isDura = [1, -1, columns, -columns].some((step) => isSac(pixel + step));
    return !isDura && (code === structureCodes.epiduralFat || (code > 400 && code < 600)) ? 700 : 100;
  });
  const around = [-1, 0, 1].flatMap((row) => [-1, 0, 1].map((column) => ({ step: row * columns + column, weight: (2 - Math.abs(row)) * (2 - Math.abs(column)) / 16 })));
  return sharp.map((_, pixel) => around.reduce((sum, { step, weight }) => sum + weight * (sharp[pixel + step] ?? 0), 0));
}

function stackOf(code: (point: Vector3) => number, { orientation, tiltDeg = 0, shiftMm = 0, nSlices = orientation === 'axial' ? 9 : 13, roughSeed, confidence = 230 }: DrawnStack, seriesIndex: number): LabelledStack {
  const [c, s] = [Math.cos((tiltDeg * Math.PI) / 180), Math.sin((tiltDeg * Math.PI) / 180)];
  const isAxial = orientation === 'axial';
  const geometry: ImageGeometry = {
    centreMm: isAxial ? [0, 20, shiftMm] : [shiftMm, 12, 0],
    rowDirection: isAxial ? [1, 0, 0] : [0, 1, 0],
    columnDirection: isAxial ? [0, c, s] : [0, 0, -1],
    sliceDirection: isAxial ? [0, -s, c] : [-1, 0, 0],
    fovMm: [80, 80, nSlices * 4.4], matrixSize: [200, 200, nSlices],
  };
  const [affine, [columns, rows, slices]] = [affineLps(geometry), geometry.matrixSize];
  const data = new Uint16Array(columns * rows * slices);
  const shift = roughness(roughSeed);
  for (let k = 0, voxel = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) data[voxel++] = shift(i, j, k, (u, v) => code(transformPoint(affine, [u, v, k])));
  }
  return { seriesIndex, orientation, codes: volumeOf(geometry, data), confidence: new Uint8Array(data.length).fill(confidence) };
}

function roughness(seed?: number): (i: number, j: number, k: number, at: (u: number, v: number) => number) => number {
  if (seed === undefined) return (i, j, _k, at) => at(i, j);
  const random = new Random(seed);
  const waves = Array.from({ length: 16 }, () => [0.12 * random.normal(), 0.12 * random.normal(), 6.28 * random.uniform()] as const);
  const islands = Array.from({ length: 80 }, () => [200 * random.uniform(), 200 * random.uniform(), Math.floor(13 * random.uniform()), 1 + 2.5 * random.uniform(), random.uniform() < 0.5] as const);
  // Eight waves of amplitude 1 have a standard deviation of 2; a pixel of 0.8 mm is two of the labels.
  const wave = (first: number, i: number, j: number, k: number) => waves.slice(first, first + 8).reduce((sum, [a, b, phase]) => sum + 0.8 * Math.sin(a * i + b * j + phase + 2 * k), 0);
  return (i, j, k, at) => {
    const island = islands.find(([u, v, slice, radius]) => slice === k && (u - i) ** 2 + (v - j) ** 2 < radius ** 2);
    if (island !== undefined) return island[4] ? 0 : structureCodes.sac;
    return at(i + wave(0, i, j, k), j + wave(8, i, j, k));
  };
}

export function measured({ measures }: { readonly measures: readonly { readonly name: string; readonly value: number }[] }, name: string): number {
  return measures.find((measure) => measure.name === name)?.value ?? NaN;
}
