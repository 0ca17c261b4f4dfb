/**
 * A foramen in the plane across it, and the joint behind it.
 *
 *   area         pixels of the foramen and of the root in it, one piece with its middle
 *   height       its longest column
 *   width        the shortest AP way through it beside the upper half of the disc: from disc or body to joint or arch
 *                (Steurer 2011, doi 10.1186/1471-2474-12-175)
 *   fat share    of a rim of 1 mm round the root, what is fat; by quadrant the number without (less than a third):
 *                Lee 2010, doi 10.2214/AJR.09.2772, counts the directions in which perineural fat is gone
 *
 *   joint space  mean thickness of the joint along its normal, over the middle half of its length
 */
import type { Anatomy } from '../anatomy/index.js';
import { archLabel, bodyLabel, discLabel, facetLabel, foramenLabel, spineLabels, type SegmentSite, type Side } from '../spine/index.js';
import { range } from './canal.js';
import { gradeOf, scales, type Severity } from './grades.js';
import { Mask, Section } from './section.js';

export interface Foramen {
  readonly grade: Severity;
  readonly widthMm: number;
  readonly heightMm: number;
  readonly areaMm2: number;
  /** 0 to 1; absent where no root is seen. */
  readonly perineuralFatShare?: number;
  /** Of the four directions, those without fat. */
  readonly directionsWithoutFat?: number;
}

export interface FacetJoint {
  readonly grade: (typeof scales.facetWidth.grades)[number];
  readonly jointSpaceMm: number;
}

export function foramenSection(anatomy: Anatomy, site: SegmentSite, side: Side): Section {
  return new Section(anatomy, site.foramina[side], { orientation: 'sagittal', u: [-16, 16], v: [-18, 18] });
}

/** Undefined where the section holds no foramen. */
export function measureForamen(section: Section, segment: string, side: Side): Foramen | undefined {
  const [upper, lower] = segment.split('-') as [string, string];
  const own = foramenLabel(segment, side);
  const open = section.mask((label) => label === own || label === spineLabels.root);
  const foramen = open.componentAt(0, 0);
  const columns = foramen.columns();
  if (columns === undefined) return undefined;
  const front = new Set([discLabel(segment), bodyLabel(upper), bodyLabel(lower)]);
  const disc = section.mask((label) => label === discLabel(segment));
  const back = new Set([archLabel(lower), archLabel(upper), facetLabel(segment, side), spineLabels.ligamentumFlavum]);
  const discRows = disc.rows();
  if (discRows === undefined) return undefined;
  const widthMm = Math.min(...range(discRows[0], Math.round((discRows[0] + discRows[1]) / 2)).map((row) => widthAt(section, row, front, back)));
  if (!Number.isFinite(widthMm)) return undefined;
  return {
    grade: gradeOf(scales.foramen, widthMm),
    widthMm,
    heightMm: Math.max(...range(columns[0], columns[1]).map((column) => foramen.columnLengthMm(column))),
    areaMm2: foramen.areaMm2,
    ...perineuralFat(section, foramen),
  };
}

/** Along a row, from the last pixel of the front to the first of the back behind it. */
function widthAt(section: Section, row: number, front: ReadonlySet<number>, back: ReadonlySet<number>): number {
  let start = -1;
  for (let column = 0; column < section.nColumns; column++) {
    const label = section.label(row, column);
    if (front.has(label)) start = column;
    else if (start >= 0 && back.has(label)) return (column - start - 1) * section.stepMm;
  }
  return Infinity;
}

const rimMm = 1;

function perineuralFat(section: Section, foramen: Mask): Pick<Foramen, 'perineuralFatShare' | 'directionsWithoutFat'> {
  const root = section.mask((label) => label === spineLabels.root);
  const within = new Mask(section, root.pixels.map((pixel, index) => pixel & foramen.pixels[index]!));
  const middle = within.centroid();
  if (middle === undefined) return {};
  const reach = Math.round(rimMm / section.stepMm);
  const [rim, fat] = [new Float64Array(4), new Float64Array(4)];
  for (let row = 0; row < section.nRows; row++) {
    for (let column = 0; column < section.nColumns; column++) {
      if (root.has(row, column) || !near(within, row, column, reach)) continue;
      const [u, v] = [section.u(column) - middle.u, section.v(row) - middle.v];
      const quadrant = Math.abs(u) > Math.abs(v) ? (u > 0 ? 0 : 1) : v > 0 ? 2 : 3;
      rim[quadrant]!++;
      if (foramen.has(row, column)) fat[quadrant]!++;
    }
  }
  const total = rim.reduce((sum, pixels) => sum + pixels, 0);
  if (total === 0) return {};
  return {
    perineuralFatShare: fat.reduce((sum, pixels) => sum + pixels, 0) / total,
    directionsWithoutFat: rim.filter((pixels, quadrant) => fat[quadrant]! < pixels / 3).length,
  };
}

function near(mask: Mask, row: number, column: number, reach: number): boolean {
  for (let dr = -reach; dr <= reach; dr++) {
    for (let dc = -reach; dc <= reach; dc++) {
      if (dr * dr + dc * dc <= reach * reach && mask.has(row + dr, column + dc)) return true;
    }
  }
  return false;
}

/** Undefined where there is no joint. */
export function measureFacet(anatomy: Anatomy, site: SegmentSite, side: Side): FacetJoint | undefined {
  const section = new Section(anatomy, site.facets[side], { orientation: 'axial', u: [-12, 12], v: [-8, 8] });
  const label = facetLabel(site.plan.name, side);
  const joint = section.mask((other) => other === label).componentAt(0, 0);
  const columns = joint.columns();
  if (columns === undefined) return undefined;
  const quarter = Math.round((columns[1] - columns[0]) / 4);
  const lengths = range(columns[0] + quarter, columns[1] - quarter).map((column) => joint.columnLengthMm(column));
  const jointSpaceMm = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return { grade: gradeOf(scales.facetWidth, jointSpaceMm), jointSpaceMm };
}
