/**
 * Disc beyond the space between the endplates: bulge, protrusion or extrusion (Fardon 2014,
 * doi 10.1016/j.spinee.2014.04.022).
 *
 * The space is what the two bodies cover, seen along the disc's axis. Of the disc's pixels outside it, in the plane
 * of the disc:
 *
 *   depth(θ)   largest distance to the space within each of 72 sectors round the disc
 *   background its median; focal sectors stand out of it by `focalMm` or more, and the deepest by `herniaMm`
 *   bulge      depth of `bulgeMm` or more over more than a quarter of the circumference
 *   herniation focal sectors; its base is what touches the space, its width the longest extent along the margin at
 *              any depth, its height the extent along the disc's axis in the sagittal plane through its deepest place
 *   extrusion  wider than the base, or higher than the space beside it
 *   size       area in the canal against all of the canal's, in the axial plane where most is taken
 */
import type { Anatomy, Frame } from '../anatomy/index.js';
import { bodyLabel, discLabel, spineLabels, type SegmentSite } from '../spine/index.js';
import { range } from './canal.js';
import { gradeOf, scales } from './grades.js';
import { Mask, Section } from './section.js';

export interface Displacement {
  readonly type: 'none' | 'bulge' | 'protrusion' | 'extrusion';
  /** Farthest beyond the space between the endplates. */
  readonly depthMm: number;
  /** Share of the circumference that is displaced by `bulgeMm` or more. */
  readonly circumferenceShare: number;
  /** Of the herniation; absent where there is none. */
  readonly herniation?: {
    readonly size: (typeof scales.herniationSize.grades)[number];
    readonly canalShare: number;
    readonly baseMm: number;
    readonly widthMm: number;
    readonly heightMm: number;
    /** 0 to posterior, 90 to the left. */
    readonly angleDeg: number;
    readonly zone: 'central' | 'subarticular' | 'foraminal' | 'extraforaminal' | 'anterior';
  };
}

export const bulgeMm = 2.2;
export const focalMm = 1.5;
/** Less is the unevenness of healthy margins. */
const herniaMm = 3;
const nSectors = 72;
/** Planes along the disc's axis: over the nearer ones bodies bound the space, over all of them discs migrate. */
const offsetsMm = [-15, -12, -9, -6, -4, -2, 0, 2, 4, 6, 9, 12, 15];
const spaceReachMm = 9;
/** Of the canal. */
const contents: ReadonlySet<number> = new Set([spineLabels.csf, spineLabels.cord, spineLabels.epiduralFat, spineLabels.root]);
const coarseMm = 0.5;
/** How much wider or higher counts: two pixels. */
const toleranceMm = 1;

