/**
 * The central canal in the plane of each disc.
 *
 *   sac area        r f Σ_k w_k A_k over the axial slices k beside the plane (axialLevel.ts). Between them a sagittal stack
 *                   tells how the canal narrows: r = a(0) / Σ_k w_k a(d_k) with its AP width a in the midline, 1 without one
 *   sac AP          through the sac's middle, the median of columns within ±`besideMm`; transverse: its longest row
 *   canal AP        through the sac's middle, from disc or body back to ligament or bone, so with epidural fat
 *                   (Verbiest 1954, J Bone Joint Surg Br 36:230)
 *   grade           of the area (Bolender 1985; Schönström 1985), of the canal's AP width (Verbiest): lumbar cut-offs
 *   Schizas         on T2w (Schizas 2010, doi 10.1097/BRS.0b013e3181d359bd): A, CSF is seen in the sac; B, roots fill it
 *                   with some CSF between them; C, no CSF, fat behind the sac; D, no fat either. His grades are read by
 *                   eye. Here: the share b of the sac that is brighter than half of the way from its darkest signal to
 *                   that of CSF about the level (5th and 95th percentile over ±`referenceMm`), A from `someCsf` and B
 *                   from `grainy` on, and D below `fatBehindMm2` of fat behind the sac; these cut-offs are ours.
 *                   A1 to A4, where the roots lie, is not told.
 *
 * A sac of `roomyMm2` or more has room for CSF. Where T2w shows less than `grainy` of it in such an outline, a herniation was taken
 * for the sac: that is no area and no grade, but a reason to look.
 *
 * Without axial slices, or where they are not believed, the AP widths come from the midline of a sagittal stack, in the disc's plane, interpolated between
 * the two slices beside it; there is no area then.
 */
import { medianOf } from '../../imaging/index.js';
import { structureCodes } from '../anatomy.js';
import type { Assess, Drawing, Finding, Grade, Measure, NotAssessed, Segment, Spine } from '../types.js';
import { axialLevel, canalCodes, isLumbar, isRefusal, weighted, type AxialLevel, type Refusal } from './axialLevel.js';
import { assessmentOf, basisOf, graded, notAssessed, seriesOf } from './finding.js';
import { lengthOf, type Mask, type Place } from './mask.js';
import { gapMm, sagittalCanal, type SagittalCanal } from './sagittalCanal.js';
import { distanceMm, nSlicesOf, sliceSection, type Section } from './section.js';

const kind = 'centralCanal';
const besideMm = 0.75;
const someCsf = 0.4;
const grainy = 0.1;
const fatBehindMm2 = 10;
/** Mild stenosis ends here: roots fill smaller sacs. */
const roomyMm2 = 100;
const referenceMm = 30;
const pictureMm = 70;
/** More than this between slices is an error of the labels. */
const mostNarrowing = 1.8;
/** Thick slices beside the midline, whose place is known to half of one. */
const sagittalTrust = 0.75;

export const assessCentralCanal: Assess = (spine) => assessmentOf(spine.segments.flatMap((segment) => assessLevel(spine, segment)));

function assessLevel(spine: Spine, segment: Segment): (Finding | NotAssessed)[] {
  const level = axialLevel(spine, segment);
  const sagittal = sagittalCanal(spine, segment);
  const axial = isRefusal(level) ? level : fromAxial(spine, segment, level, isRefusal(sagittal) ? undefined : sagittal);
  if (!isRefusal(axial)) return [axial];
  const midline = isRefusal(sagittal) ? sagittal : fromSagittal(spine, segment, sagittal);
  const refused = notAssessed(kind, axial.code, `${axial.got}: no area of the sac`, { level: segment.name });
  return isRefusal(midline) ? [refused] : [midline, refused];
}

