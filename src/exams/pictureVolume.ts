/** Slices as one volume, for whoever wants to look along other planes. */
import { geometryOfAffineLps, volumeOf } from '../../imaging/index.js';
import type { SlicePlane, Vector3, Volume } from '../../imaging/index.js';
import { examError } from './errors.js';
import type { ExamPicture } from './pictures.js';

type Placed = Pick<ExamPicture, 'rows' | 'columns' | 'values'> & { readonly geometry: SlicePlane };

/** How far a slice may be from its place on the grid, and the end of its steps from that of another one's; mm. */
const leastToleranceMm = 0.05;
const relativeTolerance = 0.02;

/**
 * @param pictures of one output, contrast and repetition, in any order
 * @throws CodedError CONUS_ERR_IMAGE_NO_VOLUME where they are no regular stack
 */
export function volumeOfPictures(pictures: readonly ExamPicture[]): Volume {
  const refuse = (got: string) => examError('CONUS_ERR_IMAGE_NO_VOLUME', got);
  const placed = pictures.filter((picture): picture is ExamPicture & Placed => picture.geometry !== undefined);
  const [first] = placed;
  if (first === undefined || placed.length < pictures.length) throw refuse(`${placed.length} of ${pictures.length} slices with a known place`);
  const { rows, columns, geometry: { columnStepMm, rowStepMm, thicknessMm } } = first;
  const normal = unit(cross(columnStepMm, rowStepMm));
  const slices = [...placed].sort((a, b) => dot(a.geometry.originMm, normal) - dot(b.geometry.originMm, normal));
  const [lowest, highest] = [slices[0]!.geometry.originMm, slices.at(-1)!.geometry.originMm];
  const stepMm = slices.length === 1 ? scaled(normal, thicknessMm) : scaled(minus(highest, lowest), 1 / (slices.length - 1));
  const toleranceMm = Math.max(leastToleranceMm, relativeTolerance * length(stepMm));
  for (const [index, { geometry, ...size }] of slices.entries()) {
    if (size.rows !== rows || size.columns !== columns) throw refuse('slices of several sizes');
    const turnMm = Math.max(length(minus(geometry.columnStepMm, columnStepMm)) * columns, length(minus(geometry.rowStepMm, rowStepMm)) * rows);
    const offMm = length(minus(geometry.originMm, plus(lowest, scaled(stepMm, index))));
    if (turnMm > toleranceMm) throw refuse('slices that are not parallel, or of several pixel sizes');
    if (offMm > toleranceMm) throw refuse(`a slice ${offMm.toFixed(2)} mm off its place in an even stack`);
  }
  const values = new Float32Array(columns * rows * slices.length);
  slices.forEach((slice, index) => values.set(slice.values, index * columns * rows));
  const affine = [0, 1, 2].flatMap((axis) => [columnStepMm[axis]!, rowStepMm[axis]!, stepMm[axis]!, lowest[axis]!]);
  try {
    return volumeOf(geometryOfAffineLps([...affine, 0, 0, 0, 1], [columns, rows, slices.length]), values);
  } catch (cause) {
    throw examError('CONUS_ERR_IMAGE_NO_VOLUME', 'slices that are shifted against one another', { cause });
  }
}

const of = (value: (axis: 0 | 1 | 2) => number): Vector3 => [value(0), value(1), value(2)];
const plus = (a: Vector3, b: Vector3) => of((axis) => a[axis] + b[axis]);
const minus = (a: Vector3, b: Vector3) => of((axis) => a[axis] - b[axis]);
const scaled = (a: Vector3, by: number) => of((axis) => a[axis] * by);
const dot = (a: Vector3, b: Vector3) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const length = (a: Vector3) => Math.hypot(...a);
const unit = (a: Vector3) => scaled(a, 1 / length(a));
const cross = (a: Vector3, b: Vector3): Vector3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
