/**
 * The facet joints beside each disc, from axial slices.
 *
 *   joint space  pixels of the joint within the middle half of its length, over that length; the length runs along the
 *                joint's principal axis. Mean of the slices through the joint, each counting its pixels, of those with at
 *                least half as many as the one with most
 *                Where fluid is bright (T2w, T2 fat-sat, STIR), the width that its signal stands for, unless the outline is wider than
 *                fluid explains, by cartilage, which is dark: outlines of a network are hardly ever narrower than 1.7 mm, and
 *                of joints full of fluid 1.75 + 0.29 w mm wide, give or take 0.2.
 *                w = ∫ (S - b) / (`fluidShare` C) across the joint, S the mean profile over the same half with its maxima on each
 *                other, b the mean of the darkest places on either side, cortex, C the 90th percentile of the sac
 *   grade        width of the joint space (Weishaupt 1999, doi 10.1007/s002560050503: 2 mm; 1.2 and 0.6 mm are ours)
 *   hypertrophy  pixels of the articular processes within `massMm` of the joint's middle against the median of the
 *                patient's other joints; a sign from `hypertrophic` on (ours). Weishaupt's grades rest on it too
 *
 * The space is one to four axial pixels wide. Averaged along the joint a width is known to some third of a pixel where
 * labels are right: the confidence falls below two pixels.
 */
import { medianOf, percentileOf } from '../../imaging/index.js';
import { archCode, facetCode, structureCodes } from '../anatomy.js';
import type { Assess, Finding, LabelledStack, NotAssessed, Segment, Side, Spine } from '../types.js';
import { axialLevel, isRefusal, pixelMm, type AxialLevel, type AxialView } from './axialLevel.js';
import { assessmentOf, basisOf, graded, leastConfidence, notAssessed, seriesOf } from './finding.js';
import type { Mask, Place } from './mask.js';
import { brightCsf } from './sacEdge.js';
import type { Section } from './section.js';
import { sides } from './walls.js';

const kind = 'facetJoint';
const massMm = 12;
const hypertrophic = 1.3;
/** A median of fewer joints says little. */
const leastJoints = 3;
const leastJointMm2 = 2;
/** Ours, and of simulated spines: the signal of joint fluid in that of CSF, and the widest outline of a joint full of fluid. */
const fluidShare = 0.75;
const widestOutlineMm = (fluidMm: number) => 1.97 + 0.29 * fluidMm;
const profileMm = { reach: 3, step: 0.125, astray: 1.5 } as const;
const pictureMm = 60;

interface Joint {
  readonly segment: Segment;
  readonly side: Side;
  readonly stack: LabelledStack;
  readonly view: AxialView;
  readonly middle: Place;
  readonly axis: Place;
  readonly spaceMm: number;
  readonly massMm2: number;
  readonly confidence: number;
}

export const assessFacetJoint: Assess = (spine) => {
  const outcomes = spine.segments.flatMap((segment) => {
    const level = axialLevel(spine, segment);
    return sides.map((side) => (isRefusal(level)
      ? notAssessed(kind, level.code, level.got, { level: segment.name, side })
      : jointOf(spine, segment, side, level) ?? notAssessed(kind, 'ANALYSIS_INFO_UNSURE', 'no joint outlined with confidence', { level: segment.name, side })));
  });
  const joints = outcomes.filter((outcome): outcome is Joint => !('code' in outcome));
  return assessmentOf(outcomes.map((outcome) => ('code' in outcome ? outcome : findingOf(spine, outcome, joints))));
};

function findingOf(spine: Spine, joint: Joint, joints: readonly Joint[]): Finding | NotAssessed {
  const { segment, side, stack, view, middle, axis, spaceMm, confidence } = joint;
  const others = joints.filter((other) => other !== joint).map(({ massMm2 }) => massMm2);
  const ratio = others.length < leastJoints ? undefined : joint.massMm2 / medianOf(others);
  const across = { u: -axis.v, v: axis.u };
  const at = (mm: number) => view.section.pointMm(middle.u + mm * across.u, middle.v + mm * across.v);
  return {
    kind, level: segment.name, side,
    measures: [{ name: 'jointSpace', value: spaceMm, unit: 'mm' }, ...(ratio === undefined ? [] : [{ name: 'articularMassRatio', value: ratio, unit: '1' } as const])],
    grades: [graded('facetWidth', spaceMm)],
    signs: ratio !== undefined && ratio >= hypertrophic ? ['articular processes larger than at the other joints'] : [],
    basis: basisOf(spine, [stack]),
    confidence: confidence * segment.confidence * Math.min(1, Math.max(0.4, spaceMm / (2 * pixelMm(spine, stack)))),
    drawing: {
      seriesIndex: stack.seriesIndex, sliceIndex: view.slice, centreMm: at(0), extentMm: pictureMm,
      outlines: [facetCode(segment.name, side)],
      lines: [{ fromMm: at(-spaceMm / 2), toMm: at(spaceMm / 2), text: `${spaceMm.toFixed(1)} mm` }],
      areas: [],
    },
  };
}

