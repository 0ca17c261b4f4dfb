/**
 * Truth on a grid of voxels: which structure and which lesion a voxel is, and what its tissue is made of.
 *
 * Labels are those of the voxel's centre. Parameters are means over the voxel, of all that MR sees there:
 *
 *   PD = Σ s p     FF = Σ s p f / PD     T1, T2 = Σ s p (1 - f) T / Σ s p (1 - f)     T2* = Σ s p T2* / PD
 *   HU = Σ s h,  -1000 where nothing is     with each tissue's share s of the voxel
 *
 * T1 and T2 are of water, T2* of water and fat (imaging/tissues.ts). Where there is nothing to relax they are 0.
 */
import { affineLps, volumeOf, type ImageGeometry, type Tissue, type Vector3, type Volume } from '../../imaging/index.js';
import { paintChannels, paintLabels, type Anatomy, type Plane } from '../anatomy/index.js';

export interface LabelVolumes {
  /** Codes of the label table (spine/labels.ts and those of the surroundings). */
  readonly labels: Volume<Uint16Array>;
  /** Codes of lesions (pathology/codes.ts). */
  readonly lesions: Volume<Uint8Array>;
}

export interface TruthVolumes extends LabelVolumes {
  readonly parameters: ParameterVolumes;
}

export const parameterNames = ['protonDensity', 't1Ms', 't2Ms', 't2StarMs', 'fatFraction', 'hounsfield'] as const;
export type ParameterName = (typeof parameterNames)[number];
export type ParameterVolumes = Readonly<Record<ParameterName, Volume>>;

/** A thick slice is painted on planes at most this far apart. */
const planeDistanceMm = 1;

/** @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS, SIM_ERR_PLANE */
export function truthVolumes(anatomy: Anatomy, geometry: ImageGeometry): TruthVolumes {
  return { ...labelVolumes(anatomy, geometry), parameters: parameterVolumes(anatomy, geometry) };
}

/** @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS, SIM_ERR_PLANE */
export function labelVolumes(anatomy: Anatomy, geometry: ImageGeometry): LabelVolumes {
  const [nColumns, nRows, nSlices] = geometry.matrixSize;
  const nPixels = nColumns * nRows;
  const labels = new Uint16Array(nPixels * nSlices);
  const lesions = new Uint8Array(nPixels * nSlices);
  for (let slice = 0; slice < nSlices; slice++) {
    const painted = paintLabels(anatomy, slicePlane(geometry, slice));
    labels.set(painted.labels, slice * nPixels);
    lesions.set(painted.lesions, slice * nPixels);
  }
  return { labels: volumeOf(geometry, labels), lesions: volumeOf(geometry, lesions) };
}

/** @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS, SIM_ERR_PLANE */
export function parameterVolumes(anatomy: Anatomy, geometry: ImageGeometry): ParameterVolumes {
  const [nColumns, nRows, nSlices] = geometry.matrixSize;
  const nPixels = nColumns * nRows;
  const volumes = parameterNames.map(() => new Float32Array(nPixels * nSlices));
  const nPlanes = Math.max(1, Math.ceil(geometry.fovMm[2] / nSlices / planeDistanceMm));
  for (let slice = 0; slice < nSlices; slice++) {
    const planes = Array.from({ length: nPlanes }, (_, index) => slicePlane(geometry, slice + (index + 0.5) / nPlanes - 0.5));
    paintParameters(anatomy, planes).forEach((map, index) => volumes[index]!.set(map, slice * nPixels));
  }
  return Object.fromEntries(parameterNames.map((name, index) => [name, volumeOf(geometry, volumes[index]!)])) as ParameterVolumes;
}

/** One map for each of parameterNames, [row, column], means over the planes. @throws SIM_ERR_PLANE */
export function paintParameters(anatomy: Anatomy, planes: readonly Plane[]): Float32Array[] {
  const nPixels = planes[0]!.nColumns * planes[0]!.nRows;
  const coefficients = new Map([...anatomy.tissues].map(([name, tissue]) => [name, momentsOf(tissue)]));
  const channels = Array.from({ length: 8 }, () => new Float32Array(nPixels));
  for (const plane of planes) paintChannels(anatomy, plane, coefficients, channels, 1 / planes.length);
  const [pd, fat, water, t1, t2, t2Star, hounsfield, covered] = channels as [
    Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array,
  ];
  const ratio = (a: Float32Array, b: Float32Array) => a.map((value, pixel) => (b[pixel]! > 1e-6 ? value / b[pixel]! : 0));
  return [
    pd,
    ratio(t1, water),
    ratio(t2, water),
    ratio(t2Star, pd),
    ratio(fat, pd),
    hounsfield.map((value, pixel) => value - 1000 * (1 - covered[pixel]!)),
  ];
}

function momentsOf({ protonDensity, fatFraction, t1Ms, t2Ms, t2StarMs, hounsfield }: Tissue): number[] {
  const water = protonDensity * (1 - fatFraction);
  return [protonDensity, protonDensity * fatFraction, water, water * t1Ms, water * t2Ms, protonDensity * t2StarMs, hounsfield, 1];
}

/** The pixels of a slice, which may lie between two. */
function slicePlane(geometry: ImageGeometry, slice: number): Plane {
  const affine = affineLps(geometry);
  const direction = (axis: 0 | 1 | 2): Vector3 => [affine[axis]!, affine[4 + axis]!, affine[8 + axis]!];
  const [along, first] = [direction(2), [affine[3]!, affine[7]!, affine[11]!] as const];
  return {
    originMm: [first[0] + slice * along[0], first[1] + slice * along[1], first[2] + slice * along[2]],
    columnStepMm: direction(0),
    rowStepMm: direction(1),
    nColumns: geometry.matrixSize[0],
    nRows: geometry.matrixSize[1],
  };
}
