/**
 * The trunk round the lumbar and thoracic column: skin, subcutaneous fat, the wall of muscle, the muscles
 * of the back with their streaks of fat, psoas and quadratus lumborum.
 *
 * Sizes: subcutaneous fat over the lumbar spine 5 to 40 mm, most at L5 and in women (Lee 2018 and others
 * give means of 11 to 19 mm); psoas from 5 cm² at L2 to 12 cm² at L5, multifidus 3 to 8 cm², erector
 * spinae 15 to 20 cm² a side, falling to the sacrum (Marras 2001, doi 10.1016/S0268-0033(00)00046-2; Kamaz
 * 2007, Diagn Interv Radiol 13:144). The trunk is 300 to 380 mm wide and 200 to 260 mm deep.
 */
import type { Vector3 } from '../../../imaging/index.js';
import { difference, intersection, offset, roughened, smoothNoise, tube, type Solid, type Structure, type TubePoint } from '../../anatomy/index.js';
import type { Random } from '../../random.js';
import type { ColumnCourse, Person } from './course.js';
import { surroundingLabels as label } from './labels.js';
import { stacked } from './sections.js';

const stepMm = 12;
const beyondMm = 330;
/** Half of the furrow's depth, at least. */
const furrowDepthMm = 13;
/** From the middle of a body to between the spinous processes. */
const spinousMm = 42;
/** Below a column without lumbar vertebrae, their muscles are left out from here on. */
const reachMm = 100;
/** The trunk begins below T1, where the neck has become shoulders. */
export const shoulderMm = 40;
/** Of muscle round the belly. */
const wallMm = 20;
/** Of its muscle and sinew in front. */
const thinWallMm = 7;
/** The belly lies before the muscles of the back. */
const forwardMm = 30;

/** From the skin inwards, and the muscles. Starts the painting. */
export function torso(course: ColumnCourse, person: Person, random: Random): Structure[] {
  const shape = trunkShape(course, person);
  const fat = trunk(shape, 2.2);
  const fatMm = subcutaneousFatMm(person);
  return [
    { name: 'skin', solid: trunk(shape, 0), tissue: 'skin', label: label.skin },
    {
      name: 'subcutaneous fat', solid: fat, tissue: 'subcutaneousFat', label: label.subcutaneousFat,
      texture: { tissue: 'skin', mean: 0.02, amplitude: 0.1, scaleMm: [9, 6, 9], seed: person.seed + 11 },
    },
    septa(fat, person.seed + 10),
    {
      name: 'trunk wall', solid: roughened(wall(shape, fatMm), 1.2, 18, person.seed + 12), tissue: 'muscle', label: label.otherMuscle,
      texture: { tissue: 'visceralFat', mean: person.muscleFat / 2, amplitude: 0.1, scaleMm: [4, 3, 14], seed: person.seed + 13 },
    },
    {
      name: 'visceral fat', solid: roughened(cavity(shape, fatMm), 1.5, 25, person.seed + 14), tissue: 'visceralFat', label: label.visceralFat,
      texture: { tissue: 'vesselWall', mean: 0.02, amplitude: 0.12, scaleMm: [2.6, 2.2, 4], seed: person.seed + 15 },
    },
    ...backMuscles(course, person, random),
    furrow(shape, fatMm),
    ...(course.heightOf('L1') > course.bottomMm - reachMm ? deepMuscles(course, person, random) : []),
  ];
}

/** The belly inside its wall, in front of the muscles of the back. */
export function abdominalCavity(course: ColumnCourse, person: Person): { solid: Solid; frontMm(z: number): number; halfWidthMm(z: number): number } {
  const shape = trunkShape(course, person);
  const fatMm = subcutaneousFatMm(person);
  const insetMm = fatMm + wallMm;
  return {
    solid: cavity(shape, fatMm),
    frontMm(z) {
      const { centre, alongMm } = shape.section(z);
      return Math.max(centre[1] - forwardMm - (alongMm - insetMm), centre[1] - 0.25 * fatMm - (alongMm - fatMm - thinWallMm));
    },
    halfWidthMm: (z) => shape.section(z).acrossMm - insetMm,
  };
}

/** Its mean; a quarter more behind and a quarter less before. */
export function subcutaneousFatMm({ fatScale, sex }: Person): number {
  return 13 * fatScale * (sex === 'female' ? 1.25 : 0.9);
}

/** Half width, half depth and centre of the skin's section, by height over the sacrum. */
export interface TrunkShape {
  readonly topMm: number;
  readonly bottomMm: number;
  section(z: number): { centre: Vector3; acrossMm: number; alongMm: number; skinBehindMm: number };
}

