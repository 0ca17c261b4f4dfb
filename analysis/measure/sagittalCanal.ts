/**
 * The canal in the midline, from a sagittal stack: how deep sac and canal are at a height d above the disc's plane, each the
 * median of the rows within `besideMm`, interpolated between the slices on either side of the midline. Along the canal
 * a sagittal stack is as fine as its pixels, where axial slices are millimetres apart.
 */
import { medianOf } from '../../imaging/index.js';
import type { Contrast, LabelledStack, Segment, Spine } from '../types.js';
import { behindMm, canalCodes, sacOf, weighted, type Refusal } from './axialLevel.js';
import { leastConfidence, stacksOf } from './finding.js';
import { lengthOf, type Mask } from './mask.js';
import { outOfFrame, reaches, slicesBeside, sliceSection, type Section } from './section.js';

export interface SagittalCanal {
  readonly stack: LabelledStack;
  /** The slice that counts most, along the disc's frame. */
  readonly slice: number;
  readonly section: Section;
  readonly sac: Mask;
  /** Of the sac. */
  readonly confidence: number;
  /** At a height above the disc's plane; undefined where no sac is there. */
  readonly depthsAt: (offsetMm: number) => { readonly sacApMm: number; readonly canalApMm: number } | undefined;
}

const contrasts: readonly Contrast[] = ['t2w', 'stir', 't2fs', 'pdw', 't1w', 'pdfs', 't1fs'];
const besideMm = 0.5;
/** What of the canal is no wider than this is a gap in the labels. */
export const gapMm = 0.5;
const reachMm = 14;

export function sagittalCanal(spine: Spine, segment: Segment): SagittalCanal | Refusal {
  const { frame, halfDepthMm } = segment;
  const behind = halfDepthMm + behindMm;
  const canalMm = outOfFrame(frame, [0, behind, 0]);
  const stack = stacksOf(spine, 'sagittal', contrasts).find((candidate) => reaches(candidate, canalMm));
  if (stack === undefined) return { code: 'ANALYSIS_INFO_NO_SERIES', got: 'no sagittal MR series through the canal' };
  const views = slicesBeside(stack, canalMm).map(({ slice, weight }) => {
    const section = sliceSection(stack, slice, frame, 'sagittal', { u: [halfDepthMm - 14, halfDepthMm + 34], v: [-reachMm, reachMm] });
    const canal = section.mask(...canalCodes(segment)).closed(gapMm);
    return { slice, weight, section, canal, sac: sacOf(section, { u: behind, v: 0 }) };
  }).filter(({ sac }) => !sac.isEmpty);
  const main = views[0];
  if (main === undefined) return { code: 'ANALYSIS_INFO_UNSURE', got: 'no dural sac found in the sagittal slices beside the midline' };
  const confidence = weighted(views, ({ sac }) => sac.confidence)!;
  if (confidence < leastConfidence) return { code: 'ANALYSIS_INFO_UNSURE', got: `a dural sac with a mean confidence of ${confidence.toFixed(2)}` };
  return {
    stack, slice: main.slice, section: main.section, sac: main.sac, confidence,
    depthsAt: (offsetMm) => {
      const sacApMm = weighted(views, ({ sac }) => medianOf(rowsAt(sac, offsetMm).map((row) => sac.rowLengthMm(row))));
      const canalApMm = weighted(views, ({ sac, canal }) => medianOf(rowsAt(sac, offsetMm).map((row) => {
        const span = sac.columnsOf(row)!;
        return lengthOf(canal.runOfRow(row, Math.round((span[0] + span[1]) / 2))) * canal.section.stepMm;
      })));
      return sacApMm === undefined || canalApMm === undefined ? undefined : { sacApMm, canalApMm };
    },
  };
}

/** Those with sac; rows count to the feet. */
function rowsAt(sac: Mask, offsetMm: number): number[] {
  const [first, last] = [-offsetMm - besideMm, -offsetMm + besideMm].map((v) => Math.round(sac.section.rowAt(v))) as [number, number];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index).filter((row) => sac.columnsOf(row) !== undefined);
}

