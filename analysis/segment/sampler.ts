/**
 * A stack's evidence at places of the patient: logarithms of probability, linear between pixels and between slices.
 *
 *   [i, j, k] = A^-1 r,     ln p(r) = Σ over the eight voxels round it of w ln p
 *
 * Outside of the field of view, and farther than half a step beyond the first or last slice, a stack says nothing.
 */
import { affineLps, invertAffine, voxelSizeMm, type Affine, type Vector3 } from '../../imaging/index.js';
import { nClasses } from './classes.js';
import { evidenceStep, type Evidence } from './evidence.js';

export class Sampler {
  readonly #evidence: Evidence;
  readonly #inverse: Affine;
  readonly #sliceMm: number;
  readonly #size: Vector3;
  #i = 0;
  #j = 0;
  #k = 0;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#inverse = invertAffine(affineLps(evidence.geometry));
    this.#sliceMm = voxelSizeMm(evidence.geometry)[2];
    this.#size = evidence.geometry.matrixSize;
  }

  /** @returns whether the place is in the stack; what is asked next is of it */
  find(x: number, y: number, z: number): boolean {
    const m = this.#inverse;
    this.#i = m[0]! * x + m[1]! * y + m[2]! * z + m[3]!;
    this.#j = m[4]! * x + m[5]! * y + m[6]! * z + m[7]!;
    this.#k = m[8]! * x + m[9]! * y + m[10]! * z + m[11]!;
    const size = this.#size;
    return this.#i >= 0 && this.#i <= size[0] - 1 && this.#j >= 0 && this.#j <= size[1] - 1 && this.#k >= -0.5 && this.#k <= size[2] - 0.5;
  }

  /** The likeliest class of the nearest voxel. */
  get winner(): number {
    const size = this.#size;
    return this.#evidence.winners[(this.#nearestSlice * size[1] + Math.round(this.#j)) * size[0] + Math.round(this.#i)]!;
  }

  /** From the middle of the nearest slice. */
  get awayMm(): number {
    return Math.abs(this.#k - this.#nearestSlice) * this.#sliceMm;
  }

  logs(into: Float64Array): void {
    const { codes } = this.#evidence;
    const [columns, rows, slices] = this.#size;
    const k = Math.max(0, Math.min(slices - 1, this.#k));
    const [i0, j0, k0] = [Math.floor(this.#i), Math.floor(this.#j), Math.floor(k)];
    const [fi, fj, fk] = [this.#i - i0, this.#j - j0, k - k0];
    const first = ((k0 * rows + j0) * columns + i0) * nClasses;
    into.fill(0);
    for (let corner = 0; corner < 8; corner++) {
      const [isRight, isUnder, isNext] = [(corner & 1) > 0, (corner & 2) > 0, (corner & 4) > 0];
      const weight = -evidenceStep * (isRight ? fi : 1 - fi) * (isUnder ? fj : 1 - fj) * (isNext ? fk : 1 - fk);
      // What lies outside has none.
      if (weight === 0) continue;
      const from = first + ((isRight ? 1 : 0) + (isUnder ? columns : 0) + (isNext ? rows * columns : 0)) * nClasses;
      for (let index = 0; index < nClasses; index++) into[index]! += weight * codes[from + index]!;
    }
  }

  get #nearestSlice(): number {
    return Math.max(0, Math.min(this.#size[2] - 1, Math.round(this.#k)));
  }
}
