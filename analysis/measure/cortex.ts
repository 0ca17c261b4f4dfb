/**
 * Breaks of a vertebral body's cortex on CT.
 *
 *   r(s)    largest HU along the normal of the outline at s, `reachMm` to either side of it
 *   rim     median of r over the outline; marrow: median of the body without its rim
 *   open    a run of at least `leastRunMm` of the outline with r < marrow + `openShare` (rim - marrow)
 *   break   an open run that the next plane has too
 *
 * in sagittal planes within 6 mm of the middle, which stay between the pedicles. Left out is the middle third of the posterior wall,
 * where the basivertebral veins leave. A rim that does not stand out of the marrow by `leastRimHu` is not judged. The constants are ours;
 * what a break means (fracture, metastasis, infection) this measure does not say. Computed CT is not assessed: its edges are those of the
 * MR images and of their slices, and published axial errors of lengths on it reach 34 %.
 */
import { affineLps, invertAffine, transformPoint, voxelSizeMm, type Vector3, type Volume } from '../../imaging/index.js';
import { bodyCode } from '../anatomy.js';
import type { Assess, Finding, Frame, LabelledStack, NotAssessed, Spine, Vertebra } from '../types.js';
import { drawingOf, isNearBorder } from './bodies.js';
import { assessmentOf, basisOf, leastConfidence, notAssessed, seriesOf } from './finding.js';
import type { Mask } from './mask.js';
import { medianOf } from './outline.js';
import { distanceMm, framePlane, inFrame, moved, planeSection, reaches, sliceStepMm, subtract, unit } from './section.js';

const reachMm = 1.6;
const alongMm = 0.5;
const leastRunMm = 4;
const openShare = 0.3;
const leastRimHu = 120;
const besideMm = 6;
const leastPlaneStepMm = 1.5;
const erodedMm = 4;
/** Between the middles of one break in neighbouring planes. */
const sameBreakMm = 5;
const coarsestMm = 1.2;

interface Run {
  readonly pointsMm: readonly Vector3[];
  readonly lengthMm: number;
}

interface Plane {
  readonly offsetMm: number;
  readonly confidence: number;
  readonly rimHu: number;
  readonly marrowHu: number;
  readonly runs: readonly Run[];
}

export const assessCortex: Assess = (spine) => {
  const ofContrast = (contrast: string) => spine.stacks.filter((stack) => seriesOf(spine, stack)?.contrast === contrast);
  const scanned = ofContrast('ct').filter((stack) => !seriesOf(spine, stack)!.synthetic);
  if (scanned.length === 0) {
    return assessmentOf([ofContrast('syntheticCt').length > 0
      ? notAssessed('cortex', 'ANALYSIS_INFO_SYNTHETIC', 'computed CT alone: it does not show whether cortex is broken')
      : notAssessed('cortex', 'ANALYSIS_INFO_NO_SERIES', 'no CT')]);
  }
  const fine = scanned.filter((stack) => Math.max(...voxelSizeMm(seriesOf(spine, stack)!.volume.geometry).slice(0, 2)) <= coarsestMm);
  if (fine.length === 0) return assessmentOf([notAssessed('cortex', 'ANALYSIS_INFO_GEOMETRY', `CT with pixels coarser than ${coarsestMm} mm`)]);
  return assessmentOf(spine.vertebrae.filter(({ name }) => name !== 'S1').map((vertebra) => cortexOf(spine, vertebra, fine)));
};