function fromAxial(spine: Spine, segment: Segment, level: AxialLevel, sagittal: SagittalCanal | undefined): Finding | Refusal {
  const { views, tiltFactor, stack, confidence } = level;
  const narrowing = narrowingBetween(level, sagittal);
  const areaMm2 = tiltFactor * narrowing.sac * weighted(views, ({ sac }) => sac.areaMm2)!;
  const sacApMm = tiltFactor * narrowing.sac * weighted(views, ({ sac, middle }) => depthMm(sac, middle))!;
  const transverseMm = weighted(views, ({ sac }) => longestRowMm(sac))!;
  const canalApMm = tiltFactor * narrowing.canal * weighted(views, ({ section, middle }) => canalDepthMm(section, segment, middle))!;
  const csf = csfShare(spine, segment, level);
  if (csf !== undefined && csf.share < grainy && areaMm2 >= roomyMm2) {
    return { code: 'ANALYSIS_INFO_UNSURE', got: `a dural sac outlined over ${areaMm2.toFixed(0)} mm² with CSF in ${Math.round(100 * csf.share)} % of it, as where a herniation fills the canal` };
  }
  const measures: Measure[] = [
    { name: 'sacArea', value: areaMm2, unit: 'mm2' },
    { name: 'sacAp', value: sacApMm, unit: 'mm' },
    { name: 'sacTransverse', value: transverseMm, unit: 'mm' },
    { name: 'canalAp', value: canalApMm, unit: 'mm' },
    ...(csf === undefined ? [] : [{ name: 'csfShare', value: csf.share, unit: '1' } as const]),
  ];
  const area = graded('centralCanal', areaMm2);
  return {
    kind, level: segment.name, measures,
    grades: isLumbar(segment) ? [area, graded('canalDiameter', canalApMm), ...(csf === undefined ? [] : [schizasOf(csf)])] : [],
    signs: isLumbar(segment) && (area.severity === 'moderate' || area.severity === 'severe') ? ['relevant stenosis of the central canal'] : [],
    basis: basisOf(spine, sagittal === undefined ? [stack] : [stack, sagittal.stack]),
    confidence: confidence * segment.confidence,
    drawing: drawingOf(level, areaMm2, sacApMm),
  };
}

/** How much narrower the midline is in the disc's plane than the axial slices have it; 1 where no sagittal slice tells. */
function narrowingBetween({ views }: AxialLevel, sagittal: SagittalCanal | undefined): { readonly sac: number; readonly canal: number } {
  const inPlane = sagittal?.depthsAt(0);
  const inSlices = views.map(({ weight, offsetMm }) => ({ weight, depths: sagittal?.depthsAt(offsetMm) }));
  if (inPlane === undefined || inSlices.some(({ depths }) => depths === undefined)) return { sac: 1, canal: 1 };
  const ratio = (of: 'sacApMm' | 'canalApMm') => Math.max(1 / mostNarrowing, Math.min(mostNarrowing, inPlane[of] / weighted(inSlices, ({ depths }) => depths![of])!));
  return { sac: ratio('sacApMm'), canal: ratio('canalApMm') };
}

function drawingOf({ stack, views: [view] }: AxialLevel, areaMm2: number, sacApMm: number): Drawing {
  const { section, sac, middle, slice } = view!;
  const rows = sac.rowsOf(Math.round(section.columnAt(middle.u)));
  const outline = sac.outlinesMm().sort((a, b) => b.length - a.length)[0];
  return {
    seriesIndex: stack.seriesIndex, sliceIndex: slice, centreMm: section.pointMm(middle.u, middle.v), extentMm: pictureMm,
    outlines: [],
    lines: rows === undefined ? [] : [{ fromMm: section.pointMm(middle.u, section.v(rows[0])), toMm: section.pointMm(middle.u, section.v(rows[1])), text: `${sacApMm.toFixed(1)} mm` }],
    areas: outline === undefined ? [] : [{ pointsMm: outline, text: `${areaMm2.toFixed(0)} mm²` }],
  };
}

/** From front to back through a place. */
function depthMm(mask: Mask, { u }: Place): number {
  const { section } = mask;
  const first = Math.round(section.columnAt(u - besideMm));
  const depths = Array.from({ length: Math.round(section.columnAt(u + besideMm)) - first + 1 }, (_, index) => mask.columnLengthMm(first + index));
  return medianOf(depths);
}

function longestRowMm(mask: Mask): number {
  const rows = mask.rows();
  let longest = 0;
  for (let row = rows?.[0] ?? 0; row <= (rows?.[1] ?? -1); row++) longest = Math.max(longest, mask.rowLengthMm(row));
  return longest;
}

