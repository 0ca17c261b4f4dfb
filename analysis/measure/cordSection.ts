/**
 * The cord across the middle of a vertebra: area, AP and transverse diameter.
 *
 *   axial slice there       pixels × area, turned into the vertebra's axial plane by the cosine between the two; the column through
 *                           the centroid and the longest row
 *   sagittal slices         AP chords c_s of the slices, a step h apart: area = h Σ c_s (Cavalieri; Gundersen and Jensen 1987, doi
 *                           10.1111/j.1365-2818.1987.tb02837.x). With an ellipse of that area about the chords' centroid,
 *                             AP = c_m / sqrt(1 - (δ / a)²),   transverse = 2 a = 4 area / (π AP)
 *                           for the longest chord c_m, δ beside the centroid. A chord is the mean over `bandMm`.
 *
 * Three or four slices meet the cord, so that area and width from sagittal slices are estimates; the finding says so. One slice
 * alone gives the AP diameter.
 */
import { structureCodes } from '../anatomy.js';
import type { Assess, Finding, LabelledStack, NotAssessed, Spine, Vertebra } from '../types.js';
import { drawingOf, preferred } from './bodies.js';
import { assessmentOf, basisOf, leastConfidence, notAssessed, refusalAcross, stacksOf } from './finding.js';
import { dot, moved, nSlicesOf, outOfFrame, reaches, sliceAt, sliceNormal, sliceOffsetMm, sliceSection, sliceStepMm } from './section.js';

export interface CordSection {
  readonly apMm: number;
  /** Absent where one sagittal slice alone shows the cord. */
  readonly areaMm2?: number;
  readonly transverseMm?: number;
  readonly confidence: number;
  /** Where the cord's middle is in the vertebra's axial plane, mm to the left and to the back. */
  readonly middle: { readonly u: number; readonly v: number };
  readonly stack: LabelledStack;
}

const halfWidthMm = 20;
const deepestMm = 55;
const bandMm = 5;
const leastApMm = 2;
/** Less is the end of the cone and roots: healthy cords have 35 mm² and more down to T12. */
const leastAreaMm2 = 20;
/** CT without contrast medium in the sac does not tell cord from fluid and roots; a computed one has the outlines of the MR that it is from. */
const showsCord = preferred.filter((contrast) => contrast !== 'ct');
/** How far from the middle an axial slice may lie. */
const axialReachMm = 6;

export const assessCordSection: Assess = (spine) => {
  const levels = spine.vertebrae.filter(({ name }) => name !== 'S1');
  const sagittal = stacksOf(spine, 'sagittal', showsCord);
  // A sagittal series tells the area across its slices.
  const stacks = [...stacksOf(spine, 'axial', showsCord), ...sagittal.filter((stack) => refusalAcross(spine, stack) === undefined)];
  if (stacks.length === 0) {
    const { code, got } = (sagittal[0] && refusalAcross(spine, sagittal[0])) ?? { code: 'ANALYSIS_INFO_NO_SERIES', got: 'no sagittal or axial series that tells cord from fluid' };
    return assessmentOf([notAssessed('cordSection', code, got)]);
  }
  const sections = levels.map((vertebra) => cordAt(stacks, vertebra));
  // Below its end there is no cord to be measured, and nothing is missing.
  const last = sections.reduce((found, section, index) => (section === undefined ? found : index), -1);
  return assessmentOf(levels.slice(0, last + 1).map((vertebra, index): Finding | NotAssessed => {
    const section = sections[index];
    const place = { level: vertebra.name };
    if (section === undefined) return notAssessed('cordSection', 'ANALYSIS_INFO_NOT_COVERED', `no outline of the cord behind ${vertebra.name}`, place);
    if (section.confidence < leastConfidence) return notAssessed('cordSection', 'ANALYSIS_INFO_UNSURE', `cord outlined with a confidence of ${section.confidence.toFixed(2)}`, place);
    return findingOf(spine, vertebra, section);
  }));
};

/** Axial slices before sagittal ones. */
function cordAt(stacks: readonly LabelledStack[], vertebra: Vertebra): CordSection | undefined {
  for (const stack of stacks) {
    const section = stack.orientation === 'axial' ? axialCord(stack, vertebra) : sagittalCord(stack, vertebra);
    if (section !== undefined) return section.areaMm2 === undefined || section.areaMm2 >= leastAreaMm2 ? section : undefined;
  }
  return undefined;
}

