/**
 * What is not analysed, and what is but has to be looked at.
 *
 *   before the network   coronal, red, empty, lying otherwise than it says
 *   after it             contrast: CSF against marrow, and fat against CSF, as T1w, T2w and fat-suppressed images have them
 *                        metal: parts of a body's place without signal
 *                        shape: heights that no vertebra has
 */
import { pointOf, voxelOf, type Volume } from '../../imaging/index.js';
import { moved, type Place } from '../geometry.js';
import { classIndex, orientationOf } from '../segment/index.js';
import type { AnalysisSeries, Contrast } from '../types.js';
import type { StructureNote } from './notes.js';
import type { Region, Stack } from './regions.js';
import type { Body } from './vertebrae.js';

/** Brightest to darkest percentile of what is an image at all. */
const leastContrast = 1e-6;
/** Of the points of a structure: enough for a median. */
const sampledPoints = 4000;
const leastPoints = 60;

/** @returns why a series is not given to the network */
export function refusalOf(series: AnalysisSeries, seriesIndex: number): StructureNote | undefined {
  const { volume: { geometry, data }, orientation, description } = series;
  const refused = (code: StructureNote['code'], got: string): StructureNote => ({ code, got: `${description}: ${got}`, seriesIndex });
  if (series.qualityLight === 'red') return refused('ANALYSIS_WARN_LEFT_OUT', 'a computed series with a red light');
  if (orientation === 'coronal') return refused('ANALYSIS_WARN_LEFT_OUT', 'a coronal series');
  const [lowest, highest] = rangeOf(data);
  if (!(highest - lowest > leastContrast * Math.max(1, Math.abs(highest)))) return refused('ANALYSIS_ERR_EMPTY', Number.isFinite(highest) ? `all values are ${highest}` : 'no finite value');
  const lies = orientationOf(geometry);
  if (lies !== orientation) return refused('ANALYSIS_ERR_ORIENTATION', `${lies} slices in a series that says ${orientation}`);
  return undefined;
}

function rangeOf(data: Float32Array): [number, number] {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const value of data) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return [lowest, highest];
}

const isDarkFluid: readonly Contrast[] = ['t1w'];
const isBrightFluid: readonly Contrast[] = ['t2w', 'stir', 't2fs'];
const isFatDark: readonly Contrast[] = ['stir', 't2fs'];
/** CSF over marrow, and fat over CSF, beyond which the contrast is another one; shading of surface coils is up to 1.5. */
const limits = { darkFluid: 1.35, brightFluid: 0.8, suppressedFat: 0.55 };

/** @returns in words how a series contradicts its contrast, undefined where it does not or nothing can be said */
export function contradictionOf({ volume, contrast }: AnalysisSeries, regions: readonly Region[]): string | undefined {
  const median = (structure: number) => medianWithin(volume, regions.filter((region) => region.structure === structure && region.volumeMm3 > 200));
  const [csf, marrow, fat] = [classIndex.sac, classIndex.vertebralBody, classIndex.epiduralFat].map(median) as [number | undefined, number | undefined, number | undefined];
  if (csf === undefined || marrow === undefined) return undefined;
  if (contrast === 'ct' || contrast === 'syntheticCt') return marrow > csf + 10 ? undefined : `declared CT, with marrow at ${rounded(marrow)} and the sac at ${rounded(csf)}`;
  const [ratio, ofFat] = [csf / marrow, fat === undefined ? undefined : fat / csf];
  if (isDarkFluid.includes(contrast) && ratio > limits.darkFluid) return `declared T1w, with CSF ${rounded(ratio)} times as bright as marrow`;
  if (isBrightFluid.includes(contrast) && ratio < limits.brightFluid) return `declared ${contrast.toUpperCase()}, with CSF ${rounded(ratio)} times as bright as marrow`;
  if (isFatDark.includes(contrast) && ofFat !== undefined && ofFat > limits.suppressedFat) return `declared ${contrast.toUpperCase()}, with fat ${rounded(ofFat)} times as bright as CSF`;
  return undefined;
}

function rounded(value: number): string {
  return value.toPrecision(2);
}

