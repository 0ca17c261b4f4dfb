/** Where the frames of an image lie (PS3.3, C.7.6.2 and C.7.6.16.2): image plane attributes, or functional groups. */
import type { Vector3 } from '../../imaging/index.js';
import { dicomError } from './errors.js';
import type { Attributes, DicomHeader } from './header.js';

/** A frame's place, LPS, mm. Directions are unit vectors; `normal` is row x column. */
export interface Plane {
  /** Centre of the first pixel. */
  readonly firstMm: Vector3;
  readonly rowDirection: Vector3;
  readonly columnDirection: Vector3;
  readonly normal: Vector3;
  /** [between rows, between columns], as DICOM has it. */
  readonly pixelSpacingMm: readonly [number, number];
  /** Scanners leave it empty, or write 0 for a phantom of no thickness. */
  readonly thicknessMm?: number;
}

/** Directions as scanners write them: four digits and more. */
const directionTolerance = 1e-3;

/**
 * The place of every frame; undefined for all where the SOP class claims none and none is given.
 * @throws DICOM_ERR_GEOMETRY, DICOM_ERR_VALUE
 */
export function framePlanes(header: Pick<DicomHeader, 'attributes' | 'storageClass'>, nFrames: number): (Plane | undefined)[] {
  const { attributes, storageClass } = header;
  if (!storageClass.enhanced) {
    if (!storageClass.placed && attributes.numbers('ImagePositionPatient') === undefined) return Array<undefined>(nFrames).fill(undefined);
    if (nFrames !== 1) throw dicomError('DICOM_ERR_GEOMETRY', `${nFrames} frames and one position`);
    return [planeOf(attributes, attributes, attributes)];
  }
  const [shared] = attributes.items('SharedFunctionalGroupsSequence');
  const frames = attributes.items('PerFrameFunctionalGroupsSequence');
  if (frames.length !== nFrames) throw dicomError('DICOM_ERR_GEOMETRY', `${frames.length} functional groups for ${nFrames} frames`);
  return frames.map((frame, index) => {
    const group = (sequence: string): Attributes => {
      const item = frame.items(sequence)[0] ?? shared?.items(sequence)[0];
      if (item === undefined) throw dicomError('DICOM_ERR_GEOMETRY', `frame ${index + 1} without ${sequence}`);
      return item;
    };
    return planeOf(group('PlanePositionSequence'), group('PlaneOrientationSequence'), group('PixelMeasuresSequence'));
  });
}

function planeOf(position: Attributes, orientation: Attributes, measures: Attributes): Plane {
  const present = (keyword: string, values: number[] | undefined) => {
    if (values === undefined) throw dicomError('DICOM_ERR_GEOMETRY', `no ${keyword}`);
    return values;
  };
  const firstMm = vector(present('ImagePositionPatient', position.numbers('ImagePositionPatient', 3)));
  const directions = present('ImageOrientationPatient', orientation.numbers('ImageOrientationPatient', 6));
  const [betweenRows, betweenColumns] = present('PixelSpacing', measures.numbers('PixelSpacing', 2)) as [number, number];
  const [row, column] = [vector(directions), vector(directions.slice(3))];
  const deviations = [Math.hypot(...row) - 1, Math.hypot(...column) - 1, dot(row, column)];
  if (!deviations.every((deviation) => Math.abs(deviation) <= directionTolerance)) {
    throw dicomError('DICOM_ERR_GEOMETRY', 'directions that are not two orthogonal unit vectors');
  }
  if (!(betweenRows > 0 && betweenColumns > 0)) throw dicomError('DICOM_ERR_GEOMETRY', 'a pixel spacing that is not positive');
  const thicknessMm = measures.number('SliceThickness') ?? 0;
  const [rowDirection, columnDirection] = [unit(row), unit(column)];
  return {
    firstMm, rowDirection, columnDirection,
    normal: unit(cross(rowDirection, columnDirection)),
    pixelSpacingMm: [betweenRows, betweenColumns],
    ...(thicknessMm > 0 && { thicknessMm }),
  };
}

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function subtract(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

const vector = (values: readonly number[]): Vector3 => [values[0]!, values[1]!, values[2]!];

function unit(a: Vector3): Vector3 {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
}

function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
