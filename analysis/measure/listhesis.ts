/**
 * Spondylolisthesis: how far a body stands before or behind the one below, in the midsagittal sections of both.
 *
 *   slip    (lower posterior corner above - upper posterior corner below) · e, e along the upper endplate below, forwards
 *   share   |slip| / depth of that endplate; Meyerding 1932, Surg Gynecol Obstet 54:371: in quarters
 *
 * Posterior corners are `insideMm` inside of where the endplates end behind, as margins are round and grow spurs: of the endplates, not of the
 * bodies, since a wall that is hollow or slants reaches farther back at its other end. A slip below 3 mm is none (Jacobsen 2007, doi 10.1097/01.brs.0000250979.12398.96).
 */
import { bodyCode } from '../anatomy.js';
import type { Vector3 } from '../../imaging/index.js';
import type { Assess, Finding, NotAssessed, Segment, Spine } from '../types.js';
import { drawingOf, isMissing, wholeBody, type OutlinedBody } from './bodies.js';
import { assessmentOf, basisOf, graded, notAssessed } from './finding.js';
import { endplateAt, endplateBack, endplatePoint, pointAt, shares, type Endplate } from './outline.js';
import { dot, moved, scaled, subtract } from './section.js';

const leastSlipMm = 3;
const insideMm = 3;

export const assessListhesis: Assess = (spine) =>
  assessmentOf(spine.segments.map((segment): Finding | NotAssessed => {
    const [above, below] = [wholeBody(spine, segment.upper), wholeBody(spine, segment.lower)];
    const missing = [above, below].find(isMissing);
    if (isMissing(above) || isMissing(below)) return notAssessed('listhesis', missing!.code, missing!.got, { level: segment.name });
    return findingOf(spine, segment, above, below);
  }));

/** Forwards is positive. */
export function slipOf(above: OutlinedBody, below: OutlinedBody): { readonly slipMm: number; readonly share: number } {
  const [anterior, posterior] = [shares.anterior, shares.posterior].map((share) => endplatePoint(below.outline, 'upper', share)) as [never, never];
  const forwards = subtract(anterior, posterior);
  const betweenMm = Math.hypot(...forwards);
  const slipMm = dot(subtract(cornerOf(above, 'lower'), cornerOf(below, 'upper')), forwards) / betweenMm;
  return { slipMm, share: (Math.abs(slipMm) / betweenMm) * (shares.posterior - shares.anterior) };
}

function cornerOf({ outline }: OutlinedBody, endplate: Endplate): Vector3 {
  const u = endplateBack(outline, endplate) - insideMm;
  return pointAt(outline, u, endplateAt(outline, endplate, u));
}

function findingOf(spine: Spine, { name, frame }: Segment, above: OutlinedBody, below: OutlinedBody): Finding {
  const { slipMm, share } = slipOf(above, below);
  const isSlip = Math.abs(slipMm) >= leastSlipMm;
  const corner = cornerOf(below, 'upper');
  const forwards = subtract(endplatePoint(below.outline, 'upper', shares.anterior), corner);
  const slipped = moved(corner, scaled(forwards, 1 / Math.hypot(...forwards)), slipMm);
  const drawing = drawingOf(above.stack, frame, 90, [bodyCode(above.vertebra.name), bodyCode(below.vertebra.name)], [
    [cornerOf(above, 'lower'), slipped, ''],
    [corner, slipped, `${slipMm.toFixed(1)} mm`],
  ]);
  return {
    kind: 'listhesis', level: name,
    measures: [{ name: 'slip', value: slipMm, unit: 'mm' }, { name: 'slipShare', value: share, unit: '1' }],
    grades: isSlip ? [graded('meyerding', share)] : [{ scale: 'meyerding', value: '0', severity: 'normal', marginShare: 1 - Math.abs(slipMm) / leastSlipMm }],
    signs: isSlip ? [slipMm > 0 ? 'anterolisthesis' : 'retrolisthesis'] : [],
    basis: basisOf(spine, [above.stack, below.stack]),
    confidence: Math.min(above.confidence, below.confidence),
    ...(drawing === undefined ? {} : { drawing }),
  };
}
