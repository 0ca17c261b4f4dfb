/**
 * The neck and the base of the skull round the cervical column: skin, fat, muscles, airway, vessels,
 * oesophagus, mandible and tongue, occiput with cerebellum and brain stem.
 *
 * Prevertebral soft tissue is thin before C2 to C4 (3 to 5 mm) and thick below, with the oesophagus (12 to
 * 18 mm; Rojas 2009, doi 10.3174/ajnr.A1307).
 */
import type { Vector3 } from '../../../imaging/index.js';
import {
  difference, ellipsoid, halfSpace, intersection, moved, offset, roughened, smoothUnion, tube, union, type Solid, type Structure, type TubePoint,
} from '../../anatomy/index.js';
import type { Random } from '../../random.js';
import type { ColumnCourse, Person } from './course.js';
import { surroundingLabels as label } from './labels.js';
import { stacked } from './sections.js';
import { shoulderMm, subcutaneousFatMm, trunkShape } from './torso.js';

const stepMm = 10;
/** Of the trunk's sections under the neck's. */
const beyondMm = 40;

export function neck(course: ColumnCourse, person: Person, random: Random): Structure[] {
  const skin = outline(course, person, { neckMm: 0, trunkMm: 0 });
  const deep = outline(course, person, { neckMm: 5 + 5 * person.fatScale, trunkMm: subcutaneousFatMm(person) });
  return [...outside(course, person, skin, deep), ...muscles(course, person, deep), ...head(course, person), ...throat(course, person, random)];
}

/** Below the outline, in the neck and, there mean of front and back, in the trunk, mm. */
interface Inset {
  readonly neckMm: number;
  readonly trunkMm: number;
}

/** Goes on below the shoulders, where the trunk has begun. */
function outline(course: ColumnCourse, person: Person, { neckMm, trunkMm }: Inset): Solid {
  const { statureScale: s, fatScale, sex } = person;
  const [c1, c2, c5, c6, t1] = ['C1', 'C2', 'C5', 'C6', 'T1'].map((name) => course.heightOf(name)) as [number, number, number, number, number];
  const wide = sex === 'male' ? 1.06 : 0.96;
  const shape = trunkShape(course, person);
  const [top, bottom] = [c1 + 180, t1 - shoulderMm];
  const rise = (from: number, to: number, z: number) => {
    const t = Math.min(1, Math.max(0, (z - from) / (to - from)));
    return t * t * (3 - 2 * t);
  };
  const between = (a: number, b: number, share: number) => a + share * (b - a);
  const pillar = stacked(top, bottom - beyondMm, stepMm, (z) => {
    // It is the trunk's section where the trunk begins: the sides widen to the shoulders last.
    const trunk = shape.section(z);
    const [chest, shoulders] = [rise(c6, bottom, z), rise(t1 + 30, bottom, z)];
    const skull = 1 / (1 + Math.exp((c2 + 14 - z) / 12));
    const { x, y } = course.at(z);
    const centreY = (y + 2 * course.at(c5).y) / 3 + 2 - 14 * skull;
    const alongMm = s * wide * (66 + 24 * skull) + 5 * fatScale;
    const front = between(centreY - alongMm + neckMm, trunk.centre[1] - trunk.alongMm + 0.75 * trunkMm, chest);
    const back = between(centreY + alongMm - neckMm, trunk.centre[1] + trunk.alongMm - 1.25 * trunkMm, chest);
    return {
      centreMm: [between(x * 0.4, trunk.centre[0], chest), (front + back) / 2, z],
      acrossMm: between(s * wide * (58 + 12 * skull) + 5 * fatScale - neckMm, trunk.acrossMm - trunkMm, shoulders), alongMm: (back - front) / 2,
    };
  });
  const face = course.at(c2 + 25);
  const chin = moved([face.x, face.y - 48, c2 + 28], ellipsoid([s * 60 - neckMm, s * 64 - neckMm, s * 58 - neckMm]));
  return smoothUnion(30, pillar, chin);
}

