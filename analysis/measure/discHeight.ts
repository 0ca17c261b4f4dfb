/**
 * Height of a disc: gaps between the bodies in its midsagittal section.
 *
 *   height         between the endplates at a tenth, the half and nine tenths of the depth that both bodies share
 *   height index   (anterior + posterior height) / (depth of the body above + depth of the one below)
 *
 * Dabbs and Dabbs 1990, Spine 15:1366.
 */
import { bodyCode, discCode } from '../anatomy.js';
import type { Assess, Finding, NotAssessed, Spine } from '../types.js';
import { drawingOf, isMissing, outlinedSpace, type OutlinedSpace } from './bodies.js';
import { assessmentOf, basisOf, notAssessed } from './finding.js';
import { depthMm, endplateAt, placeAt, pointAt, shares } from './outline.js';

export interface DiscHeights {
  readonly anteriorMm: number;
  readonly middleMm: number;
  readonly posteriorMm: number;
  readonly heightIndex: number;
}

export const assessDiscHeight: Assess = (spine) =>
  assessmentOf(spine.segments.map((segment): Finding | NotAssessed => {
    const space = outlinedSpace(spine, segment);
    return isMissing(space) ? notAssessed('discHeight', space.code, space.got, { level: segment.name }) : findingOf(spine, space);
  }));

/** u of a share of the depth that both bodies have, mm in the disc's frame. */
export function sharedPlace({ above, below }: OutlinedSpace, share: number): number {
  return placeAt({ first: Math.max(above.first, below.first), last: Math.min(above.last, below.last) }, share);
}

/** Where the disc begins and ends at u, v in mm. */
export function gapAt({ above, below }: OutlinedSpace, u: number): readonly [number, number] {
  return [endplateAt(above, 'lower', u), endplateAt(below, 'upper', u)];
}

export function discHeightsOf(space: OutlinedSpace): DiscHeights {
  const [anteriorMm, middleMm, posteriorMm] = [shares.anterior, shares.middle, shares.posterior].map((share) => {
    const [top, base] = gapAt(space, sharedPlace(space, share));
    return Math.max(0, base - top);
  }) as [number, number, number];
  return { anteriorMm, middleMm, posteriorMm, heightIndex: (anteriorMm + posteriorMm) / (depthMm(space.above) + depthMm(space.below)) };
}

function findingOf(spine: Spine, space: OutlinedSpace): Finding {
  const { segment: { name, upper, lower, frame }, stack, above, confidence } = space;
  const heights = discHeightsOf(space);
  const lines = (['anterior', 'middle', 'posterior'] as const).map((place) => {
    const u = sharedPlace(space, shares[place]);
    const [top, base] = gapAt(space, u);
    return [pointAt(above, u, top), pointAt(above, u, base), `${heights[`${place}Mm`].toFixed(1)} mm`] as const;
  });
  const drawing = drawingOf(stack, frame, 70, [bodyCode(upper), discCode(name), bodyCode(lower)], lines);
  return {
    kind: 'discHeight', level: name,
    measures: [
      { name: 'anteriorHeight', value: heights.anteriorMm, unit: 'mm' },
      { name: 'middleHeight', value: heights.middleMm, unit: 'mm' },
      { name: 'posteriorHeight', value: heights.posteriorMm, unit: 'mm' },
      { name: 'heightIndex', value: heights.heightIndex, unit: '1' },
    ],
    grades: [], signs: [],
    basis: basisOf(spine, [stack]),
    confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}
