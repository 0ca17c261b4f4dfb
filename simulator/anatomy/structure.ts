/** An anatomy: bodies with tissues, painted one over the other. */
import type { Tissue, Vector3 } from '../../imaging/index.js';
import type { Solid } from './solid.js';

/** A second tissue mixed into the first, more here and less there: marrow with its fat, muscle with its streaks. */
export interface Texture {
  /** Key into the anatomy's tissues. */
  readonly tissue: string;
  /** Share of the second tissue; cut to 0 and 1. */
  readonly mean: number;
  /** Standard deviation of the share. */
  readonly amplitude: number;
  /** Size of the pattern along x, y and z. */
  readonly scaleMm: Vector3;
  /** Integer. */
  readonly seed: number;
}

export interface Structure {
  readonly name: string;
  readonly solid: Solid;
  /** Key into the anatomy's tissues. */
  readonly tissue: string;
  /** In the map of structures; where it is absent, what lies beneath keeps its label. */
  readonly label?: number;
  /** In the map of lesions. */
  readonly lesion?: number;
  /** Width over which it fades into what lies beneath; sharp where absent. */
  readonly edgeMm?: number;
  /** Share that it takes of what it covers, 0 to 1; 1 where absent. */
  readonly opacity?: number;
  readonly texture?: Texture;
}

export interface Anatomy {
  /** Later ones are painted over earlier ones. */
  readonly structures: readonly Structure[];
  readonly tissues: ReadonlyMap<string, Tissue>;
}
