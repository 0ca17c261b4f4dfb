/**
 * The canal from the axis to the coccyx: one sweep with the sections of its lumen, sac and cord.
 *
 * About the middle of the sac, u to the left and v to posterior:
 *
 *   sac    |u| <= a (1 - τ v/b) sqrt(1 - (v/b)²), see SacSection in plan.ts
 *   lumen  what bone and ligament leave open: in front walls that meet the body, behind the lateral recess half an ellipse up to
 *          the posterior gap; in front it runs under the bodies and discs, which are painted over it, and at discs to
 *          both sides into the recesses
 *   wall   the lumen and the ligamenta flava round it; arches are cut off there
 *   cord   an ellipse, behind or in front of the middle; the conus tapers over its last 25 mm
 */
import type { Vector3 } from '../../imaging/index.js';
import { ellipseDistance, outOfFrame, type Frame, type Solid } from '../anatomy/index.js';
import { posteriorWallMm, type Alignment } from './alignment.js';
import { smoothStep } from './body.js';
import { sides, vertebraOf, type Place, type SacSection, type SegmentPlan, type SpinePlan, type VertebraPlan } from './plan.js';
import { descending, Sweep, type Station } from './sweep.js';

/** Indices of a station's values. */
const value = {
  sacAcross: 0, sacAlong: 1, triangularity: 2,
  lumenAcross: 3, lumenBack: 4, lumenFront: 5, recessLeft: 6, recessRight: 7, flavumLeft: 8, flavumRight: 9,
  cordAcross: 10, cordAlong: 11, cordBack: 12, recessAcross: 13, frontAcross: 14,
} as const;

/** Between sac and ligament at discs, and of the recess beside it. */
export const besideSacMm = 1.5;
export const recessWidthMm = 4.5;
const coneLengthMm = 25;
const capLengthMm = 14;

export interface Canal {
  readonly sweep: Sweep;
  readonly sac: Solid;
  readonly dura: Solid;
  readonly lumen: Solid;
  readonly wall: Solid;
  readonly cord: Solid;
  readonly grey: Solid;
  /** Middle of the sac from the top down. */
  readonly line: readonly Vector3[];
  /** Places on the sweep. */
  readonly conusAt: number;
  readonly sacEndAt: number;
  placeOf(place: Place): number;
  /** Half widths of the sac, and of the cord with its middle, at a place. */
  at(k: number): { sacAcross: number; sacAlong: number; triangularity: number; cordAcross: number; cordAlong: number; cordBack: number };
}

export function buildCanal(plan: SpinePlan, alignment: Alignment): Canal {
  const stations = descending(stationsOf(plan, alignment));
  const sweep = new Sweep(stations);
  const placeOf = ({ vertebra, share }: Place) => {
    const { body } = vertebraOf(plan, vertebra);
    const frame = alignment.vertebrae.get(vertebra)!;
    const height = (body.anteriorHeightMm + body.posteriorHeightMm) / 2;
    return sweep.placeAtHeight(outOfFrame(frame, [0, 1.5 * posteriorWallMm(vertebraOf(plan, vertebra)), (0.5 - share) * height])[2]);
  };
  const [conusAt, sacEndAt] = [placeOf(plan.cord.conus), placeOf(plan.sac.end)];
  const spacing = (stations[0]!.centreMm[2] - stations[stations.length - 1]!.centreMm[2]) / (sweep.nSamples - 1);
  const capScale = (k: number) => Math.sqrt(Math.min(1, Math.max(1e-3, ((sacEndAt - k) * spacing) / capLengthMm)));
  const coneScale = (k: number) => Math.min(1, Math.max(0.02, ((conusAt - k) * spacing) / coneLengthMm)) ** 0.6;

  const sacReach = (v: Float64Array) => 1.2 * Math.max(v[value.sacAcross]!, v[value.sacAlong]!);
  const sacSolid = (growMm: number): Solid =>
    sweep.solid(
      (u, v, s, k) => {
        const scale = capScale(k);
        return eggDistance(u, v, s[value.sacAcross]! * scale, s[value.sacAlong]! * scale, s[value.triangularity]!) - growMm;
      },
      (s) => sacReach(s) + growMm,
      0,
      sacEndAt,
    );
  // Above the atlas there is no canal, only the sac on its way into the skull.
  const skullBase = sweep.placeAtHeight(stations[2]!.centreMm[2]);
  const lumenReach = (s: Float64Array) =>
    Math.hypot(s[value.recessAcross]!, Math.max(s[value.lumenBack]!, s[value.lumenFront]!)) + Math.max(s[value.flavumLeft]!, s[value.flavumRight]!);
  const cordReach = (s: Float64Array) => Math.max(s[value.cordAcross]!, s[value.cordAlong]!) + Math.abs(s[value.cordBack]!);
  return {
    sweep,
    sac: sacSolid(0),
    dura: sacSolid(0.35),
    lumen: sweep.solid((u, v, s) => lumenDistance(u, v, s), lumenReach, skullBase),
    wall: sweep.solid((u, v, s) => wallDistance(u, v, s), lumenReach, skullBase),
    cord: sweep.solid(
      (u, v, s, k) => {
        const scale = coneScale(k);
        return ellipseDistance(u, v - s[value.cordBack]!, s[value.cordAcross]! * scale, s[value.cordAlong]! * scale);
      },
      cordReach,
      0,
      conusAt,
    ),
    grey: sweep.solid(
      (u, v, s, k) => {
        const scale = coneScale(k);
        return greyDistance(Math.abs(u), v - s[value.cordBack]!, s[value.cordAcross]! * scale, s[value.cordAlong]! * scale);
      },
      cordReach,
      0,
      conusAt - 4,
    ),
    line: stations.map(({ centreMm }) => centreMm),
    conusAt,
    sacEndAt,
    placeOf,
    at(k) {
      const s = sweep.valuesAt(k);
      const scale = k > conusAt ? 0 : coneScale(k);
      return {
        sacAcross: s[value.sacAcross]! * capScale(k),
        sacAlong: s[value.sacAlong]! * capScale(k),
        triangularity: s[value.triangularity]!,
        cordAcross: s[value.cordAcross]! * scale,
        cordAlong: s[value.cordAlong]! * scale,
        cordBack: s[value.cordBack]!,
      };
    },
  };
}

