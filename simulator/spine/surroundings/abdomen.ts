/**
 * What lies before the lumbar column: aorta, vena cava and their branches, kidneys, liver, spleen, bowel,
 * bladder. Background that looks right, not organs to be measured.
 *
 * Aorta 20 mm wide at L1, 17 before it divides at L4 (Lederle 1997, doi 10.1016/S0741-5214(97)70124-1);
 * kidneys 110 mm long from T12 to L3, the right one lower.
 */
import type { Vector3 } from '../../../imaging/index.js';
import {
  difference, ellipsoid, intersection, offset, placed, roughened, tube, union, type Frame, type Solid, type Structure, type TubePoint,
} from '../../anatomy/index.js';
import type { Random } from '../../random.js';
import type { ColumnCourse, Person } from './course.js';
import { surroundingLabels as label } from './labels.js';
import { abdominalCavity } from './torso.js';

export function abdomen(course: ColumnCourse, person: Person, random: Random): Structure[] {
  return [...organs(course, person, random), ...bowel(course, person, random), ...bladder(course, person, random), ...vessels(course, person, random)];
}

function vessels(course: ColumnCourse, { statureScale }: Person, random: Random): Structure[] {
  const [top, l4, l5] = [Math.min(course.topMm + 200, course.heightOf('T4')), course.heightOf('L4'), course.heightOf('L5')];
  const widen = 1 + 0.1 * random.normal();
  const sway = random.uniform() * 6;
  const before = (z: number, side: number, gap: number, r: number): TubePoint => {
    const { x, y, halfDepthMm } = course.at(z);
    return { centreMm: [x + side + 2.5 * Math.sin(z / 45 + sway), y - halfDepthMm - gap - r, z], acrossMm: r, alongMm: r };
  };
  const line = (from: number, to: number, point: (z: number) => TubePoint): TubePoint[] => {
    const points: TubePoint[] = [];
    for (let z = from; z > to; z -= 10) points.push(point(z));
    return [...points, point(to)];
  };
  const fork = l4 - 5;
  const aorta = tube(line(top, fork, (z) => before(z, 10, 5, widen * statureScale * (10.5 - 1.5 * Math.min(1, Math.max(0, (top - z) / (top - fork)))))));
  const cava = tube(
    line(top, fork - 8, (z) => {
      const { centreMm } = before(z, -17, 3, 9);
      return { centreMm, acrossMm: statureScale * 11, alongMm: statureScale * 7.5 };
    }),
  );
  const branch = (sign: number, from: Vector3, r: number): Solid =>
    tube(
      [0, 1, 2, 3, 4].map((step): TubePoint => ({
        centreMm: [from[0] + sign * 13 * step, from[1] + 4 * step, from[2] - 2 - 19 * step], acrossMm: r, alongMm: r,
      })),
    );
  const [aortaEnd, cavaEnd] = [before(fork, 8, 6, 8).centreMm, before(fork - 8, -12, 3, 8).centreMm];
  const iliac = union(
    branch(1, aortaEnd, 5), branch(-1, aortaEnd, 5), branch(1, [cavaEnd[0], cavaEnd[1] + 5, l5 + 22], 5.5), branch(-1, cavaEnd, 5.5),
  );
  const lumen = (name: string, solid: Solid, code: number): Structure[] => [
    { name: `wall of the ${name}`, solid: offset(solid, 1.2), tissue: 'vesselWall', label: code },
    { name, solid, tissue: 'blood', label: code },
  ];
  return [
    ...lumen('iliac vessels', iliac, label.iliacVessels),
    ...lumen('vena cava', cava, label.venaCava),
    ...lumen('aorta', aorta, label.aorta),
  ];
}

