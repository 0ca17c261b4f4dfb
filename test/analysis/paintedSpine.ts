/** A spine of boxes whose heights, slips and angles are known: labels painted by formula on sagittal slices, every frame at right angles to the patient. */
import { bodyCode, type Frame, type LabelledStack, type Spine } from '../../analysis/index.js';
import { volumeOf, type ImageGeometry, type Vector3 } from '../../imaging/index.js';

export interface Box {
  readonly name: string;
  /** Anterior and posterior height, and depth from front to back, mm. */
  readonly anteriorMm: number;
  readonly posteriorMm: number;
  readonly depthMm: number;
  /** Forwards of the column. */
  readonly slipMm?: number;
  /** By how much the back of the upper endplate stands before that of the lower one; the front is upright. */
  readonly leanMm?: number;
  /** Of the upper endplate to the left, degrees; the lower one is level. */
  readonly coronalDeg?: number;
}

export const widthMm = 44;

/** From the head down, with gaps of `gapMm` between level endplates behind; the fronts are as the boxes say. */
export function paintedSpine(boxes: readonly Box[], { gapMm = 9, sliceStepMm = 4.4, shiftMm = 0, pixelMm = 0.4 } = {}): Spine {
  const total = boxes.reduce((sum, { anteriorMm, posteriorMm }) => sum + Math.max(anteriorMm, posteriorMm) + gapMm, 0);
  const [columns, rows, slices] = [Math.round(80 / pixelMm), Math.round((total + 30) / pixelMm), 15];
  const geometry: ImageGeometry = {
    centreMm: [shiftMm, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0],
    fovMm: [columns * pixelMm, rows * pixelMm, slices * sliceStepMm], matrixSize: [columns, rows, slices],
  };
  let top = total / 2;
  const placed = boxes.map((box) => {
    const middle = top - Math.max(box.anteriorMm, box.posteriorMm) / 2;
    const frame = upright([0, -(box.slipMm ?? 0), middle]);
    top -= Math.max(box.anteriorMm, box.posteriorMm) + gapMm;
    return { box, frame };
  });
  const codes = new Uint16Array(columns * rows * slices);
  for (let slice = 0, voxel = 0; slice < slices; slice++) {
    const x = shiftMm - (slice - Math.floor(slices / 2)) * sliceStepMm;
    for (let row = 0; row < rows; row++) {
      const z = -(row - Math.floor(rows / 2)) * pixelMm;
      for (let column = 0; column < columns; column++, voxel++) {
        const y = (column - Math.floor(columns / 2)) * pixelMm;
        const hit = placed.find(({ box, frame }) => isInside(box, frame, [x, y, z]));
        if (hit !== undefined) codes[voxel] = bodyCode(hit.box.name);
      }
    }
  }
  const stack: LabelledStack = { seriesIndex: 0, orientation: 'sagittal', codes: volumeOf(geometry, codes), confidence: new Uint8Array(codes.length).fill(255) };
  return {
    series: [{ volume: volumeOf(geometry, new Float32Array(codes.length)), contrast: 't1w', orientation: 'sagittal', synthetic: false, denoised: false, description: 'painted' }],
    stacks: [stack],
    vertebrae: placed.map(({ box: { name }, frame }) => ({ name, frame, partial: false, confidence: 1 })),
    segments: placed.slice(1).map(({ box, frame }, index) => {
      const above = placed[index]!;
      const name = `${above.box.name}-${box.name}`;
      const at = (axis: 0 | 1 | 2) => (above.frame.originMm[axis] + frame.originMm[axis]) / 2;
      return { name, upper: above.box.name, lower: box.name, frame: upright([at(0), at(1), at(2)]), halfWidthMm: widthMm / 2, halfDepthMm: box.depthMm / 2, confidence: 1 };
    }),
    numbering: { certain: true, reasons: ['painted'] },
  };
}

function upright(originMm: Vector3): Frame {
  return { originMm, x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
}

/** Both endplates share what front and back differ by. */
function isInside({ anteriorMm, posteriorMm, depthMm, leanMm = 0, coronalDeg = 0 }: Box, { originMm }: Frame, point: Vector3): boolean {
  const [x, y, z] = point.map((value, axis) => value - originMm[axis]!) as [number, number, number];
  const lean = leanMm * (0.5 + z / Math.max(anteriorMm, posteriorMm));
  if (Math.abs(x) > widthMm / 2 || y < -depthMm / 2 || y > depthMm / 2 - lean) return false;
  const half = (anteriorMm + (posteriorMm - anteriorMm) * (y / depthMm + 0.5)) / 2;
  return z <= half + x * Math.tan((coronalDeg * Math.PI) / 180) && z >= -half;
}
