/**
 * All series of a synthesis on one grid: the slices of the T2w with square pixels of 0.6 to 1.15 mm. Every series comes onto
 * it in one interpolation, along the true affines and with the motion that registration measured between it and the T2w (a
 * motion of a few millimetres only where residual.ts finds less left with it than without):
 *
 *   out(x) = series(A_series^-1 T A_grid x)
 *
 * by Catmull-Rom kernels that average where the grid is coarser (imaging/resample.ts). Where the grids agree and nothing
 * moved that one could see, the values are those that came, untouched. What is left between T1w and T2w is then measured
 * by another rule than it was reduced by (residual.ts).
 *
 * Registration aligns edges, whatever shifts them: where the chemical shift of fat along the readout differs between the
 * series, as their bandwidths do, the stronger edges of fat are aligned, and water is off by about the difference.
 */
import {
  affineLps, geometryOfAffineLps, ImagingError, invertAffine, motionAffine, registerRigid, resample, transformPoint, voxelSizeMm,
  type ImageGeometry, type Registration, type RigidMotion, type Vector3, type Volume,
} from '../imaging/index.js';
import { synthesisError } from './errors.js';
import { edgesOfVolume, residualMap } from './residual.js';
import type { RegistrationReport } from './types.js';

export interface CommonGrid {
  readonly t1w: Volume<Float32Array>;
  readonly t2w: Volume<Float32Array>;
  readonly others: readonly Volume<Float32Array>[];
  /** Of the T1w. */
  readonly report: RegistrationReport;
  readonly otherReports: readonly RegistrationReport[];
}

/** Pixels that the network knows. */
export const gridPixelMm = { least: 0.6, most: 1.15 } as const;
/** Slices that are further apart cannot be brought onto each other without losing them. */
const mostTiltDeg = 30;
/** What a patient may move between two series of one examination; more is another position, or a wrong header. */
const mostShiftMm = 20;
const mostRotationDeg = 15;
const leastOverlapShare = 0.1;
/** Median of the blocks, in pixels. */
const mostResidualPixels = 1.5;
/** Smaller motion has to lower the residual, too. */
const largeShiftMm = 3;
const largeRotationDeg = 3;
/** Of at most so many slices one is looked at for it, of a few slices every one: a patient moves as a whole, and the network waits. */
const mostPerCompared = 3;
const fewestCompared = 5;
/** Motion that nobody sees: part of a pixel, and of the distance of slices. */
const unseenPixels = 0.15;
const unseenSlices = 0.1;

/**
 * @param t1w @param t2w @param others magnitudes or maps, each with a geometry of its own
 * @throws SYNTH_ERR_GEOMETRY, SYNTH_ERR_TOO_SMALL, SYNTH_ERR_ORIENTATION, SYNTH_ERR_NO_OVERLAP, SYNTH_ERR_MOTION, SYNTH_ERR_REGISTRATION
 */