/** An ellipse that is narrower behind. */
function eggDistance(u: number, v: number, a: number, b: number, triangularity: number): number {
  const narrow = 1 - triangularity * Math.max(-1, Math.min(1, v / b));
  return ellipseDistance(u / narrow, v, a, b) * Math.min(1, narrow);
}

function lumenDistance(u: number, v: number, s: Float64Array): number {
  return Math.max(Math.min(middleDistance(u, v, s), recessDistance(u, v, s)), -v - s[value.lumenFront]!);
}

function middleDistance(u: number, v: number, s: Float64Array): number {
  const recess = s[u > 0 ? value.recessLeft : value.recessRight]!;
  const across = s[value.lumenAcross]!;
  if (v > recess) return ellipseDistance(u, v - recess, across, s[value.lumenBack]! - recess);
  const forward = Math.min(1, Math.max(0, (recess - v) / s[value.lumenFront]!));
  return 0.9 * (Math.abs(u) - across - forward * (s[value.frontAcross]! - across));
}

function recessDistance(u: number, v: number, s: Float64Array): number {
  return Math.max(Math.abs(u) - s[value.recessAcross]!, v - s[u > 0 ? value.recessLeft : value.recessRight]!);
}

function wallDistance(u: number, v: number, s: Float64Array): number {
  const recess = s[u > 0 ? value.recessLeft : value.recessRight]!;
  // It grows from nothing at the recess to its full thickness behind the sac.
  const flavum = s[u > 0 ? value.flavumLeft : value.flavumRight]! * smoothStep((v - recess) / 5);
  return Math.max(Math.min(middleDistance(u, v, s) - flavum, recessDistance(u, v, s)), -v - s[value.lumenFront]!);
}

/** The butterfly: a bridge, a thick horn in front, a slender one behind, on either side. */
function greyDistance(u: number, v: number, a: number, b: number): number {
  const bridge = Math.max(u - 0.3 * a, Math.abs(v) - 0.1 * b);
  const front = ellipseDistance(u - 0.3 * a, v + 0.26 * b, 0.17 * a, 0.3 * b);
  const back = ellipseDistance(u - 0.32 * a - 0.25 * (v - 0.3 * b), v - 0.32 * b, 0.1 * a, 0.42 * b);
  return Math.min(bridge, front, back);
}

