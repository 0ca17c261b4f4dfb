/**
 * What a vertebra carries behind its body, in its frame, and the joints between arches.
 *
 * A joint is a curved slab in a frame of its own (y: normal from the superior process of the lower vertebra to the
 * inferior process of the upper one, z up, x outwards in the joint's plane):
 *
 *   s(p) = y - x²/(2R) ,  |s| <= space / 2
 *
 * The processes are blocks on either side of it, so that they fit whatever the angles are. Pedicles, pars and
 * transverse processes are tubes, laminae and spinous process plates, all flowing into each other; then what
 * reaches into the canal is cut off.
 */
import type { Vector3 } from '../../imaging/index.js';
import {
  cuboid, difference, ellipsoid, intersection, intoFrame, outOfFrame, placed, smoothUnion, tube, type Frame, type Solid,
} from '../anatomy/index.js';
import { posteriorWallMm } from './alignment.js';
import { besideSacMm, recessWidthMm } from './canal.js';
import { perSide, sides, type FacetPlan, type PerSide, type SegmentPlan, type Side, type VertebraKind, type VertebraPlan } from './plan.js';

/** Width and height of the joint, thickness of each process, radius of the joint's curve; mm. */
const jointSizes: Readonly<Record<VertebraKind, { widthMm: number; heightMm: number; thickMm: number; radiusMm: number }>> = {
  axis: { widthMm: 11, heightMm: 11, thickMm: 5, radiusMm: 200 },
  cervical: { widthMm: 11, heightMm: 11, thickMm: 5, radiusMm: 200 },
  thoracic: { widthMm: 10.5, heightMm: 12, thickMm: 4, radiusMm: 60 },
  lumbar: { widthMm: 16, heightMm: 16, thickMm: 8, radiusMm: 15 },
  sacral: { widthMm: 10, heightMm: 8, thickMm: 4, radiusMm: 60 },
  coccygeal: { widthMm: 4, heightMm: 4, thickMm: 2, radiusMm: 60 },
};

export function sign(side: Side): 1 | -1 {
  return side === 'left' ? 1 : -1;
}

/** In the patient; the segment's frame is that of its disc. */
export function facetFrames(segment: SegmentPlan, frame: Frame, halfDepthMm: number, upper: VertebraPlan, lower: VertebraPlan): PerSide<Frame> {
  const { widthMm, heightMm, thickMm } = jointSizes[upper.kind];
  return perSide((side) => {
    const { angleDeg, tiltDeg, jointSpaceMm } = segment.facets[side];
    const [angle, tilt] = [(angleDeg * Math.PI) / 180, (tiltDeg * Math.PI) / 180];
    const out = sign(side);
    // Joints of the chest lie near the midline, those of the neck on pillars beside the canal.
    const beside = { axis: 8, cervical: 8, thoracic: 2.5, lumbar: 0.28 * lower.pedicle.widthMm, sacral: 2, coccygeal: 1 }[upper.kind];
    const lateral = lower.canal.widthMm / 2 + beside;
    const normal: Vector3 = [-out * Math.cos(angle) * Math.cos(tilt), Math.sin(angle) * Math.cos(tilt), Math.sin(tilt)];
    const across: Vector3 = [out * Math.sin(angle), Math.cos(angle), 0];
    const up: Vector3 = [out * Math.cos(angle) * Math.sin(tilt), -Math.sin(angle) * Math.sin(tilt), Math.cos(tilt)];
    // As far behind the disc as the foremost corner of the superior process asks for.
    const corner = (thickMm + jointSpaceMm / 2) * Math.sin(angle) * Math.cos(tilt) + 0.4 * widthMm * Math.cos(angle) + 0.4 * heightMm * Math.sin(angle) * Math.sin(tilt);
    const back = halfDepthMm + segment.foramina[side].widthMm + Math.max(0.6 * thickMm, corner);
    const inPatient = (v: Vector3): Vector3 => outOfFrame({ ...frame, originMm: [0, 0, 0] }, v);
    return {
      originMm: outOfFrame(frame, [out * lateral, back, { axis: -1, cervical: -1, thoracic: 2, lumbar: 0, sacral: 0, coccygeal: 0 }[upper.kind]]),
      x: inPatient(across),
      y: inPatient(normal),
      z: inPatient(up),
    };
  });
}

