/**
 * The frames of an Enhanced MR Image (PS3.3 A.36), whoever computed them: what all frames share said once, the order of the frames
 * by dimensions.
 *
 *   dimensions: StackID (one a direction of slices), InStackPositionNumber (along the slice direction) and, where there
 *   are several images of a place, TemporalPositionIndex (by time)
 */
import { imagePositionPatient, pixelSpacingMm, voxelSizeMm } from '../../imaging/index.js';
import type { ImageGeometry, PixelWindow } from '../../imaging/index.js';
import { sourceImages } from './derivation.js';
import type { Derivation } from './derivation.js';
import { code, littleEndian, type DicomDataset } from './dicomModules.js';
import { codeString, decimalString, text } from './dicomValues.js';
import { contentUid } from './uids.js';

export const ENHANCED_MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4.1';

export interface FrameImage {
  readonly geometry: ImageGeometry;
  /** As they are stored. */
  readonly pixels: ArrayLike<number>;
  /** What orders images of one place: the first number first. */
  readonly time: readonly number[];
  readonly derivation: Derivation | undefined;
}

export interface MultiFrameImage {
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly frameOfReferenceUid: string;
  /** Patient, study, series, equipment, what was done, what is known of the acquisition. */
  readonly attributes: DicomDataset;
  /** As of a classic object: its pixels and its window are left out. */
  readonly pixelModule: DicomDataset;
  /** The fourth value of ImageType: what the pixels are. */
  readonly mark: string;
  readonly bodyPart: string | undefined;
  /** Of stored values. */
  readonly slope: number;
  readonly window: PixelWindow;
  readonly echoTimeMs: number | undefined;
  /** Of one size and field of view, in any order. */
  readonly frames: readonly FrameImage[];
  readonly softwareVersion: string;
}

export function multiFrameDataset(image: MultiFrameImage): DicomDataset {
  const { sopInstanceUid, slope, window, echoTimeMs } = image;
  const [first] = image.frames;
  if (first === undefined) throw new Error('no frames');
  const frames = inOrder(image.frames);
  const isTemporal = frames.some(({ temporal }) => temporal > 1);
  const hasOneStack = frames.every(({ stack }) => stack === 1);
  const hasOneDerivation = frames.every(({ source }) => source.derivation === first.derivation);
  const organization = contentUid('dimensions', sopInstanceUid);
  const { RealWorldValueMappingSequence, ...pixelModule } = without(image.pixelModule, 'PixelData', '_vrMap', 'WindowCenter', 'WindowWidth');
  // A multi-frame object tells the side of each frame.
  const { Manufacturer, ManufacturerModelName = 'UNKNOWN', DeviceSerialNumber = 'UNKNOWN', ...attributes } = without(image.attributes, 'Laterality');
  const imageType = ['DERIVED', 'PRIMARY', 'STATIC', image.mark];
  return {
    ...attributes,
    SOPClassUID: ENHANCED_MR_IMAGE_STORAGE,
    SOPInstanceUID: sopInstanceUid,
    FrameOfReferenceUID: image.frameOfReferenceUid,
    PositionReferenceIndicator: '',
    // These may not be empty here. What the scanner's software is, nobody tells us; the pixels are ours.
    Manufacturer: Manufacturer === '' || Manufacturer === undefined ? 'UNKNOWN' : Manufacturer,
    ManufacturerModelName,
    DeviceSerialNumber,
    SoftwareVersions: text(`Conus ${image.softwareVersion}`, 64),
    ImageType: imageType,
    ...frameKind,
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    // By whose standard the scanner limits what it emits is nothing that anybody tells.
    ApplicableSafetyStandardAgency: 'UNKNOWN',
    PresentationLUTShape: 'IDENTITY',
    ...evidence(image),
    AcquisitionContextSequence: [],
    ...pixelModule,
    NumberOfFrames: String(frames.length),
    PixelData: littleEndian(frames.flatMap(({ source }) => Array.from(source.pixels))),
    _vrMap: { PixelData: 'OW' },
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organization }],
    DimensionIndexSequence: [
      dimension(organization, 0x00209056, 'Stack'),
      dimension(organization, 0x00209057, 'Position in the stack'),
      ...(isTemporal ? [dimension(organization, 0x00209128, 'Repetition, phase, set, average')] : []),
    ],
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [
          { PixelSpacing: pixelSpacingMm(first.geometry).map(decimalString), SliceThickness: decimalString(voxelSizeMm(first.geometry)[2]) },
        ],
        ...(hasOneStack && orientation(first.geometry)),
        FrameAnatomySequence: [{ AnatomicRegionSequence: [anatomyOf(image.bodyPart)], FrameLaterality: 'U' }],
        MRImageFrameTypeSequence: [{ FrameType: imageType, ...frameKind }],
        PixelValueTransformationSequence: [{ RescaleIntercept: '0', RescaleSlope: decimalString(slope), RescaleType: 'US' }],
        // Of what the transformation gives, not of stored values.
        FrameVOILUTSequence: [{ WindowCenter: decimalString(window.centre * slope), WindowWidth: decimalString(window.width * slope) }],
        RealWorldValueMappingSequence,
        ...(echoTimeMs !== undefined && { MREchoSequence: [{ EffectiveEchoTime: echoTimeMs }] }),
        ...(hasOneDerivation && derivationImage(first)),
      },
    ],
    PerFrameFunctionalGroupsSequence: frames.map((frame) => ({
      FrameContentSequence: [frameContent(frame, isTemporal)],
      PlanePositionSequence: [{ ImagePositionPatient: imagePositionPatient(frame.source.geometry).map(decimalString) }],
      ...(!hasOneStack && orientation(frame.source.geometry)),
      ...(!hasOneDerivation && derivationImage(frame.source)),
    })),
  };
}