export function trunkShape(course: ColumnCourse, { sex, statureScale, fatScale }: Person): TrunkShape {
  const s1 = course.heightOf('S1');
  const l3 = course.heightOf('L3');
  const t4 = course.heightOf('T4');
  const smoothY = (z: number) => (course.at(z - 60).y + course.at(z).y + course.at(z + 60).y + course.at(z + 25).y + course.at(z - 25).y) / 5;
  return {
    topMm: Math.min(Math.max(course.topMm, 0) + beyondMm, course.heightOf('T1') - shoulderMm),
    bottomMm: Math.min(course.bottomMm, 0) - beyondMm,
    section(z) {
      const waist = Math.exp(-(((z - l3) / 90) ** 2));
      const hips = 1 / (1 + Math.exp((z - s1 + 10) / 25));
      const acrossMm = statureScale * ((sex === 'female' ? 158 : 168) - 14 * waist + (sex === 'female' ? 24 : 12) * hips) + 9 * fatScale;
      // The chest is flat where it becomes the neck.
      const shoulders = 1 / (1 + Math.exp((t4 - z) / 20));
      const alongMm = (statureScale * (100 + 8 * hips) + 9 * fatScale) * (1 - 0.3 * shoulders);
      // From the middle of the bodies to the skin of the back: bones 45 mm, muscle, fat.
      const skinBehindMm = statureScale * (74 + 4 * hips) + 11 * fatScale + 10 * hips * fatScale;
      const { x } = course.at(z);
      return { centre: [x * 0.5, smoothY(z) + skinBehindMm - alongMm, z], acrossMm, alongMm, skinBehindMm };
    },
  };
}

function trunk(shape: TrunkShape, insetMm: number, shiftMm = 0): Solid {
  return stacked(shape.topMm, shape.bottomMm, stepMm, (z) => {
    const { centre, acrossMm, alongMm } = shape.section(z);
    return { centreMm: [centre[0], centre[1] - shiftMm, z], acrossMm: acrossMm - insetMm, alongMm: alongMm - insetMm };
  });
}

/** Within the subcutaneous fat, which is thicker behind and below. */
function wall(shape: TrunkShape, fatMm: number): Solid {
  return trunk(shape, fatMm, 0.25 * fatMm);
}

function cavity(shape: TrunkShape, fatMm: number): Solid {
  // The muscles of the back fill what lies behind the bodies; before, the wall is thin.
  return intersection(trunk(shape, fatMm + wallMm, forwardMm), trunk(shape, fatMm + thinWallMm, 0.25 * fatMm));
}

/** In the midline no muscle covers the spinous processes: a furrow filled with fat. */
function furrow(shape: TrunkShape, fatMm: number): Structure {
  const points: TubePoint[] = [];
  for (let z = shape.topMm; z >= shape.bottomMm; z -= stepMm) {
    const { centre, alongMm, skinBehindMm } = shape.section(z);
    const shallowMm = 0.8 * fatMm;
    // Between the shoulders muscles cover the spines.
    const halfMm = Math.max(furrowDepthMm, (skinBehindMm - spinousMm - shallowMm) / 2) * Math.min(1, 0.1 + (shape.topMm - z) / 120);
    points.push({ centreMm: [centre[0] * 2, centre[1] + alongMm - shallowMm - halfMm, z], acrossMm: 7 * Math.min(1, 0.3 + (shape.topMm - z) / 120), alongMm: halfMm });
  }
  return {
    name: 'fat over the spinous processes', solid: tube(points), tissue: 'subcutaneousFat', label: label.subcutaneousFat, edgeMm: 3,
  };
}

/**
 * Sheets of connective tissue where noise passes through zero: d = |noise(p / scale)| · scale / steepness - w. They
 * part the fat into lobules, flat along the skin of the back.
 */
function septa(fat: Solid, seed: number): Structure {
  const [sx, sy, sz] = [1 / 20, 1 / 7, 1 / 24];
  const sheets: Solid = {
    bounds: fat.bounds,
    distanceMm: (x, y, z) => Math.abs(smoothNoise(x * sx, y * sy, z * sz, seed)) / (4 * sy) - 0.25,
  };
  return { name: 'septa of the fat', solid: intersection(fat, sheets), tissue: 'ligament', edgeMm: 0.9, opacity: 0.4 };
}