function cortexOf(spine: Spine, vertebra: Vertebra, stacks: readonly LabelledStack[]): Finding | NotAssessed {
  const { name, frame, partial } = vertebra;
  const level = { level: name };
  const stack = stacks.find((one) => reaches(one, frame.originMm));
  if (stack === undefined || partial) return notAssessed('cortex', 'ANALYSIS_INFO_NOT_COVERED', `${name} is not whole in the slices of a CT`, level);
  const planes = planesOf(stack, seriesOf(spine, stack)!.volume, vertebra);
  if (planes.length < 2) return notAssessed('cortex', 'ANALYSIS_INFO_NOT_COVERED', `no whole outline of ${name} in two planes of the CT`, level);
  const ofLabels = meanOf(planes.map((plane) => plane.confidence));
  const confidence = Math.min(vertebra.confidence, ofLabels);
  if (ofLabels < leastConfidence) return notAssessed('cortex', 'ANALYSIS_INFO_UNSURE', `${name} is outlined with a confidence of ${confidence.toFixed(2)}`, level);
  const [rimHu, marrowHu] = [medianOf(planes.map((plane) => plane.rimHu)), medianOf(planes.map((plane) => plane.marrowHu))];
  if (rimHu - marrowHu < leastRimHu) return notAssessed('cortex', 'ANALYSIS_INFO_GEOMETRY', `the rim of ${name} has ${(rimHu - marrowHu).toFixed(0)} HU more than its marrow: too little to tell a break`, level);
  const breaks = planes.map(({ runs, ...plane }, index) => ({
    ...plane, runs: runs.filter((run) => [planes[index - 1], planes[index + 1]].some((beside) => beside?.runs.some((other) => isSame(run, other)) === true)),
  }));
  const widest = breaks.reduce((best, plane) => (longestMm(plane.runs) > longestMm(best.runs) ? plane : best));
  const originMm = moved(frame.originMm, frame.x, widest.offsetMm);
  const drawing = drawingOf(stack, { originMm }, 70, [bodyCode(name)], [], widest.runs.map(({ pointsMm, lengthMm }) => ({ pointsMm, text: `open ${lengthMm.toFixed(0)} mm` })));
  return {
    kind: 'cortex', level: name,
    measures: [
      { name: 'longestBreak', value: longestMm(widest.runs), unit: 'mm' },
      { name: 'rimOverMarrow', value: rimHu - marrowHu, unit: 'HU' },
    ],
    grades: [],
    signs: widest.runs.map((run) => `cortex open over ${run.lengthMm.toFixed(0)} mm at the ${wallOf(frame, run)}`),
    basis: basisOf(spine, [stack]),
    confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}

function planesOf(stack: LabelledStack, volume: Volume<Float32Array>, { name, frame }: Vertebra): Plane[] {
  const stepMm = Math.max(leastPlaneStepMm, sliceStepMm(stack));
  const n = Math.floor(besideMm / stepMm);
  const sample = samplerOf(volume);
  return Array.from({ length: 2 * n + 1 }, (_, index): Plane | undefined => {
    const offsetMm = (index - n) * stepMm;
    const section = planeSection(stack, framePlane(frame, 'sagittal', offsetMm), { u: [-32, 32], v: [-28, 28] }, 0.4);
    const body = section.mask(bodyCode(name)).largest().filled();
    const marrow = [...body.shrunk(erodedMm).valuesOf(section.valuesOf(volume))];
    // The border of the image is no wall of the body.
    if (marrow.length === 0 || isNearBorder(body, reachMm)) return undefined;
    const outline = evenly(longestPolygon(body));
    const rims = outline.map((point, at) => rimAt(outline, at, point, frame, sample));
    const [rimHu, marrowHu] = [medianOf(rims), medianOf(marrow)];
    const isOpen = rims.map((rim, at) => rim < marrowHu + openShare * (rimHu - marrowHu) && !isVenous(frame, outline[at]!, body));
    return { offsetMm, confidence: body.confidence, rimHu, marrowHu, runs: runsOf(outline, isOpen) };
  }).filter((plane) => plane !== undefined);
}

/** Largest value along the normal in the plane; the tangent is that of the outline over 3 mm, so that ragged labels do not turn it. */
function rimAt(outline: readonly Vector3[], at: number, point: Vector3, frame: Frame, sample: (pointMm: Vector3) => number): number {
  const step = Math.round(1.5 / alongMm);
  const n = outline.length;
  const tangent = unit(subtract(outline[(at + step) % n]!, outline[(at - step + n) % n]!));
  const normal = cross(tangent, frame.x);
  let largest = -Infinity;
  for (let mm = -reachMm; mm <= reachMm + 1e-6; mm += 0.4) largest = Math.max(largest, sample(moved(point, normal, mm)));
  return largest;
}

function isVenous(frame: Frame, point: Vector3, body: Mask): boolean {
  const [, y, z] = inFrame(frame, point);
  const [rows, columns] = [body.rows()!, body.columns()!];
  const { section } = body;
  return y > section.u(columns[1]) - 6 && Math.abs(z + (section.v(rows[0]) + section.v(rows[1])) / 2) < (section.v(rows[1]) - section.v(rows[0])) / 6;
}

/** Runs of open points round the closed outline, from `leastRunMm` on. */
function runsOf(outline: readonly Vector3[], isOpen: readonly boolean[]): Run[] {
  const n = outline.length;
  const start = isOpen.indexOf(false);
  if (start < 0) return n === 0 ? [] : [{ pointsMm: outline, lengthMm: n * alongMm }];
  const runs: Run[] = [];
  let points: Vector3[] = [];
  for (let step = 1; step <= n; step++) {
    const at = (start + step) % n;
    if (isOpen[at] === true) points.push(outline[at]!);
    else {
      if (points.length * alongMm >= leastRunMm) runs.push({ pointsMm: points, lengthMm: points.length * alongMm });
      points = [];
    }
  }
  return runs;
}

function isSame(run: Run, other: Run): boolean {
  return distanceMm(middleOf(run), middleOf(other)) < sameBreakMm;
}

function middleOf({ pointsMm }: Run): Vector3 {
  return pointsMm[Math.floor(pointsMm.length / 2)]!;
}

function wallOf(frame: Frame, run: Run): string {
  const [, y, z] = inFrame(frame, middleOf(run));
  if (Math.abs(z) > 0.7 * Math.abs(y)) return z > 0 ? 'upper endplate' : 'lower endplate';
  return y < 0 ? 'anterior wall' : 'posterior wall';
}

function longestMm(runs: readonly Run[]): number {
  return Math.max(0, ...runs.map(({ lengthMm }) => lengthMm));
}

function longestPolygon(mask: Mask): Vector3[] {
  return mask.outlinesMm().reduce((best: Vector3[], polygon) => (perimeterMm(polygon) > perimeterMm(best) ? polygon : best), []);
}

function perimeterMm(polygon: readonly Vector3[]): number {
  return polygon.reduce((sum, point, index) => sum + distanceMm(point, polygon[(index + 1) % polygon.length]!), 0);
}

/** Points of a closed polygon, `alongMm` apart. */
function evenly(polygon: readonly Vector3[]): Vector3[] {
  const points: Vector3[] = [];
  let left = 0;
  polygon.forEach((from, index) => {
    const to = polygon[(index + 1) % polygon.length]!;
    const lengthMm = distanceMm(from, to);
    if (lengthMm === 0) return;
    const direction = unit(subtract(to, from));
    for (; left < lengthMm; left += alongMm) points.push(moved(from, direction, left));
    left -= lengthMm;
  });
  return points;
}

/** Linear within the slices, of the nearest slice; the nearest voxel's beyond the border. */
function samplerOf({ data, geometry }: Volume<Float32Array>): (pointMm: Vector3) => number {
  const toVoxel = invertAffine(affineLps(geometry));
  const [columns, rows, slices] = geometry.matrixSize;
  const clamped = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
  return (pointMm) => {
    const [x, y, z] = transformPoint(toVoxel, pointMm);
    const [i, j, k] = [clamped(x, columns), clamped(y, rows), clamped(Math.round(z), slices)];
    const [left, top] = [Math.floor(i), Math.floor(j)];
    const at = (row: number, column: number) => data[(k * rows + Math.min(row, rows - 1)) * columns + Math.min(column, columns - 1)]!;
    const [s, t] = [i - left, j - top];
    return (1 - t) * ((1 - s) * at(top, left) + s * at(top, left + 1)) + t * ((1 - s) * at(top + 1, left) + s * at(top + 1, left + 1));
  };
}

function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
