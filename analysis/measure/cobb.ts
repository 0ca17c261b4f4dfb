/**
 * Cobb's angle: the largest angle between the upper endplate of one vertebra and the lower one of another in the coronal plane
 * (Cobb 1948, Instr Course Lect 5:261). Ten degrees and more are called scoliosis (Negrini 2018, doi 10.1186/s13013-017-0145-8).
 *
 * A sagittal stack shows coronal sections of a body between its slices (shape.ts). The tilt of an endplate is the mean over
 * sections from front to back of that of a robust line over its middle four fifths: the largest of many angles takes what there is
 * of noise for a curve, so that each must have little. From the tilts on, all is in the coronal plane of the scanner, the patient lying,
 * which takes some of a curve away.
 */
import type { Vector3 } from '../../imaging/index.js';
import { bodyCode } from '../anatomy.js';
import type { Assess, LabelledStack, Spine, Vertebra } from '../types.js';
import { degrees } from './alignment.js';
import { drawingOf, isMissing, preferred, wholeBody } from './bodies.js';
import { assessmentOf, basisOf, notAssessed, refusalAcross, stacksOf } from './finding.js';
import { endplateAt, endplateSlope, outlineOf, placeAt, pointAt, type BodyOutline, type Endplate } from './outline.js';
import { distanceMm, moved, reaches, scaled, type Window } from './section.js';
import { shapeOf } from './shape.js';

const scoliosisDeg = 10;
const fitted = [0.1, 0.9] as const;
/** Sections before and behind the middle. */
const offsetsMm = [-8, -4, 0, 4, 8] as const;
const window: Window = { u: [-32, 32], v: [-22, 22] };
/** What slices have to show of a body's width. */
const leastWidthMm = 25;

interface Tilted {
  readonly vertebra: Vertebra;
  readonly stack: LabelledStack;
  readonly outline: BodyOutline;
  /** Degrees, positive where the left is higher. */
  readonly upper: number;
  readonly lower: number;
  readonly confidence: number;
}

export const assessCobb: Assess = (spine) => {
  const refusal = onlyAcross(spine);
  if (refusal !== undefined) return assessmentOf([notAssessed('cobb', refusal.code, refusal.got)]);
  const presacral = spine.vertebrae.filter(({ name }) => name !== 'S1');
  const tilted = presacral.map((vertebra) => tiltedBody(spine, vertebra)).filter((body) => body !== undefined);
  if (tilted.length < 3) {
    const code = stacksOf(spine, 'coronal', preferred).length + stacksOf(spine, 'sagittal', preferred).length === 0 ? 'ANALYSIS_INFO_NO_SERIES' : 'ANALYSIS_INFO_NOT_COVERED';
    return assessmentOf([notAssessed('cobb', code, `${tilted.length} vertebrae that slices cover over ${leastWidthMm} mm of their width`)]);
  }
  const { above, below, cobbDeg } = largestCurve(tilted);
  const originMm = scaled(moved(above.vertebra.frame.originMm, below.vertebra.frame.originMm, 1), 0.5);
  const extentMm = distanceMm(above.vertebra.frame.originMm, below.vertebra.frame.originMm) + 80;
  const drawing = drawingOf(above.stack, { originMm }, extentMm, [bodyCode(above.vertebra.name), bodyCode(below.vertebra.name)], [
    [...lineOf(above.outline, 'upper'), ''],
    [...lineOf(below.outline, 'lower'), `${cobbDeg.toFixed(0)} deg`],
  ]);
  return assessmentOf([{
    kind: 'cobb',
    measures: [{ name: 'cobbAngle', value: cobbDeg, unit: 'deg' }],
    grades: [],
    signs: [
      `end vertebrae ${above.vertebra.name} and ${below.vertebra.name}`,
      ...(cobbDeg >= scoliosisDeg ? [`convex to the ${above.upper > below.lower ? 'left' : 'right'}, by definition scoliosis (10 degrees and more)`] : []),
    ],
    basis: basisOf(spine, tilted.map(({ stack }) => stack)),
    confidence: Math.min(above.confidence, below.confidence),
    ...(drawing === undefined ? {} : { drawing }),
  }]);
};

/** Where there are sagittal slices alone, and none that may be measured across. */
function onlyAcross(spine: Spine): ReturnType<typeof refusalAcross> {
  if (stacksOf(spine, 'coronal', preferred).length > 0) return undefined;
  const refusals = stacksOf(spine, 'sagittal', preferred).map((stack) => refusalAcross(spine, stack));
  return refusals.every((refusal) => refusal !== undefined) ? refusals[0] : undefined;
}

function tiltedBody(spine: Spine, vertebra: Vertebra): Tilted | undefined {
  const body = wholeBody(spine, vertebra.name);
  if (isMissing(body)) return undefined;
  const coronal = stacksOf(spine, 'coronal', preferred).find((stack) => reaches(stack, vertebra.frame.originMm));
  const stack = coronal ?? body.stack;
  if (coronal === undefined && refusalAcross(spine, stack) !== undefined) return undefined;
  const shape = shapeOf(stack, [bodyCode(vertebra.name)], vertebra.frame, { nearMm: 36, reachMm: 36 });
  const outlines = shape === undefined ? [] : offsetsMm
    .map((offsetMm) => outlineOf(shape, vertebra.frame, 'coronal', window, { offsetMm }))
    .filter((outline) => outline !== undefined && outline.last - outline.first >= leastWidthMm) as BodyOutline[];
  const outline = outlines[Math.floor(outlines.length / 2)];
  if (outline === undefined) return undefined;
  return { vertebra, stack, outline, upper: tiltDeg(outlines, 'upper'), lower: tiltDeg(outlines, 'lower'), confidence: body.confidence };
}

/** Of the lines in the patient, z over x. */
function tiltDeg(outlines: readonly BodyOutline[], endplate: Endplate): number {
  const tilts = outlines.map((outline) => {
    const { across, down } = outline.section.plane;
    const along = moved(across, down, endplateSlope(outline, endplate, fitted));
    return degrees(Math.atan2(along[2], along[0]));
  });
  return tilts.reduce((sum, tilt) => sum + tilt, 0) / tilts.length;
}

function lineOf(outline: BodyOutline, endplate: Endplate): readonly [Vector3, Vector3] {
  const [right, left] = fitted.map((share) => placeAt(outline, share)) as [number, number];
  return [pointAt(outline, right, endplateAt(outline, endplate, right)), pointAt(outline, left, endplateAt(outline, endplate, left))];
}

function largestCurve(tilted: readonly Tilted[]): { readonly above: Tilted; readonly below: Tilted; readonly cobbDeg: number } {
  let worst = { above: tilted[0]!, below: tilted[1]!, cobbDeg: -1 };
  tilted.forEach((above, index) => {
    for (const below of tilted.slice(index + 1)) {
      const cobbDeg = Math.abs(above.upper - below.lower);
      if (cobbDeg > worst.cobbDeg) worst = { above, below, cobbDeg };
    }
  });
  return worst;
}