function backMuscles(course: ColumnCourse, person: Person, random: Random): Structure[] {
  const { seed, statureScale, muscleFat } = person;
  const bulk = statureScale * (person.sex === 'male' ? 1.08 : 0.94) * (1 + 0.06 * random.normal());
  const [l1, l5, s2] = [course.heightOf('L1'), course.heightOf('L5'), course.heightOf('S2')];
  const top = trunkShape(course, person).topMm;
  const run = (section: (z: number) => { side: number; behind: number; acrossMm: number; alongMm: number }, sign: number, from: number, to: number) => {
    const points: TubePoint[] = [];
    for (let z = from; z >= to; z -= stepMm) {
      const { x, y, halfDepthMm } = course.at(z);
      const { side, behind, acrossMm, alongMm } = section(z);
      points.push({ centreMm: [x + sign * side, y + halfDepthMm + behind, z], acrossMm, alongMm });
    }
    return tube(points);
  };
  const down = (z: number, from: number, to: number) => Math.min(1, Math.max(0, (from - z) / (from - to)));
  const structures: Structure[] = [];
  for (const sign of [1, -1]) {
    const side = sign > 0 ? 'Left' : 'Right';
    // Multifidus grows from the thoracic spine to the sacrum, where it fills the groove beside the spines.
    const multifidus = run((z) => {
      const g = down(z, l1, l5);
      return { side: 14 + 4 * g, behind: 35 + 1 * g, acrossMm: bulk * (8 + 7 * g), alongMm: bulk * (13 + 3 * g) };
    }, sign, top, s2);
    const erector = run((z) => {
      const g = down(z, l1 + 20, s2);
      return { side: 42 - 5 * g, behind: 34 + 4 * g, acrossMm: bulk * (27 - 7 * g), alongMm: bulk * (19 - 8 * g) };
    }, sign, top, s2);
    const streaks = (tissueSeed: number, mean: number, stretch: Vector3) => ({
      tissue: 'subcutaneousFat', mean: mean - 0.06, amplitude: 0.16 + 0.1 * mean, scaleMm: stretch, seed: tissueSeed,
    });
    structures.push(
      {
        name: `fat round the muscles of the back, ${side.toLowerCase()}`, solid: offset(erector, 1), tissue: 'subcutaneousFat', edgeMm: 2, opacity: 0.45,
      },
      { name: `fascia, ${side.toLowerCase()}`, solid: offset(erector, 0.4), tissue: 'ligament', edgeMm: 1, opacity: 0.6 },
      {
        name: `erector spinae, ${side.toLowerCase()}`, solid: roughened(erector, 1.2, 14, seed + 21 + sign), tissue: 'muscle',
        label: sign > 0 ? label.erectorSpinaeLeft : label.erectorSpinaeRight,
        texture: streaks(seed + 31 + sign, muscleFat * 0.8, [3.2, 2.6, 17]),
      },
      { name: `fat between the muscles, ${side.toLowerCase()}`, solid: offset(multifidus, 0.9), tissue: 'subcutaneousFat', edgeMm: 2, opacity: 0.45 },
      {
        name: `multifidus, ${side.toLowerCase()}`, solid: roughened(multifidus, 1, 12, seed + 41 + sign), tissue: 'muscle',
        label: sign > 0 ? label.multifidusLeft : label.multifidusRight,
        texture: streaks(seed + 51 + sign, muscleFat * 1.25, [2.6, 2.6, 13]),
      },
    );
  }
  return structures;
}

function deepMuscles(course: ColumnCourse, person: Person, random: Random): Structure[] {
  const { seed, statureScale, muscleFat } = person;
  const bulk = statureScale * (person.sex === 'male' ? 1.12 : 0.92) * (1 + 0.08 * random.normal());
  const [t12, l1, l5] = [course.heightOf('T12'), course.heightOf('L1'), course.heightOf('L5')];
  const bottom = course.bottomMm - 160;
  const structures: Structure[] = [];
  for (const sign of [1, -1]) {
    const side = sign > 0 ? 'left' : 'right';
    const psoas: TubePoint[] = [];
    for (let z = l1; z >= bottom; z -= stepMm) {
      const { x, y, halfWidthMm } = course.at(Math.max(z, l5 - 40));
      const g = Math.min(1, (l1 - z) / (l1 - l5));
      const below = Math.max(0, (l5 - z) / 100);
      psoas.push({
        // Its origin is on the bodies and discs: it lies against them.
        centreMm: [x + sign * (halfWidthMm - 1 + bulk * (5 + 9 * g) + 35 * below), y + 6 - 8 * g - 45 * below, z],
        acrossMm: bulk * (7 + 12 * g), alongMm: bulk * (8 + 14 * g - 2 * below),
      });
    }
    const quadratus: TubePoint[] = [];
    for (let z = t12 - 15; z >= l5; z -= stepMm) {
      const { x, y, halfWidthMm, halfDepthMm } = course.at(z);
      const g = (t12 - z) / (t12 - l5);
      quadratus.push({
        centreMm: [x + sign * (halfWidthMm + 33 + 14 * g), y + halfDepthMm + 8 + 3 * g, z],
        acrossMm: bulk * (9 + 11 * g), alongMm: bulk * 8,
      });
    }
    const texture = (textureSeed: number) => ({
      tissue: 'subcutaneousFat', mean: muscleFat * 0.3 - 0.08, amplitude: 0.13, scaleMm: [3.5, 3.5, 20] as Vector3, seed: textureSeed,
    });
    structures.push(
      { name: `fat round psoas, ${side}`, solid: offset(tube(psoas), 2), tissue: 'visceralFat', edgeMm: 2 },
      {
        name: `psoas, ${side}`, solid: roughened(tube(psoas), 1, 14, seed + 61 + sign), tissue: 'muscle',
        label: sign > 0 ? label.psoasLeft : label.psoasRight, texture: texture(seed + 65 + sign),
      },
      { name: `fat round quadratus lumborum, ${side}`, solid: offset(tube(quadratus), 1.2), tissue: 'visceralFat', edgeMm: 2, opacity: 0.6 },
      {
        name: `quadratus lumborum, ${side}`, solid: difference(tube(quadratus), offset(tube(psoas), 2)), tissue: 'muscle',
        label: sign > 0 ? label.quadratusLumborumLeft : label.quadratusLumborumRight, texture: texture(seed + 68 + sign),
      },
    );
  }
  return structures;
}