export interface JointSolids {
  /** The space with cartilage and fluid, and within it the fluid. */
  readonly space: Solid;
  readonly fluid: Solid;
  /** Space and subchondral bone on both sides. */
  readonly shell: Solid;
}

/** The front of the superior process, in the patient: beside the sac it bounds the lateral recess, farther out the foramen. */
function processFront(
  { segment, frame, recessMarginMm, lateralMarginMm, facets }: ArchNeighbour, pedicleMm: number, side: Side,
): { atRecess: Solid; atForamen: Solid } {
  const joint = intoFrame(frame, facets[side].originMm);
  const inner = segment.sac.transverseMm / 2 + besideSacMm;
  const outer = Math.max(pedicleMm + 2, inner + recessWidthMm + 2);
  const block = (fromX: number, toX: number, fromY: number, fromZ: number, toZ: number, roundingMm: number): Solid => {
    const toY = Math.max(fromY + 4, joint[1]);
    const originMm = outOfFrame(frame, [(sign(side) * (fromX + toX)) / 2 + segment.sac.shiftMm, (fromY + toY) / 2, (fromZ + toZ) / 2]);
    return placed({ ...frame, originMm }, cuboid([(toX - fromX) / 2, (toY - fromY) / 2, (toZ - fromZ) / 2], roundingMm));
  };
  const foramen = lateralMarginMm + segment.foramina[side].widthMm - 0.8 * segment.facets[side].hypertrophyMm;
  return {
    atRecess: block(inner, inner + recessWidthMm + 1, recessMarginMm + segment.lateralRecessMm[side], -7, 4, 1),
    atForamen: block(inner + 0.5 * recessWidthMm, outer, foramen, -9, 5, 3),
  };
}

/** In the joint's frame. */
export function jointSolids(facet: FacetPlan, kind: VertebraKind): JointSolids {
  const { widthMm, heightMm, radiusMm } = jointSizes[kind];
  const [a, b] = [(widthMm - 3 + facet.hypertrophyMm) / 2, (heightMm - 2 + facet.hypertrophyMm) / 2];
  const half = facet.jointSpaceMm / 2;
  return {
    space: slab(a, b, half, radiusMm),
    fluid: slab(0.85 * a, 0.85 * b, half * Math.min(0.85, facet.effusion), radiusMm),
    shell: slab(a + 0.5, b + 0.5, half + 1, radiusMm),
  };
}

function slab(a: number, b: number, half: number, radius: number): Solid {
  const sag = (a * a) / (2 * radius);
  return {
    bounds: { min: [-a, -half, -b], max: [a, half + sag, b] },
    distanceMm(x, y, z) {
      const [px, pz] = [x / a, z / b];
      const rim = (Math.sqrt(px * px + pz * pz) - 1) * Math.min(a, b);
      return Math.max(rim, 0.85 * (Math.abs(y - (x * x) / (2 * radius)) - half));
    },
  };
}

/** An articular process: the block on one side of the joint, `way` +1 for the inferior process of the upper vertebra. */
function process(facet: FacetPlan, kind: VertebraKind, way: 1 | -1): Solid {
  const { widthMm, heightMm, thickMm, radiusMm } = jointSizes[kind];
  const grown = facet.hypertrophyMm;
  const [a, b, t] = [(widthMm + 1.5 * grown) / 2, (heightMm + grown) / 2, thickMm + 0.8 * grown];
  const half = facet.jointSpaceMm / 2;
  const block = placed(
    { originMm: [0, way * (half + t / 2 - 1), 0], x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] },
    cuboid([a, t / 2 + 1, b], 0.98 * Math.min(a, t / 2 + 1, b)),
  );
  const own: Solid = {
    bounds: block.bounds,
    distanceMm: (x, y) => 0.85 * (half - way * (y - (x * x) / (2 * radiusMm))),
  };
  return intersection(block, own);
}

/** A segment that an arch takes part in; frames in the patient, `frame` the disc's. */
export interface ArchNeighbour {
  readonly segment: SegmentPlan;
  readonly frame: Frame;
  /** y of the disc's margin beside the sac and at the foramen. */
  readonly recessMarginMm: number;
  readonly lateralMarginMm: number;
  readonly facets: PerSide<Frame>;
  /** Of the upper vertebra. */
  readonly kind: VertebraKind;
}

/** Absent at the ends. */
export interface ArchNeighbours {
  readonly above?: ArchNeighbour;
  readonly below?: ArchNeighbour;
}

