/**
 * Disc beyond the space between the endplates: bulge, protrusion or extrusion (Fardon 2014,
 * doi 10.1016/j.spinee.2014.04.022).
 *
 * On planes of the disc's frame through the axial slices, `planesMm` or half a slice apart, and through the sagittal ones,
 * between which outlines are interpolated by their distances (shape.ts):
 *
 *   space       what either body covers within `bodyReachMm` of the disc's plane, seen along its axis, in axial or sagittal
 *               slices: three axial ones about a high disc hardly show a body
 *   disc        in its plane, in the axial slice there or, but for its sides, between the sagittal ones: an axial slice that passes a collapsed
 *               disc a little beside its middle does not show what of it is displaced
 *   depth(θ)    largest distance of disc beyond the space to it, within each of 72 sectors round the disc
 *   background  its median; a focal displacement stands out of it by `focalMm` over no more than a quarter of the
 *               circumference, and its deepest place is `herniaMm` or more and within `herniaDeg` of the middle of the back:
 *               farther out a margin against psoas muscle is not outlined well enough to tell one
 *   bulge       `bulgeMm` or more over more than a quarter of the circumference; its depth is the largest median of three sectors
 *   extrusion   wider than its base by `toleranceMm`, or in the sagittal stack higher beyond the space than the space
 *               beside it by twice that (migration); else protrusion
 *   size        displaced disc in the canal against the canal with it, in the plane where that is most
 *   zone        by the angle of the deepest place: central below 15°, subarticular below 40°, else foraminal
 *
 * From sagittal slices alone the depth in the midline is measured, with less confidence, and no type: whether a
 * displacement is focal is seen round the disc.
 */
import { medianOf, type Volume } from '../../imaging/index.js';
import { bodyCode, discCode, structureCodes } from '../anatomy.js';
import type { Assess, Contrast, Finding, Frame, Grade, LabelledStack, Measure, NotAssessed, Segment, Severity, Side, Spine } from '../types.js';
import { axialStacks, canalWindow, isRefusal, type Refusal } from './axialLevel.js';
import { assessmentOf, basisOf, graded, leastConfidence, notAssessed, stacksOf } from './finding.js';
import { Mask, type Place } from './mask.js';
import { framePlane, planeSection, reaches, sliceStepMm, slicesBeside, sliceSection, type Section } from './section.js';
import { absentMm, cutShape, insideAt, shapeOf } from './shape.js';

const kind = 'displacement';
const nSectors = 72;
const stepMm = 0.5;
const planesMm = 3;
const bodyReachMm = 9;
/** Planes in which the sagittal outlines are cut. */
const cutsMm = 3;
/** About a disc, of the sagittal outlines: of bodies to their margins, of discs into the canal. */
const outlineReachMm = { body: 28, disc: 40 } as const;
const canalReachMm = 15;
const bulgeMm = 2.2;
const focalMm = 1.5;
const herniaMm = 3;
const herniaDeg = 65;
const toleranceMm = 1;
/** Smaller pieces are islands of a segmentation; a loose fragment of disc as small is not told from them. */
const leastPieceMm2 = 10;
/** Of the canal in a plane: farther out the slices end. */
const leastSeen = 0.9;
const sagittalTrust = 0.6;
const pictureMm = 80;
const sagittalContrasts: readonly Contrast[] = ['t2w', 't1w', 'pdw', 'stir', 't2fs', 'pdfs', 't1fs', 'ct'];

type Type = 'none' | 'bulge' | 'protrusion' | 'extrusion';

export const assessDisplacement: Assess = (spine) => assessmentOf(spine.segments.flatMap((segment): (Finding | NotAssessed)[] => {
  const refused = (refusal: Refusal) => notAssessed(kind, refusal.code, refusal.got, { level: segment.name });
  // Not those with a sac in them: a large herniation hides it.
  const stacks = axialStacks(spine, segment, segment.frame.originMm, 'middle');
  const found = isRefusal(stacks) ? stacks : fromAxial(spine, segment, stacks[0]!);
  if (!isRefusal(found)) return [found];
  const midline = fromSagittal(spine, segment);
  return isRefusal(midline) ? [refused(found)] : [midline, refused({ ...found, got: `${found.got}: no type of displacement` })];
}));

