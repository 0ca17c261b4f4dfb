/** A stack of slices on one regular grid. */
import { ImagingError } from './errors.js';
import type { RealArray } from './metrics.js';
import type { ImageGeometry } from './types.js';

/** Real values on a grid. */
export interface Volume<Values extends RealArray = Float32Array> {
  readonly geometry: ImageGeometry;
  /** [slice, row, column], row-major. */
  readonly data: Values;
}

/**
 * A volume whose data fill its grid.
 * @throws IMG_ERR_SHAPE where they do not
 */
export function volumeOf<Values extends RealArray>(geometry: ImageGeometry, data: Values): Volume<Values> {
  const [columns, rows, slices] = geometry.matrixSize;
  if (data.length !== columns * rows * slices) {
    throw new ImagingError('IMG_ERR_SHAPE', `${data.length} values for ${columns} x ${rows} x ${slices} voxels`);
  }
  return { geometry, data };
}