/** In the patient. @param wall of the canal, in the patient */
export function archSolid(vertebra: VertebraPlan, frame: Frame, neighbours: ArchNeighbours, wall: Solid): Solid {
  const parts = sides.flatMap((side) => halfArch(vertebra, frame, neighbours, side));
  parts.push(...spinousProcess(vertebra));
  const whole = placed(frame, smoothUnion(2.5, ...parts));
  const { above } = neighbours;
  const pedicleMm = (vertebra.canal.widthMm + vertebra.pedicle.widthMm) / 2;
  const fronts = above?.kind === 'lumbar' ? sides.map((side) => processFront(above, pedicleMm, side)) : [];
  const clefts = sides.flatMap((side) => parsCleft(vertebra, frame, neighbours, side));
  const open = difference(smoothUnion(2, whole, ...fronts.map(({ atForamen }) => atForamen)), wall, ...clefts);
  return smoothUnion(1, open, ...fronts.map(({ atRecess }) => atRecess));
}

function junctions(vertebra: VertebraPlan, frame: Frame, neighbours: ArchNeighbours, side: Side) {
  const { kind, pedicle, canal } = vertebra;
  const out = sign(side);
  const back = posteriorWallMm(vertebra);
  const x = canal.widthMm / 2 + pedicle.widthMm / 2;
  const splay = pedicle.lengthMm * Math.tan((pedicle.angleDeg * Math.PI) / 180) * (kind === 'cervical' || kind === 'axis' ? 0.6 : 0.25);
  const end: Vector3 = [out * (x + splay), back + pedicle.lengthMm, pedicle.raisedMm];
  const own = (joint: Frame, way: 1 | -1, facet: FacetPlan, jointKind: VertebraKind, up: number): Vector3 => {
    const { thickMm, heightMm } = jointSizes[jointKind];
    return intoFrame(frame, outOfFrame(joint, [0, way * (facet.jointSpaceMm / 2 + thickMm / 2), up * heightMm]));
  };
  const superior = neighbours.above && own(neighbours.above.facets[side], -1, neighbours.above.segment.facets[side], neighbours.above.kind, -0.25);
  const inferior = neighbours.below && own(neighbours.below.facets[side], 1, neighbours.below.segment.facets[side], neighbours.below.kind, 0.25);
  // It springs from the body, which in the neck is narrower than the canal.
  const halfWidth = (vertebra.body.upperWidthMm + vertebra.body.lowerWidthMm) / 4;
  const start: Vector3 = [out * Math.min(x, halfWidth - 0.4 * pedicle.widthMm), back - 4, pedicle.raisedMm];
  const narrow: Vector3 = [0.4 * start[0] + 0.6 * out * x, back + 1, pedicle.raisedMm];
  return { out, back, start, narrow, end, superior, inferior };
}

function halfArch(vertebra: VertebraPlan, frame: Frame, neighbours: ArchNeighbours, side: Side): Solid[] {
  const { kind, pedicle, lamina, canal } = vertebra;
  const { out, start, narrow, end, superior, inferior } = junctions(vertebra, frame, neighbours, side);
  const [pw, ph] = [pedicle.widthMm / 2, pedicle.heightMm / 2];
  const parts: Solid[] = [
    tube([
      { centreMm: start, acrossMm: pw * 1.2, alongMm: ph * 1.1 },
      { centreMm: narrow, acrossMm: pw, alongMm: ph },
      { centreMm: end, acrossMm: pw, alongMm: ph },
    ]),
  ];
  const round = Math.min(pw, ph, 4.5);
  if (neighbours.above !== undefined && superior !== undefined) {
    const joint = intoOwn(frame, neighbours.above.facets[side]);
    parts.push(
      placed(joint, process(neighbours.above.segment.facets[side], neighbours.above.kind, -1)),
      tube([{ centreMm: end, acrossMm: round, alongMm: round }, { centreMm: superior, acrossMm: round, alongMm: round }]),
    );
  }
  const laminaRoot: Vector3 = inferior === undefined
    ? [out * canal.widthMm * 0.35, end[1] + 5, end[2] - 6]
    : [0.6 * inferior[0], Math.max(inferior[1], end[1]) + 0.5, 0.45 * end[2] + 0.55 * inferior[2]];
  if (neighbours.below !== undefined && inferior !== undefined) {
    const joint = intoOwn(frame, neighbours.below.facets[side]);
    const isthmus: Vector3 = [0.4 * end[0] + 0.6 * inferior[0], 0.5 * (end[1] + inferior[1]) + 1, 0.5 * (end[2] + inferior[2]) + 1];
    const thin = Math.min(round, 0.75 * lamina.thicknessMm);
    parts.push(
      placed(joint, process(neighbours.below.segment.facets[side], neighbours.below.kind, 1)),
      tube([
        { centreMm: end, acrossMm: round, alongMm: round },
        { centreMm: isthmus, acrossMm: thin, alongMm: thin },
        { centreMm: inferior, acrossMm: round, alongMm: round },
      ]),
      tube([
        { centreMm: inferior, acrossMm: 0.6 * lamina.thicknessMm, alongMm: 0.6 * lamina.thicknessMm },
        { centreMm: laminaRoot, acrossMm: 0.6 * lamina.thicknessMm, alongMm: 0.6 * lamina.thicknessMm },
      ]),
    );
  }
  parts.push(plate(laminaRoot, spinolaminar(vertebra, inferior), lamina.heightMm, lamina.thicknessMm));
  parts.push(...transverseProcess(vertebra, side, end));
  if (kind === 'cervical') parts.push(plate(laminaRoot, end, lamina.heightMm * 0.8, lamina.thicknessMm));
  return parts;
}

