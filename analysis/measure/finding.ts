/** What all measures say in the same way: grades, basis, and what could not be assessed. */
import { mostAnisotropyAcross, sliceAnisotropy } from '../../imaging/index.js';
import { gradeAs } from '../gradeValues.js';
import { marginOf, gradeOf, scales, type ScaleName } from '../scales.js';
import type { AnalysisSeries, Assessment, Contrast, Finding, FindingKind, Grade, LabelledStack, NotAssessed, Orientation, Side, Spine } from '../types.js';
import type { NotAssessedCode } from '../errors.js';

/** Below it a structure is not measured. */
export const leastConfidence = 0.6;

/** The grade of a measure on one of the scales, how bad it is, and how near to a cut-off. */
export function graded(name: ScaleName, value: number): Grade {
  const scale = scales[name];
  return { ...gradeAs(name, gradeOf<string>(scale, value))!, marginShare: marginOf(scale, value) };
}

export function basisOf({ series }: Spine, stacks: readonly LabelledStack[]): Finding['basis'] {
  const seriesIndices = [...new Set(stacks.map(({ seriesIndex }) => seriesIndex))].sort((a, b) => a - b);
  return { seriesIndices, synthetic: seriesIndices.some((index) => series[index]?.synthetic === true) };
}

export function seriesOf({ series }: Spine, { seriesIndex }: LabelledStack): AnalysisSeries | undefined {
  return series[seriesIndex];
}

/** Stacks of an orientation, of the contrasts that are wanted in their order, scanned ones before computed ones. */
export function stacksOf(spine: Spine, orientation: Orientation, contrasts: readonly Contrast[]): LabelledStack[] {
  const rank = (stack: LabelledStack) => {
    const series = seriesOf(spine, stack);
    const place = series === undefined ? -1 : contrasts.indexOf(series.contrast);
    return place < 0 ? Infinity : place + (series!.synthetic ? contrasts.length : 0);
  };
  return spine.stacks
    .filter((stack) => stack.orientation === orientation && rank(stack) < Infinity)
    .sort((a, b) => rank(a) - rank(b));
}

/** Why nothing may be measured across the slices of a stack: on a computed CT edges between thick slices are interpolated, not seen. */
export function refusalAcross(spine: Spine, stack: LabelledStack): { readonly code: NotAssessedCode; readonly got: string } | undefined {
  const series = seriesOf(spine, stack);
  if (series?.contrast !== 'syntheticCt') return undefined;
  const anisotropy = sliceAnisotropy(series.volume.geometry);
  if (anisotropy <= mostAnisotropyAcross) return undefined;
  return { code: 'ANALYSIS_INFO_GEOMETRY', got: `CT computed from ${stack.orientation} slices ${anisotropy.toFixed(1)} times as far apart as pixels: nothing is measured across them` };
}

export function notAssessed(kind: FindingKind, code: NotAssessedCode, got: string, place: { readonly level?: string; readonly side?: Side } = {}): NotAssessed {
  return { kind, ...place, code, got };
}

export function isNotAssessed(outcome: Finding | NotAssessed): outcome is NotAssessed {
  return 'code' in outcome;
}

/** Findings and what was not assessed, each in their order. */
export function assessmentOf(outcomes: readonly (Finding | NotAssessed)[]): Assessment {
  return {
    findings: outcomes.filter((outcome): outcome is Finding => !isNotAssessed(outcome)),
    notAssessed: outcomes.filter(isNotAssessed),
  };
}
