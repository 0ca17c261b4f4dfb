/** Where the endplates of a body are, in the vertebra's frame, and lesions along them. */
import { ellipsoid, intersection, moved, placed, roughened, type Solid } from '../anatomy/index.js';
import type { BodyPlan, VertebraSite } from '../spine/index.js';

export type Face = 'upper' | 'lower';

export function depthMm(body: BodyPlan, face: Face): number {
  return face === 'upper' ? body.upperDepthMm : body.lowerDepthMm;
}

export function widthMm(body: BodyPlan, face: Face): number {
  return face === 'upper' ? body.upperWidthMm : body.lowerWidthMm;
}

/** Middle of a face in the vertebra's frame, y to posterior: faces line up at the posterior wall. */
export function middleYMm(body: BodyPlan, face: Face): number {
  return (body.upperDepthMm + body.lowerDepthMm) / 4 - depthMm(body, face) / 2;
}

/** Height of an endplate over the middle of the body, with its hollow, mm; y to posterior. */
export function endplateZMm(body: BodyPlan, face: Face, yMm: number): number {
  const share = Math.min(1, Math.max(0, 0.5 + (yMm - middleYMm(body, face)) / depthMm(body, face)));
  const rim = (body.anteriorHeightMm + share * (body.posteriorHeightMm - body.anteriorHeightMm)) / 2;
  const hollow = (face === 'upper' ? body.upperConcavityMm : body.lowerConcavityMm) * (1 - (2 * share - 1) ** 2);
  return face === 'upper' ? rim - hollow : hollow - rim;
}

/** The faces at a disc: of 'upper' the lower face of the upper vertebra, and so on. */
export function facesOf(segment: string, endplate: string | number | undefined): { readonly vertebra: string; readonly face: Face }[] {
  const [upper, lower] = segment.split('-') as [string, string];
  return [
    ...(endplate === 'lower' ? [] : [{ vertebra: upper, face: 'lower' as const }]),
    ...(endplate === 'upper' ? [] : [{ vertebra: lower, face: 'upper' as const }]),
  ];
}

export interface Patch {
  readonly face: Face;
  /** Its middle, from the middle of the face. */
  readonly xMm: number;
  readonly yMm: number;
  /** Half extents along the endplate, and how far it reaches into the body. */
  readonly halfWidthMm: number;
  readonly halfDepthMm: number;
  readonly reachMm: number;
  readonly seed: number;
}

/** The marrow along an endplate, with an uneven border; LPS, mm. */
export function alongEndplate(site: VertebraSite, patch: Patch): Solid {
  const { face, xMm, yMm, halfWidthMm, halfDepthMm, reachMm, seed } = patch;
  const y = middleYMm(site.plan.body, face) + yMm;
  const at = moved([xMm, y, endplateZMm(site.plan.body, face, y)], ellipsoid([halfWidthMm, halfDepthMm, reachMm]));
  const uneven = roughened(roughened(at, 1.1, 14, seed), 0.35, 4.5, seed + 1);
  return intersection(site.marrow, placed(site.frame, uneven));
}
