/** A body of soft ellipsoids as two contrasts see it, with true motion, shading and noise: what registration is tested with. */
import { affineLps, transformPoint, volumeOf, type Affine, type ImageGeometry, type Vector3, type Volume } from '../../imaging/index.js';
import { Random } from '../../simulator/random.js';

interface Part {
  readonly centre: Vector3;
  readonly radii: Vector3;
  readonly brightness: readonly [number, number];
}

/** Fat and muscle about a column of brighter and darker parts, none of them like another. */
function partsOf(seed: number): Part[] {
  const random = new Random(seed);
  const within = (reach: number) => reach * (2 * random.uniform() - 1);
  const parts: Part[] = [
    { centre: [0, 0, 0], radii: [60, 75, 95], brightness: [0.9, 0.7] },
    { centre: [3, 5, -4], radii: [50, 62, 88], brightness: [0.35, 0.25] },
  ];
  for (let part = 0; part < 26; part++) {
    parts.push({
      centre: [within(22), within(48), within(72)],
      radii: [8 + 14 * random.uniform(), 6 + 9 * random.uniform(), 6 + 9 * random.uniform()],
      brightness: [0.15 + 0.8 * random.uniform(), 0.1 + 0.9 * random.uniform()],
    });
  }
  return parts;
}

export interface Seen {
  readonly contrast: 't1w' | 't2w';
  readonly seed?: number;
  /** From where the patient is in this scan to where the body is described. */
  readonly toBody?: Affine;
  /** e-folds of sensitivity over 70 mm to the back. */
  readonly shading?: number;
  /** Standard deviation of noise; the body has values up to 1. */
  readonly noise?: number;
  readonly gain?: number;
  readonly inverted?: boolean;
}

/** Magnitudes of the body on a grid; a slice is the mean over 0.9 of the distance of slices. */
export function scanned(geometry: ImageGeometry, seen: Seen): Volume<Float32Array> {
  const { contrast, seed = 1, toBody, shading = 0, noise = 0, gain = 1, inverted = false } = seen;
  const parts = partsOf(seed);
  const random = new Random(1000 * seed + (contrast === 't1w' ? 1 : 2));
  const affine = affineLps(geometry);
  const [columns, rows, slices] = geometry.matrixSize;
  const data = new Float32Array(columns * rows * slices);
  let voxel = 0;
  for (let k = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        let mean = 0;
        for (const offset of [-0.225, 0.225]) {
          const here = transformPoint(affine, [i, j, k + offset]);
          mean += 0.5 * brightnessAt(parts, toBody === undefined ? here : transformPoint(toBody, here), contrast === 't1w' ? 0 : 1, inverted);
        }
        const posterior = transformPoint(affine, [i, j, k])[1] - geometry.centreMm[1];
        const value = mean * Math.exp((shading * posterior) / 70);
        data[voxel++] = gain * (noise > 0 ? Math.hypot(value + noise * random.normal(), noise * random.normal()) : value);
      }
    }
  }
  return volumeOf(geometry, data);
}

function brightnessAt(parts: readonly Part[], [x, y, z]: Vector3, contrast: 0 | 1, inverted: boolean): number {
  let value = 0;
  for (const { centre, radii, brightness } of parts) {
    const distance = Math.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1], (z - centre[2]) / radii[2]);
    const edgeMm = (distance - 1) * Math.min(...radii);
    if (edgeMm > 4) continue;
    const share = 1 / (1 + Math.exp(3 * edgeMm));
    value += share * ((inverted ? 1.1 - brightness[contrast] : brightness[contrast]) - value);
  }
  return value;
}

/** Sagittal slices through the body, turned about the patient's long axis. */
export function sagittal(
  options: { centreMm?: Vector3; size?: Vector3; pixelMm?: number; spacingMm?: number; obliqueDeg?: number } = {},
): ImageGeometry {
  const { centreMm = [0, 0, 0], size = [64, 80, 9], pixelMm = 2, spacingMm = 5, obliqueDeg = 0 } = options;
  const [sine, cosine] = [Math.sin((obliqueDeg * Math.PI) / 180), Math.cos((obliqueDeg * Math.PI) / 180)];
  return {
    centreMm, rowDirection: [-sine, cosine, 0], columnDirection: [0, 0, -1], sliceDirection: [-cosine, -sine, 0],
    fovMm: [size[0] * pixelMm, size[1] * pixelMm, size[2] * spacingMm], matrixSize: size,
  };
}
