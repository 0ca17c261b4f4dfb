/** Iliac bones, gluteal muscles and rectum, as far as lumbar fields of view see them. */
import type { Vector3 } from '../../../imaging/index.js';
import { ellipsoid, offset, placed, roughened, tube, type Frame, type Structure, type TubePoint } from '../../anatomy/index.js';
import type { Random } from '../../random.js';
import type { ColumnCourse, Person } from './course.js';
import { surroundingLabels as label } from './labels.js';

export function pelvis(course: ColumnCourse, { seed, statureScale: s, muscleFat }: Person, random: Random): Structure[] {
  const s1 = course.heightOf('S1');
  const l5 = course.heightOf('L5');
  const at = course.at(s1);
  const structures: Structure[] = [];
  for (const sign of [1, -1]) {
    const side = sign > 0 ? 'left' : 'right';
    // The wing runs from the sacroiliac joint outwards, forwards and up to the crest at L4-L5.
    const turn = -sign * 0.85;
    const frame: Frame = {
      originMm: [at.x + sign * s * 61, at.y + 23, s1 - 14],
      x: [Math.cos(turn), Math.sin(turn), 0],
      y: [-Math.sin(turn), Math.cos(turn), 0],
      z: [0, 0, 1],
    };
    const wing = roughened(placed(frame, ellipsoid([s * 46, s * 8.5, s * (l5 - s1 + 52)])), 1, 15, seed + 301 + sign);
    const gluteus = placed({ ...frame, originMm: [at.x + sign * s * 92, at.y + 52, s1 - 62] }, ellipsoid([s * 62, s * 30, s * 82]));
    structures.push(
      {
        name: `gluteal muscles, ${side}`, solid: roughened(gluteus, 1.5, 16, seed + 305 + sign), tissue: 'muscle', label: label.otherMuscle,
        texture: { tissue: 'subcutaneousFat', mean: muscleFat * 0.6, amplitude: 0.16, scaleMm: [4, 3, 14] as Vector3, seed: seed + 307 + sign },
      },
      { name: `ilium, ${side}`, solid: wing, tissue: 'cortex', label: label.otherBone },
      {
        name: `marrow of the ilium, ${side}`, solid: offset(wing, -1.3), tissue: 'redMarrow', label: label.otherBone,
        texture: { tissue: 'yellowMarrow', mean: 0.5, amplitude: 0.2, scaleMm: [6, 6, 6] as Vector3, seed: seed + 309 + sign },
      },
    );
  }
  const width = 13 + 5 * random.uniform();
  const rectum = tube([0, 1, 2, 3, 4, 5].map((step): TubePoint => {
    const z = s1 - 42 - 22 * step;
    return { centreMm: [at.x + 5 * Math.sin(step), course.at(Math.max(z, s1 - 75)).y - 30 + 4 * step, z], acrossMm: width, alongMm: width * 0.75 };
  }));
  structures.push(
    { name: 'wall of the rectum', solid: rectum, tissue: 'bowelWall', label: label.bowel },
    {
      name: 'rectum', solid: offset(rectum, -3), tissue: 'bowelContent', label: label.bowel,
      texture: { tissue: 'bowelGas', mean: 0.15, amplitude: 0.4, scaleMm: [9, 9, 12], seed: seed + 311 },
    },
  );
  return structures;
}
