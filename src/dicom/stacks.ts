/**
 * The images of a series, sorted into stacks: frames of one matrix, orientation and kind, one above the other.
 *
 * With the positions p of the frames and their normal n, slices are sorted by s = p . n. A stack is a volume where
 *   - the steps s(k + 1) - s(k) agree within 2 % (or 0.01 mm), and
 *   - the positions lie on the normal: what is across it, |p(k) - p(0) - (s(k) - s(0)) n|, is within 2 % of the way
 *     (or 0.1 mm). A tilted gantry shifts every slice against the last one and is refused.
 * Two frames at one place are told; the first one by instance number is kept. Gaps are told, and make no volume.
 */
import { geometryOfAffineLps, volumeOf } from '../../imaging/index.js';
import type { ImageGeometry, Volume } from '../../imaging/index.js';
import type { ReconNotice } from '../../recon/index.js';
import { dicomError, dicomWarning } from './errors.js';
import type { DicomErrorCode } from './errors.js';
import type { DicomFrame, DicomImage } from './image.js';
import { dot, subtract } from './planes.js';
import type { Plane } from './planes.js';
import type { CodedError } from 'ismrmrd';

export interface PlacedFrame {
  readonly image: DicomImage;
  readonly frame: DicomFrame;
  readonly plane: Plane;
}

export interface Stack {
  /** Along the normal, the lowest position first. */
  readonly slices: readonly PlacedFrame[];
  readonly echoTimeMs: number | undefined;
  /** Where the stack is a regular volume. */
  readonly geometry?: ImageGeometry;
  /** Why it is not. */
  readonly refusal?: CodedError<DicomErrorCode>;
  readonly findings: readonly ReconNotice[];
}

const orientationTolerance = 1e-3;
const relativeTolerance = 0.02;
const stepToleranceMm = 0.01;
const offsetToleranceMm = 0.1;

/** Frames that claim no place are in none of the stacks. */
export function stacksOf(images: readonly DicomImage[]): Stack[] {
  const groups: PlacedFrame[][] = [];
  for (const image of [...images].sort(byInstance)) {
    for (const frame of image.frames) {
      if (frame.plane === undefined) continue;
      const placed = { image, frame, plane: frame.plane };
      const group = groups.find(([first]) => first !== undefined && belongTogether(first, placed));
      if (group === undefined) groups.push([placed]);
      else group.push(placed);
    }
  }
  return groups.map(stackOf);
}

/** @throws what the stack was refused for; DICOM_ERR_CODEC */
export function readVolume({ slices, geometry, refusal }: Stack): Volume {
  if (geometry === undefined) throw refusal!;
  const [columns, rows] = geometry.matrixSize;
  const data = new Float32Array(columns * rows * slices.length);
  slices.forEach(({ frame }, index) => data.set(frame.values(), index * columns * rows));
  return volumeOf(geometry, data);
}

function byInstance(a: DicomImage, b: DicomImage): number {
  return (a.facts.instanceNumber ?? 0) - (b.facts.instanceNumber ?? 0) || (a.identity.sopInstanceUid < b.identity.sopInstanceUid ? -1 : 1);
}

function belongTogether(a: PlacedFrame, b: PlacedFrame): boolean {
  const near = (x: readonly number[], y: readonly number[], tolerance: number) => x.every((value, i) => Math.abs(value - y[i]!) <= tolerance);
  return (
    a.image.facts.rows === b.image.facts.rows &&
    a.image.facts.columns === b.image.facts.columns &&
    a.frame.series === b.frame.series &&
    near(a.plane.rowDirection, b.plane.rowDirection, orientationTolerance) &&
    near(a.plane.columnDirection, b.plane.columnDirection, orientationTolerance) &&
    near(a.plane.pixelSpacingMm, b.plane.pixelSpacingMm, 1e-4 * a.plane.pixelSpacingMm[0])
  );
}