/** Where the laminae meet behind the canal. */
function spinolaminar(vertebra: VertebraPlan, inferior: Vector3 | undefined): Vector3 {
  const { canal, kind, lamina } = vertebra;
  const behind = posteriorWallMm(vertebra) + canal.depthMm + lamina.thicknessMm / 2;
  const height = (vertebra.body.anteriorHeightMm + vertebra.body.posteriorHeightMm) / 2;
  const drop = { axis: 0.1, cervical: 0.3, thoracic: 0.25, lumbar: 0.3, sacral: 0.25, coccygeal: 0 }[kind];
  // Behind the deepest place of the joints' line, the canal's back wall at the disc may lie farther back.
  return [0, Math.max(behind, (inferior?.[1] ?? 0) - 6), -drop * height];
}

function spinousProcess(vertebra: VertebraPlan): Solid[] {
  const { spinous, canal, kind } = vertebra;
  const { slopeDeg, deviationDeg } = spinous;
  const root: Vector3 = [0, posteriorWallMm(vertebra) + canal.depthMm, spinolaminar(vertebra, undefined)[2]];
  const [slope, aside] = [(slopeDeg * Math.PI) / 180, (deviationDeg * Math.PI) / 180];
  const along: Vector3 = [Math.sin(aside) * Math.cos(slope), Math.cos(aside) * Math.cos(slope), -Math.sin(slope)];
  const at = (mm: number): Vector3 => [root[0] + mm * along[0], root[1] + mm * along[1], root[2] + mm * along[2]];
  const { lengthMm, heightMm, thicknessMm } = spinous;
  const tip = at(lengthMm - thicknessMm / 2);
  if (spinous.bifid) {
    const fork = at(0.55 * lengthMm);
    return [
      blade(root, fork, heightMm, thicknessMm * 0.8),
      ...[-1, 1].map((way) =>
        tube([
          { centreMm: fork, acrossMm: heightMm * 0.35, alongMm: heightMm * 0.4 },
          { centreMm: [tip[0] + way * 5, tip[1], tip[2] - 1], acrossMm: heightMm * 0.3, alongMm: heightMm * 0.35 },
        ]),
      ),
    ];
  }
  const parts = [blade(root, at(lengthMm - thicknessMm / 2), heightMm, thicknessMm)];
  // The lumbar hatchet is deepest and thickest at its edge.
  if (kind === 'lumbar' || kind === 'thoracic') {
    parts.push(placed(upright(at(0.78 * lengthMm)), ellipsoid([thicknessMm * 0.6, Math.min(lengthMm * 0.2, heightMm * 0.4), heightMm * 0.5])));
  }
  return parts;
}

