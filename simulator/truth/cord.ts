/** The cord across a vertebra's middle: pixels × area, its AP way through the middle and its longest row. */
import type { Anatomy, Frame } from '../anatomy/index.js';
import { spineLabels } from '../spine/index.js';
import { range } from './canal.js';
import { Section } from './section.js';

export interface CordSectionTruth {
  readonly areaMm2: number;
  readonly apMm: number;
  readonly transverseMm: number;
}

/** Undefined where there is no cord. */
export function measureCord(anatomy: Anatomy, frame: Frame): CordSectionTruth | undefined {
  const section = new Section(anatomy, frame, { orientation: 'axial', u: [-20, 20], v: [0, 55] });
  const cord = section.mask((label) => label === spineLabels.cord);
  const middle = cord.centroid();
  const rows = cord.rows();
  if (middle === undefined || rows === undefined) return undefined;
  return {
    areaMm2: cord.areaMm2,
    apMm: cord.columnLengthMm(section.column(middle.u)),
    transverseMm: Math.max(...range(rows[0], rows[1]).map((row) => cord.rowLengthMm(row))),
  };
}
