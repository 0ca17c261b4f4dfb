/**
 * Labels as a DICOM Segmentation (PS3.3, A.51): binary, one bit a pixel, a segment a structure, on the grid of the images
 * that they were found on, so that every viewer lays them over these very pixels.
 *
 *   code of a pixel of the image = the most frequent of the labels at n x n places in it;  n = 2 ceil(pixel / label pixel)
 *
 * A tie goes to the code at its middle, else to the lower one. Places are looked up in the patient, so that neither grid
 * needs to be parallel to anything; where the rows of the labels have background only, none is looked up. Frames: by segment,
 * then along the stack; each names the slice that it lies on. Frames without a pixel are kept, unless asked: readers there are
 * that take a segment for a stack without gaps.
 */
import type { LabelledStack } from '../../../analysis/index.js';
import { voxelOf, type Vector3 } from '../../../imaging/index.js';
import { code, contentUid, decimalString, text, type DicomDataset } from '../../delivery/index.js';
import type { PlacedFrame, Stack } from '../../dicom/index.js';
import { codedStructure, sides, type CodedStructure } from './codes.js';
import { artificialIntelligence, bySeries, commonModules, isSynthetic, referencedSlices, referenceItem, type ObjectSetting, type ReferencedObject } from './sources.js';

export const SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.4';

export interface SegmentationInput {
  readonly stack: LabelledStack;
  /** The images of its series. */
  readonly source: Stack;
  /** Vertebrae and segments of the spine. */
  readonly levels: readonly string[];
  /** The labels' own series: words and number. */
  readonly seriesDescription: string;
  readonly seriesNumber: number;
  readonly isSynthetic: boolean;
  /** The network that drew them. */
  readonly algorithm: { readonly name: string; readonly version: string };
  readonly dropsEmptyFrames?: boolean;
}

export interface Segmentation {
  readonly dataset: DicomDataset;
  readonly reference: ReferencedObject;
  /** Number of the segment of each code. */
  readonly segmentOf: ReadonlyMap<number, number>;
}

/** Nothing where the stack has no structure on these images. */
export function segmentation(input: SegmentationInput, setting: ObjectSetting): Segmentation | undefined {
  const { stack, source, levels, algorithm } = input;
  const slices = source.slices.map((slice) => codesOnImage(stack, slice));
  const codes = codesIn(slices);
  if (codes.length === 0) return undefined;
  const [first] = source.slices;
  const { rows, columns } = first!.image.facts;
  const frames = codes.flatMap((label, segment) =>
    slices.flatMap((slice, place) => (input.dropsEmptyFrames === true && !slice.includes(label) ? [] : [{ label, segment: segment + 1, place }])));
  const references = referencedSlices(source);
  const common = commonModules(source, setting, {
    // Of its first slice: several stacks may be one series.
    name: `segmentation of ${references[0]!.sopInstanceUid} ${references[0]!.frameNumber ?? 1}`, modality: 'SEG', sopClassUid: SEGMENTATION_STORAGE,
    seriesNumber: input.seriesNumber, description: `Spine structures: ${input.seriesDescription}`, isSynthetic: input.isSynthetic || isSynthetic(source),
  });
  const organization = contentUid('dimensions', common.SOPInstanceUID);
  const dataset: DicomDataset = {
    ...common,
    FrameOfReferenceUID: first!.image.facts.frameOfReferenceUid ?? contentUid('frame of reference', common.StudyInstanceUID, first!.image.identity.seriesInstanceUid),
    PositionReferenceIndicator: '',
    ImageType: ['DERIVED', 'PRIMARY'],
    ContentLabel: 'SPINE',
    ContentDescription: text(`Structures of the spine by ${algorithm.name} ${algorithm.version}, research software, to be checked`, 64),
    ContentCreatorName: '',
    ContentQualification: 'RESEARCH',
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    SegmentationType: 'BINARY',
    SegmentSequence: codes.map((label, index) => segmentItem(codedStructure(label, levels), index + 1, algorithm, setting.key)),
    ReferencedSeriesSequence: bySeries(references, 'ReferencedInstanceSequence'),
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organization }],
    DimensionIndexSequence: [
      dimension(organization, 0x0062000b, 0x0062000a, 'Segment'),
      dimension(organization, 0x00200032, 0x00209113, 'Position'),
    ],
    SharedFunctionalGroupsSequence: [{
      PlaneOrientationSequence: [{ ImageOrientationPatient: [...first!.plane.rowDirection, ...first!.plane.columnDirection].map(decimalString) }],
      PixelMeasuresSequence: [pixelMeasures(source)],
    }],
    PerFrameFunctionalGroupsSequence: frames.map(({ segment, place }) => ({
      FrameContentSequence: [{ DimensionIndexValues: [segment, place + 1] }],
      PlanePositionSequence: [{ ImagePositionPatient: source.slices[place]!.plane.firstMm.map(decimalString) }],
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment }],
      DerivationImageSequence: [{
        DerivationCodeSequence: [code('113076', 'DCM', 'Segmentation')],
        SourceImageSequence: [{
          ...referenceItem(references[place]!),
          SpatialLocationsPreserved: 'YES',
          PurposeOfReferenceCodeSequence: [code('121322', 'DCM', 'Source image for image processing operation')],
        }],
      }],
    })),
    NumberOfFrames: String(frames.length),
    PixelData: packed(frames, slices, rows * columns),
    _vrMap: { PixelData: 'OB' },
  };
  return {
    dataset,
    reference: { sopClassUid: SEGMENTATION_STORAGE, sopInstanceUid: common.SOPInstanceUID, seriesInstanceUid: common.SeriesInstanceUID },
    segmentOf: new Map(codes.map((label, index) => [label, index + 1])),
  };
}