function organs(course: ColumnCourse, person: Person, random: Random): Structure[] {
  const { seed, statureScale: s } = person;
  const cavity = abdominalCavity(course, person).solid;
  const [l1, l2, t12] = [course.heightOf('L1'), course.heightOf('L2'), course.heightOf('T12')];
  const structures: Structure[] = [];
  const liverAt = course.at(t12);
  structures.push(
    {
      name: 'liver', tissue: 'liver', label: label.liver,
      solid: intersection(cavity, roughened(placed(frameAt([liverAt.x - 75, liverAt.y - 65, t12 + 30], 0.25, 0.2), ellipsoid([72 * s, 85 * s, 75 * s])), 3, 45, seed + 81)),
      texture: { tissue: 'blood', mean: -0.12, amplitude: 0.12, scaleMm: [7, 7, 7], seed: seed + 82 },
    },
    {
      name: 'spleen', tissue: 'kidneyCortex', label: label.spleen,
      solid: intersection(cavity, placed(frameAt([liverAt.x + 100, liverAt.y - 15, t12 + 30], 0.3, -0.4), ellipsoid([25 * s, 45 * s, 52 * s]))),
    },
  );
  for (const sign of [1, -1]) {
    const side = sign > 0 ? 'left' : 'right';
    const z = (sign > 0 ? l1 : (l1 + l2) / 2) + 4 * random.normal();
    const { x, y, halfDepthMm } = course.at(z);
    const frame = frameAt([x + sign * (66 + 4 * random.normal()), y + halfDepthMm - 18, z], sign * 0.5, sign * 0.22);
    const cortex = placed(frame, ellipsoid([27 * s, 24 * s, 55 * s]));
    const sinus = placed(frame, roughened(ellipsoid([13 * s, 11 * s, 32 * s]), 1.5, 12, seed + 86));
    const pyramids = union(
      ...Array.from({ length: 9 }, (_, index) => {
        const angle = (2 * Math.PI * index) / 9;
        return placed(frame, placed(frameAt([13 * Math.cos(angle * 2), 9 * Math.sin(angle * 2), 34 * Math.cos(angle)], angle, 0), ellipsoid([6.5, 6.5, 8])));
      }),
    );
    structures.push(
      { name: `fat round the kidney, ${side}`, solid: offset(cortex, 9), tissue: 'visceralFat', edgeMm: 3 },
      { name: `kidney, ${side}`, solid: roughened(cortex, 1, 14, seed + 83 + sign), tissue: 'kidneyCortex', label: sign > 0 ? label.kidneyLeft : label.kidneyRight },
      { name: `pyramids of the kidney, ${side}`, solid: difference(pyramids, sinus), tissue: 'kidneyMedulla', edgeMm: 1.5 },
      { name: `sinus of the kidney, ${side}`, solid: sinus, tissue: 'visceralFat', edgeMm: 1.5 },
    );
  }
  return structures;
}

/**
 * Loops of bowel fill the belly before the vessels, with the vessels of the mesentery between them: long bent
 * tubes, in parts collapsed, each with one content. Their edges are soft: bowel moves while a scan lasts.
 */
function bowel(course: ColumnCourse, person: Person, random: Random): Structure[] {
  const { seed, statureScale: s } = person;
  const cavity = abdominalCavity(course, person);
  const [top, bottom] = [course.heightOf('T12') - 10, course.heightOf('S1') - 60];
  const rootZ = course.heightOf('L2');
  const root = course.at(rootZ);
  const nLoops = 84;
  const loops: Structure[] = [];
  const mesentery: Structure[] = [];
  for (let loop = 0; loop < nLoops; loop++) {
    const z = top + ((loop + 0.5) / nLoops) * (bottom - top);
    const { x, y, halfDepthMm } = course.at(z);
    const behind = y - halfDepthMm - 34;
    const start: Vector3 = [
      x + (cavity.halfWidthMm(z) - 35) * (2 * random.uniform() - 1),
      behind + (0.05 + 0.95 * random.uniform()) * (cavity.frontMm(z) + 6 - behind),
      z + 8 * random.normal(),
    ];
    const points = meander(start, s * (8 + 5.5 * random.uniform()), behind, random);
    const solid = intersection(cavity.solid, roughened(tube(points), 0.9, 10, seed + 100 + loop));
    const kind = random.uniform();
    const content = kind < 0.1 ? 'bowelGas' : 'bowelContent';
    loops.push(
      { name: `wall of bowel loop ${loop + 1}`, solid, tissue: 'bowelWall', label: label.bowel, edgeMm: 3 },
      {
        name: `bowel loop ${loop + 1}`, solid: offset(solid, -1.4), tissue: content, label: label.bowel, edgeMm: 2.5,
        ...(content === 'bowelContent' && {
          texture: { tissue: 'bowelWall', mean: 0.55 + 0.45 * random.uniform(), amplitude: 0.12, scaleMm: [6, 5, 6], seed: seed + 200 + loop },
        }),
      },
    );
    const end = points[Math.floor(points.length / 2)]!.centreMm;
    const rootMm: Vector3 = [root.x + 4, root.y - root.halfDepthMm - 42, rootZ - 0.75 * Math.max(0, rootZ - z) + 6 * random.normal()];
    const r = 1 + 0.7 * random.uniform();
    const vessel = tube([0, 0.5, 1].map((share): TubePoint => ({
      centreMm: vectorOf((axis) => rootMm[axis] + share * (end[axis] - rootMm[axis]) + (share === 0.5 ? 6 * random.normal() : 0)),
      acrossMm: r * (1.3 - 0.5 * share), alongMm: r * (1.3 - 0.5 * share),
    })));
    mesentery.push({ name: `vessels of bowel loop ${loop + 1}`, solid: intersection(vessel, cavity.solid), tissue: 'vesselWall', label: label.visceralFat, edgeMm: 1.8 });
  }
  return [
    ...mesentery,
    ...loops,
    ...colon(course, person, random),
  ];
}

