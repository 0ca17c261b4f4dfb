/**
 * Names of places in a stack of slices: where a label map names regions ("L3", "marrow L5"), by them; elsewhere by the slice,
 * counted from 1, and by the third of the picture along each of its axes, in the patient's own directions.
 */
import type { ImageGeometry, Vector3 } from '../imaging/index.js';

export interface NamedRegions {
  /** Codes [slice, row, column] on the grid of the slices; what has no name counts as background. */
  readonly codes: ArrayLike<number>;
  readonly names: ReadonlyMap<number, string>;
}

/** Of growing x, y and z: LPS. */
const thirds = [['right', 'centre', 'left'], ['anterior', 'centre', 'posterior'], ['lower third', 'middle third', 'upper third']] as const;

export class Places {
  readonly #geometry: ImageGeometry;
  readonly #regions: NamedRegions | undefined;
  /** Of each row and column. */
  readonly #thirds: readonly [rows: Uint8Array, columns: Uint8Array];

  constructor(geometry: ImageGeometry, regions?: NamedRegions) {
    this.#geometry = geometry;
    this.#regions = regions;
    const [columns, rows] = geometry.matrixSize;
    const thirdsOf = (size: number) => Uint8Array.from({ length: size }, (_, index) => Math.floor((3 * index) / size));
    this.#thirds = [thirdsOf(rows), thirdsOf(columns)];
  }

  /** A number for each place, for adding up; `nameOf` tells it. */
  placeOf(slice: number, row: number, column: number): number {
    if (this.#regions !== undefined) {
      const [columns, rows] = this.#geometry.matrixSize;
      const code = this.#regions.codes[(slice * rows + row) * columns + column]!;
      if (this.#regions.names.has(code)) return -1 - code;
    }
    return (slice * 3 + this.#thirds[0][row]!) * 3 + this.#thirds[1][column]!;
  }

  nameOf(place: number): string {
    if (place < 0) return this.#regions!.names.get(-1 - place)!;
    const [column, row, slice] = [place % 3, Math.floor(place / 3) % 3, Math.floor(place / 9)];
    const words = [nameAlong(this.#geometry.columnDirection, row), nameAlong(this.#geometry.rowDirection, column)];
    return `slice ${slice + 1}, ${words[0] === words[1] ? words[0]! : words.join(', ')}`;
  }

  /** Whether this place has a name of its own. */
  isRegion(place: number): boolean {
    return place < 0;
  }
}

function nameAlong(direction: Vector3, third: number): string {
  const axis = direction.reduce((largest, value, k) => (Math.abs(value) > Math.abs(direction[largest]!) ? k : largest), 0);
  return thirds[axis]![direction[axis]! > 0 ? third : 2 - third]!;
}