/** Series on one grid share their labels, and their images lie in the same places. */
const codesAtPlaces = new WeakMap<LabelledStack['codes'], Map<string, Uint16Array>>();

/** [row, column] of one image. */
export function codesOnImage({ codes }: LabelledStack, { plane, image: { facts: { rows, columns } } }: PlacedFrame): Uint16Array {
  const known = codesAtPlaces.get(codes) ?? new Map<string, Uint16Array>();
  codesAtPlaces.set(codes, known);
  const place = JSON.stringify([plane, rows, columns]);
  const found = known.get(place) ?? codesAt(codes, plane, rows, columns);
  known.set(place, found);
  return found;
}

function codesAt({ geometry, data }: LabelledStack['codes'], plane: PlacedFrame['plane'], rows: number, columns: number): Uint16Array {
  const [betweenRows, betweenColumns] = plane.pixelSpacingMm;
  const pointAt = (column: number, row: number) => plane.firstMm.map(
    (value, axis) => value + plane.rowDirection[axis]! * betweenColumns * column + plane.columnDirection[axis]! * betweenRows * row) as unknown as Vector3;
  const at = (column: number, row: number) => voxelOf(geometry, pointAt(column, row));
  // The map between two regular grids is linear: three points tell all of it.
  const origin = at(0, 0);
  const [[cu, ru, su], [cv, rv, sv]] = [at(1, 0), at(0, 1)].map((voxel) => voxel.map((value, axis) => value - origin[axis]!)) as [[number, number, number], [number, number, number]];
  const [nColumns, nRows, nSlices] = geometry.matrixSize;
  const n = placesAcross([cu, ru, su], [cv, rv, sv]);
  const offsets = Float64Array.from({ length: n }, (_, i) => (i + 0.5) / n - 0.5);
  // What a place along the row adds is the same in every row: origin + column · step of each axis.
  const along = (axis: 0 | 1 | 2, step: number) => Float64Array.from({ length: columns * n }, (_, at) => origin[axis] + (Math.floor(at / n) + offsets[at % n]!) * step);
  const [acrossC, acrossR, acrossS] = [along(0, cu), along(1, ru), along(2, su)];
  const labelAt = (c: number, r: number, s: number): number =>
    c < 0 || r < 0 || s < 0 || c >= nColumns || r >= nRows || s >= nSlices ? 0 : data[(s * nRows + r) * nColumns + c]!;
  /** Of the labels that rows of the image lie on, the first and the last along an axis: linear, so that the ends tell. */
  const span = (across: Float64Array, step: number, firstRow: number, lastRow: number): [first: number, last: number] => {
    const [begin, end] = [(firstRow + offsets[0]!) * step, (lastRow + offsets[n - 1]!) * step];
    const [left, right] = [across[0]!, across[across.length - 1]!];
    return [Math.round(Math.min(left, right) + Math.min(begin, end)), Math.round(Math.max(left, right) + Math.max(begin, end))];
  };
  const found = new Uint16Array(rows * columns);
  const votes = new Uint16Array(n * n);
  const extents = rowExtents(data, [nColumns, nRows, nSlices], span(acrossS, sv, 0, rows - 1));
  for (let row = 0; row < rows; row++) {
    const [first, end] = union(extents, span(acrossR, rv, row, row));
    if (first >= end) continue;
    const [above, below] = [(row + offsets[0]!) * cv, (row + offsets[n - 1]!) * cv];
    const [least, most] = [Math.min(above, below), Math.max(above, below)];
    for (let column = 0, pixel = row * columns; column < columns; column++, pixel++) {
      const [left, right] = [acrossC[column * n]!, acrossC[column * n + n - 1]!];
      if (Math.round(Math.max(left, right) + most) < first || Math.round(Math.min(left, right) + least) >= end) continue;
      let count = 0;
      let isMixed = false;
      for (let down = 0; down < n; down++) {
        const place = row + offsets[down]!;
        const [downC, downR, downS] = [place * cv, place * rv, place * sv];
        for (let at = column * n; at < (column + 1) * n; at++) {
          const label = labelAt(Math.round(acrossC[at]! + downC), Math.round(acrossR[at]! + downR), Math.round(acrossS[at]! + downS));
          votes[count++] = label;
          isMixed ||= label !== votes[0];
        }
      }
      found[pixel] = isMixed
        ? winner(votes, labelAt(Math.round(origin[0] + column * cu + row * cv), Math.round(origin[1] + column * ru + row * rv), Math.round(origin[2] + column * su + row * sv)))
        : votes[0]!;
    }
  }
  return found;
}