interface Frame {
  readonly source: FrameImage;
  /** All counted from 1. */
  readonly stack: number;
  readonly position: number;
  readonly temporal: number;
}

const frameKind = {
  PixelPresentation: 'MONOCHROME',
  VolumetricProperties: 'VOLUME',
  VolumeBasedCalculationTechnique: 'NONE',
  ComplexImageComponent: 'MAGNITUDE',
  AcquisitionContrast: 'UNKNOWN',
} as const;

/** mm along the slice direction within which two slices are one place, and what directions may differ by. */
const SAME_PLACE_MM = 1e-3;
const SAME_DIRECTION = 1e-5;

function inOrder(sources: readonly FrameImage[]): Frame[] {
  const stacks: ImageGeometry[] = [];
  const stackOf = (geometry: ImageGeometry) => {
    const known = stacks.findIndex((other) => isParallel(other, geometry));
    return known >= 0 ? known + 1 : stacks.push(geometry);
  };
  const placed = sources.map((source) => ({ source, stack: stackOf(source.geometry), alongMm: alongMm(source.geometry), time: source.time }));
  placed.sort((a, b) => a.stack - b.stack || (Math.abs(a.alongMm - b.alongMm) > SAME_PLACE_MM ? a.alongMm - b.alongMm : compare(a.time, b.time)));
  let position = 0;
  let temporal = 0;
  return placed.map(({ source, stack, alongMm }, i) => {
    const before = placed[i - 1];
    const isNewStack = before?.stack !== stack;
    const isNewPlace = before === undefined || isNewStack || alongMm - before.alongMm > SAME_PLACE_MM;
    position = isNewStack ? 1 : isNewPlace ? position + 1 : position;
    temporal = isNewPlace ? 1 : temporal + 1;
    return { source, stack, position, temporal };
  });
}

function isParallel(a: ImageGeometry, b: ImageGeometry): boolean {
  return [0, 1, 2].every((axis) => Math.abs(a.rowDirection[axis]! - b.rowDirection[axis]!) < SAME_DIRECTION && Math.abs(a.columnDirection[axis]! - b.columnDirection[axis]!) < SAME_DIRECTION);
}

function alongMm({ centreMm, sliceDirection }: ImageGeometry): number {
  return centreMm.reduce((sum, coordinate, axis) => sum + coordinate * sliceDirection[axis]!, 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, i) => value - b[i]!).find((difference) => difference !== 0) ?? 0;
}

