/**
 * Sacral slope: angle of S1's upper endplate to the axial plane of the scanner (Duval-Beaupère 1992, doi 10.1007/BF02368136).
 * Lying, so that it is not the slope of someone who stands.
 */
import { bodyCode } from '../anatomy.js';
import type { Assess } from '../types.js';
import { endplateLine, sagittalTiltDeg } from './alignment.js';
import { drawingOf, isMissing, outlinedBody } from './bodies.js';
import { assessmentOf, basisOf, notAssessed } from './finding.js';

export const assessSacralSlope: Assess = (spine) => {
  const sacrum = outlinedBody(spine, 'S1');
  if (isMissing(sacrum)) return assessmentOf([notAssessed('sacralSlope', sacrum.code, sacrum.got)]);
  const { vertebra: { frame }, stack, confidence } = sacrum;
  const slopeDeg = sagittalTiltDeg(sacrum, 'upper');
  const [front, back] = endplateLine(sacrum, 'upper');
  const drawing = drawingOf(stack, frame, 90, [bodyCode('S1')], [
    [front, back, `${slopeDeg.toFixed(0)} deg`],
    [back, [front[0], front[1], back[2]], ''],
  ]);
  return assessmentOf([{
    kind: 'sacralSlope', level: 'S1',
    measures: [{ name: 'sacralSlope', value: slopeDeg, unit: 'deg' }],
    grades: [], signs: [],
    basis: basisOf(spine, [stack]),
    confidence,
    ...(drawing === undefined ? {} : { drawing }),
  }]);
};
