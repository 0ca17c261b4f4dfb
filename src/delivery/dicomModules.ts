/** Parts that the data sets of all kinds of image share. */
import { imagePositionPatient, pixelSpacingMm, voxelSizeMm } from '../../imaging/index.js';
import type { ImageGeometry, Vector3 } from '../../imaging/index.js';
import { decimalString } from './dicomValues.js';

/** Values by attribute keywords; sequences are arrays of data sets. */
export type DicomDataset = Record<string, unknown>;

/** Frame of reference and image plane (PS3.3, C.7.4.1 and C.7.6.2). */
export function plane(geometry: ImageGeometry, frameOfReferenceUid: string): DicomDataset {
  const position = imagePositionPatient(geometry);
  return {
    FrameOfReferenceUID: frameOfReferenceUid,
    PositionReferenceIndicator: '',
    ImagePositionPatient: position.map(decimalString),
    ImageOrientationPatient: [...geometry.rowDirection, ...geometry.columnDirection].map(decimalString),
    PixelSpacing: pixelSpacingMm(geometry).map(decimalString),
    SliceThickness: decimalString(voxelSizeMm(geometry)[2]),
    // Files are numbered as slices arrive; a viewer sorts by this.
    SliceLocation: decimalString(dot(position, geometry.sliceDirection)),
  };
}

/** An item of a code sequence. */
export function code(value: string, scheme: string, meaning: string): DicomDataset {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}

/** 16-bit pixels as PixelData. */
export function littleEndian(stored: ArrayLike<number>): ArrayBuffer {
  const bytes = new DataView(new ArrayBuffer(2 * stored.length));
  for (let i = 0; i < stored.length; i++) bytes.setInt16(2 * i, stored[i]!, true);
  return bytes.buffer;
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