export function measureDisplacement(anatomy: Anatomy, site: SegmentSite): Displacement | undefined {
  const segment = site.plan.name;
  const [u, v] = [site.halfWidthMm + 14, site.halfDepthMm + 14];
  const stack = offsetsMm.map((offsetMm) => new Section(anatomy, site.frame, { orientation: 'axial', offsetMm, u: [-u, u], v: [-v, v + 6] }, coarseMm));
  const section = stack[offsetsMm.indexOf(0)]!;
  const space = spaceMask(segment, section, stack);
  const label = discLabel(segment);
  const disc = section.mask((other) => other === label);
  const middle = space.centroid();
  if (middle === undefined || disc.count === 0) return undefined;

  const beyond = new Mask(section, disc.pixels.map((pixel, index) => pixel & (1 - space.pixels[index]!)));
  const distances = distancesTo(space, beyond);
  const depths = new Float64Array(nSectors);
  const sectorOf = (index: number) => {
    const x = section.u(index % section.nColumns) - middle.u;
    const y = section.v(Math.floor(index / section.nColumns)) - middle.v;
    return Math.floor(((Math.atan2(x, y) / (2 * Math.PI) + 1 + 0.5 / nSectors) % 1) * nSectors);
  };
  distances.forEach((distance, index) => {
    if (distance > 0) depths[sectorOf(index)] = Math.max(depths[sectorOf(index)]!, distance);
  });
  const depthMm = Math.max(...depths);
  const background = [...depths].sort((a, b) => a - b)[nSectors / 2]!;
  const circumferenceShare = depths.filter((depth) => depth >= bulgeMm).length / nSectors;
  const deepest = depths.indexOf(depthMm);
  const focal = focalSectors(depths, deepest, background + focalMm);
  if (depthMm < herniaMm || focal.size === 0 || focal.size > nSectors / 4) {
    return { type: circumferenceShare > 0.25 ? 'bulge' : 'none', depthMm, circumferenceShare };
  }

  const base = background + coarseMm;
  const layer = (from: number, to: number) =>
    new Mask(section, Uint8Array.from(distances, (distance, index) => (distance > from && distance <= to && focal.has(sectorOf(index)) ? 1 : 0)));
  const baseMm = spanMm(layer(base, base + 2 * coarseMm), middle);
  const nLayers = Math.max(1, Math.ceil((depthMm - base) / coarseMm));
  const widthMm = Math.max(...range(0, nLayers - 1).map((index) => spanMm(layer(base + index * coarseMm, base + (index + 1) * coarseMm), middle)));
  const angleDeg = (((deepest + 0.5) * 360) / nSectors + 180) % 360 - 180;
  const { heightMm, spaceMm } = heightOf(anatomy, site, angleDeg);
  const isExtrusion = widthMm > baseMm + toleranceMm || heightMm > spaceMm + 2 * toleranceMm;
  const canalShare = Math.max(...stack.map((level) => shareOfCanal(segment, level, space)));
  return {
    type: isExtrusion ? 'extrusion' : 'protrusion',
    depthMm,
    circumferenceShare,
    herniation: {
      size: gradeOf(scales.herniationSize, canalShare), canalShare, baseMm, widthMm, heightMm, angleDeg, zone: zoneOf(angleDeg),
    },
  };
}

/** What either body covers near the disc. */
function spaceMask(segment: string, section: Section, stack: readonly Section[]): Mask {
  const [upper, lower] = segment.split('-') as [string, string];
  const bodies = new Set([bodyLabel(upper), bodyLabel(lower)]);
  const pixels = new Uint8Array(section.labels.length);
  stack.forEach((level, at) => {
    if (Math.abs(offsetsMm[at]!) > spaceReachMm) return;
    level.labels.forEach((label, index) => {
      if (bodies.has(label)) pixels[index] = 1;
    });
  });
  return new Mask(section, pixels);
}

/** Of each pixel of `beyond`, to the nearest of the space, mm; 0 elsewhere. */
function distancesTo(space: Mask, beyond: Mask): Float64Array {
  const { section } = space;
  const { nColumns, nRows, stepMm } = section;
  const rim: number[] = [];
  for (let row = 0; row < nRows; row++) {
    for (let column = 0; column < nColumns; column++) {
      const isRim = space.has(row, column) &&
        !(space.has(row - 1, column) && space.has(row + 1, column) && space.has(row, column - 1) && space.has(row, column + 1));
      if (isRim) rim.push(row, column);
    }
  }
  const distances = new Float64Array(beyond.pixels.length);
  beyond.pixels.forEach((pixel, index) => {
    if (pixel === 0) return;
    const [row, column] = [Math.floor(index / nColumns), index % nColumns];
    let nearest = Infinity;
    for (let at = 0; at < rim.length; at += 2) {
      nearest = Math.min(nearest, (rim[at]! - row) ** 2 + (rim[at + 1]! - column) ** 2);
    }
    distances[index] = stepMm * Math.sqrt(nearest);
  });
  return distances;
}

