/**
 * Lesions in the lesion map: what of one code hangs together, on a grid of 1 mm.
 *
 *   volume        voxels × 1 mm³
 *   centroid      mean of their centres
 *   longest axis  their extent along the principal axis of their second moments, from edge to edge
 *   length        of a lesion of the cord, the extent along the cord (IMLL); its axial share the largest, over
 *                 planes across the patient, of lesion against cord with lesion
 */
import type { Vector3 } from '../../imaging/index.js';
import { boxAround, intoFrame, paintLabels, type Anatomy, type Frame } from '../anatomy/index.js';
import { spineLabels } from '../spine/index.js';

export interface Lesion {
  readonly code: number;
  /** Of the vertebra whose middle is nearest along the spine. */
  readonly level: string;
  readonly volumeMm3: number;
  readonly centroidMm: Vector3;
  readonly longestAxisMm: number;
  /** Of what it lies in: the commonest code of the label map. */
  readonly within: number;
  readonly axialShareOfCord?: number;
}

const gridMm = 1;
/** Fewer voxels are specks of a soft edge. */
const leastVoxels = 4;

/** @param vertebrae frames by name */
export function measureLesions(anatomy: Anatomy, vertebrae: ReadonlyMap<string, Frame>): Lesion[] {
  const boxes = anatomy.structures.filter(({ lesion }) => lesion !== undefined).map(({ solid }) => solid.bounds);
  if (boxes.length === 0) return [];
  const { min, max } = boxAround(boxes);
  const first = min.map((mm) => Math.floor(mm) - 1) as unknown as Vector3;
  const [nx, ny, nz] = [0, 1, 2].map((axis) => Math.ceil((max[axis]! - first[axis]!) / gridMm) + 2) as [number, number, number];
  const codes = new Uint8Array(nx * ny * nz);
  const labels = new Uint16Array(codes.length);
  for (let z = 0; z < nz; z++) {
    const height = first[2] + z * gridMm;
    if (!boxes.some((box) => height >= box.min[2] - gridMm && height <= box.max[2] + gridMm)) continue;
    const painted = paintLabels(anatomy, {
      originMm: [first[0], first[1], height], columnStepMm: [gridMm, 0, 0], rowStepMm: [0, gridMm, 0], nColumns: nx, nRows: ny,
    });
    codes.set(painted.lesions, z * nx * ny);
    labels.set(painted.labels, z * nx * ny);
  }

  const place = (index: number): Vector3 => [
    first[0] + gridMm * (index % nx),
    first[1] + gridMm * (Math.floor(index / nx) % ny),
    first[2] + gridMm * Math.floor(index / (nx * ny)),
  ];
  const seen = new Uint8Array(codes.length);
  const found: Lesion[] = [];
  codes.forEach((code, start) => {
    if (code === 0 || seen[start] === 1) return;
    const voxels = componentOf(codes, seen, start, [nx, ny, nz]);
    if (voxels.length < leastVoxels) return;
    const points = voxels.map(place);
    const centroidMm = meanOf(points);
    const within = commonest(voxels.map((index) => labels[index]!));
    found.push({
      code,
      level: nearestLevel(vertebrae, centroidMm),
      volumeMm3: voxels.length * gridMm ** 3,
      centroidMm,
      longestAxisMm: extentMm(points, centroidMm) + gridMm,
      within,
      ...(within === spineLabels.cord ? { axialShareOfCord: shareOfCord(voxels, labels, codes, code, nx * ny) } : {}),
    });
  });
  return found;
}

/** Of six neighbours each. */
function componentOf(codes: Uint8Array, seen: Uint8Array, start: number, [nx, ny]: Vector3): number[] {
  const code = codes[start]!;
  const voxels = [start];
  seen[start] = 1;
  // The grid has an empty border: neighbours never wrap.
  const steps = [1, -1, nx, -nx, nx * ny, -nx * ny];
  for (let at = 0; at < voxels.length; at++) {
    for (const step of steps) {
      const next = voxels[at]! + step;
      if (next < 0 || next >= codes.length || seen[next] === 1 || codes[next] !== code) continue;
      seen[next] = 1;
      voxels.push(next);
    }
  }
  return voxels;
}

function shareOfCord(voxels: readonly number[], labels: Uint16Array, codes: Uint8Array, code: number, planeSize: number): number {
  const planes = new Map<number, number>();
  for (const index of voxels) {
    const plane = Math.floor(index / planeSize);
    planes.set(plane, (planes.get(plane) ?? 0) + 1);
  }
  let largest = 0;
  for (const [plane, lesion] of planes) {
    let cord = 0;
    for (let index = plane * planeSize; index < (plane + 1) * planeSize; index++) {
      if (labels[index] === spineLabels.cord || codes[index] === code) cord++;
    }
    largest = Math.max(largest, lesion / cord);
  }
  return largest;
}

function nearestLevel(vertebrae: ReadonlyMap<string, Frame>, point: Vector3): string {
  let [nearest, distance] = ['', Infinity];
  for (const [name, frame] of vertebrae) {
    const away = Math.abs(intoFrame(frame, point)[2]);
    if (away < distance) [nearest, distance] = [name, away];
  }
  return nearest;
}

function meanOf(points: readonly Vector3[]): Vector3 {
  const mean = (axis: 0 | 1 | 2) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  return [mean(0), mean(1), mean(2)];
}

function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]![0];
}

/** Along the axis of largest spread, which is found by power iteration on the moments. */
function extentMm(points: readonly Vector3[], centre: Vector3): number {
  const moments = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const point of points) {
    for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) moments[3 * a + b]! += (point[a]! - centre[a]!) * (point[b]! - centre[b]!);
  }
  let axis: Vector3 = [0.53, 0.59, 0.61];
  for (let step = 0; step < 60; step++) {
    const next = [0, 1, 2].map((row) => moments[3 * row]! * axis[0] + moments[3 * row + 1]! * axis[1] + moments[3 * row + 2]! * axis[2]);
    const length = Math.hypot(...next);
    if (length === 0) return 0;
    axis = [next[0]! / length, next[1]! / length, next[2]! / length];
  }
  let [least, most] = [Infinity, -Infinity];
  for (const point of points) {
    const at = (point[0] - centre[0]) * axis[0] + (point[1] - centre[1]) * axis[1] + (point[2] - centre[2]) * axis[2];
    least = Math.min(least, at);
    most = Math.max(most, at);
  }
  return most - least;
}
