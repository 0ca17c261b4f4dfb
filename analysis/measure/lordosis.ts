/**
 * Lumbar lordosis: angle between the upper endplates of L1 and S1 in the sagittal plane, by Cobb's method (Been and Kalichman
 * 2014, doi 10.1016/j.spinee.2013.07.464). Lying, which is flatter than standing.
 */
import { bodyCode } from '../anatomy.js';
import type { Assess, Vertebra } from '../types.js';
import { endplateLine, sagittalTiltDeg } from './alignment.js';
import { drawingOf, isMissing, outlinedBody } from './bodies.js';
import { assessmentOf, basisOf, notAssessed } from './finding.js';
import { distanceMm } from './section.js';

export const assessLordosis: Assess = (spine) => {
  const [first, sacrum] = [outlinedBody(spine, 'L1'), outlinedBody(spine, 'S1')];
  if (isMissing(first)) return assessmentOf([notAssessed('lordosis', first.code, first.got)]);
  if (isMissing(sacrum)) return assessmentOf([notAssessed('lordosis', sacrum.code, sacrum.got)]);
  const lordosisDeg = sagittalTiltDeg(sacrum, 'upper') - sagittalTiltDeg(first, 'upper');
  const [from, to] = [first, sacrum].map(({ vertebra: { frame } }: { vertebra: Vertebra }) => frame.originMm) as [never, never];
  const originMm = [0, 1, 2].map((axis) => (from[axis]! + to[axis]!) / 2) as unknown as typeof from;
  const drawing = drawingOf(first.stack, { originMm }, distanceMm(from, to) + 80, [bodyCode('L1'), bodyCode('S1')], [
    [...endplateLine(first, 'upper'), ''],
    [...endplateLine(sacrum, 'upper'), `${lordosisDeg.toFixed(0)} deg`],
  ]);
  return assessmentOf([{
    kind: 'lordosis',
    measures: [{ name: 'lumbarLordosis', value: lordosisDeg, unit: 'deg' }],
    grades: [], signs: [],
    basis: basisOf(spine, [first.stack, sacrum.stack]),
    confidence: Math.min(first.confidence, sacrum.confidence),
    ...(drawing === undefined ? {} : { drawing }),
  }]);
};
