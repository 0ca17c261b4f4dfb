/**
 * What an analysis leaves in an archive: a Segmentation a labelled series, a Structured Report, and the summary page as a
 * Secondary Capture. The same report of the same images gives the same objects, but for the moment of creation; another
 * report gives objects of its own, and never replaces any.
 */
import { levelCodeOf, summaryPage, type Report, type Spine } from '../../../analysis/index.js';
import type { Picture } from '../../../imaging/index.js';
import { contentDigest, encodeDicom } from '../../delivery/index.js';
import type { Stack } from '../../dicom/index.js';
import { segmentation, type Segmentation } from './segmentation.js';
import type { ObjectSetting } from './sources.js';
import { structuredReport, type LevelSegments } from './structuredReport.js';
import { summaryCapture } from './summaryCapture.js';

export interface AnalysisObjectsInput {
  readonly spine: Spine;
  readonly report: Report;
  /** The images of each series of the spine, in their order; undefined where they are not DICOM or not at hand. */
  readonly sources: readonly (Stack | undefined)[];
  readonly softwareVersion: string;
  /** The summary page, where it is drawn already. */
  readonly page?: Picture;
  /** Of the objects; now where it is absent. */
  readonly created?: Date;
  /** Leaves out frames of a segmentation in which its segment is not. */
  readonly dropsEmptyFrames?: boolean;
}

/** Behind everything that a scanner makes and behind synthetic series. */
export const FIRST_SERIES_NUMBER = 9500;

/** Whole Part 10 files: segmentations, structured report, summary. None where no series has its images. */
export function analysisObjects({ spine, report, sources, softwareVersion, page, created = new Date(), dropsEmptyFrames = false }: AnalysisObjectsInput): Uint8Array[] {
  const known = sources.filter((source) => source !== undefined);
  if (known.length === 0) return [];
  const setting: ObjectSetting = { key: keyOf(report, known), created, softwareVersion };
  const algorithm = algorithmOf(report);
  const segmentations = spine.stacks.flatMap((stack): Segmentation[] => {
    const source = sources[stack.seriesIndex];
    const series = spine.series[stack.seriesIndex];
    if (source === undefined || series === undefined) return [];
    const made = segmentation({
      stack, source, levels: report.levels, seriesDescription: series.description, seriesNumber: FIRST_SERIES_NUMBER + stack.seriesIndex,
      isSynthetic: series.synthetic, algorithm, dropsEmptyFrames,
    }, setting);
    return made === undefined ? [] : [made];
  });
  const afterSegmentations = FIRST_SERIES_NUMBER + spine.series.length;
  const document = structuredReport({ report, sources, segmentations: segmentations.map((made) => levelSegments(made, report.levels)), seriesNumber: afterSegmentations }, setting);
  const capture = summaryCapture(page ?? summaryPage(spine, report), report, known, afterSegmentations + 1, setting);
  return [...segmentations.map(({ dataset }) => dataset), document, capture].map((dataset) => encodeDicom(dataset, softwareVersion));
}

/** Names the analysis by its images and by all that it says, but not by when it was made. */
export function keyOf(report: Report, sources: readonly Stack[]): string {
  const images = sources.flatMap(({ slices }) => slices.map(({ image }) => image.identity.sopInstanceUid));
  return contentDigest('analysis', ...new Set(images), JSON.stringify({ ...report, created: undefined }));
}

function algorithmOf({ models, software }: Report): { name: string; version: string } {
  const [first] = models;
  return first === undefined ? { name: software.name, version: software.version } : { name: first.id, version: first.version };
}

/** Vertebrae have body and arch, segments disc, foramina and facet joints. */
export function levelSegments({ reference, segmentOf }: Pick<Segmentation, 'reference' | 'segmentOf'>, levels: readonly string[]): LevelSegments {
  return {
    reference,
    segmentsOf: (level) => [...segmentOf].flatMap(([code, number]) => {
      const found = levelCodeOf(code);
      if (found === undefined) return [];
      const isOfVertebra = found.kind === 'body' || found.kind === 'arch';
      const name = isOfVertebra ? found.level : levels.find((other) => other.startsWith(`${found.level}-`));
      return name === level ? [number] : [];
    }),
  };
}