function medianWithin(volume: Volume<Float32Array>, regions: readonly Region[]): number | undefined {
  const at = valueAt(volume);
  const n = regions.reduce((sum, { points }) => sum + points.length / 3, 0);
  const every = Math.max(1, Math.floor(n / sampledPoints));
  const values: number[] = [];
  for (const { points } of regions) {
    for (let index = 0; index < points.length; index += 3 * every) {
      const value = at([points[index]!, points[index + 1]!, points[index + 2]!]);
      if (value !== undefined) values.push(value);
    }
  }
  return values.length < leastPoints ? undefined : values.sort((a, b) => a - b)[values.length >> 1];
}

/** The nearest voxel's value, undefined outside. */
function valueAt({ geometry, data }: Volume<Float32Array>): (point: Place) => number | undefined {
  const [columns, rows, slices] = geometry.matrixSize;
  const origin = voxelOf(geometry, [0, 0, 0]);
  const steps = ([[1, 0, 0], [0, 1, 0], [0, 0, 1]] as const).map((axis) => voxelOf(geometry, axis).map((value, index) => value - origin[index]!));
  return (point) => {
    const [column, row, slice] = [0, 1, 2].map((axis) => Math.round(origin[axis]! + point[0] * steps[0]![axis]! + point[1] * steps[1]![axis]! + point[2] * steps[2]![axis]!)) as [number, number, number];
    if (column < 0 || row < 0 || slice < 0 || column >= columns || row >= rows || slice >= slices) return undefined;
    return data[(slice * rows + row) * columns + column];
  };
}

/** Signal that is none, against the median of the bodies. */
const voidShare = 0.12;
/** Of a body's place. */
const mostVoid = 0.15;
const metalHounsfield = 2500;

/** @returns names of vertebrae of which a part is without signal (MR), or too dense for bone (CT) */
export function metalLevels(bodies: readonly (Body & { readonly name: string })[], { regions }: Stack, { volume, contrast }: AnalysisSeries): string[] {
  const marrow = medianWithin(volume, regions.filter(({ structure }) => structure === classIndex.vertebralBody));
  if (marrow === undefined) return [];
  const isCt = contrast === 'ct' || contrast === 'syntheticCt';
  const brightness = valueAt(volume);
  const grid = [-0.7, -0.42, -0.14, 0.14, 0.42, 0.7];
  return bodies.filter(({ name, frame, halfWidthMm, halfDepthMm, heightMm }) => {
    if (name === '' || name === 'S1') return false;
    let [n, dark] = [0, 0];
    for (const a of grid) for (const b of grid) for (const c of grid) {
      const point = moved(frame.originMm, [a * halfWidthMm, frame.x], [b * halfDepthMm, frame.y], [(c * heightMm) / 2, frame.z]);
      const value = brightness(point);
      if (value === undefined) continue;
      n++;
      // A network draws on through a void.
      if (isCt ? value > metalHounsfield : value < voidShare * marrow) dark++;
    }
    return n > 40 && dark > mostVoid * n;
  }).map(({ name }) => name);
}

/** Whether a body reaches the border of the image in a stack that has its middle. */
export function isCutBy({ labelled: { classes: { geometry } } }: Stack, { frame, heightMm, halfDepthMm }: Body): boolean | undefined {
  const [columns, rows, slices] = geometry.matrixSize;
  const middle = voxelOf(geometry, frame.originMm);
  if (middle.some((index, axis) => index < -0.5 || index > geometry.matrixSize[axis]! - 0.5)) return undefined;
  const onePixelMm = distanceOf(pointOf(geometry, [0, 0, 0]), pointOf(geometry, [1, 0, 0]));
  const marginPixels = 1.2 / onePixelMm;
  return [[1, 1], [1, -1], [-1, 1], [-1, -1]].some(([up, back]) => {
    const [column, row] = voxelOf(geometry, moved(frame.originMm, [(up! * heightMm) / 2, frame.z], [back! * halfDepthMm * 0.9, frame.y]));
    return slices > 0 && (column < marginPixels || row < marginPixels || column > columns - 1 - marginPixels || row > rows - 1 - marginPixels);
  });
}

function distanceOf(a: Place, b: Place): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