function frameContent({ stack, position, temporal }: Frame, isTemporal: boolean): DicomDataset {
  return {
    StackID: String(stack),
    InStackPositionNumber: position,
    ...(isTemporal && { TemporalPositionIndex: temporal }),
    DimensionIndexValues: [stack, position, ...(isTemporal ? [temporal] : [])],
  };
}

/** @param pointer to an attribute of the Frame Content functional group */
function dimension(organization: string, pointer: number, label: string): DicomDataset {
  return {
    DimensionOrganizationUID: organization,
    DimensionIndexPointer: pointer,
    FunctionalGroupPointer: 0x00209111,
    DimensionDescriptionLabel: label,
  };
}

function orientation({ rowDirection, columnDirection }: ImageGeometry): DicomDataset {
  return { PlaneOrientationSequence: [{ ImageOrientationPatient: [...rowDirection, ...columnDirection].map(decimalString) }] };
}

/** SNOMED CT codes of PS3.16, CID 4031; without a known region it is some part of a body. */
const anatomies: Readonly<Record<string, readonly [string, string]>> = {
  SPINE: ['421060004', 'Vertebral column'],
  CSPINE: ['122494005', 'Cervical spine'],
  TSPINE: ['122495006', 'Thoracic spine'],
  LSPINE: ['122496007', 'Lumbar spine'],
  SSPINE: ['54735007', 'Sacrum'],
};

function anatomyOf(bodyPart: string | undefined): DicomDataset {
  const [value, meaning] = anatomies[codeString(bodyPart)] ?? ['123037004', 'Body structure'];
  return code(value, 'SCT', meaning);
}

/** The images that others are made from, by study and series, as PS3.3 10.3.1 wants them beside the frames. */
function evidence({ frames, studyInstanceUid }: MultiFrameImage): DicomDataset {
  const bySeries = new Map<string, Map<string, DicomDataset>>();
  for (const { sopClassUid, sopInstanceUid, seriesInstanceUid } of frames.flatMap(({ derivation }) => derivation?.sources ?? [])) {
    const instances = bySeries.get(seriesInstanceUid) ?? new Map<string, DicomDataset>();
    bySeries.set(seriesInstanceUid, instances);
    instances.set(sopInstanceUid, { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid });
  }
  if (bySeries.size === 0) return {};
  return {
    SourceImageEvidenceSequence: [
      {
        StudyInstanceUID: studyInstanceUid,
        ReferencedSeriesSequence: [...bySeries].map(([SeriesInstanceUID, instances]) => ({ SeriesInstanceUID, ReferencedSOPSequence: [...instances.values()] })),
      },
    ],
  };
}

/**
 * What is known of the acquisition, for those who search by it: with the attributes of the classic object, beside the
 * functional groups, because those of timing, geometry and modifiers want what nobody tells us.
 */
export function searchableOf(all: DicomDataset): DicomDataset {
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => searchable.has(name) && value !== ''));
}

const searchable: ReadonlySet<string> = new Set([
  'RepetitionTime', 'EchoTrainLength', 'InversionTime', 'FlipAngle', 'MagneticFieldStrength', 'ImagingFrequency', 'ParallelAcquisition',
  'ParallelReductionFactorInPlane', 'ParallelReductionFactorOutOfPlane', 'ParallelAcquisitionTechnique', 'PartialFourier',
]);

function derivationImage({ derivation }: FrameImage): DicomDataset {
  if (derivation === undefined || derivation.sources.length === 0) return {};
  return {
    DerivationImageSequence: [
      {
        DerivationDescription: text(derivation.description, 1024),
        // The standard has no code for what a network did.
        DerivationCodeSequence: [code(derivation.imageTypeMark, '99CONUS', derivation.imageTypeMark.toLowerCase())],
        ...sourceImages(derivation.sources),
      },
    ],
  };
}

function without(dataset: DicomDataset, ...keywords: readonly string[]): DicomDataset {
  return Object.fromEntries(Object.entries(dataset).filter(([keyword]) => !keywords.includes(keyword)));
}
