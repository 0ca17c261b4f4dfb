/** Square pixels in the plane of a slice, about the isocentre, and their values. */

/** Row-major [rows, columns]; x grows with the column, y with the row. */
export interface PixelGrid {
  readonly rows: number;
  readonly columns: number;
  readonly pixelMm: number;
  /** Centre of pixel [0, 0], mm from the isocentre. */
  readonly firstXMm: number;
  readonly firstYMm: number;
}

/** From attenuation per mm to Hounsfield's scale, in place: water is 0, air is -1000 and attenuates nothing. */
export function toHounsfield(attenuationPerMm: Float32Array, waterPerMm: number): Float32Array {
  for (let i = 0; i < attenuationPerMm.length; i++) {
    attenuationPerMm[i] = 1000 * (attenuationPerMm[i]! / waterPerMm - 1);
  }
  return attenuationPerMm;
}
