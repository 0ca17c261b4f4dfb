/**
 * Fat in the muscles of the back, multifidus and erector spinae together, on a side.
 *
 *   share = mean of (proton-density fat fraction / that of the fat) over the muscles' pixels, in axial planes through
 *           the middles of the lumbar vertebrae that are built
 */
import type { Vector3 } from '../../imaging/index.js';
import { paintLabels, type Anatomy, type Plane } from '../anatomy/index.js';
import { surroundingLabels, type Side, type SpineScene } from '../spine/index.js';
import { gradeOf, scales } from './grades.js';
import { paintParameters, parameterNames } from './volumes.js';

export interface MuscleFat {
  readonly goutallier: (typeof scales.goutallier.grades)[number];
  readonly fatShare: number;
}

const stepMm = 1.5;
/** Of each side of the midline, and behind the body's middle. */
const [halfWidthMm, depthMm] = [100, 100];

/** Undefined where no lumbar vertebra or no muscle is built. */
export function measureMuscleFat(anatomy: Anatomy, scene: SpineScene, side: Side): MuscleFat | undefined {
  const { multifidusLeft, multifidusRight, erectorSpinaeLeft, erectorSpinaeRight } = surroundingLabels;
  const wanted: readonly number[] = side === 'left' ? [multifidusLeft, erectorSpinaeLeft] : [multifidusRight, erectorSpinaeRight];
  const pure = anatomy.tissues.get('subcutaneousFat')?.fatFraction;
  if (pure === undefined) return undefined;
  let [pixels, sum] = [0, 0];
  for (const { frame, plan } of scene.vertebrae.values()) {
    if (plan.kind !== 'lumbar') continue;
    const plane = planeAt(frame.originMm, side);
    const { labels } = paintLabels(anatomy, plane);
    const fat = paintParameters(anatomy, [plane])[parameterNames.indexOf('fatFraction')]!;
    labels.forEach((label, pixel) => {
      if (!wanted.includes(label)) return;
      pixels++;
      sum += fat[pixel]! / pure;
    });
  }
  if (pixels === 0) return undefined;
  const fatShare = sum / pixels;
  return { goutallier: gradeOf(scales.goutallier, fatShare), fatShare };
}

function planeAt([x, y, z]: Vector3, side: Side): Plane {
  return {
    originMm: [side === 'left' ? x : x - halfWidthMm, y, z],
    columnStepMm: [stepMm, 0, 0], rowStepMm: [0, stepMm, 0],
    nColumns: Math.round(halfWidthMm / stepMm), nRows: Math.round(depthMm / stepMm),
  };
}