function outside(course: ColumnCourse, { seed }: Person, skin: Solid, deep: Solid): Structure[] {
  // Cut after the layers are set off, so that none closes the end.
  const above = (solid: Solid, overlapMm = 0) =>
    intersection(solid, halfSpace([0, 0, course.heightOf('T1') - shoulderMm - overlapMm], [0, 0, -1]));
  return [
    { name: 'skin of the neck', solid: above(skin), tissue: 'skin', label: label.skin },
    {
      name: 'fat of the neck', solid: above(offset(skin, -2)), tissue: 'subcutaneousFat', label: label.subcutaneousFat,
      texture: { tissue: 'skin', mean: 0.02, amplitude: 0.1, scaleMm: [9, 6, 9], seed: seed + 501 },
    },
    {
      name: 'deep tissue of the neck', solid: above(roughened(deep, 1, 14, seed + 502), 4), tissue: 'muscle', label: label.visceralFat,
      texture: { tissue: 'visceralFat', mean: 0.32, amplitude: 0.13, scaleMm: [4, 2.6, 13], seed: seed + 503 }, edgeMm: 1.5,
    },
  ];
}

function muscles(course: ColumnCourse, { seed, statureScale: s, muscleFat }: Person, deep: Solid): Structure[] {
  const [c1, c3, c7, t4] = [course.heightOf('C1'), course.heightOf('C3'), course.heightOf('C7'), course.heightOf('T4')];
  const structures: Structure[] = [];
  const column = (sign: number, side: number, behind: number, acrossMm: number, alongMm: number, from: number, to: number, spread = 0): Solid => {
    const points: TubePoint[] = [];
    for (let z = from; z >= to; z -= stepMm) {
      const { x, y, halfDepthMm } = course.at(z);
      const down = Math.max(0, (c3 - z) / (c3 - c7));
      // Muscles taper to their ends, and keep to their side of the midline.
      const taper = Math.min(1, 0.35 + (from - z) / 45, 0.35 + (z - to) / 45);
      const thick = taper * (1 - 0.1 * Math.min(down, 2));
      points.push({
        centreMm: [x + sign * (side - (1 - taper) * 0.4 * acrossMm + spread * down), y + halfDepthMm + behind, z], acrossMm: acrossMm * taper, alongMm: alongMm * thick,
      });
    }
    return intersection(tube(points), deep);
  };
  for (const sign of [1, -1]) {
    const side = sign > 0 ? 'left' : 'right';
    const code = sign > 0 ? label.neckMuscleLeft : label.neckMuscleRight;
    const layers: [name: string, solid: Solid][] = [
      ['trapezius', column(sign, 28, 44, s * 26, s * 5, c3, t4, 12)],
      ['splenius', column(sign, 22, 35, s * 20, s * 5.5, c1, c7)],
      ['semispinalis', column(sign, 12, 28, s * 11, s * 7, c1, t4)],
      ['multifidus', column(sign, 13, 18, s * 9, s * 6, c3 + 5, t4)],
      ['scalenes', column(sign, 34, -6, s * 11, s * 10, c3, c7, 6)],
      ['longus colli', column(sign, 7, -13, s * 6, s * 3, c1 - 8, c7 - 40)],
    ];
    layers.forEach(([name, solid], index) => {
      structures.push(
        { name: `fat round ${name}, ${side}`, solid: offset(solid, 1.3), tissue: 'subcutaneousFat', edgeMm: 1.2 },
        {
          name: `${name}, ${side}`, solid: roughened(solid, 0.7, 9, seed + 511 + index), tissue: 'muscle', label: code,
          texture: { tissue: 'subcutaneousFat', mean: muscleFat * 0.8 - 0.06, amplitude: 0.16, scaleMm: [2.5, 2.2, 12] as Vector3, seed: seed + 520 + index },
        },
      );
    });
  }
  return structures;
}

