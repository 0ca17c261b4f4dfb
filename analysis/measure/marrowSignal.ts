/**
 * The signal of a vertebra's marrow against tissues beside it, level by level.
 *
 *   ratio_c = exp(m_c(marrow) - m_c(tissue)),     m_c the median of ln S_c free of shading (marrow.ts), c = T1w, T2w
 *
 * | tissue | where it is read |
 * |---|---|
 * | disc   | the discs at the vertebra, more than 2 mm under their outline, in the slices about its middle |
 * | fluid  | the dural sac behind the vertebra, the brighter half of it on T2w: what is not root or cord |
 * | muscle | psoas: what lies beside a lumbar body in the slices that no longer cut it, where it is homogeneous |
 *
 * Marrow that is not brighter than muscle or disc on T1w has been replaced (Carroll 1997, J Magn Reson Imaging 7:394).
 */
import { discCode, structureCodes } from '../anatomy.js';
import type { Assess, Finding, Measure, NotAssessed, Spine, Vertebra } from '../types.js';
import { assessmentOf, leastConfidence, notAssessed } from './finding.js';
import { basisOfMarrow, marrowConfidence, spineMarrow, type BodyMarrow, type MarrowContrast, type SpineMarrow } from './marrow.js';
import { medianOf } from './robustFit.js';
import { Mask } from './mask.js';
import { nSlicesOf, sliceOffsetMm, sliceSection, type Section } from './section.js';

export type Tissue = 'disc' | 'fluid' | 'muscle';
type Medians = Partial<Record<MarrowContrast, number>>;

const centralMm = 7;
const besideMm = { from: 14, to: 40 } as const;
const window = { u: [-32, 56], v: [-36, 36] } as const;
const besideWindow = { u: [-6, 16], v: [-9, 9] } as const;
const stepMm = 0.8;
const discRimMm = 2;
const fluidRimMm = 0.8;
const leastPixels = 40;
/** ln, between the quartiles: more is no one tissue. */
const widestMuscle = 0.5;
const contrasts = ['t1w', 't2w'] as const;

export const assessMarrowSignal: Assess = (spine) => {
  const marrow = spineMarrow(spine);
  if (marrow === undefined) {
    return assessmentOf(spine.vertebrae.map(({ name }) => notAssessed('marrowSignal', 'ANALYSIS_INFO_NO_SERIES', 'no sagittal T1w or T2w series', { level: name })));
  }
  return assessmentOf(spine.vertebrae.map(({ name }): Finding | NotAssessed => {
    const body = marrow.bodies.find(({ vertebra }) => vertebra.name === name);
    if (body === undefined) return notAssessed('marrowSignal', 'ANALYSIS_INFO_NOT_COVERED', `no slice through ${name}`, { level: name });
    const confidence = marrowConfidence(body);
    if (confidence < leastConfidence) return notAssessed('marrowSignal', 'ANALYSIS_INFO_UNSURE', `${name} outlined with a confidence of ${confidence.toFixed(2)}`, { level: name });
    return {
      kind: 'marrowSignal', level: name, measures: ratiosOf(spine, marrow, body), grades: [], signs: [],
      basis: basisOfMarrow(spine, marrow), confidence,
    };
  }));
};

function ratiosOf(spine: Spine, marrow: SpineMarrow, body: BodyMarrow): Measure[] {
  const own = marrowMedians(body);
  return (['disc', 'fluid', 'muscle'] as const).flatMap((tissue) => {
    const other = tissueMedians(spine, marrow, body.vertebra, tissue);
    return contrasts.flatMap((contrast): Measure[] => {
      const ratio = Math.exp(own[contrast]! - other[contrast]!);
      return Number.isFinite(ratio) ? [{ name: `${contrast}MarrowTo${tissue[0]!.toUpperCase()}${tissue.slice(1)}`, value: ratio, unit: '1' }] : [];
    });
  });
}

/** Against the patient's healthy marrow, ln. */
export function marrowMedians({ slices, offset }: BodyMarrow): Medians {
  return Object.fromEntries(contrasts.flatMap((contrast) => {
    const values = slices.flatMap(({ deviation, marrow }) => (deviation[contrast] === undefined ? [] : [...marrow.valuesOf(deviation[contrast])]));
    return values.length === 0 ? [] : [[contrast, medianOf(values) + (offset[contrast] ?? 0)]];
  }));
}

/** Of a tissue beside a vertebra against the patient's healthy marrow, ln; what is not seen is absent. */
export function tissueMedians(spine: Spine, marrow: SpineMarrow, vertebra: Vertebra, tissue: Tissue): Medians {
  const masks = tissue === 'muscle' ? besideBody(marrow, vertebra) : centralSections(marrow, vertebra).map((section) => maskOf(spine, section, vertebra, tissue));
  const medians: Medians = {};
  for (const contrast of contrasts) {
    if (marrow.seriesIndices[contrast] === undefined) continue;
    const values = Float64Array.from(masks.flatMap((mask) => [...mask.valuesOf(marrow.relative(mask.section, contrast))])).sort();
    if (values.length < leastPixels) continue;
    const quantile = (share: number) => values[Math.floor(share * (values.length - 1))]!;
    if (tissue === 'muscle' && quantile(0.75) - quantile(0.25) > widestMuscle) continue;
    // Roots and cord are darker than fluid on T2w and brighter on T1w.
    medians[contrast] = quantile(tissue !== 'fluid' ? 0.5 : contrast === 't2w' ? 0.75 : 0.25);
  }
  return medians;
}

function centralSections({ stack }: SpineMarrow, { frame }: Vertebra): Section[] {
  return slicesAt(stack, frame.originMm).filter(({ offMm }) => Math.abs(offMm) <= centralMm).map(({ slice }) => sliceSection(stack, slice, frame, 'sagittal', window, stepMm));
}

function maskOf({ segments }: Spine, section: Section, { name }: Vertebra, tissue: 'disc' | 'fluid'): Mask {
  if (tissue === 'fluid') return section.mask(structureCodes.sac).shrunk(fluidRimMm);
  const codes = segments.filter(({ upper, lower }) => upper === name || lower === name).map((segment) => discCode(segment.name));
  return section.mask(...codes).shrunk(discRimMm);
}

/** Lumbar bodies have the psoas at their sides; higher ones have lung or ribs there. */
function besideBody({ stack, bodies }: SpineMarrow, { name, frame }: Vertebra): Mask[] {
  if (!/^L/.test(name)) return [];
  const cut = new Set(bodies.find(({ vertebra }) => vertebra.name === name)?.slices.map(({ slice }) => slice));
  return slicesAt(stack, frame.originMm)
    .filter(({ slice, offMm }) => !cut.has(slice) && Math.abs(offMm) >= besideMm.from && Math.abs(offMm) <= besideMm.to)
    .map(({ slice }) => sliceSection(stack, slice, frame, 'sagittal', besideWindow, stepMm))
    .filter((section) => section.codes.every((code) => code === 0))
    .map((section) => new Mask(section, section.inside));
}

function slicesAt(stack: SpineMarrow['stack'], pointMm: Parameters<typeof sliceOffsetMm>[2]): { readonly slice: number; readonly offMm: number }[] {
  return Array.from({ length: nSlicesOf(stack) }, (_, slice) => ({ slice, offMm: sliceOffsetMm(stack, slice, pointMm) }));
}