interface Extents {
  /** The first column of each row that is no background, and the one behind the last. */
  readonly first: Int32Array;
  readonly end: Int32Array;
}

/** Over all the slices from the first to the last that are there. */
function rowExtents(labels: Uint16Array, [columns, rows, slices]: readonly [number, number, number], [firstSlice, lastSlice]: readonly [number, number]): Extents {
  const [first, end] = [new Int32Array(rows).fill(columns), new Int32Array(rows)];
  for (let slice = Math.max(0, firstSlice); slice <= Math.min(slices - 1, lastSlice); slice++) {
    for (let row = 0, line = slice * rows * columns; row < rows; row++, line += columns) {
      let [left, right] = [0, columns];
      while (left < first[row]! && labels[line + left] === 0) left++;
      while (right > end[row]! && labels[line + right - 1] === 0) right--;
      [first[row], end[row]] = [left, right];
    }
  }
  return { first, end };
}

/** Of the rows from the first to the last that are there. */
function union({ first, end }: Extents, [firstRow, lastRow]: readonly [number, number]): [first: number, end: number] {
  let [left, right] = [Infinity, 0];
  for (let row = Math.max(0, firstRow); row <= Math.min(first.length - 1, lastRow); row++) {
    left = Math.min(left, first[row]!);
    right = Math.max(right, end[row]!);
  }
  return [left, right];
}

const mostPlacesAcross = 8;

function placesAcross(alongColumn: readonly number[], alongRow: readonly number[]): number {
  const labelsAPixel = Math.max(Math.hypot(...alongColumn), Math.hypot(...alongRow));
  return labelsAPixel <= 1.01 ? 1 : Math.min(mostPlacesAcross, 2 * Math.ceil(labelsAPixel - 0.01));
}

