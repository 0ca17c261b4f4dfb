/** Everything round the vertebral column, painted before it. */
import type { Structure } from '../../anatomy/index.js';
import { Random } from '../../random.js';
import { abdomen } from './abdomen.js';
import { chest } from './chest.js';
import type { ColumnCourse, Person } from './course.js';
import { neck } from './neck.js';
import { pelvis } from './pelvis.js';
import { torso } from './torso.js';

export { ColumnCourse, type Person, type Station } from './course.js';
export { surroundingLabels } from './labels.js';

/** How far beyond the last vertebra of the plan a coil may still see, mm. */
const beyondMm = 220;

/**
 * From the skin inwards, in painting order. `blood` flows: what a sequence sees of it is the scanner's
 * business.
 */
export function surroundings(course: ColumnCourse, person: Person): Structure[] {
  // One stream of numbers an organ group: what one group draws does not move the others.
  const stream = (offset: number) => new Random((person.seed + 0x51_0000 + offset) >>> 0);
  const reaches = (name: string) => {
    const z = course.heightOf(name);
    return z < course.topMm + beyondMm && z > course.bottomMm - beyondMm;
  };
  return [
    ...(reaches('T8') || reaches('L3') ? torso(course, person, stream(1)) : []),
    ...(reaches('C5') ? neck(course, person, stream(2)) : []),
    ...(reaches('T6') ? chest(course, person) : []),
    ...(reaches('L2') ? abdomen(course, person, stream(3)) : []),
    ...(reaches('S1') ? pelvis(course, person, stream(4)) : []),
  ];
}