interface Plane {
  readonly offsetMm: number;
  readonly section: Section;
}

function fromAxial(spine: Spine, segment: Segment, stack: LabelledStack): Finding | Refusal {
  const planes = planesThrough(stack, segment);
  const middlePlane = planes.find(({ offsetMm }) => offsetMm === 0);
  if (middlePlane === undefined) return { code: 'ANALYSIS_INFO_UNSURE', got: 'no axial slice in the plane of the disc' };
  const { section } = middlePlane;
  const sagittal = stacksOf(spine, 'sagittal', sagittalContrasts).find((candidate) => reaches(candidate, segment.frame.originMm));
  const space = spaceOf(planes, section, segment, sagittal);
  const outlinedDisc = sagittal && outlinesOf(sagittal, segment, discCode(segment.name), outlineReachMm.disc);
  const middle = space.centroid();
  if (middle === undefined) return { code: 'ANALYSIS_INFO_UNSURE', got: 'no bodies beside the disc in the slices' };
  // Of its sides, sagittal slices know the margin to no better than half of their distance.
  const asideMm = segment.halfWidthMm - (sagittal === undefined ? 0 : sliceStepMm(sagittal) / 2);
  const axialDisc = withoutIslands(section.mask(discCode(segment.name)));
  const betweenDisc = (plane: Plane) => betweenSlices(outlinedDisc, segment, plane.section, [plane.offsetMm]).where((_pixel, _row, column) => Math.abs(plane.section.u(column)) <= asideMm);
  const disc = axialDisc.or(betweenDisc(middlePlane));
  if (axialDisc.isEmpty) return { code: 'ANALYSIS_INFO_UNSURE', got: 'no disc in the axial slices' };
  if (axialDisc.confidence < leastConfidence) return { code: 'ANALYSIS_INFO_UNSURE', got: `a disc with a mean confidence of ${axialDisc.confidence.toFixed(2)}` };

  const away = space.distancesMm();
  const beyond = disc.minus(space);
  const sectorOf = (pixel: number) => {
    const [u, v] = [section.u(pixel % section.nColumns) - middle.u, section.v(Math.floor(pixel / section.nColumns)) - middle.v];
    return Math.floor(((Math.atan2(u, v) / (2 * Math.PI) + 1 + 0.5 / nSectors) % 1) * nSectors);
  };
  const depths = new Float64Array(nSectors);
  beyond.where((pixel) => {
    const sector = sectorOf(pixel);
    if (away[pixel]! > depths[sector]!) depths[sector] = away[pixel]!;
    return false;
  });
  const behindMm = Math.max(...depths.filter((_depth, sector) => isBehind(sector)));
  const background = medianOf(depths);
  const circumferenceShare = depths.filter((depth) => depth >= bulgeMm).length / nSectors;
  const focal = focalSectors(depths, depths.findIndex((depth, sector) => depth === behindMm && isBehind(sector)), background + focalMm);
  const isHernia = behindMm >= herniaMm && focal.size > 0 && focal.size <= nSectors / 4;
  const depthMm = isHernia ? behindMm : Math.max(...depths.map((depth, sector) => medianOf([depths.at(sector - 1)!, depth, depths[(sector + 1) % nSectors]!])));
  const measures: Measure[] = [{ name: 'depth', value: depthMm, unit: 'mm' }, { name: 'circumferenceShare', value: circumferenceShare, unit: '1' }];
  // Of a plateau the middle.
  const deepest: Place | undefined = beyond.where((pixel) => isBehind(sectorOf(pixel)) && away[pixel]! > behindMm - 2 * stepMm).largest().centroid();
  const signs: string[] = [];
  let type: Type = circumferenceShare > 0.25 ? 'bulge' : 'none';
  let size: Grade | undefined;
  let side: Side | undefined;
  if (isHernia && deepest !== undefined) {
    const angleDeg = (Math.atan2(deepest.u - middle.u, deepest.v - middle.v) * 180) / Math.PI;
    const inFocus = beyond.where((pixel) => focal.has(sectorOf(pixel)));
    const layer = (from: number) => inFocus.where((pixel) => away[pixel]! > from && away[pixel]! <= from + 2 * stepMm);
    const across = { u: -(deepest.v - middle.v), v: deepest.u - middle.u };
    const first = background + stepMm;
    const baseMm = layer(first).extentMm(across);
    const nLayers = Math.max(1, Math.ceil((depthMm - first) / stepMm));
    const widthMm = Math.max(...Array.from({ length: nLayers }, (_, index) => layer(first + index * stepMm).extentMm(across)));
    const height = sagittal === undefined ? undefined : heightBeyond(sagittal, segment, angleDeg);
    const hasMigrated = height !== undefined && height.beyondMm > height.spaceMm + 2 * toleranceMm;
    type = widthMm > baseMm + toleranceMm || hasMigrated ? 'extrusion' : 'protrusion';
    const canalShare = shareOfCanal(planes.map((plane) => ({ ...plane, disc: plane.section.mask(discCode(segment.name)).or(betweenDisc(plane)).minus(space) })));
    size = graded('herniationSize', canalShare);
    side = Math.abs(angleDeg) < 8 ? undefined : angleDeg > 0 ? 'left' : 'right';
    signs.push(zoneOf(angleDeg), ...(hasMigrated ? ['migrated beyond the disc space'] : []));
    measures.push(
      { name: 'canalShare', value: canalShare, unit: '1' }, { name: 'base', value: baseMm, unit: 'mm' }, { name: 'width', value: widthMm, unit: 'mm' },
      { name: 'angle', value: angleDeg, unit: 'deg' }, ...(height === undefined ? [] : [{ name: 'height', value: height.beyondMm, unit: 'mm' } as const]),
    );
  }
  return {
    kind, level: segment.name, ...(side === undefined ? {} : { side }), measures,
    grades: [{ scale: 'displacement', value: type, severity: size?.severity ?? severityOf(type) }, ...(size === undefined ? [] : [size])],
    signs,
    basis: basisOf(spine, sagittal === undefined ? [stack] : [stack, sagittal]),
    confidence: axialDisc.confidence * segment.confidence,
    drawing: {
      seriesIndex: stack.seriesIndex, sliceIndex: slicesBeside(stack, segment.frame.originMm)[0]!.slice, centreMm: section.pointMm(middle.u, middle.v), extentMm: pictureMm,
      outlines: [discCode(segment.name)],
      lines: deepest === undefined || behindMm < bulgeMm ? [] : [depthLine(section, space, deepest, behindMm)],
      areas: beyond.components().filter(({ areaMm2 }) => areaMm2 >= leastPieceMm2).flatMap((piece) => piece.outlinesMm().slice(0, 1)).map((pointsMm) => ({ pointsMm, text: '' })),
    },
  };
}

