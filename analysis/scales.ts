/**
 * From a measure to a grade: published cut-offs.
 *
 * | scale          | rests on                                  | source |
 * |----------------|-------------------------------------------|--------|
 * | centralCanal   | area of the dural sac at the disc         | 130 and 100 mm²: Bolender 1985, J Bone Joint Surg Am 67:237; 76 mm²: Schönström 1985, Spine 10:806 |
 * | canalDiameter  | midline AP width of the canal             | 12 and 10 mm: Verbiest 1954, J Bone Joint Surg Br 36:230 |
 * | lateralRecess  | height of the recess                      | 5, 3 and 2 mm: Ciric 1980, J Neurosurg 53:433; Steurer 2011, doi 10.1186/1471-2474-12-175 |
 * | foramen        | smallest AP width of the foramen          | 3 and 2 mm: Steurer 2011; 4 mm: ours |
 * | herniationSize | share of the canal that displaced disc takes | 1/3 and 2/3: Fardon 2014, doi 10.1016/j.spinee.2014.04.022 |
 * | genant         | loss of vertebral height                  | 20, 25 and 40 %: Genant 1993, doi 10.1002/jbmr.5650080915 |
 * | meyerding      | slip as a share of the endplate below     | quarters: Meyerding 1932; a slip below 3 mm is none |
 * | facetWidth     | width of the joint space                  | 2 mm: Weishaupt 1999, doi 10.1007/s002560050503; the other two: ours |
 *
 * A grade within a few per cent of a cut-off is uncertain by nature: `marginOf` tells how near it is.
 */
import type { Severity } from './types.js';

/** Cut-offs between neighbouring grades, in the order of the grades. */
export interface Scale<Grade extends string = string> {
  readonly unit: string;
  /** From healthy to worst. */
  readonly grades: readonly Grade[];
  /** One fewer than grades: the value at which the next grade begins. */
  readonly cutoffs: readonly number[];
  /** Whether larger values are worse or better. */
  readonly worse: 'above' | 'below';
}

const severities = ['normal', 'mild', 'moderate', 'severe'] as const satisfies readonly Severity[];

export const scales = {
  centralCanal: { unit: 'mm2', grades: severities, cutoffs: [130, 100, 76], worse: 'below' },
  canalDiameter: { unit: 'mm', grades: ['normal', 'relative', 'absolute'], cutoffs: [12, 10], worse: 'below' },
  lateralRecess: { unit: 'mm', grades: severities, cutoffs: [5, 3, 2], worse: 'below' },
  foramen: { unit: 'mm', grades: severities, cutoffs: [4, 3, 2], worse: 'below' },
  herniationSize: { unit: '1', grades: ['mild', 'moderate', 'severe'], cutoffs: [1 / 3, 2 / 3], worse: 'above' },
  genant: { unit: '1', grades: ['0', '1', '2', '3'], cutoffs: [0.2, 0.25, 0.4], worse: 'above' },
  meyerding: { unit: '1', grades: ['1', '2', '3', '4', '5'], cutoffs: [0.25, 0.5, 0.75, 1], worse: 'above' },
  facetWidth: { unit: 'mm', grades: ['0', '1', '2', '3'], cutoffs: [2, 1.2, 0.6], worse: 'below' },
} as const satisfies Record<string, Scale>;

export type ScaleName = keyof typeof scales;

/** The grade of a value. A value on a cut-off has the worse grade where larger is worse, else the better one. */
export function gradeOf<Grade extends string>({ grades, cutoffs, worse }: Scale<Grade>, value: number): Grade {
  const passed = cutoffs.filter((cutoff) => (worse === 'above' ? value >= cutoff : value < cutoff)).length;
  return grades[passed]!;
}

/** Distance to the nearest cut-off as a share of that cut-off. */
export function marginOf({ cutoffs }: Scale, value: number): number {
  return Math.min(...cutoffs.map((cutoff) => Math.abs(value - cutoff) / cutoff));
}
