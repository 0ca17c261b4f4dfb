/**
 * Whether a vertebra that has lost height did so lately: the marrow of a fresh fracture is oedema, dark on T1w and bright on
 * T2w and with suppressed fat, that of an old one is like its neighbours' (Baker 1990, doi 10.1148/radiology.174.2.2296658).
 *
 *   oedemaShare = oedema of the body's marrow (marrow.ts);   acute from `acuteFrom` on
 *
 * The cut-off is ours. Suppressed fat that was computed of T1w and T2w adds nothing to them and is not mixed with them: where
 * no such series was scanned, it is read apart, as a finding of its own that says so:
 *
 *   stirRatio = median in the body / median of the medians in the other bodies
 */
import { bodyCode } from '../anatomy.js';
import type { Assess, Drawing, Finding, Grade, NotAssessed, Spine } from '../types.js';
import { assessmentOf, leastConfidence, notAssessed } from './finding.js';
import { basisOfMarrow, changedPixels, changeShare, contrastWords, marrowConfidence, spineMarrow, type BodyMarrow, type SpineMarrow } from './marrow.js';
import { medianOf } from './robustFit.js';
import { assessVertebralHeights } from './vertebralHeights.js';

const acuteFrom = 0.12;
const acuteStirRatio = 1.5;

export const assessFractureAge: Assess = (spine) => assessmentOf(fracturedLevels(spine).flatMap((level) => fractureAgeOf(spine, level)));

/** Vertebrae that have lost height by Genant's first grade or more. */
export function fracturedLevels(spine: Spine): string[] {
  return assessVertebralHeights(spine).findings
    .filter(({ grades }) => grades.some(({ scale, value }) => scale === 'genant' && value !== '0'))
    .flatMap(({ level }) => (level === undefined ? [] : [level]));
}

/** Of one vertebra, whether it has lost height or not: acute or old, and what that rests on. */
export function fractureAgeOf(spine: Spine, level: string): (Finding | NotAssessed)[] {
  const marrow = spineMarrow(spine);
  if (marrow?.seriesIndices.t1w === undefined || marrow.seriesIndices.t2w === undefined) {
    return [notAssessed('fractureAge', 'ANALYSIS_INFO_NO_SERIES', 'no pair of sagittal T1w and T2w series', { level })];
  }
  const body = marrow.bodies.find(({ vertebra }) => vertebra.name === level);
  if (body === undefined) return [notAssessed('fractureAge', 'ANALYSIS_INFO_NOT_COVERED', `no slice through ${level}`, { level })];
  const confidence = marrowConfidence(body);
  if (confidence < leastConfidence) return [notAssessed('fractureAge', 'ANALYSIS_INFO_UNSURE', `${level} outlined with a confidence of ${confidence.toFixed(2)}`, { level })];
  const synthetic = marrow.seriesIndices.stir === undefined ? fromSyntheticStir(spine, marrow, body, confidence) : [];
  return [fromMarrow(spine, marrow, body, confidence), ...synthetic];
}

function fromMarrow(spine: Spine, marrow: SpineMarrow, body: BodyMarrow, confidence: number): Finding {
  const share = changeShare(body, ['oedema']);
  const drawing = drawingOf(marrow, body);
  return {
    kind: 'fractureAge', level: body.vertebra.name,
    measures: [{ name: 'oedemaShare', value: share, unit: '1' }],
    grades: [gradeOf(share, acuteFrom)],
    signs: [`oedema in ${Math.round(100 * share)} % of the marrow, by ${contrastWords(spine, marrow)}`],
    basis: basisOfMarrow(spine, marrow),
    // Suppressed fat shows oedema better than T1w and T2w do.
    confidence: marrow.seriesIndices.stir === undefined ? 0.85 * confidence : confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}

function fromSyntheticStir(spine: Spine, { bodies }: SpineMarrow, body: BodyMarrow, confidence: number): Finding[] {
  const index = spine.series.findIndex(({ synthetic, contrast, orientation, qualityLight }) =>
    synthetic && orientation === 'sagittal' && qualityLight !== 'red' && (contrast === 'stir' || contrast === 't2fs'));
  if (index < 0) return [];
  const { volume, contrast } = spine.series[index]!;
  const medianIn = ({ slices }: BodyMarrow) => medianOf(slices.flatMap(({ section, marrow }) => [...marrow.valuesOf(section.valuesOf(volume))]));
  const others = bodies.filter((other) => other !== body).map(medianIn);
  const ratio = medianIn(body) / medianOf(others);
  if (!Number.isFinite(ratio)) return [];
  return [{
    kind: 'fractureAge', level: body.vertebra.name,
    measures: [{ name: 'stirRatio', value: ratio, unit: '1' }],
    grades: [gradeOf(ratio, acuteStirRatio)],
    signs: [`rests on synthetic ${contrast === 'stir' ? 'STIR' : 'T2w with suppressed fat'} only, which was computed and not scanned: ${ratio.toFixed(1)} times as bright as in the other bodies`],
    basis: { seriesIndices: [index], synthetic: true },
    confidence: 0.6 * confidence,
  }];
}

function gradeOf(value: number, cutoff: number): Grade {
  const isAcute = value >= cutoff;
  return { scale: 'fractureAge', value: isAcute ? 'acute' : 'old', severity: isAcute ? 'severe' : 'mild', marginShare: Math.abs(value - cutoff) / cutoff };
}

function drawingOf({ stack }: SpineMarrow, { slices, vertebra: { name, frame } }: BodyMarrow): Drawing | undefined {
  const central = [...slices].sort((a, b) => Math.abs(a.offsetMm) - Math.abs(b.offsetMm))[0];
  if (central === undefined) return undefined;
  return {
    seriesIndex: stack.seriesIndex, sliceIndex: central.slice, centreMm: frame.originMm, extentMm: 90, outlines: [bodyCode(name)], lines: [],
    areas: changedPixels(central, ['oedema']).opened(central.section.stepMm).outlinesMm().map((pointsMm) => ({ pointsMm, text: 'oedema' })),
  };
}