function stationsOf(plan: SpinePlan, { vertebrae, segments }: Alignment): Station[] {
  const stations: Station[] = [];
  const axis = plan.vertebrae[0]!;
  const axisFrame = vertebrae.get(axis.name)!;
  const first = atVertebra(plan, axis, axisFrame, undefined)[0]!;
  // Behind the dens, through the foramen magnum and on into the cistern, where the cord becomes the medulla.
  const head = (z: number, back: number, grow: readonly [sac: number, cord: number]): Station => {
    const values = [...first.values];
    for (const index of [value.sacAcross, value.sacAlong]) values[index]! *= grow[0];
    for (const index of [value.lumenAcross, value.lumenBack]) values[index]! *= 1.1;
    values[value.lumenFront] = values[value.sacAlong]! + 3;
    for (const index of [value.cordAcross, value.cordAlong]) values[index]! *= grow[1];
    values[value.cordBack] = -0.1 * values[value.sacAlong]!;
    return { centreMm: outOfFrame(axisFrame, [0, posteriorWallMm(axis) + 8.5 + back, z]), across: axisFrame.x, values };
  };
  stations.push(head(78, -5, [1.6, 1.7]), head(56, -2.5, [1.5, 1.45]), head(38, 0, [1.3, 1.15]), head(22, 1, [1.15, 1.02]));
  plan.vertebrae.forEach((vertebra, index) => {
    const above = plan.segments[index - 1];
    stations.push(...atVertebra(plan, vertebra, vertebrae.get(vertebra.name)!, above));
    const segment = plan.segments[index];
    if (segment !== undefined) stations.push(atSegment(plan, segment, vertebra, plan.vertebrae[index + 1]!, segments.get(segment.name)!));
  });
  return stations;
}

/**
 * Two sections: between the pedicles, where the fat behind the sac is that of the disc above, and before the
 * laminae, which the sac nearly touches. What lies half way is as the plan says.
 */
function atVertebra(plan: SpinePlan, vertebra: VertebraPlan, frame: Frame, above: SegmentPlan | undefined): Station[] {
  const { sac, canal, body } = vertebra;
  const half = sac.apMm / 2;
  const height = (body.anteriorHeightMm + body.posteriorHeightMm) / 2;
  const bony = canal.depthMm - sac.anteriorGapMm - half;
  const across = Math.max(canal.widthMm / 2, sac.transverseMm / 2 + 1);
  // In the neck the body is narrower than the canal, and the pedicles come forwards to it.
  const front = Math.min(across, 0.2 * (body.upperWidthMm + body.lowerWidthMm));
  return [0.25, -0.25].map((share) => {
    const gap = share > 0 ? Math.max(sac.posteriorGapMm, 0.8 * (above?.sac.posteriorGapMm ?? 0)) : sac.posteriorGapMm;
    return station(plan, vertebra.name, frame, posteriorWallMm(vertebra), share * height, sac, {
      across,
      front,
      recessAcross: front,
      back: share > 0 ? Math.max(half + gap, bony) : half + gap,
      recess: [0, 0],
      flavum: share > 0 ? [1.2, 1.2] : [0.5, 0.5],
    });
  });
}

function atSegment(plan: SpinePlan, segment: SegmentPlan, upper: VertebraPlan, lower: VertebraPlan, frame: Frame): Station {
  const { sac } = segment;
  const half = sac.apMm / 2;
  const margin = (upper.body.lowerDepthMm + lower.body.upperDepthMm) / 4;
  // The recess is measured from the disc's margin, which lies farther back at its sides; v from the middle of the sac.
  const hollow = (upper.body.posteriorConcavityMm + lower.body.posteriorConcavityMm) / 2;
  const recess = sides.map((side) => Math.min(0.4 * half, hollow + segment.lateralRecessMm[side] - sac.anteriorGapMm - half));
  return station(plan, lower.name, frame, margin, 0, sac, {
    across: sac.transverseMm / 2 + besideSacMm,
    front: sac.transverseMm / 2 + besideSacMm,
    recessAcross: sac.transverseMm / 2 + besideSacMm + (upper.kind === 'lumbar' ? recessWidthMm : 0),
    back: half + sac.posteriorGapMm,
    recess: [recess[0]!, recess[1]!],
    flavum: [segment.flavumMm.left, segment.flavumMm.right],
  });
}

function station(
  plan: SpinePlan, cordAt: string, frame: Frame, wallMm: number, zMm: number, sac: SacSection,
  lumen: { across: number; front: number; recessAcross: number; back: number; recess: readonly [number, number]; flavum: readonly [number, number] },
): Station {
  const half = sac.apMm / 2;
  const cord = plan.cord.sections.find(({ vertebra }) => vertebra === cordAt)!;
  const room = Math.max(0, half - cord.apMm / 2 - 0.8);
  return {
    centreMm: outOfFrame(frame, [sac.shiftMm, wallMm + sac.anteriorGapMm + half, zMm]),
    across: frame.x,
    values: [
      sac.transverseMm / 2, half, sac.triangularity,
      lumen.across, lumen.back, half + sac.anteriorGapMm + 4, ...lumen.recess, ...lumen.flavum,
      cord.transverseMm / 2, cord.apMm / 2, room * cord.posteriorShift,
      lumen.recessAcross, lumen.front,
    ],
  };
}
