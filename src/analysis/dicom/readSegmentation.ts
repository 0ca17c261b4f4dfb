/**
 * A segmentation of ours read back: the labels of its series on the grid of its images, and which segment is which structure.
 * It is what the archive has; the finer labels of the analysis are gone with it.
 */
import { levelCodeOf, structureCodes, type LabelledStack, type Orientation } from '../../../analysis/index.js';
import { volumeOf, type ImageGeometry } from '../../../imaging/index.js';
import { readObject, type Attributes, type Stack } from '../../dicom/index.js';
import { codedStructure } from './codes.js';
import { referencedSlices, type ReferencedObject } from './sources.js';

export interface ReadSegmentation {
  readonly stack: LabelledStack;
  readonly reference: ReferencedObject;
  /** Number of the segment of each code. */
  readonly segmentOf: ReadonlyMap<number, number>;
}

/** A series of the report with its images. */
export interface SegmentedSeries {
  readonly seriesIndex: number;
  readonly source: Stack;
  readonly geometry: ImageGeometry;
  readonly orientation: Orientation;
}

const highestCode = 799;
/** What a network is sure of is not in a segmentation. */
const fullConfidence = 255;

/**
 * @param levels of the report, which the names of segments are made from
 * @returns undefined where it is of none of the series, or not as ours are
 * @throws CodedError DICOM_ERR_*
 */
export function readSegmentation(file: Uint8Array, series: readonly SegmentedSeries[], levels: readonly string[]): ReadSegmentation | undefined {
  const { identity, attributes, pixels } = readObject(file);
  const frames = attributes.items('PerFrameFunctionalGroupsSequence').map(frameOf);
  const found = series.map((one) => ({ ...one, places: placesOf(one.source) })).find(({ places }) => frames[0] !== undefined && places.has(frames[0].image));
  if (found === undefined || pixels === undefined || attributes.text('SegmentationType') !== 'BINARY') return undefined;
  const { seriesIndex, source, geometry, orientation, places } = found;
  const { rows, columns } = source.slices[0]!.image.facts;
  const nPixels = rows * columns;
  const isOnImages = attributes.number('Rows') === rows && attributes.number('Columns') === columns;
  if (!isOnImages || pixels.length * 8 < frames.length * nPixels) return undefined;

  const codeOf = codesByLabel(levels);
  const codes = new Map(attributes.items('SegmentSequence').flatMap((segment): [number, number][] => {
    const label = codeOf.get(segment.text('SegmentLabel') ?? '');
    return label === undefined ? [] : [[segment.whole('SegmentNumber', 1, 65535), label]];
  }));
  const data = new Uint16Array(nPixels * source.slices.length);
  frames.forEach(({ image, segment }, frame) => {
    const [place, label] = [places.get(image), codes.get(segment)];
    if (place === undefined || label === undefined) return;
    for (let pixel = 0; pixel < nPixels; pixel++) {
      const bit = frame * nPixels + pixel;
      if (((pixels[bit >> 3]! >> (bit & 7)) & 1) === 1) data[place * nPixels + pixel] = label;
    }
  });
  return {
    stack: { seriesIndex, orientation, codes: volumeOf(geometry, data), confidence: new Uint8Array(data.length).fill(fullConfidence) },
    reference: { sopClassUid: identity.sopClassUid, sopInstanceUid: identity.sopInstanceUid, seriesInstanceUid: identity.seriesInstanceUid },
    segmentOf: new Map([...codes].map(([number, label]) => [label, number])),
  };
}

function frameOf(group: Attributes): { readonly image: string; readonly segment: number } {
  const [source] = group.items('DerivationImageSequence')[0]?.items('SourceImageSequence') ?? [];
  const [segment] = group.items('SegmentIdentificationSequence');
  return {
    image: imageKey(source?.text('ReferencedSOPInstanceUID') ?? '', source?.number('ReferencedFrameNumber')),
    segment: segment?.number('ReferencedSegmentNumber') ?? 0,
  };
}

const imageKey = (sopInstanceUid: string, frameNumber: number | undefined) => `${sopInstanceUid} ${frameNumber ?? 1}`;

/** Of every slice, by its image. */
const placesOf = (source: Stack) => new Map(referencedSlices(source).map(({ sopInstanceUid, frameNumber }, place) => [imageKey(sopInstanceUid, frameNumber), place]));

function codesByLabel(levels: readonly string[]): ReadonlyMap<string, number> {
  const plain = new Set<number>(Object.values(structureCodes));
  const codes = Array.from({ length: highestCode }, (_, index) => index + 1).filter((label) => plain.has(label) || levelCodeOf(label) !== undefined);
  return new Map(codes.map((label) => [codedStructure(label, levels).label, label]));
}
