/**
 * Central canal and lateral recesses in the plane of a disc.
 *
 *   sac area        pixels of CSF and cord, and of roots between them in the same row, × pixel area
 *   sac diameters   AP through the sac's centre; the longest row
 *   canal diameter  AP through the sac's centre, from disc or body back to ligament or bone, so with epidural fat
 *                   (Verbiest 1954; Kalichman 2009, doi 10.1016/j.spinee.2009.03.005)
 *   recess height   just beside the sac, where the root runs, the shortest AP way from the disc or body to the superior
 *                   articular process, the joint or the ligament on them (Steurer 2011, doi 10.1186/1471-2474-12-175)
 */
import type { Anatomy } from '../anatomy/index.js';
import { archLabel, bodyLabel, discLabel, facetLabel, foramenLabel, perSide, spineLabels, type PerSide, type SegmentSite } from '../spine/index.js';
import { gradeOf, scales, type Severity } from './grades.js';
import { Section, type Mask } from './section.js';

export interface CentralCanal {
  readonly grade: Severity;
  readonly sacAreaMm2: number;
  readonly sacApMm: number;
  readonly sacTransverseMm: number;
  readonly canalApMm: number;
  readonly diameterGrade: (typeof scales.canalDiameter.grades)[number];
}

export interface LateralRecess {
  readonly grade: Severity;
  readonly heightMm: number;
}

/** Beside the sac: about the width of a root. */
const recessWidthMm = 2;

/** Behind the middle of the disc, with what bounds the canal. */
export function canalSection(anatomy: Anatomy, site: SegmentSite): Section {
  const back = site.halfDepthMm;
  return new Section(anatomy, site.frame, { orientation: 'axial', u: [-26, 26], v: [back - 12, back + 34] });
}

export function sacMask(section: Section): Mask {
  const { csf, cord, root } = spineLabels;
  const fluid = section.mask((label) => label === csf || label === cord);
  const middle = fluid.centroid();
  if (middle === undefined) return fluid;
  const sac = fluid.componentAt(middle.u, middle.v);
  const roots = section.mask((label) => label === root);
  for (let row = 0; row < section.nRows; row++) {
    const span = sac.columnsOf(row);
    if (span === undefined) continue;
    for (let column = span[0]; column <= span[1]; column++) if (roots.has(row, column)) sac.pixels[row * section.nColumns + column] = 1;
  }
  return sac;
}

/** Undefined where the section holds no sac. */
export function measureCanal(section: Section): CentralCanal | undefined {
  const sac = sacMask(section);
  const middle = sac.centroid();
  if (middle === undefined) return undefined;
  const column = section.column(middle.u);
  const rows = sac.rows()!;
  const sacAreaMm2 = sac.areaMm2;
  const canalApMm = freeLengthMm(section, section.row(middle.v), column);
  return {
    grade: gradeOf(scales.centralCanal, sacAreaMm2),
    sacAreaMm2,
    sacApMm: sac.columnLengthMm(column),
    sacTransverseMm: Math.max(...range(rows[0], rows[1]).map((row) => sac.rowLengthMm(row))),
    canalApMm,
    diameterGrade: gradeOf(scales.canalDiameter, canalApMm),
  };
}

/** Undefined where the section holds no sac or a side no process. */
export function measureRecesses(section: Section, segment: string): PerSide<LateralRecess | undefined> {
  const [upper, lower] = segment.split('-') as [string, string];
  const sac = sacMask(section);
  const columns = sac.columns();
  const front = new Set([discLabel(segment), bodyLabel(upper), bodyLabel(lower)]);
  return perSide((side) => {
    if (columns === undefined) return undefined;
    const back = new Set([archLabel(lower), archLabel(upper), facetLabel(segment, side), spineLabels.ligamentumFlavum]);
    const outwards = side === 'left' ? 1 : -1;
    const edge = side === 'left' ? columns[1] : columns[0];
    const reach = Math.round(recessWidthMm / section.stepMm);
    const gaps = range(0, reach).map((steps) => gapMm(section, edge + outwards * steps, front, back));
    const heightMm = Math.min(...gaps);
    return Number.isFinite(heightMm) ? { grade: gradeOf(scales.lateralRecess, heightMm), heightMm } : undefined;
  });
}

const soft = new Set<number>([spineLabels.csf, spineLabels.cord, spineLabels.root, spineLabels.epiduralFat]);

function isFree(label: number): boolean {
  return soft.has(label) || (label >= foramenLabel('C1-', 'left') && label < facetLabel('C1-', 'left'));
}

/** Along a column, from a pixel forwards and backwards until something bounds the canal. */
function freeLengthMm(section: Section, row: number, column: number): number {
  let [first, last] = [row, row];
  while (first > 0 && isFree(section.label(first - 1, column))) first--;
  while (last < section.nRows - 1 && isFree(section.label(last + 1, column))) last++;
  return (last - first + 1) * section.stepMm;
}

/** Along a column, from the last pixel of the front to the first of the back behind it; Infinity without both. */
function gapMm(section: Section, column: number, front: ReadonlySet<number>, back: ReadonlySet<number>): number {
  let start = -1;
  for (let row = 0; row < section.nRows; row++) {
    const label = section.label(row, column);
    if (front.has(label)) start = row;
    else if (start >= 0 && back.has(label)) return (row - start - 1) * section.stepMm;
  }
  return Infinity;
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