function severityOf(type: Type): Severity {
  return type === 'none' ? 'normal' : 'mild';
}

/** From the space's edge to a place. */
function depthLine(section: Section, space: Mask, { u, v }: Place, depthMm: number): { fromMm: Frame['originMm']; toMm: Frame['originMm']; text: string } {
  let [nearest, edge] = [Infinity, { u, v }];
  space.where((_pixel, row, column) => {
    const place = { u: section.u(column), v: section.v(row) };
    const mm = Math.hypot(place.u - u, place.v - v);
    if (mm < nearest) [nearest, edge] = [mm, place];
    return false;
  });
  return { fromMm: section.pointMm(edge.u, edge.v), toMm: section.pointMm(u, v), text: `${depthMm.toFixed(1)} mm` };
}

/** Where the stack reaches. */
function planesThrough(stack: LabelledStack, segment: Segment): Plane[] {
  const window = canalWindow(segment);
  const spacing = Math.min(planesMm, sliceStepMm(stack) / 2);
  const count = Math.floor(canalReachMm / spacing);
  return Array.from({ length: 2 * count + 1 }, (_, index) => (index - count) * spacing)
    .map((offsetMm) => ({ offsetMm, section: planeSection(stack, framePlane(segment.frame, 'axial', offsetMm), window, stepMm) }))
    .filter(({ section }) => section.inside.includes(1));
}