/** From wall to wall through a place, over all that is soft. */
function canalDepthMm(section: Section, segment: Segment, { u, v }: Place): number {
  const canal = section.mask(...canalCodes(segment)).closed(gapMm);
  const row = Math.round(section.rowAt(v));
  const first = Math.round(section.columnAt(u - besideMm));
  return medianOf(Array.from({ length: Math.round(section.columnAt(u + besideMm)) - first + 1 }, (_, index) => lengthOf(canal.runOfColumn(row, first + index)) * section.stepMm));
}

interface Csf {
  /** Of the sac. */
  readonly share: number;
  readonly fatBehindMm2: number;
}

/** Of T2w; undefined on other images. */
function csfShare(spine: Spine, segment: Segment, { stack, views, tiltFactor }: AxialLevel): Csf | undefined {
  const series = seriesOf(spine, stack);
  if (series?.contrast !== 't2w') return undefined;
  const signals: number[] = [];
  for (let slice = 0; slice < nSlicesOf(stack); slice++) {
    const section = sliceSection(stack, slice, segment.frame, 'axial', { u: [-20, 20], v: [-10, 60] }, 1);
    if (distanceMm(section.plane.originMm, segment.frame.originMm) > referenceMm) continue;
    for (const value of section.mask(structureCodes.sac).valuesOf(section.valuesOf(series.volume))) signals.push(value);
  }
  if (signals.length === 0) return undefined;
  signals.sort((a, b) => a - b);
  const at = (share: number) => signals[Math.round(share * (signals.length - 1))]!;
  const threshold = (at(0.05) + at(0.95)) / 2;
  const share = weighted(views, ({ section, sac }) => {
    const values = sac.valuesOf(section.valuesOf(series.volume));
    return values.length === 0 ? undefined : values.filter((value) => value > threshold).length / values.length;
  });
  const fatBehind = weighted(views, ({ section, sac, middle }) => {
    const [row, columns] = [section.rowAt(middle.v), sac.columns()!];
    return section.mask(structureCodes.epiduralFat).where((_pixel, r, c) => r > row && c >= columns[0] && c <= columns[1]).areaMm2;
  });
  return share === undefined || fatBehind === undefined ? undefined : { share, fatBehindMm2: tiltFactor * fatBehind };
}

function schizasOf({ share, fatBehindMm2: fat }: Csf): Grade {
  if (share >= someCsf) return { scale: 'schizas', value: 'A', severity: 'normal' };
  if (share >= grainy) return { scale: 'schizas', value: 'B', severity: 'moderate' };
  return { scale: 'schizas', value: fat >= fatBehindMm2 ? 'C' : 'D', severity: 'severe' };
}

function fromSagittal(spine: Spine, segment: Segment, canal: SagittalCanal): Finding | Refusal {
  const { stack, slice, section, sac, confidence } = canal;
  const depths = canal.depthsAt(0);
  const span = sac.columnsOf(Math.round(section.rowAt(0)));
  if (depths === undefined || span === undefined) return { code: 'ANALYSIS_INFO_UNSURE', got: 'no dural sac found in the midline at this disc' };
  const { sacApMm, canalApMm } = depths;
  return {
    kind, level: segment.name,
    measures: [{ name: 'sacAp', value: sacApMm, unit: 'mm' }, { name: 'canalAp', value: canalApMm, unit: 'mm' }],
    grades: isLumbar(segment) ? [graded('canalDiameter', canalApMm)] : [],
    signs: [],
    basis: basisOf(spine, [stack]),
    confidence: sagittalTrust * confidence * segment.confidence,
    drawing: {
      seriesIndex: stack.seriesIndex, sliceIndex: slice, centreMm: section.pointMm(section.u((span[0] + span[1]) / 2), 0), extentMm: pictureMm,
      outlines: [structureCodes.sac],
      lines: [{ fromMm: section.pointMm(section.u(span[0]), 0), toMm: section.pointMm(section.u(span[1]), 0), text: `${sacApMm.toFixed(1)} mm` }],
      areas: [],
    },
  };
}
