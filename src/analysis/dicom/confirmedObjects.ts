/**
 * What a confirmed report leaves in an archive: a Structured Report of its own, which refers to the images and segmentations of
 * the analysis and to the document that it takes the place of, and a new summary page. The structures are those of the kept
 * segmentations.
 */
import { bodyCode, summaryPage, type Frame, type LabelledStack, type Report, type Spine, type Vertebra } from '../../../analysis/index.js';
import { pointOf, type Vector3 } from '../../../imaging/index.js';
import { contentDigest, encodeDicom } from '../../delivery/index.js';
import type { SourcedSeries } from '../series.js';
import { FIRST_SERIES_NUMBER, keyOf, levelSegments } from './analysisObjects.js';
import { readSegmentation, type SegmentedSeries } from './readSegmentation.js';
import type { ObjectSetting, ReferencedObject } from './sources.js';
import { structuredReport } from './structuredReport.js';
import { summaryCapture } from './summaryCapture.js';

export interface ConfirmedInput {
  /** As the analysis made it. */
  readonly draft: Report;
  /** As the reader left it. */
  readonly report: Report;
  readonly by: string;
  readonly at: Date;
  /** Of the analysis; each is looked up by the series of the report. */
  readonly series: readonly SourcedSeries[];
  /** Whole files. */
  readonly segmentations: readonly Uint8Array[];
  readonly predecessor?: ReferencedObject;
  readonly softwareVersion: string;
}

/** Whole Part 10 files: the document, and the page where there are outlines to draw. None where no image of the report is at hand. */
export function confirmedObjects({ draft, report, by, at, series, segmentations, predecessor, softwareVersion }: ConfirmedInput): Uint8Array[] {
  const matched = matchedSeries(report, series);
  const sources = matched.map((one) => one?.stack);
  const known = sources.filter((source) => source !== undefined);
  if (known.length === 0) return [];
  const analysisKey = keyOf(draft, known);
  const setting: ObjectSetting = { key: contentDigest('confirmed', analysisKey, keyOf(report, known), by, at.toISOString()), created: at, softwareVersion };
  const segmented = matched.flatMap((one, seriesIndex): SegmentedSeries[] =>
    one?.stack === undefined ? [] : [{ seriesIndex, source: one.stack, geometry: one.series.volume.geometry, orientation: one.series.orientation }]);
  const read = segmentations.flatMap((file) => readSegmentation(file, segmented, report.levels) ?? []);
  const afterDrafts = FIRST_SERIES_NUMBER + report.series.length + 2;
  const document = structuredReport({
    report, sources, segmentations: read.map((one) => levelSegments(one, report.levels)), seriesNumber: afterDrafts,
    confirmed: { by, at, analysisKey, ...(predecessor !== undefined && { predecessor }) },
  }, setting);
  const stacks = read.map(({ stack }) => stack);
  const isWhole = matched.every((one) => one !== undefined);
  const pages = isWhole && stacks.length > 0 ? [summaryCapture(summaryPage(spineOf(report, matched, stacks), report, at), report, known, afterDrafts + 1, setting, at)] : [];
  return [document, ...pages].map((dataset) => encodeDicom(dataset, softwareVersion));
}

/** For every series of the report its images: stacks of one series are in the order of both. */
function matchedSeries({ series: reported }: Report, series: readonly SourcedSeries[]): (SourcedSeries | undefined)[] {
  const left = [...series];
  return reported.map(({ seriesInstanceUid, contrast }) => {
    const place = left.findIndex((one) => one.series.seriesInstanceUid === seriesInstanceUid && one.series.contrast === contrast);
    return place < 0 ? undefined : left.splice(place, 1)[0];
  });
}

/** What a page draws of a spine: images, outlines, and where the names of vertebrae stand. */
function spineOf({ levels, numbering }: Report, matched: readonly (SourcedSeries | undefined)[], stacks: readonly LabelledStack[]): Spine {
  const vertebrae = levels.filter((level) => !level.includes('-')).flatMap((name): Vertebra[] => {
    const originMm = stacks.map((stack) => middleOf(stack, bodyCode(name))).find((middle) => middle !== undefined);
    return originMm === undefined ? [] : [{ name, frame: { ...upright, originMm }, partial: false, confidence: 1 }];
  });
  const segments = levels.filter((level) => level.includes('-')).map((name): Spine['segments'][number] => {
    const [upper, lower] = name.split('-') as [string, string];
    return { name, upper, lower, frame: upright, halfWidthMm: 0, halfDepthMm: 0, confidence: 1 };
  });
  return { series: matched.flatMap((one) => one?.series ?? []), stacks, vertebrae, segments, numbering };
}

/** No page draws along it. */
const upright: Frame = { originMm: [0, 0, 0], x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };

function middleOf({ codes: { geometry, data } }: LabelledStack, code: number): Vector3 | undefined {
  const [columns, rows] = geometry.matrixSize;
  const sum = [0, 0, 0];
  let count = 0;
  for (let voxel = 0; voxel < data.length; voxel++) {
    if (data[voxel] !== code) continue;
    count++;
    sum[0]! += voxel % columns;
    sum[1]! += Math.floor(voxel / columns) % rows;
    sum[2]! += Math.floor(voxel / (columns * rows));
  }
  return count === 0 ? undefined : pointOf(geometry, sum.map((value) => value / count) as unknown as Vector3);
}