function spaceOf(planes: readonly Plane[], section: Section, segment: Segment, sagittal: LabelledStack | undefined): Mask {
  const bodies = [bodyCode(segment.upper), bodyCode(segment.lower)];
  const near = planes.filter(({ offsetMm }) => Math.abs(offsetMm) <= bodyReachMm).map((plane) => plane.section.mask(...bodies));
  const count = Math.floor(bodyReachMm / cutsMm);
  const offsetsMm = Array.from({ length: 2 * count + 1 }, (_, index) => (index - count) * cutsMm);
  // Of the bodies the upper one is above the plane of the disc, but for its rim.
  const between = sagittal === undefined ? [] : bodies.map((code, below) => betweenSlices(outlinesOf(sagittal, segment, code, outlineReachMm.body), segment, section, offsetsMm.filter((mm) => (below === 1 ? -mm : mm) >= 0)));
  return [...near, ...between].reduce((union, mask) => union.or(mask), section.mask()).largest().filled();
}

/** A structure about a disc in sagittal slices. */
function outlinesOf(stack: LabelledStack, segment: Segment, code: number, reachMm: number): Volume | undefined {
  const outlined = shapeOf(stack, [code], segment.frame, { nearMm: segment.halfWidthMm + sliceStepMm(stack), reachMm });
  // Beside its last slice a structure ends half way to the next one, however deep it is there.
  return outlined && { ...outlined, data: outlined.data.map((mm) => Math.min(mm, absentMm)) };
}

/** Pixels of an axial section in which a structure is in any of the planes beside it, its outlines interpolated between sagittal slices. */
function betweenSlices(outlines: Volume | undefined, segment: Segment, section: Section, offsetsMm: readonly number[]): Mask {
  const pixels = new Uint8Array(section.codes.length);
  for (const offsetMm of outlines === undefined ? [] : offsetsMm) {
    const cut = cutShape(outlines!, segment.frame, 'axial', canalWindow(segment), offsetMm);
    for (let pixel = 0; pixel < pixels.length; pixel++) {
      if (insideAt(cut, section.u(pixel % section.nColumns), section.v(Math.floor(pixel / section.nColumns)))) pixels[pixel] = 1;
    }
  }
  return new Mask(section, pixels);
}

function withoutIslands(mask: Mask): Mask {
  const pieces = mask.components().filter(({ areaMm2 }) => areaMm2 >= leastPieceMm2);
  return pieces.reduce((union, piece) => union.or(piece), mask.minus(mask));
}

/** In the part of the circumference towards the canal and the foramina. */
function isBehind(sector: number): boolean {
  return Math.min(sector, nSectors - sector) <= (nSectors * herniaDeg) / 360;
}

/** Sectors round the deepest one that reach a depth; none where it does not itself. */
function focalSectors(depths: Float64Array, deepest: number, depthMm: number): Set<number> {
  const focal = new Set<number>();
  for (const way of [1, nSectors - 1]) {
    for (let steps = 0, sector = deepest; steps < nSectors && depths[sector]! >= depthMm; steps++, sector = (sector + way) % nSectors) focal.add(sector);
  }
  return focal;
}

/** The largest share that displaced disc takes in any plane. Where the canal reaches, all planes tell together: a herniation hides it in its own. */
function shareOfCanal(planes: readonly (Plane & { readonly disc: Mask })[]): number {
  const { sac, cord, epiduralFat, root } = structureCodes;
  const canals = planes.map(({ section, disc }) => section.mask(sac, cord, epiduralFat, root).minus(disc));
  const spans = canals.flatMap((canal) => {
    const main = canal.closed(1).largest();
    const [rows, columns] = [main.rows(), main.columns()];
    return rows === undefined || columns === undefined ? [] : [{ rows, columns }];
  });
  const first = (of: 'rows' | 'columns') => Math.min(...spans.map((span) => span[of][0]));
  const last = (of: 'rows' | 'columns') => Math.max(...spans.map((span) => span[of][1]));
  const [top, bottom, left, right] = [first('rows'), last('rows'), first('columns'), last('columns')];
  const isWithin = (_pixel: number, row: number, column: number) => row >= top && row <= bottom && column >= left && column <= right;
  return Math.max(0, ...planes.map(({ section, disc }, index) => {
    const seen = new Mask(section, section.inside).where(isWithin).count;
    // Disc beside the canal, in a foramen, or in front of the bodies is not in it.
    const { count } = disc.where(isWithin);
    return count === 0 || seen < leastSeen * (bottom - top + 1) * (right - left + 1) ? 0 : count / (count + canals[index]!.count);
  }));
}

