/**
 * The chest round the thoracic column: lungs, heart, ribs, oesophagus. Ribs leave the column at the level
 * of their vertebra and slope down as they go round.
 */
import type { Vector3 } from '../../../imaging/index.js';
import { difference, ellipsoid, intersection, moved, offset, roughened, tube, union, type Structure, type TubePoint } from '../../anatomy/index.js';
import type { ColumnCourse, Person } from './course.js';
import { surroundingLabels as label } from './labels.js';
import { abdominalCavity, subcutaneousFatMm, trunkShape } from './torso.js';

export function chest(course: ColumnCourse, person: Person): Structure[] {
  const { seed, statureScale: s } = person;
  const [t1, t6, t11] = [course.heightOf('T1'), course.heightOf('T6'), course.heightOf('T11')];
  const structures: Structure[] = [];
  const middle = (t1 + t11) / 2;
  const at = course.at(middle);
  const mediastinum = tube(
    [t1 + 20, t6, t11 - 10].map((z): TubePoint => ({ centreMm: [course.at(z).x, course.at(z).y - 45, z], acrossMm: 26, alongMm: 62 })),
  );
  const cavity = abdominalCavity(course, person).solid;
  const heartMiddle: Vector3 = [at.x + 28, at.y - 88, (t6 + t11) / 2];
  for (const sign of [1, -1]) {
    const lung = moved([at.x + sign * s * 70, at.y - 38, middle], ellipsoid([s * 60, s * 82, s * ((t1 - t11) / 2 + 12)]));
    structures.push({
      name: `lung, ${sign > 0 ? 'left' : 'right'}`, tissue: 'air', label: label.lung,
      solid: difference(intersection(roughened(lung, 2, 30, seed + 401 + sign), cavity), mediastinum, moved(heartMiddle, ellipsoid([s * 55, s * 42, s * 58]))),
      texture: { tissue: 'blood', mean: 0.08, amplitude: 0.1, scaleMm: [5, 5, 5], seed: seed + 403 + sign },
    });
  }
  structures.push(
    { name: 'wall of the heart', solid: intersection(cavity, moved(heartMiddle, ellipsoid([s * 48, s * 36, s * 50]))), tissue: 'muscle', label: label.heart },
    { name: 'chambers of the heart', solid: intersection(offset(cavity, -6), roughened(moved(heartMiddle, ellipsoid([s * 36, s * 26, s * 38])), 3, 25, seed + 405)), tissue: 'blood', label: label.heart },
    ...ribs(course, s),
    ...sternum(course, person),
  );
  const oesophagus = tube(
    [t1 + 60, t1, t6, t11].map((z): TubePoint => {
      const { x, y, halfDepthMm } = course.at(z);
      return { centreMm: [x + 4, y - halfDepthMm - 8, z], acrossMm: 8, alongMm: 4 };
    }),
  );
  structures.push({ name: 'oesophagus', solid: oesophagus, tissue: 'bowelWall', label: label.oesophagus });
  return structures;
}

/** From the height of T3 to that of T9, under the fat of the chest. */
function sternum(course: ColumnCourse, person: Person): Structure[] {
  const { seed, statureScale: s } = person;
  const shape = trunkShape(course, person);
  const [top, bottom] = [course.heightOf('T3') + 4, course.heightOf('T9')];
  const bone = tube(Array.from({ length: 9 }, (_, index): TubePoint => {
    const z = top + (index / 8) * (bottom - top);
    const { centre, alongMm } = shape.section(z);
    const wide = index < 3 ? 24 - 4 * index : 15;
    return { centreMm: [centre[0], centre[1] - alongMm + 0.75 * subcutaneousFatMm(person) + 9, z], acrossMm: s * wide, alongMm: s * 5.5 };
  }));
  return [
    { name: 'sternum', solid: bone, tissue: 'cortex', label: label.otherBone },
    {
      name: 'marrow of the sternum', solid: offset(bone, -1.2), tissue: 'redMarrow', label: label.otherBone,
      texture: { tissue: 'yellowMarrow', mean: 0.3, amplitude: 0.15, scaleMm: [5, 5, 5], seed: seed + 407 },
    },
  ];
}

function ribs(course: ColumnCourse, s: number): Structure[] {
  const structures: Structure[] = [];
  for (let number = 1; number <= 12; number++) {
    const z = course.heightOf(`T${number}`) + 4;
    const { x, y, halfWidthMm, halfDepthMm } = course.at(z);
    const reach = number === 12 ? 0.55 : number === 11 ? 0.75 : 1;
    const width = s * (80 + 45 * Math.sin((Math.PI * Math.min(number, 9)) / 16));
    const arch = [1, -1].map((sign) =>
      tube(
        Array.from({ length: 9 }, (_, index): TubePoint => {
          const angle = ((index + 0.4) / 9) * Math.PI * 0.8 * reach;
          return {
            centreMm: [
              x + sign * (halfWidthMm + 4 + (width - halfWidthMm) * Math.sin(Math.min(angle, Math.PI / 2))),
              y + halfDepthMm + 8 + 16 * Math.sin(angle * 1.3) - (angle > 1.1 ? 88 * (1 - Math.cos(angle - 1.1)) * 1.6 : 0),
              z - 26 * angle,
            ],
            acrossMm: 3.6, alongMm: 3.6,
          };
        }),
      ),
    );
    const both = union(...arch);
    structures.push(
      { name: `rib ${number}`, solid: offset(both, 1.6), tissue: 'cortex', label: label.otherBone },
      { name: `marrow of rib ${number}`, solid: both, tissue: 'redMarrow', label: label.otherBone },
    );
  }
  return structures;
}