function head(course: ColumnCourse, { seed, statureScale: s }: Person): Structure[] {
  const c1 = course.heightOf('C1');
  const { x, y } = course.at(c1);
  const canal: Vector3 = [x, y + 16, c1 + 18];
  const skull = moved([x, y + 10, c1 + 92], ellipsoid([s * 74, s * 92, s * 80]));
  const inside = offset(skull, -6);
  const cerebellum = roughened(moved([x, y + 42, c1 + 44], ellipsoid([s * 50, s * 31, s * 25])), 1, 3.2, seed + 531);
  const stem = tube([
    { centreMm: canal, acrossMm: 7, alongMm: 6 },
    { centreMm: [x, canal[1] - 3, c1 + 36], acrossMm: 9, alongMm: 8 },
    { centreMm: [x, canal[1] - 10, c1 + 56], acrossMm: 15, alongMm: 13 },
    { centreMm: [x, canal[1] - 14, c1 + 72], acrossMm: 12, alongMm: 10 },
  ]);
  const foramen = tube([
    { centreMm: [canal[0], canal[1], c1 - 2], acrossMm: 13, alongMm: 14 },
    { centreMm: [canal[0], canal[1] + 2, c1 + 40], acrossMm: 14, alongMm: 15 },
  ]);
  const clivus = tube([
    { centreMm: [x, y - 2, c1 + 24], acrossMm: 12, alongMm: 5 },
    { centreMm: [x, y - 22, c1 + 58], acrossMm: 12, alongMm: 7 },
  ]);
  return [
    { name: 'scalp', solid: offset(skull, 6), tissue: 'subcutaneousFat', label: label.subcutaneousFat },
    { name: 'skull', solid: skull, tissue: 'cortex', label: label.otherBone },
    { name: 'marrow of the skull', solid: difference(offset(skull, -1.6), offset(skull, -4.2)), tissue: 'yellowMarrow', label: label.otherBone },
    { name: 'fluid round the brain', solid: union(inside, foramen), tissue: 'csf', label: label.brain },
    {
      name: 'cerebrum', solid: intersection(offset(inside, -2.5), halfSpace([x, y, c1 + 68], [0, 0.25, -0.968])), tissue: 'cordWhite', label: label.brain,
      texture: { tissue: 'cordGrey', mean: 0.45, amplitude: 0.5, scaleMm: [7, 7, 7], seed: seed + 533 },
    },
    {
      name: 'cerebellum', solid: cerebellum, tissue: 'cordGrey', label: label.brain,
      texture: { tissue: 'csf', mean: -0.1, amplitude: 0.22, scaleMm: [14, 5, 1.7], seed: seed + 534 },
    },
    { name: 'brain stem', solid: stem, tissue: 'cordWhite', label: label.brain },
    { name: 'cortex of the clivus', solid: offset(clivus, 1.2), tissue: 'cortex', label: label.otherBone },
    { name: 'clivus', solid: clivus, tissue: 'yellowMarrow', label: label.otherBone },
  ];
}