/** Of disc beyond the bodies, and of the space at their edge, in the upright plane through an angle. */
function heightBeyond(stack: LabelledStack, segment: Segment, angleDeg: number): { beyondMm: number; spaceMm: number } | undefined {
  const [c, s] = [Math.cos((angleDeg * Math.PI) / 180), Math.sin((angleDeg * Math.PI) / 180)];
  const { originMm, x, y, z } = segment.frame;
  const mixed = (a: Frame['x'], b: Frame['x'], from: number, to: number): Frame['x'] => [from * a[0] + to * b[0], from * a[1] + to * b[1], from * a[2] + to * b[2]];
  const turned: Frame = { originMm, x: mixed(x, y, c, -s), y: mixed(y, x, c, s), z };
  const section = planeSection(stack, framePlane(turned, 'sagittal'), { u: [0, segment.halfWidthMm + 18], v: [-30, 30] }, stepMm);
  const bodies = section.mask(bodyCode(segment.upper), bodyCode(segment.lower));
  const disc = withoutIslands(section.mask(discCode(segment.name)));
  const row = Math.round(section.rowAt(0));
  const isBetween = (column: number) => {
    const rows = bodies.rowsOf(column);
    return rows !== undefined && rows[0] < row && rows[1] > row;
  };
  let edge = section.nColumns - 1;
  while (edge >= 0 && !isBetween(edge)) edge--;
  if (edge < 4) return undefined;
  const heights = Array.from({ length: section.nColumns - edge - 2 }, (_, index) => disc.columnLengthMm(edge + 2 + index));
  return { beyondMm: Math.max(0, ...heights), spaceMm: disc.columnLengthMm(edge - 4) };
}

function zoneOf(angleDeg: number): string {
  const away = Math.abs(angleDeg);
  if (away < 15) return 'central';
  if (away < 40) return 'subarticular';
  return 'foraminal';
}

function fromSagittal(spine: Spine, segment: Segment): Finding | Refusal {
  const { frame, halfDepthMm } = segment;
  const stack = stacksOf(spine, 'sagittal', sagittalContrasts).find((candidate) => reaches(candidate, frame.originMm));
  if (stack === undefined) return { code: 'ANALYSIS_INFO_NO_SERIES', got: 'no sagittal series through the disc' };
  const slice = slicesBeside(stack, frame.originMm)[0]!.slice;
  const section = sliceSection(stack, slice, frame, 'sagittal', { u: [0, halfDepthMm + 20], v: [-bodyReachMm, bodyReachMm] });
  const bodies = withoutIslands(section.mask(bodyCode(segment.upper), bodyCode(segment.lower)));
  const disc = withoutIslands(section.mask(discCode(segment.name)));
  const [edge, reach] = [bodies.columns(), disc.columns()];
  if (edge === undefined || reach === undefined) return { code: 'ANALYSIS_INFO_UNSURE', got: 'no disc between bodies in the midline' };
  if (disc.confidence < leastConfidence) return { code: 'ANALYSIS_INFO_UNSURE', got: `a disc with a mean confidence of ${disc.confidence.toFixed(2)}` };
  const depthMm = Math.max(0, reach[1] - edge[1]) * section.stepMm;
  const rows = disc.rowsOf(reach[1])!;
  const v = section.v((rows[0] + rows[1]) / 2);
  return {
    kind, level: segment.name, measures: [{ name: 'depth', value: depthMm, unit: 'mm' }], grades: [],
    signs: depthMm >= bulgeMm ? ['disc beyond the vertebral bodies in the midline'] : [],
    basis: basisOf(spine, [stack]),
    confidence: sagittalTrust * disc.confidence * segment.confidence,
    drawing: {
      seriesIndex: stack.seriesIndex, sliceIndex: slice, centreMm: section.pointMm(halfDepthMm, 0), extentMm: pictureMm, outlines: [discCode(segment.name)],
      lines: depthMm === 0 ? [] : [{ fromMm: section.pointMm(section.u(edge[1]), v), toMm: section.pointMm(section.u(reach[1]), v), text: `${depthMm.toFixed(1)} mm` }],
      areas: [],
    },
  };
}
