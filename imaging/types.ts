/** What an image is, apart from any format. */

/** Patient coordinates, LPS: x to the patient's left, y to posterior, z to the head. */
export type Vector3 = readonly [number, number, number];

/**
 * Where a slice or a volume lies. Directions are unit vectors; `row` is the direction in which the
 * column index grows (readout), `column` the one in which the row index grows (phase encoding).
 */
export interface ImageGeometry {
  /** Centre of the imaged volume, mm: what MRD calls `position`. */
  readonly centreMm: Vector3;
  readonly rowDirection: Vector3;
  readonly columnDirection: Vector3;
  readonly sliceDirection: Vector3;
  /** [columns, rows, slices] extent, mm */
  readonly fovMm: Vector3;
  /** [columns, rows, slices] */
  readonly matrixSize: Vector3;
}
