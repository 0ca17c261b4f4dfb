/**
 * From the plan to frames: the column is stacked rim by rim.
 *
 *   lower vertebra -> its upper endplate -> disc -> lower endplate of the upper vertebra -> upper vertebra
 *
 * Each step turns by half of a wedge about the posterior rim, where heights are exact and posterior walls
 * line up: wedge angle = atan((anterior - posterior height) / depth), and likewise from left to right. Slips
 * and twists are shared by the two halves of a disc. The person lies on the back: the column as a whole is
 * turned so that T1 lies straight above S1, and moved so that the middle of the region's field is the
 * isocentre (docs/conventions.md: LPS).
 */
import type { Vector3 } from '../../imaging/index.js';
import { outOfFrame, type Frame } from '../anatomy/index.js';
import type { BodyPlan, SpinePlan, SpineRegion, VertebraPlan } from './plan.js';

export interface Alignment {
  /** By name of the vertebra; origin in the middle of its body. */
  readonly vertebrae: ReadonlyMap<string, Frame>;
  /** By name of the segment; origin in the middle of the disc. */
  readonly segments: ReadonlyMap<string, Frame>;
}

/** First and last vertebra of the field that is scanned. */
const fields: Readonly<Record<SpineRegion, readonly [string, string]>> = {
  cervical: ['C2', 'T3'],
  thoracolumbar: ['T6', 'S3'],
  lumbar: ['T11', 'S3'],
  whole: ['C2', 'S3'],
};

/** @throws SIM_ERR_SPINE */
export function align(plan: SpinePlan): Alignment {
  const { vertebrae, segments } = plan;
  const atVertebra = new Map<string, Frame>();
  const atSegment = new Map<string, Frame>();
  let frame: Frame = { originMm: [0, 0, 0], x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
  atVertebra.set(vertebrae[vertebrae.length - 1]!.name, frame);
  for (let index = segments.length - 1; index >= 0; index--) {
    const [upper, lower, segment] = [vertebrae[index]!, vertebrae[index + 1]!, segments[index]!];
    const { anteriorHeightMm, posteriorHeightMm, coronalWedgeMm } = segment.disc;
    const { slipMm, lateralSlipMm, axialDeg } = segment.alignment;
    const depth = (upper.body.lowerDepthMm + lower.body.upperDepthMm) / 2;
    const width = (upper.body.lowerWidthMm + lower.body.upperWidthMm) / 2;
    const half = (from: Frame) =>
      turned(
        shifted(from, [lateralSlipMm / 2, -slipMm / 2, posteriorHeightMm / 2]),
        -Math.atan((anteriorHeightMm - posteriorHeightMm) / depth) / 2,
        -Math.atan(coronalWedgeMm / width) / 2,
        (axialDeg * Math.PI) / 360,
      );
    const rim = half(upperRim(frame, lower.body));
    atSegment.set(segment.name, shifted(rim, [0, -depth / 2, 0]));
    frame = fromLowerRim(half(rim), upper.body);
    atVertebra.set(upper.name, frame);
  }
  return settle(plan, atVertebra, atSegment);
}

/** y of the posterior wall in the vertebra's frame: half of its mean depth. */
export function posteriorWallMm({ body }: VertebraPlan): number {
  return wall(body);
}

function wall({ upperDepthMm, lowerDepthMm }: BodyPlan): number {
  return (upperDepthMm + lowerDepthMm) / 4;
}

/** Half of the wedges of a body: [about x, about y]. */
function halfWedges(body: BodyPlan): [number, number] {
  const depth = (body.upperDepthMm + body.lowerDepthMm) / 2;
  const width = (body.upperWidthMm + body.lowerWidthMm) / 2;
  return [
    -Math.atan((body.anteriorHeightMm - body.posteriorHeightMm) / 2 / depth),
    -Math.atan(body.coronalWedgeMm / 2 / width),
  ];
}

function upperRim(frame: Frame, body: BodyPlan): Frame {
  return turned(shifted(frame, [0, wall(body), body.posteriorHeightMm / 2]), ...halfWedges(body), 0);
}

function fromLowerRim(rim: Frame, body: BodyPlan): Frame {
  return shifted(turned(rim, ...halfWedges(body), 0), [0, -wall(body), body.posteriorHeightMm / 2]);
}

/** Turned as a whole, T1 over S1, and moved to the isocentre. */
function settle(plan: SpinePlan, vertebrae: Map<string, Frame>, segments: Map<string, Frame>): Alignment {
  const top = vertebrae.get('T1')!.originMm;
  const base = vertebrae.get('S1')!.originMm;
  const up: Vector3 = [top[0] - base[0], top[1] - base[1], top[2] - base[2]];
  const aboutX = Math.atan2(up[1], up[2]);
  const level = turnedAboutX(up, aboutX);
  const aboutY = -Math.atan2(level[0], level[2]);
  const turn = (v: Vector3): Vector3 => turnedAboutY(turnedAboutX(v, aboutX), aboutY);
  const turnFrame = ({ originMm, x, y, z }: Frame): Frame => ({ originMm: turn(originMm), x: turn(x), y: turn(y), z: turn(z) });

  const names = plan.vertebrae.map(({ name }) => name);
  const [first, last] = fields[plan.region];
  const walls = plan.vertebrae
    .slice(names.indexOf(first), names.indexOf(last) + 1)
    .map((vertebra) => outOfFrame(turnFrame(vertebrae.get(vertebra.name)!), [0, posteriorWallMm(vertebra), 0]));
  const mean = (axis: 0 | 1) => walls.reduce((sum, point) => sum + point[axis], 0) / walls.length;
  const centre: Vector3 = [mean(0), mean(1), (walls[0]![2] + walls[walls.length - 1]![2]) / 2];
  const settled = (frames: Map<string, Frame>) =>
    new Map(
      [...frames].map(([name, frame]): [string, Frame] => {
        const { originMm: [x, y, z], ...axes } = turnFrame(frame);
        return [name, { originMm: [x - centre[0], y - centre[1], z - centre[2]], ...axes }];
      }),
    );
  return { vertebrae: settled(vertebrae), segments: settled(segments) };
}

/** Moved along its own axes. */
function shifted(frame: Frame, by: Vector3): Frame {
  return { ...frame, originMm: outOfFrame(frame, by) };
}

/** Turned about its own axes by the right-hand rule: x, then y, then z; radians. */
function turned(frame: Frame, aboutX: number, aboutY: number, aboutZ: number): Frame {
  const turn = (v: Vector3) => turnedAboutX(turnedAboutY(turnedAboutZ(v, aboutZ), aboutY), aboutX);
  const axis = (v: Vector3): Vector3 => outOfFrame({ ...frame, originMm: [0, 0, 0] }, turn(v));
  return { originMm: frame.originMm, x: axis([1, 0, 0]), y: axis([0, 1, 0]), z: axis([0, 0, 1]) };
}

function turnedAboutX([x, y, z]: Vector3, angle: number): Vector3 {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [x, c * y - s * z, s * y + c * z];
}

function turnedAboutY([x, y, z]: Vector3, angle: number): Vector3 {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c * x + s * z, y, c * z - s * x];
}

function turnedAboutZ([x, y, z]: Vector3, angle: number): Vector3 {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c * x - s * y, s * x + c * y, z];
}