function throat(course: ColumnCourse, { seed, statureScale: s, sex }: Person, random: Random): Structure[] {
  const [c1, c2, c3, c4, c6, t3] = ['C1', 'C2', 'C3', 'C4', 'C6', 'T3'].map((name) => course.heightOf(name)) as [number, number, number, number, number, number];
  const before = (z: number, gap: number, side = 0): Vector3 => {
    const { x, y, halfDepthMm } = course.at(z);
    return [x + side, y - halfDepthMm - gap, z];
  };
  const open = 1 + 0.15 * random.normal();
  const airway = tube([
    { centreMm: before(c1 + 28, 12), acrossMm: 12, alongMm: 8 * open },
    { centreMm: before(c1, 11), acrossMm: 12, alongMm: 6 * open },
    { centreMm: before(c2, 10), acrossMm: 12, alongMm: 5 * open },
    { centreMm: before(c3, 11), acrossMm: 13, alongMm: 7 * open },
    { centreMm: before(c4, 15), acrossMm: 10, alongMm: 7 * open },
    { centreMm: before(c6, 24), acrossMm: 8, alongMm: 9 },
    { centreMm: before(t3, 22), acrossMm: 8.5, alongMm: 8.5 },
    { centreMm: before(t3 - 60, 22), acrossMm: 8.5, alongMm: 8.5 },
  ]);
  const oesophagus = tube([
    { centreMm: before(c6 + 8, 7), acrossMm: 8, alongMm: 3.5 },
    { centreMm: before(t3, 8), acrossMm: 8, alongMm: 4 },
    { centreMm: before(t3 - 60, 8), acrossMm: 8, alongMm: 4 },
  ]);
  const tongue = moved(before(c2 + 6, 46), ellipsoid([s * 24, s * 30, s * 22]));
  const mandible = union(
    tube([
      { centreMm: before(c3 + 6, 88), acrossMm: 6, alongMm: 6 },
      { centreMm: before(c3 + 12, 62, 34), acrossMm: 5, alongMm: 6 },
      { centreMm: before(c2, 24, 46), acrossMm: 4, alongMm: 9 },
    ]),
    tube([
      { centreMm: before(c3 + 6, 88), acrossMm: 6, alongMm: 6 },
      { centreMm: before(c3 + 12, 62, -34), acrossMm: 5, alongMm: 6 },
      { centreMm: before(c2, 24, -46), acrossMm: 4, alongMm: 9 },
    ]),
  );
  const larynx = moved(before(c4 - 12, 24), ellipsoid([s * 19, s * 17, s * 24]));
  const thyroid = union(moved(before(c6 - 6, 26, 15), ellipsoid([9, 11, 22])), moved(before(c6 - 6, 26, -15), ellipsoid([9, 11, 22])));
  const vessels = [1, -1].map((sign) => {
    const line = (side: number, gap: number, r: number, sway: number) =>
      tube([c1 + 20, c2, c4, c6, t3].map((z, index): TubePoint => ({ centreMm: before(z, gap + sway * Math.sin(index * 1.7), sign * side), acrossMm: r, alongMm: r })));
    return union(line(25, 8, 3.6, 1.5), line(33, 4, 5.5, 1));
  });
  const sterno = [1, -1].map((sign) =>
    tube([
      { centreMm: before(c1 + 5, -26, sign * 52), acrossMm: 7, alongMm: 12 },
      { centreMm: before(c4, 6, sign * 46), acrossMm: 7, alongMm: 14 },
      { centreMm: before(t3 + 30, 44, sign * 18), acrossMm: 7, alongMm: 10 },
    ]),
  );
  return [
    {
      name: 'floor of the mouth', solid: moved(before(c3 + 8, 44), ellipsoid([s * 36, s * 44, s * 34])), tissue: 'muscle', label: label.otherMuscle,
      texture: { tissue: 'subcutaneousFat', mean: 0.25, amplitude: 0.25, scaleMm: [6, 6, 6], seed: seed + 541 },
    },
    {
      name: 'tongue', solid: tongue, tissue: 'muscle', label: label.otherMuscle,
      texture: { tissue: 'subcutaneousFat', mean: 0.16, amplitude: 0.14, scaleMm: [3, 9, 9], seed: seed + 542 },
    },
    { name: 'cortex of the mandible', solid: offset(mandible, 2), tissue: 'cortex', label: label.otherBone },
    { name: 'mandible', solid: mandible, tissue: 'yellowMarrow', label: label.otherBone },
    {
      name: 'larynx', solid: roughened(larynx, 1, 10, seed + 543), tissue: 'muscle', label: label.otherMuscle,
      texture: { tissue: 'cartilage', mean: 0.4, amplitude: 0.4, scaleMm: [6, 5, 9], seed: seed + 544 },
    },
    { name: 'thyroid', solid: thyroid, tissue: sex === 'male' ? 'kidneyCortex' : 'kidneyMedulla', label: label.otherMuscle },
    ...sterno.map((solid, index): Structure => ({
      name: `sternocleidomastoid, ${index === 0 ? 'left' : 'right'}`, solid, tissue: 'muscle', label: index === 0 ? label.neckMuscleLeft : label.neckMuscleRight,
    })),
    ...vessels.map((solid, index): Structure => ({
      name: `carotid and jugular, ${index === 0 ? 'left' : 'right'}`, solid, tissue: 'blood', label: label.neckVessels,
    })),
    { name: 'wall of the airway', solid: offset(airway, 2.2), tissue: 'bowelWall', label: label.airway },
    { name: 'airway', solid: airway, tissue: 'air', label: label.airway },
    { name: 'oesophagus', solid: oesophagus, tissue: 'bowelWall', label: label.oesophagus },
  ];
}