function transverseProcess(vertebra: VertebraPlan, side: Side, from: Vector3): Solid[] {
  const { kind } = vertebra;
  if (kind === 'sacral' || kind === 'coccygeal') return [];
  const { lengthMm, heightMm, backwardDeg } = vertebra.transverse[side];
  const out = sign(side);
  const angle = (backwardDeg * Math.PI) / 180;
  const h = heightMm / 2;
  const thick = { axis: 0.5, cervical: 0.5, thoracic: 0.75, lumbar: 0.62 }[kind];
  // In the neck it springs from the body's side, in front of the vertebral artery.
  const root: Vector3 = kind === 'cervical' || kind === 'axis' ? [from[0] - out * 2, from[1] - 4, from[2] - 1] : [from[0], from[1] + 1, from[2] - 1];
  const tip: Vector3 = [root[0] + out * lengthMm * Math.cos(angle), root[1] + lengthMm * Math.sin(angle), root[2] + (kind === 'lumbar' ? 1 : -1)];
  return [
    tube(
      [
        { centreMm: root, acrossMm: 0.55 * h + 1, alongMm: h },
        { centreMm: mixed(root, tip, 0.6), acrossMm: thick * h, alongMm: 0.8 * h },
        { centreMm: tip, acrossMm: 1.2 * thick * h, alongMm: h },
      ],
      [0, 1, 0],
    ),
  ];
}

/** A slit across the pars. */
function parsCleft(vertebra: VertebraPlan, frame: Frame, neighbours: ArchNeighbours, side: Side): Solid[] {
  const width = vertebra.parsCleftMm[side];
  const { end, inferior } = junctions(vertebra, frame, neighbours, side);
  if (width <= 0 || inferior === undefined) return [];
  const along = normalised([inferior[0] - end[0], inferior[1] - end[1], inferior[2] - end[2]]);
  const x = normalised([along[1], -along[0], 0]);
  const middle = mixed(end, inferior, 0.5);
  const slit = placed({ originMm: middle, x, y: crossed(along, x), z: along }, cuboid([9, 9, width / 2], 0.2));
  return [placed(frame, slit)];
}

/** A plate from one point to another whose corners are round seen from its side. */
function blade(from: Vector3, to: Vector3, heightMm: number, thicknessMm: number): Solid {
  const { frame, halfMm } = plateFrame(from, to, thicknessMm);
  const [half, high] = [halfMm, heightMm / 2];
  const [corner, edge] = [0.75 * Math.min(half, high), 0.49 * thicknessMm];
  return placed(frame, {
    bounds: { min: [-thicknessMm / 2, -half, -high], max: [thicknessMm / 2, half, high] },
    distanceMm(x, y, z) {
      const [dy, dz] = [Math.abs(y) - half + corner, Math.abs(z) - high + corner];
      const [oy, oz] = [Math.max(dy, 0), Math.max(dz, 0)];
      const face = Math.sqrt(oy * oy + oz * oz) + Math.min(Math.max(dy, dz), 0) - corner;
      const [s, t] = [face + edge, Math.abs(x) - thicknessMm / 2 + edge];
      return (s > 0 && t > 0 ? Math.sqrt(s * s + t * t) : Math.max(s, t)) - edge;
    },
  });
}

/** A plate from one point to another, its height along z. */
function plate(from: Vector3, to: Vector3, heightMm: number, thicknessMm: number): Solid {
  const { frame, halfMm } = plateFrame(from, to, thicknessMm);
  return placed(frame, cuboid([thicknessMm / 2, halfMm, heightMm / 2], 0.49 * Math.min(thicknessMm, heightMm)));
}

/** x across the plate, y along it. */
function plateFrame(from: Vector3, to: Vector3, thicknessMm: number): { frame: Frame; halfMm: number } {
  const way: Vector3 = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const along = normalised(way);
  const across = normalised([along[1], -along[0], 0]);
  return {
    frame: { originMm: mixed(from, to, 0.5), x: across, y: along, z: crossed(across, along) },
    halfMm: Math.hypot(...way) / 2 + thicknessMm / 2,
  };
}

function intoOwn(frame: Frame, joint: Frame): Frame {
  const direction = (v: Vector3) => intoFrame({ ...frame, originMm: [0, 0, 0] }, v);
  return { originMm: intoFrame(frame, joint.originMm), x: direction(joint.x), y: direction(joint.y), z: direction(joint.z) };
}

function upright(originMm: Vector3): Frame {
  return { originMm, x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
}

function mixed(a: Vector3, b: Vector3, share: number): Vector3 {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}

function normalised(a: Vector3): Vector3 {
  const size = Math.hypot(...a) || 1;
  return [a[0] / size, a[1] / size, a[2] / size];
}

function crossed(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