/** Undefined where no joint is outlined with confidence. */
function jointOf(spine: Spine, segment: Segment, side: Side, { stack, around }: AxialLevel): Joint | undefined {
  const seen = around
    .map((view) => ({ view, mask: view.section.mask(facetCode(segment.name, side)).largest() }))
    .filter(({ mask }) => mask.areaMm2 >= leastJointMm2);
  const most = Math.max(...seen.map(({ mask }) => mask.count));
  const slices = seen.filter(({ mask }) => mask.count >= most / 2).map(({ view, mask }) => ({ view, mask, ...middleHalf(mask) }));
  const main = slices.find(({ mask }) => mask.count === most);
  if (main === undefined) return undefined;
  const total = slices.reduce((sum, { mask }) => sum + mask.count, 0);
  const mean = (of: (slice: (typeof slices)[number]) => number) => slices.reduce((sum, slice) => sum + (of(slice) * slice.mask.count) / total, 0);
  const confidence = mean(({ mask }) => mask.confidence);
  if (confidence < leastConfidence) return undefined;
  const outlinedMm = mean(({ widthMm }) => widthMm);
  const series = seriesOf(spine, stack);
  const fluidMm = series === undefined || !brightCsf.includes(series.contrast) ? Infinity : mean((slice) => fluidWidthMm(slice, slice.view.section.valuesOf(series.volume)));
  return {
    segment, side, stack, view: main.view, middle: main.middle, axis: main.axis, confidence,
    spaceMm: outlinedMm < widestOutlineMm(fluidMm) ? Math.min(outlinedMm, fluidMm) : outlinedMm,
    massMm2: mean(({ view, middle }) => massOf(view, segment, middle)),
  };
}

/** As wide as the fluid's signal stands for; Infinity where there is none to be seen. */
function fluidWidthMm({ view: { section, sac }, mask, middle, axis }: { view: AxialView; mask: Mask; middle: Place; axis: Place }, image: Float32Array): number {
  const csf = percentileOf(Float64Array.from(sac.valuesOf(image)).sort(), 90);
  const quarterMm = mask.extentMm(axis) / 4;
  const { reach, step, astray } = profileMm;
  const half = Math.round(reach / step);
  const profile = new Float64Array(2 * half + 1);
  let n = 0;
  for (let along = -quarterMm; along <= quarterMm; along += section.stepMm, n++) {
    const at = (across: number) => valueAt(section, image, middle.u + along * axis.u - across * axis.v, middle.v + along * axis.v + across * axis.u);
    let brightest = 0;
    for (let across = -astray; across <= astray; across += step) if (at(across) > at(brightest)) brightest = across;
    for (let place = 0; place < profile.length; place++) profile[place]! += at(brightest + (place - half) * step);
  }
  // Down to either side, as far as it falls.
  const foot = (way: 1 | -1) => {
    let place = half;
    while (profile[place + way]! < profile[place]!) place += way;
    return place;
  };
  const [first, last] = [foot(-1), foot(1)];
  const dark = (Math.min(...profile.subarray(0, half)) + Math.min(...profile.subarray(half + 1))) / 2;
  const excess = profile.subarray(first, last + 1).reduce((sum, value) => sum + Math.max(0, value - dark), 0) / n;
  return excess > 0 && csf > 0 ? (excess * step) / (fluidShare * csf) : Infinity;
}

/** Linear between pixels. */
function valueAt(section: Section, image: Float32Array, u: number, v: number): number {
  const [x, y] = [section.columnAt(u), section.rowAt(v)];
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [s, t] = [x - column, y - row];
  const at = row * section.nColumns + column;
  const value = (offset: number) => image[at + offset] ?? NaN;
  return (1 - t) * ((1 - s) * value(0) + s * value(1)) + t * ((1 - s) * value(section.nColumns) + s * value(section.nColumns + 1));
}

/** Mean width of a mask at right angles to its longest way, over the middle half of that. */
function middleHalf(mask: Mask): { widthMm: number; middle: Place; axis: Place } {
  const { section } = mask;
  const middle = mask.centroid()!;
  const [uu, uv, vv] = [new Float64Array(1), new Float64Array(1), new Float64Array(1)];
  const place = (row: number, column: number) => [section.u(column) - middle.u, section.v(row) - middle.v] as const;
  mask.where((_pixel, row, column) => {
    const [u, v] = place(row, column);
    uu[0]! += u * u;
    uv[0]! += u * v;
    vv[0]! += v * v;
    return false;
  });
  const angle = Math.atan2(2 * uv[0]!, uu[0]! - vv[0]!) / 2;
  const axis = { u: Math.cos(angle), v: Math.sin(angle) };
  const lengthMm = mask.extentMm(axis);
  const within = mask.where((_pixel, row, column) => {
    const [u, v] = place(row, column);
    return Math.abs(u * axis.u + v * axis.v) <= lengthMm / 4;
  });
  return { widthMm: within.areaMm2 / (lengthMm / 2), middle, axis };
}

function massOf({ section }: AxialView, { upper, lower }: Segment, middle: Place): number {
  const bone = section.mask(archCode(upper), archCode(lower), ...(lower === 'S1' ? [structureCodes.sacrum] : []));
  return bone.where((_pixel, row, column) => Math.hypot(section.u(column) - middle.u, section.v(row) - middle.v) <= massMm).areaMm2;
}