/** Ascending and descending colon along the flanks, pouched, with stool. */
function colon(course: ColumnCourse, person: Person, random: Random): Structure[] {
  const { seed, statureScale: s } = person;
  const cavity = abdominalCavity(course, person);
  const [top, bottom] = [course.heightOf('L1'), course.heightOf('S1') - 10];
  return [1, -1].flatMap((sign): Structure[] => {
    const radius = s * (sign > 0 ? 15 : 20);
    const points: TubePoint[] = [];
    for (let z = top; z >= bottom; z -= 9) {
      const { x, y } = course.at(z);
      const pouch = radius * (1 + 0.16 * Math.sin(z / 4.6 + seed) + 0.08 * random.normal());
      points.push({ centreMm: [x + sign * (cavity.halfWidthMm(z) - radius - 8), y - 42, z], acrossMm: pouch, alongMm: pouch });
    }
    const solid = intersection(cavity.solid, tube(points));
    const side = sign > 0 ? 'descending' : 'ascending';
    return [
      { name: `wall of the ${side} colon`, solid, tissue: 'bowelWall', label: label.bowel, edgeMm: 2.5 },
      {
        name: `${side} colon`, solid: offset(solid, -2.2), tissue: 'bowelWall', label: label.bowel, edgeMm: 2,
        texture: { tissue: 'bowelGas', mean: 0.3, amplitude: 0.25, scaleMm: [7, 7, 9], seed: seed + 300 + sign },
      },
    ];
  });
}

/** A tube that turns as it goes, before the plane y = `behindMm`; where it is collapsed its section is flat. */
function meander(startMm: Vector3, radiusMm: number, behindMm: number, random: Random): TubePoint[] {
  const nSteps = 4 + Math.floor(3 * random.uniform());
  let [turn, rise] = [2 * Math.PI * random.uniform(), 0.7 * random.normal()];
  const bend = 0.75 * random.normal();
  let centreMm = startMm;
  let open = random.uniform();
  return Array.from({ length: nSteps }, (): TubePoint => {
    const point = { centreMm, acrossMm: radiusMm * (0.85 + 0.35 * open), alongMm: radiusMm * (0.4 + 0.7 * open) };
    const stepMm = radiusMm * 1.7;
    centreMm = [
      centreMm[0] + stepMm * Math.cos(turn) * Math.cos(rise), Math.min(behindMm, centreMm[1] + 0.8 * stepMm * Math.sin(turn) * Math.cos(rise)),
      centreMm[2] + stepMm * Math.sin(rise),
    ];
    turn += bend + 0.3 * random.normal();
    rise = 0.7 * rise + 0.5 * random.normal();
    open = Math.min(1, Math.max(0, open + 0.35 * random.normal()));
    return point;
  });
}

function bladder(course: ColumnCourse, { statureScale: s, sex }: Person, random: Random): Structure[] {
  const z = course.heightOf('S1') - 105;
  const { x, y } = course.at(course.heightOf('S1'));
  const fill = s * (24 + 12 * random.uniform());
  const solid = placed(frameAt([x, y - (sex === 'male' ? 62 : 72), z], 0, 0), ellipsoid([fill * 1.25, fill, fill * 0.9]));
  return [
    { name: 'wall of the bladder', solid: offset(solid, 3), tissue: 'muscle', label: label.bladder },
    { name: 'bladder', solid, tissue: 'urine', label: label.bladder },
  ];
}

function vectorOf(part: (axis: 0 | 1 | 2) => number): Vector3 {
  return [part(0), part(1), part(2)];
}

/** Turned about z, then tipped about the turned y. */
function frameAt(originMm: Vector3, turn: number, tip: number): Frame {
  const [ct, st, cp, sp] = [Math.cos(turn), Math.sin(turn), Math.cos(tip), Math.sin(tip)];
  return { originMm, x: [ct * cp, st * cp, -sp], y: [-st, ct, 0], z: [ct * sp, st * sp, cp] };
}
