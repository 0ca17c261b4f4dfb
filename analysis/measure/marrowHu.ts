/**
 * CT number of a vertebra's trabecular marrow, HU: mean over the body without its rim.
 *
 *   in sagittal planes 4 mm apart, up to 8 mm beside the middle: body, eroded by 4 mm, without the quarter of the depth at the
 *   back, where the basivertebral veins are
 *
 * (Pickhardt 2013, doi 10.7326/0003-4819-158-8-201304160-00003, whose region in the trabecular bone of L1 this follows: at 110 HU and
 * below osteoporosis is found with a specificity of 90 %, on scans at 120 kV without contrast agent; no densitometry.) Of a synthetic CT the number
 * is an estimate from MR, which the basis says, and its uncertainty is half the interval of its pixels on the mean: what they are off by is
 * alike in neighbours, and is not averaged away.
 */
import { bodyCode } from '../anatomy.js';
import type { AnalysisSeries, Assess, Finding, LabelledStack, NotAssessed, Spine, Vertebra } from '../types.js';
import { drawingOf } from './bodies.js';
import { assessmentOf, basisOf, leastConfidence, notAssessed, seriesOf } from './finding.js';
import type { Mask } from './mask.js';
import { framePlane, planeSection, reaches, type Section } from './section.js';

const besideMm = [-8, -4, 0, 4, 8] as const;
const erodedMm = 4;
const leastPixels = 100;
const porousHu = 110;
const stepMm = 0.5;

export const assessMarrowHu: Assess = (spine) => {
  const isCt = (stack: LabelledStack) => ['ct', 'syntheticCt'].includes(seriesOf(spine, stack)?.contrast ?? '');
  const stacks = spine.stacks.filter(isCt).sort((a, b) => Number(seriesOf(spine, a)!.synthetic) - Number(seriesOf(spine, b)!.synthetic));
  if (stacks.length === 0) return assessmentOf([notAssessed('marrowHu', 'ANALYSIS_INFO_NO_SERIES', 'no CT, scanned or computed')]);
  return assessmentOf(spine.vertebrae.filter(({ name }) => name !== 'S1').map((vertebra) => marrowOf(spine, vertebra, stacks)));
};

function marrowOf(spine: Spine, { name, frame, confidence: own }: Vertebra, stacks: readonly LabelledStack[]): Finding | NotAssessed {
  const level = { level: name };
  const stack = stacks.find((one) => reaches(one, frame.originMm));
  if (stack === undefined) return notAssessed('marrowHu', 'ANALYSIS_INFO_NOT_COVERED', `no slice of the CT through ${name}`, level);
  const series = seriesOf(spine, stack)!;
  const regions = besideMm.map((offsetMm) => {
    const section = planeSection(stack, framePlane(frame, 'sagittal', offsetMm), { u: [-30, 30], v: [-26, 26] }, stepMm);
    const body = section.mask(bodyCode(name)).largest().filled();
    const extent = body.columns();
    if (extent === undefined) return undefined;
    const back = extent[0] + 0.75 * (extent[1] - extent[0]);
    return { section, mask: body.shrunk(erodedMm).where((_, __, column) => column <= back), confidence: body.confidence };
  }).filter((region) => region !== undefined);
  const values = regions.flatMap(({ section, mask }) => [...mask.valuesOf(section.valuesOf(series.volume))]);
  if (values.length < leastPixels) return notAssessed('marrowHu', 'ANALYSIS_INFO_NOT_COVERED', `too little of ${name} to be measured without its rim`, level);
  const ofLabels = regions.reduce((sum, region) => sum + region.confidence, 0) / regions.length;
  const confidence = Math.min(own, ofLabels);
  if (ofLabels < leastConfidence) return notAssessed('marrowHu', 'ANALYSIS_INFO_UNSURE', `${name} is outlined with a confidence of ${confidence.toFixed(2)}`, level);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const uncertainty = series.interval && halfWidthOf(regions, series.interval);
  const middle = regions[Math.floor(regions.length / 2)]!;
  const drawing = drawingOf(stack, frame, 70, [bodyCode(name)], [], middle.mask.outlinesMm().map((pointsMm) => ({ pointsMm, text: `${mean.toFixed(0)} HU` })));
  const isPorous = name === 'L1' && !series.synthetic && mean <= porousHu;
  return {
    kind: 'marrowHu', level: name,
    measures: [
      { name: 'marrowMean', value: mean, unit: 'HU' }, { name: 'marrowDeviation', value: deviation, unit: 'HU' },
      ...(uncertainty === undefined ? [] : [{ name: 'marrowUncertainty', value: uncertainty, unit: 'HU' } as const]),
    ],
    grades: [],
    signs: series.contrast === 'syntheticCt' ? [computedSign(mean, uncertainty)] : isPorous ? [`L1 at or below ${porousHu} HU: osteoporosis is likely where the scan was at 120 kV without contrast agent; densitometry tells`] : [],
    basis: basisOf(spine, [stack]),
    confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}

const computedSign = (mean: number, uncertainty: number | undefined) => uncertainty === undefined
  ? `${mean.toFixed(0)} HU estimated from MR; its interval is not among the series, and nobody knows how far it is off`
  : `${mean.toFixed(0)} HU estimated from MR, give or take ${uncertainty.toFixed(0)} HU (90 % interval)`;

function halfWidthOf(regions: readonly { readonly section: Section; readonly mask: Mask }[], { low, high }: NonNullable<AnalysisSeries['interval']>): number {
  const meanOf = (volume: AnalysisSeries['volume']) => {
    const values = regions.flatMap(({ section, mask }) => [...mask.valuesOf(section.valuesOf(volume))]);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return (meanOf(high) - meanOf(low)) / 2;
}