/** Sectors round the deepest one that reach a depth; none where it does not itself. */
function focalSectors(depths: Float64Array, deepest: number, depthMm: number): Set<number> {
  const focal = new Set<number>();
  if (depths[deepest]! < depthMm) return focal;
  for (const way of [1, -1]) {
    for (let sector = deepest; !(focal.has(sector) && sector !== deepest) && depths[sector]! >= depthMm; sector = (sector + way + nSectors) % nSectors) {
      focal.add(sector);
    }
  }
  return focal;
}

/** Extent at right angles to the direction from the disc's middle. */
function spanMm(mask: Mask, middle: { readonly u: number; readonly v: number }): number {
  const own = mask.centroid();
  if (own === undefined) return 0;
  const away = Math.hypot(own.u - middle.u, own.v - middle.v);
  const across = [-(own.v - middle.v) / away, (own.u - middle.u) / away] as const;
  let [least, most] = [Infinity, -Infinity];
  const { section } = mask;
  mask.pixels.forEach((pixel, index) => {
    if (pixel === 0) return;
    const at = section.u(index % section.nColumns) * across[0] + section.v(Math.floor(index / section.nColumns)) * across[1];
    least = Math.min(least, at);
    most = Math.max(most, at);
  });
  return most - least + section.stepMm;
}

/** Of what lies beyond the space, and of the space beside it, in the upright plane through an angle. */
function heightOf(anatomy: Anatomy, site: SegmentSite, angleDeg: number): { heightMm: number; spaceMm: number } {
  const segment = site.plan.name;
  const [upper, lower] = segment.split('-') as [string, string];
  const section = new Section(anatomy, turned(site.frame, angleDeg), { orientation: 'sagittal', u: [0, site.halfWidthMm + 18], v: [-30, 30] }, coarseMm);
  const bodies = section.mask((label) => label === bodyLabel(upper) || label === bodyLabel(lower));
  const disc = section.mask((label) => label === discLabel(segment));
  const row = section.row(0);
  // The margin of the space: the last column that has body both above and below.
  const edge = range(0, section.nColumns - 1).findLast((column) => {
    const rows = bodies.rowsOf(column);
    return rows !== undefined && rows[0] < row && rows[1] > row;
  }) ?? 0;
  const heights = range(edge + 2, section.nColumns - 1).map((column) => disc.columnLengthMm(column));
  const inner = disc.columnLengthMm(Math.max(0, edge - 4));
  return { heightMm: Math.max(0, ...heights), spaceMm: inner };
}

/** A frame turned about its z axis, its y axis towards an angle. */
function turned({ originMm, x, y, z }: Frame, angleDeg: number): Frame {
  const [c, s] = [Math.cos((angleDeg * Math.PI) / 180), Math.sin((angleDeg * Math.PI) / 180)];
  return {
    originMm,
    x: [c * x[0] - s * y[0], c * x[1] - s * y[1], c * x[2] - s * y[2]],
    y: [c * y[0] + s * x[0], c * y[1] + s * x[1], c * y[2] + s * x[2]],
    z,
  };
}

/** Of the canal in one axial plane, what disc takes. */
function shareOfCanal(segment: string, section: Section, space: Mask): number {
  const label = discLabel(segment);
  const canal = section.mask((other) => contents.has(other));
  const [columns, rows] = [canal.columns(), canal.rows()];
  if (columns === undefined || rows === undefined) return 0;
  let disc = 0;
  // Disc beside the canal, in a foramen, or in front of the bodies is not in it.
  for (let row = rows[0]; row <= rows[1]; row++) {
    for (let column = columns[0]; column <= columns[1]; column++) {
      const index = row * section.nColumns + column;
      if (section.labels[index] === label && space.pixels[index] === 0) disc++;
    }
  }
  return disc / (disc + canal.count);
}

function zoneOf(angleDeg: number): NonNullable<Displacement['herniation']>['zone'] {
  const away = Math.abs(angleDeg);
  if (away < 15) return 'central';
  if (away < 40) return 'subarticular';
  if (away < 65) return 'foraminal';
  return away < 110 ? 'extraforaminal' : 'anterior';
}