function axialCord(stack: LabelledStack, { frame }: Vertebra): CordSection | undefined {
  const behind = outOfFrame(frame, [0, 25, 0]);
  const slice = Math.max(0, Math.min(nSlicesOf(stack) - 1, Math.round(sliceAt(stack, behind))));
  if (Math.abs(sliceOffsetMm(stack, slice, behind)) > axialReachMm) return undefined;
  const section = sliceSection(stack, slice, frame, 'axial', { u: [-halfWidthMm, halfWidthMm], v: [0, deepestMm] });
  const mask = section.mask(structureCodes.cord).largest().filled();
  const middle = mask.centroid();
  const rows = mask.rows();
  if (middle === undefined || rows === undefined) return undefined;
  const cosine = Math.abs(dot(sliceNormal(stack), frame.z));
  const apMm = mask.columnLengthMm(Math.round(section.columnAt(middle.u)));
  const transverseMm = Math.max(...Array.from({ length: rows[1] - rows[0] + 1 }, (_, row) => mask.rowLengthMm(rows[0] + row)));
  if (apMm < leastApMm) return undefined;
  return { areaMm2: mask.areaMm2 * cosine, apMm: apMm * cosine, transverseMm, middle, confidence: mask.confidence, stack };
}

function sagittalCord(stack: LabelledStack, { frame }: Vertebra): CordSection | undefined {
  if (!reaches(stack, frame.originMm)) return undefined;
  const normal = sliceNormal(stack);
  const across = dot(normal, frame.x);
  const chords = Array.from({ length: nSlicesOf(stack) }, (_, slice) => {
    const offMm = sliceOffsetMm(stack, slice, frame.originMm);
    if (Math.abs(offMm) > halfWidthMm) return undefined;
    const mask = sliceSection(stack, slice, frame, 'sagittal', { u: [0, deepestMm], v: [-bandMm / 2, bandMm / 2] }).mask(structureCodes.cord).largest();
    const middle = mask.centroid();
    return middle === undefined ? undefined : { x: offMm * across, back: middle.u, mm: mask.areaMm2 / (bandMm + mask.section.stepMm), confidence: mask.confidence };
  }).filter((chord) => chord !== undefined && chord.mm >= leastApMm / 2) as { x: number; back: number; mm: number; confidence: number }[];
  const sum = chords.reduce((total, { mm }) => total + mm, 0);
  if (chords.length === 0 || Math.max(...chords.map(({ mm }) => mm)) < leastApMm) return undefined;
  const mean = (of: (chord: (typeof chords)[number]) => number) => chords.reduce((total, chord) => total + chord.mm * of(chord), 0) / sum;
  const areaMm2 = sliceStepMm(stack) * Math.abs(across) * sum;
  const middle = { u: mean(({ x }) => x), v: mean(({ back }) => back) };
  const longest = chords.reduce((best, chord) => (chord.mm > best.mm ? chord : best));
  const confidence = mean((chord) => chord.confidence);
  if (chords.length === 1) return { apMm: longest.mm, middle, confidence, stack };
  let apMm = longest.mm;
  for (let pass = 0; pass < 4; pass++) {
    const half = (2 * areaMm2) / (Math.PI * apMm);
    apMm = longest.mm / Math.sqrt(1 - Math.min(0.5, ((longest.x - middle.u) / half) ** 2));
  }
  return { areaMm2, apMm, transverseMm: (4 * areaMm2) / (Math.PI * apMm), middle, confidence, stack };
}

function findingOf(spine: Spine, { name, frame }: Vertebra, { areaMm2, apMm, transverseMm, confidence, middle, stack }: CordSection): Finding {
  const originMm = outOfFrame(frame, [middle.u, middle.v, 0]);
  const drawing = drawingOf(stack, { originMm }, 60, [structureCodes.cord, structureCodes.sac], [
    [moved(originMm, frame.y, -apMm / 2), moved(originMm, frame.y, apMm / 2), `${apMm.toFixed(1)} mm`],
  ]);
  return {
    kind: 'cordSection', level: name,
    measures: [
      ...(areaMm2 === undefined ? [] : [{ name: 'cordArea', value: areaMm2, unit: 'mm2' } as const]),
      { name: 'cordApDiameter', value: apMm, unit: 'mm' },
      ...(transverseMm === undefined ? [] : [{ name: 'cordTransverseDiameter', value: transverseMm, unit: 'mm' } as const]),
    ],
    grades: [],
    signs: stack.orientation === 'axial' ? [] : [areaMm2 === undefined
      ? 'seen on one sagittal slice: no area and no width'
      : `area and width estimated from sagittal slices ${sliceStepMm(stack).toFixed(1)} mm apart`],
    basis: basisOf(spine, [stack]),
    confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}
