/**
 * How vertebrae stand to one another, from the outlines of their bodies.
 *
 *   slip         of the lower posterior corner of the body above behind or before the upper posterior corner of the
 *                body below, along the endplate below; forwards is positive. Meyerding 1932, Surg Gynecol Obstet
 *                54:371: in quarters of that endplate's depth. Below `leastSlipMm` none. Corners are those of the outline
 *                a tenth of the depth inside the margins, which are round.
 *   lordosis     angle of the upper endplates of L1 and S1 in the sagittal plane; sacral slope: of S1's to the
 *                horizontal (to the axial plane of the scanner, the patient lying)
 *   Cobb angle   largest angle between endplates in the coronal plane (Cobb 1948)
 */
import type { Vector3 } from '../../imaging/index.js';
import { outOfFrame, type Anatomy, type Frame } from '../anatomy/index.js';
import { bodyLabel } from '../spine/index.js';
import { gradeOf, scales } from './grades.js';
import { Section } from './section.js';
import { outlineOf, shares, type BodyOutline, type Point } from './vertebra.js';

export interface Listhesis {
  readonly direction: 'none' | 'anterior' | 'posterior';
  /** Forwards is positive. */
  readonly slipMm: number;
  /** Of the endplate below. */
  readonly share: number;
  readonly meyerding: '0' | '1' | '2' | '3' | '4' | '5';
}

/** Slips from here on are called listhesis, as in Jacobsen 2007, doi 10.1097/01.brs.0000250979.12398.96. */
export const leastSlipMm = 3;

/** Corners in the patient, LPS, mm. */
export interface Endplates {
  readonly upper: { readonly anterior: Vector3; readonly posterior: Vector3 };
  readonly lower: { readonly anterior: Vector3; readonly posterior: Vector3 };
}

export function endplatesOf(frame: Frame, outline: BodyOutline): Endplates {
  const place = ([u, v]: Point) => outOfFrame(frame, [0, u, -v]);
  const both = ({ anterior, posterior }: BodyOutline['upper']) => ({ anterior: place(anterior), posterior: place(posterior) });
  return { upper: both(outline.upper), lower: both(outline.lower) };
}

export function measureListhesis(above: Endplates, below: Endplates): Listhesis {
  const way = minus(below.upper.anterior, below.upper.posterior);
  const betweenMm = Math.hypot(...way);
  // The points lie a tenth of the depth inside the margins.
  const depthMm = betweenMm / (shares.posterior - shares.anterior);
  const slipMm = dot(minus(above.lower.posterior, below.upper.posterior), way) / betweenMm;
  const share = Math.abs(slipMm) / depthMm;
  const isSlip = Math.abs(slipMm) >= leastSlipMm;
  return {
    direction: !isSlip ? 'none' : slipMm > 0 ? 'anterior' : 'posterior',
    slipMm,
    share,
    meyerding: isSlip ? gradeOf(scales.meyerding, share) : '0',
  };
}

/** Of an endplate to the axial plane, degrees; positive where its front is lower. */
export function sagittalTiltDeg({ anterior, posterior }: Endplates['upper']): number {
  const way = minus(anterior, posterior);
  return degrees(Math.atan2(-way[2], -way[1]));
}

/** Of a body's endplates in the coronal plane, degrees; positive where the left is higher. */
export function coronalTiltDeg(anatomy: Anatomy, frame: Frame, vertebra: string): { readonly upper: number; readonly lower: number } | undefined {
  const section = new Section(anatomy, frame, { orientation: 'coronal', u: [-40, 40], v: [-26, 26] });
  const label = bodyLabel(vertebra);
  const outline = outlineOf(section.mask((other) => other === label).componentAt(0, 0));
  if (outline === undefined) return undefined;
  const place = ([u, v]: Point) => outOfFrame(frame, [u, 0, -v]);
  // In a coronal section "posterior" is the end of the columns, the patient's left.
  const tilt = ({ anterior: right, posterior: left }: BodyOutline['upper']) => {
    const way = minus(place(left), place(right));
    return degrees(Math.atan2(way[2], way[0]));
  };
  return { upper: tilt(outline.upper), lower: tilt(outline.lower) };
}

export interface Curve {
  readonly cobbDeg: number;
  /** Upper and lower end vertebra. */
  readonly upper: string;
  readonly lower: string;
}

export function measureCobb(tilts: readonly { readonly name: string; readonly upper: number; readonly lower: number }[]): Curve | undefined {
  let worst: Curve | undefined;
  tilts.forEach((above, index) => {
    for (const below of tilts.slice(index + 1)) {
      const cobbDeg = Math.abs(above.upper - below.lower);
      if (worst === undefined || cobbDeg > worst.cobbDeg) worst = { cobbDeg, upper: above.name, lower: below.name };
    }
  });
  return worst;
}

function minus(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