function stackOf(frames: readonly PlacedFrame[]): Stack {
  const { normal } = frames[0]!.plane;
  const heightOf = ({ plane }: PlacedFrame) => dot(plane.firstMm, normal);
  // Equal heights keep the order of their instance numbers: sorting is stable.
  const sorted = [...frames].sort((a, b) => heightOf(a) - heightOf(b));
  const slices: PlacedFrame[] = [];
  let nDuplicates = 0;
  for (const frame of sorted) {
    const last = slices.at(-1);
    if (last !== undefined && Math.hypot(...subtract(frame.plane.firstMm, last.plane.firstMm)) <= stepToleranceMm) nDuplicates++;
    else slices.push(frame);
  }
  const findings = nDuplicates === 0 ? [] : [dicomWarning('DICOM_WARN_DUPLICATE_SLICE', `${nDuplicates} images at a place that had one`)];
  const about = { slices, echoTimeMs: slices[0]!.frame.echoTimeMs };
  const steps = slices.slice(1).map((slice, i) => heightOf(slice) - heightOf(slices[i]!));
  const stepMm = steps.length === 0 ? slices[0]!.plane.thicknessMm : median(steps);
  if (stepMm === undefined) return { ...about, findings, refusal: dicomError('DICOM_ERR_GEOMETRY', 'one slice without a thickness') };
  const refuse = (refusal: CodedError<DicomErrorCode>, ...more: ReconNotice[]): Stack => ({ ...about, findings: [...findings, ...more], refusal });

  const wayMm = heightOf(slices.at(-1)!) - heightOf(slices[0]!);
  const acrossMm = Math.max(...slices.map((slice) => acrossNormal(slices[0]!.plane, slice.plane)));
  if (acrossMm > Math.max(offsetToleranceMm, relativeTolerance * wayMm)) {
    return refuse(dicomError('DICOM_ERR_GANTRY_TILT', `slices shifted by up to ${acrossMm.toFixed(1)} mm over ${wayMm.toFixed(1)} mm`));
  }
  const tolerance = Math.max(stepToleranceMm, relativeTolerance * stepMm);
  const nMissing = steps.reduce((sum, step) => sum + Math.max(0, Math.round(step / stepMm) - 1), 0);
  if (nMissing > 0) {
    const text = `${nMissing} of ${slices.length + nMissing} slices, ${stepMm.toFixed(2)} mm apart, missing`;
    return refuse(dicomError('DICOM_ERR_SPACING', text), dicomWarning('DICOM_WARN_SLICE_GAP', text));
  }
  if (steps.some((step) => Math.abs(step - stepMm) > tolerance)) {
    const text = `distances from ${Math.min(...steps).toFixed(2)} to ${Math.max(...steps).toFixed(2)} mm`;
    return refuse(dicomError('DICOM_ERR_SPACING', text), dicomWarning('DICOM_WARN_IRREGULAR_SPACING', text));
  }
  const meanStepMm = steps.length === 0 ? stepMm : wayMm / steps.length;
  return { ...about, findings, geometry: geometryOf(slices, meanStepMm) };
}

function geometryOf(slices: readonly PlacedFrame[], stepMm: number): ImageGeometry {
  const { plane, image } = slices[0]!;
  const [betweenRows, betweenColumns] = plane.pixelSpacingMm;
  const rows = [0, 1, 2].flatMap((i) => [
    plane.rowDirection[i]! * betweenColumns, plane.columnDirection[i]! * betweenRows, plane.normal[i]! * stepMm, plane.firstMm[i]!,
  ]);
  return geometryOfAffineLps([...rows, 0, 0, 0, 1], [image.facts.columns, image.facts.rows, slices.length]);
}

function acrossNormal(first: Plane, plane: Plane): number {
  const way = subtract(plane.firstMm, first.firstMm);
  const along = dot(way, first.normal);
  return Math.hypot(...way.map((component, i) => component - along * first.normal[i]!));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
