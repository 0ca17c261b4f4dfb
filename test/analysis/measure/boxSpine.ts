/**
 * A spine of boxes whose marrow is what a test says: bodies 44 x 34 x 28 mm, discs of 10 mm between them, the sac 4 mm behind
 * with a cord in it, sagittal slices 4 mm apart. Signals are those that fast spin echoes of 1.5 T have, about.
 */
import { bodyCode, discCode, structureCodes, type AnalysisSeries, type Contrast, type Frame, type LabelledStack, type Spine } from '../../../analysis/index.js';
import { affineLps, transformPoint, volumeOf, type ImageGeometry, type Vector3 } from '../../../imaging/index.js';
import { Random } from '../../../simulator/index.js';

/** T1w, T2w, STIR. */
export const signals = {
  marrow: [450, 190, 100], oedema: [340, 270, 260], fatty: [600, 290, 45], sclerosis: [160, 35, 30], tumour: [240, 270, 290],
  disc: [270, 90, 110], infectedDisc: [250, 400, 400], fluid: [120, 540, 470], cord: [330, 180, 190], cordLesion: [300, 300, 330],
  fat: [700, 330, 20], rim: [100, 40, 40],
} as const;
export type Tissue = keyof typeof signals;

const heightMm = 28;
const pitchMm = 38;
const names = ['T12', 'L1', 'L2', 'L3', 'L4', 'L5'] as const;
export const segmentNames = names.slice(1).map((name, index) => `${names[index]!}-${name}`);
const middleMm = (index: number) => (2.5 - index) * pitchMm;

export interface BoxSpineOptions {
  readonly contrasts?: readonly Contrast[];
  /** What stands at a point of the patient instead; x to the left, y to the back, z to the head; the middle of T12 is at z = 95. */
  readonly tissueAt?: (point: Vector3) => Tissue | undefined;
  /** Where the dark rim of bodies is gone. */
  readonly isEaten?: (point: Vector3) => boolean;
  readonly shading?: (point: Vector3) => number;
  /** Standard deviation, as a share of the marrow's signal. */
  readonly noise?: number;
}

export function boxSpine({ contrasts = ['t1w', 't2w'], tissueAt, isEaten = () => false, shading = () => 1, noise = 0 }: BoxSpineOptions = {}): Spine {
  const bodyAt = ([x, y, z]: Vector3) => names.findIndex((_, index) => Math.abs(x) < 22 && Math.abs(y) < 17 && Math.abs(z - middleMm(index)) < heightMm / 2);
  const codeAt = (point: Vector3): number => {
    const [x, y, z] = point;
    const body = bodyAt(point);
    if (body >= 0) return bodyCode(names[body]!);
    if (Math.abs(x) < 6 && Math.abs(y - 29) < 3.5) return structureCodes.cord;
    if (Math.abs(x) < 9 && Math.abs(y - 29) < 8) return structureCodes.sac;
    const disc = segmentNames.findIndex((_, index) => Math.abs(z - (middleMm(index) + middleMm(index + 1)) / 2) < 5);
    return disc >= 0 && Math.abs(x) < 22 && Math.abs(y) < 17 ? discCode(segmentNames[disc]!) : 0;
  };
  const isRim = (point: Vector3) => {
    const body = bodyAt(point);
    const [, y, z] = point;
    return body >= 0 && !isEaten(point) && (Math.abs(y) > 16.3 || Math.abs(z - middleMm(body)) > heightMm / 2 - 0.7);
  };
  const tissue = (point: Vector3): Tissue => {
    const code = codeAt(point);
    if (isRim(point)) return 'rim';
    const own = tissueAt?.(point);
    if (own !== undefined) return own;
    if (code === structureCodes.cord) return 'cord';
    if (code === structureCodes.sac) return 'fluid';
    return code >= 300 ? 'disc' : code >= 100 ? 'marrow' : 'fat';
  };
  const grid: ImageGeometry = {
    centreMm: [0, 10, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0],
    fovMm: [80, 240, 44], matrixSize: [100, 300, 11],
  };
  const painted = (value: (point: Vector3) => number) => {
    const affine = affineLps(grid);
    const [columns, rows, slices] = grid.matrixSize;
    const data = new Float32Array(columns * rows * slices);
    for (let k = 0, voxel = 0; k < slices; k++) {
      for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++, voxel++) data[voxel] = value(transformPoint(affine, [i, j, k]));
    }
    return volumeOf(grid, data);
  };
  const random = new Random(5);
  const column = (contrast: Contrast) => (contrast === 't1w' ? 0 : contrast === 't2w' ? 1 : 2);
  const series = contrasts.map((contrast): AnalysisSeries => ({
    volume: painted((point) => {
      const sigma = noise * signals.marrow[column(contrast)];
      return Math.hypot(shading(point) * signals[tissue(point)][column(contrast)] + sigma * random.normal(), sigma * random.normal());
    }),
    contrast, orientation: 'sagittal', synthetic: false, denoised: false, description: contrast,
  }));
  const codes = painted(codeAt);
  const stack: LabelledStack = {
    seriesIndex: 0, orientation: 'sagittal', codes: volumeOf(codes.geometry, Uint16Array.from(codes.data)), confidence: new Uint8Array(codes.data.length).fill(230),
  };
  const frameAt = (z: number): Frame => ({ originMm: [0, 0, z], x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] });
  return {
    series, stacks: [stack],
    vertebrae: names.map((name, index) => ({ name, frame: frameAt(middleMm(index)), partial: false, confidence: 0.9 })),
    segments: segmentNames.map((name, index) => ({
      name, upper: names[index]!, lower: names[index + 1]!, frame: frameAt((middleMm(index) + middleMm(index + 1)) / 2), halfWidthMm: 22, halfDepthMm: 17, confidence: 0.9,
    })),
    numbering: { certain: true, reasons: [] },
  };
}

/** Along an endplate of a vertebra, to a depth under it, in the middle `share` of its depth from front to back. */
export function alongEndplate(vertebra: string, face: 'upper' | 'lower', depthMm: number, share = 1): (point: Vector3) => boolean {
  const middle = middleMm(names.indexOf(vertebra as (typeof names)[number]));
  return ([x, y, z]) => {
    const depth = face === 'upper' ? middle + heightMm / 2 - z : z - middle + heightMm / 2;
    return Math.abs(x) < 22 && Math.abs(y) < 17 * share && depth >= 0 && depth < depthMm;
  };
}

export function within(vertebra: string, radiusMm: number): (point: Vector3) => boolean {
  const middle = middleMm(names.indexOf(vertebra as (typeof names)[number]));
  return ([x, y, z]) => Math.hypot(x, y, z - middle) < radiusMm;
}
