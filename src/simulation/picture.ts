/** A picture of a real patient, to be scanned: NIfTI as it is, PNG with the pixel size that it lacks. */
import { readFile } from 'node:fs/promises';
import { decode } from 'fast-png';
import { ImagingError, readNifti, volumeOf, type ImageGeometry, type Volume } from '../../imaging/index.js';
import { simulationError } from './errors.js';

export interface PictureOptions {
  /** Of a PNG; without effect for NIfTI, which knows its own. */
  readonly pixelMm: number;
  /** Some collections store slices with the feet on top. */
  readonly flipped: boolean;
}

/** Thickness of the one slice that a PNG is. */
const pngSliceMm = 4;

/**
 * A volume in LPS. A PNG is a sagittal slice through the isocentre: columns to posterior, rows to the feet.
 * @throws CodedError CONUS_ERR_PICTURE
 */
export async function readPicture(path: string, options: PictureOptions): Promise<Volume> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw simulationError('CONUS_ERR_PICTURE', `${path} (${(cause as Error).message})`, { cause });
  }
  if (/\.nii(\.gz)?$/i.test(path)) {
    try {
      return readNifti(bytes);
    } catch (cause) {
      if (cause instanceof ImagingError) throw simulationError('CONUS_ERR_PICTURE', `${path} (${cause.got})`, { cause });
      throw cause;
    }
  }
  return pngVolume(path, bytes, options);
}

function pngVolume(path: string, bytes: Uint8Array, { pixelMm, flipped }: PictureOptions): Volume {
  let picture: ReturnType<typeof decode>;
  try {
    picture = decode(bytes);
  } catch (cause) {
    throw simulationError('CONUS_ERR_PICTURE', `${path}, which is neither NIfTI nor PNG`, { cause });
  }
  const { width, height, channels, data } = picture;
  const values = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = flipped ? height - 1 - row : row;
    // Grey pictures that were stored in colours have the same value in each.
    for (let column = 0; column < width; column++) values[row * width + column] = data[(from * width + column) * channels]!;
  }
  const geometry: ImageGeometry = {
    centreMm: [0, 0, 0],
    rowDirection: [0, 1, 0],
    columnDirection: [0, 0, -1],
    sliceDirection: [-1, 0, 0],
    fovMm: [width * pixelMm, height * pixelMm, pngSliceMm],
    matrixSize: [width, height, 1],
  };
  return volumeOf(geometry, values);
}
