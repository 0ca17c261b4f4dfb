/** What every pathology is: a change of the plan, as strong as its dose, and what of it can be measured. */
import type { FieldStrengthT } from '../../imaging/index.js';
import type { Anatomy } from '../anatomy/index.js';
import type { Random } from '../random.js';
import type { LesionBuilder, Side, SpinePlan, SpineScene } from '../spine/index.js';
import type { Scale } from '../truth/grades.js';
import type { KindName } from './kinds.js';

/** A request with nothing left open. */
export interface Finding {
  readonly kind: KindName;
  /** Vertebra or disc; '' for muscles. */
  readonly level: string;
  readonly grade?: string;
  readonly options: Readonly<Record<string, string | number>>;
  /** What is to be measured, in the scale's unit; only where the pathology has a scale. */
  readonly target?: number;
  /** Of its shapes and textures. */
  readonly seed: number;
}

/** What is built of a plan. */
export interface Built {
  readonly anatomy: Anatomy;
  readonly scene: SpineScene;
  readonly fieldStrengthT: FieldStrengthT;
}

export interface Pathology {
  /** Keys that may be left out, drawn. */
  draw?(random: Random, level: string, grade: string | undefined): Record<string, string | number>;
  /** @param dose in the range of the measure, else 1 */
  change(plan: SpinePlan, finding: Finding, dose: number): SpinePlan;
  /** What is changed in the anatomy rather than in the plan. */
  adjust?(anatomy: Anatomy, finding: Finding, dose: number): Anatomy;
  readonly measure?: Measure;
  /** By the kinds of the lesions that `change` plants. */
  readonly builders?: Readonly<Record<string, LesionBuilder>>;
}

/** How the dose is found: solve.ts. */
export interface Measure {
  readonly scale: Scale;
  /** Between which values targets are drawn, from the healthiest to the worst. */
  readonly limits: readonly [number, number];
  /** Doses from the healthiest to the worst: the value moves one way with them. */
  readonly doses: readonly [number, number];
  /** So near to the target is near enough, in the scale's unit. */
  readonly tolerance: number;
  /** Undefined where there is nothing to measure. */
  of(built: Built, finding: Finding): number | undefined;
  /** Whether it is, as measured, what it is called; absent: the value says it all. */
  confirms?(built: Built, finding: Finding): boolean;
}

/** A number between two, at a share of the way. */
export function between(from: number, to: number, share: number): number {
  return from + share * (to - from);
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random.uniform() * values.length)]!;
}

export function uniform(random: Random, from: number, to: number): number {
  return between(from, to, random.uniform());
}

/** 'left', 'right' or, of 'both', the two. */
export function sidesOf(side: string | number | undefined): Side[] {
  return side === 'left' || side === 'right' ? [side] : ['left', 'right'];
}

/** Changed on the sides that are asked for. */
export function onSides<T>(values: { readonly left: T; readonly right: T }, sides: readonly Side[], change: (value: T) => T): { left: T; right: T } {
  return {
    left: sides.includes('left') ? change(values.left) : values.left,
    right: sides.includes('right') ? change(values.right) : values.right,
  };
}

/** The vertebrae of a disc, upper first. */
export function partsOf(segment: string): readonly [string, string] {
  const [upper, lower] = segment.split('-');
  return [upper!, lower!];
}
