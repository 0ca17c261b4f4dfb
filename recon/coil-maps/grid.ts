/** The coarse grid that coil maps are estimated on. */
export interface MapGrid {
  readonly gridRows: number;
  readonly gridColumns: number;
  /** Coils a point, innermost; even (a coil of zeros makes it so). */
  readonly nCoils: number;
}