export function commonGrid(
  t1w: Volume<Float32Array>, t2w: Volume<Float32Array>, others: readonly Volume<Float32Array>[] = [],
): CommonGrid {
  const geometry = gridOf(checked(t2w).geometry);
  if (![t1w, t2w].every(({ data }) => data.some((value) => value > 0))) throw synthesisError('SYNTH_ERR_TOO_SMALL', 'an image without signal');
  const still = { rotationDeg: [0, 0, 0], shiftMm: [0, 0, 0], centreMm: geometry.centreMm } as const;
  const reference = onto(t2w, geometry, still);
  const every = Math.max(1, Math.min(mostPerCompared, Math.floor(geometry.matrixSize[2] / fewestCompared)));
  const referenceEdges = edgesOfVolume(reference, every);
  const [first, ...further] = [t1w, ...others].map((series) => {
    const registration = registered(t2w, checked(series));
    const leftOf = (volume: Volume<Float32Array>) => residualMap(referenceEdges, edgesOfVolume(volume, every));
    const moved = onto(series, geometry, registration.motion);
    const asMoved = { registration, volume: moved, residual: leftOf(moved) };
    if (moved.data === series.data || isLarge(registration.motion)) return asMoved;
    // Two contrasts share no more information than their edges: what registration gained by another measure is not taken on trust.
    const unmoved = onto(series, geometry, still);
    const asItWas = leftOf(unmoved);
    const isBetter = !(asItWas.medianMm <= asMoved.residual.medianMm);
    return isBetter ? asMoved : { registration: { ...registration, motion: still, nmiAfter: registration.nmiBefore }, volume: unmoved, residual: asItWas };
  });
  const { volume, residual } = first!;
  const mostMm = mostResidualPixels * voxelSizeMm(geometry)[0];
  if (Number.isNaN(residual.medianMm)) throw synthesisError('SYNTH_ERR_REGISTRATION', 'no edges that both series have');
  if (residual.medianMm > mostMm) {
    const parts = `${residual.medianMm.toFixed(1)} mm of misregistration in half of the image, ${residual.percentile90Mm.toFixed(1)} mm in a tenth`;
    throw synthesisError('SYNTH_ERR_REGISTRATION', `${parts}, where ${mostMm.toFixed(1)} mm are tolerable`);
  }
  const reportOf = (series: typeof further[number]): RegistrationReport => {
    const { motion: { shiftMm, rotationDeg }, nmiBefore, nmiAfter, overlapShare } = series.registration;
    return { shiftMm, rotationDeg, residualMm: series.residual.medianMm, nmiBefore, nmiAfter, overlapShare };
  };
  return {
    t1w: volume, t2w: reference, others: further.map((series) => series.volume),
    report: reportOf(first!), otherReports: further.map(reportOf),
  };
}

function isLarge({ shiftMm, rotationDeg }: RigidMotion): boolean {
  return Math.hypot(...shiftMm) > largeShiftMm || Math.hypot(...rotationDeg) > largeRotationDeg;
}

function checked(volume: Volume<Float32Array>): Volume<Float32Array> {
  const { matrixSize, fovMm } = volume.geometry;
  if (volume.data.length !== matrixSize[0] * matrixSize[1] * matrixSize[2]) {
    throw synthesisError('SYNTH_ERR_GEOMETRY', `${volume.data.length} values for ${matrixSize.join(' x ')} voxels`);
  }
  try {
    affineLps(volume.geometry);
  } catch (error) {
    if (error instanceof ImagingError) throw synthesisError('SYNTH_ERR_GEOMETRY', error.got);
    throw error;
  }
  const pixelMm = [fovMm[0] / matrixSize[0], fovMm[1] / matrixSize[1]];
  if (!pixelMm.every((size) => size >= 0.25 && size <= 2.5)) {
    throw synthesisError('SYNTH_ERR_GEOMETRY', `pixels of ${pixelMm.map((size) => size.toFixed(2)).join(' x ')} mm`);
  }
  return volume;
}

/** The T2w's own grid where its pixels are square and of a size that the network knows, else one about the same middle. */
function gridOf(geometry: ImageGeometry): ImageGeometry {
  const [columnMm, rowMm, sliceMm] = voxelSizeMm(geometry);
  const { least, most } = gridPixelMm;
  const isKnown = Math.abs(columnMm - rowMm) < 0.02 * columnMm && Math.min(columnMm, rowMm) >= least && Math.max(columnMm, rowMm) <= most;
  if (isKnown) return geometry;
  const pixelMm = Math.min(Math.max(Math.sqrt(columnMm * rowMm), least), most);
  const [nColumns, nRows, slices] = geometry.matrixSize;
  const [columns, rows] = [Math.max(1, Math.round((nColumns * columnMm) / pixelMm)), Math.max(1, Math.round((nRows * rowMm) / pixelMm))];
  const affine = affineLps(geometry);
  const first = transformPoint(affine, [
    (nColumns - 1) / 2 - ((columns - 1) / 2) * (pixelMm / columnMm), (nRows - 1) / 2 - ((rows - 1) / 2) * (pixelMm / rowMm), 0,
  ]);
  const { rowDirection, columnDirection, sliceDirection } = geometry;
  const steps = [0, 1, 2].flatMap((axis) =>
    [rowDirection[axis]! * pixelMm, columnDirection[axis]! * pixelMm, sliceDirection[axis]! * sliceMm, first[axis]!]);
  return geometryOfAffineLps([...steps, 0, 0, 0, 1], [columns, rows, slices]);
}