function winner(votes: Uint16Array, middle: number): number {
  let [best, most] = [0, 0];
  for (const label of votes) {
    let count = 0;
    for (const other of votes) if (other === label) count++;
    if (count > most || (count === most && best !== middle && (label === middle || label < best))) [best, most] = [label, count];
  }
  return best;
}

/** Other than background, in their order. */
function codesIn(slices: readonly Uint16Array[]): number[] {
  const isThere = new Uint8Array(1 << 16);
  for (const slice of slices) for (let pixel = 0; pixel < slice.length; pixel++) isThere[slice[pixel]!] = 1;
  return [...isThere.keys()].filter((code) => code > 0 && isThere[code] === 1);
}

/** All frames one after the other, the first pixel in the lowest bit, no gap between frames (PS3.5, 8.1.1). */
function packed(frames: readonly { readonly place: number; readonly label: number }[], slices: readonly Uint16Array[], nPixels: number): ArrayBuffer {
  const nBytes = Math.ceil((frames.length * nPixels) / 8);
  const bytes = new Uint8Array(nBytes + (nBytes % 2));
  slices.forEach((slice, place) => {
    const frameOf = new Int32Array(1 << 16).fill(-1);
    frames.forEach((frame, index) => {
      if (frame.place === place) frameOf[frame.label] = index;
    });
    for (let pixel = 0; pixel < nPixels; pixel++) {
      const frame = frameOf[slice[pixel]!]!;
      if (frame < 0) continue;
      const bit = frame * nPixels + pixel;
      bytes[bit >> 3]! |= 1 << (bit & 7);
    }
  });
  return bytes.buffer;
}

function segmentItem({ label, category, type, region, side, colour }: CodedStructure, number: number, { name, version }: SegmentationInput['algorithm'], key: string): DicomDataset {
  return {
    SegmentNumber: number,
    SegmentLabel: text(label, 64),
    SegmentAlgorithmType: 'AUTOMATIC',
    SegmentAlgorithmName: text(`${name} ${version}`, 64),
    SegmentationAlgorithmIdentificationSequence: [{ AlgorithmFamilyCodeSequence: [artificialIntelligence], AlgorithmName: text(name, 64), AlgorithmVersion: text(version, 64) }],
    SegmentedPropertyCategoryCodeSequence: [category],
    SegmentedPropertyTypeCodeSequence: [type],
    AnatomicRegionSequence: [{ ...region, ...(side !== undefined && { AnatomicRegionModifierSequence: [sides[side]] }) }],
    RecommendedDisplayCIELabValue: cieLab(colour),
    TrackingID: text(label, 64),
    TrackingUID: contentUid('tracking', key, label),
  };
}

function pixelMeasures({ slices, geometry }: Stack): DicomDataset {
  const { plane } = slices[0]!;
  const betweenSlices = geometry === undefined ? undefined : geometry.fovMm[2] / geometry.matrixSize[2];
  return {
    PixelSpacing: plane.pixelSpacingMm.map(decimalString),
    SliceThickness: decimalString(plane.thicknessMm ?? betweenSlices ?? 1),
    ...(betweenSlices !== undefined && { SpacingBetweenSlices: decimalString(betweenSlices) }),
  };
}

function dimension(organization: string, pointer: number, group: number, label: string): DicomDataset {
  return { DimensionOrganizationUID: organization, DimensionIndexPointer: pointer, FunctionalGroupPointer: group, DimensionDescriptionLabel: label };
}

/** As DICOM stores it (PS3.3, C.10.7.1.1): L* of 0 to 100, a* and b* of -128 to 127, each over 0 to 65535; sRGB, D65 white. */
function cieLab(colour: readonly [number, number, number]): number[] {
  const [r, g, b] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const [x, y, z] = [
    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b, (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
  ].map((value) => (value > 216 / 24389 ? Math.cbrt(value) : (24389 / 27 * value + 16) / 116)) as [number, number, number];
  return [(116 * y - 16) / 100, (500 * (x - y) + 128) / 255, (200 * (y - z) + 128) / 255].map((share) => Math.round(65535 * Math.min(1, Math.max(0, share))));
}
