/**
 * Balance of the whole spine: how far the plumb line of C7 falls from the sacrum.
 *
 *   sagittal   y(upper posterior corner of S1) - y(middle of C7), forwards positive; from 50 mm on imbalanced (Schwab 2012,
 *              doi 10.1097/BRS.0b013e31823e15e2)
 *   coronal    x(middle of C7) - x(middle of S1), to the left positive
 *
 * The cut-off is of people who stand. Who lies in a scanner does not carry the trunk, so that the numbers are given without a grade.
 */
import type { Vector3 } from '../../imaging/index.js';
import { bodyCode } from '../anatomy.js';
import type { Assess } from '../types.js';
import { drawingOf, isMissing, outlinedBody } from './bodies.js';
import { assessmentOf, basisOf, notAssessed } from './finding.js';
import { endplateAt, placeAt, pointAt, shares } from './outline.js';
import { distanceMm, moved, scaled } from './section.js';

export const assessBalance: Assess = (spine) => {
  const [upper, sacrum] = [outlinedBody(spine, 'C7'), outlinedBody(spine, 'S1')];
  const unseen = [upper, sacrum].filter(isMissing).map(({ got }) => got);
  if (isMissing(upper) || isMissing(sacrum)) {
    return assessmentOf([notAssessed('balance', 'ANALYSIS_INFO_NOT_COVERED', `${unseen.join(', ')}: a plumb line from C7 to S1 needs the whole spine in the images`)]);
  }
  const { outline, vertebra } = sacrum;
  const corner = pointAt(outline, outline.last, endplateAt(outline, 'upper', placeAt(outline, shares.posterior)));
  const from = upper.vertebra.frame.originMm;
  const foot: Vector3 = [from[0], from[1], corner[2]];
  const sagittalMm = corner[1] - from[1];
  const coronalMm = from[0] - vertebra.frame.originMm[0];
  const originMm = scaled(moved(from, corner, 1), 0.5);
  const drawing = drawingOf(sacrum.stack, { originMm }, distanceMm(from, corner) + 80, [bodyCode('C7'), bodyCode('S1')], [
    [from, foot, ''],
    [foot, corner, `${sagittalMm.toFixed(0)} mm`],
  ]);
  return assessmentOf([{
    kind: 'balance',
    measures: [{ name: 'sagittalVerticalAxis', value: sagittalMm, unit: 'mm' }, { name: 'coronalBalance', value: coronalMm, unit: 'mm' }],
    grades: [],
    signs: ['lying: plumb lines of people who stand, and their cut-offs, are others'],
    basis: basisOf(spine, [upper.stack, sacrum.stack]),
    confidence: Math.min(upper.confidence, sacrum.confidence),
    ...(drawing === undefined ? {} : { drawing }),
  }]);
};