function registered(t2w: Volume<Float32Array>, series: Volume<Float32Array>): Registration {
  const [a, b] = [t2w.geometry.sliceDirection, series.geometry.sliceDirection];
  const tiltDeg = (Math.acos(Math.min(1, Math.abs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]))) * 180) / Math.PI;
  if (tiltDeg > mostTiltDeg) throw synthesisError('SYNTH_ERR_ORIENTATION', `slices at an angle of ${tiltDeg.toFixed(0)} degrees`);
  const registration = registeredOrRefused(t2w, series);
  if (registration.overlapShare < leastOverlapShare) {
    throw synthesisError('SYNTH_ERR_NO_OVERLAP', `${(100 * registration.overlapShare).toFixed(0)} % of the T2w covered by the other series`);
  }
  const [shiftMm, rotationDeg] = [Math.hypot(...registration.motion.shiftMm), Math.hypot(...registration.motion.rotationDeg)];
  if (shiftMm > mostShiftMm || rotationDeg > mostRotationDeg) {
    throw synthesisError('SYNTH_ERR_MOTION', `${shiftMm.toFixed(1)} mm and ${rotationDeg.toFixed(1)} degrees`);
  }
  return registration;
}

function registeredOrRefused(t2w: Volume<Float32Array>, series: Volume<Float32Array>): Registration {
  try {
    return registerRigid(t2w, series);
  } catch (error) {
    if (error instanceof ImagingError && error.code === 'IMG_ERR_NO_OVERLAP') throw synthesisError('SYNTH_ERR_NO_OVERLAP', error.got);
    throw error;
  }
}

/** Untouched where both are one grid and the motion is not seen. */
function onto({ geometry: own, data }: Volume<Float32Array>, geometry: ImageGeometry, motion: RigidMotion): Volume<Float32Array> {
  const grid = affineLps(geometry);
  const [intoGrid, intoOwn] = [invertAffine(grid), invertAffine(affineLps(own))];
  const moved = motionAffine(motion);
  const corners = cornersOf(geometry.matrixSize);
  const isUnseen = corners.every((corner) => {
    const there = transformPoint(intoGrid, transformPoint(moved, transformPoint(grid, corner)));
    const [column, row, slice] = there.map((place, axis) => Math.abs(place - corner[axis]!));
    return Math.max(column!, row!) < unseenPixels && slice! < unseenSlices;
  });
  const isSameGrid = geometry.matrixSize.every((size, axis) => size === own.matrixSize[axis])
    && corners.every((corner) => transformPoint(intoOwn, transformPoint(grid, corner)).every((place, axis) => Math.abs(place - corner[axis]!) < 0.02));
  if (isUnseen && isSameGrid) return { geometry, data };
  const resampled = resample({ geometry: own, data }, geometry, 'cubic', { bandLimited: true, ...(isUnseen ? {} : { motion: moved }) });
  // Cubic kernels overshoot beside bright edges; a magnitude does not.
  if (!hasBelowZero(data)) for (let voxel = 0; voxel < resampled.data.length; voxel++) if (resampled.data[voxel]! < 0) resampled.data[voxel] = 0;
  return resampled;
}

function hasBelowZero(data: Float32Array): boolean {
  for (let voxel = 0; voxel < data.length; voxel++) if (data[voxel]! < 0) return true;
  return false;
}

function cornersOf([columns, rows, slices]: Vector3): Vector3[] {
  return [0, columns - 1].flatMap((column) => [0, rows - 1].flatMap((row) => [0, slices - 1].map((slice): Vector3 => [column, row, slice])));
}
