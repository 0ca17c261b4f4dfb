/** Angles of endplates to the axes of the patient, who lies. */
import type { Vector3 } from '../../imaging/index.js';
import type { OutlinedBody } from './bodies.js';
import { endplatePoint, shares, type Endplate } from './outline.js';
import { subtract } from './section.js';

/** Of the line between the places a tenth inside an endplate's margins to the axial plane, degrees; positive where its front is lower. */
export function sagittalTiltDeg({ outline }: OutlinedBody, endplate: Endplate): number {
  const forwards = subtract(endplatePoint(outline, endplate, shares.anterior), endplatePoint(outline, endplate, shares.posterior));
  return degrees(Math.atan2(-forwards[2], -forwards[1]));
}

/** The line itself. */
export function endplateLine({ outline }: OutlinedBody, endplate: Endplate): readonly [Vector3, Vector3] {
  return [endplatePoint(outline, endplate, shares.anterior), endplatePoint(outline, endplate, shares.posterior)];
}

export function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
