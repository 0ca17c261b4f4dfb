/**
 * A series of images as one Enhanced MR Image (PS3.3 A.36): a frame an image, what all frames share said once, the
 * order of the frames by dimensions.
 *
 *   dimensions: StackID (one a direction of slices), InStackPositionNumber (along the slice direction) and, where there
 *   are several images of a place, TemporalPositionIndex (by repetition, phase, set and average)
 *
 * A frame may be called ORIGINAL here only with facts of the pulse sequence that MRD headers do not hold (suppression,
 * steady state, spin labelling ...). None is invented: frames are DERIVED, computed from k-space, and say so in
 * DerivationDescription; the classic object of the same image says ORIGINAL.
 */
import { pixelSpacingMm, imagePositionPatient, voxelSizeMm } from '../../imaging/index.js';
import type { ImageGeometry } from '../../imaging/index.js';
import type { ReconImage } from '../../recon/index.js';
import { contentDateAndTime, describedImage, equipment, imageTypeOf, mrAcquisition, patientAndStudy, pixels, series, sopCommon } from './dicomDataset.js';
import type { ImageSource } from './dicomDataset.js';
import { sourceImages } from './derivation.js';
import { code, littleEndian, type DicomDataset } from './dicomModules.js';
import { codeString, decimalString, text } from './dicomValues.js';
import { ofContrast } from './headerFacts.js';
import { contentUid } from './uids.js';

export const ENHANCED_MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4.1';

/** An image with its geometry, as a frame needs it. */
export type PlacedSource = ImageSource & { readonly geometry: ImageGeometry };

/**
 * @param sources the images of one series and contrast, of one size and field of view, in any order; the first one
 *   gives the object its identity
 */
export function enhancedMrDataset(sources: readonly PlacedSource[]): DicomDataset {
  const [source] = sources;
  if (source === undefined) throw new Error('no frames');
  const { header, identity, delivered } = source;
  const { date, time } = contentDateAndTime(source);
  const frames = inOrder(sources);
  const isTemporal = frames.some(({ temporal }) => temporal > 1);
  const hasOneStack = frames.every(({ stack }) => stack === 1);
  const organization = contentUid('dimensions', identity.sopInstanceUid);
  const { RealWorldValueMappingSequence, ...pixelModule } = without(pixels(source), 'PixelData', '_vrMap', 'WindowCenter', 'WindowWidth');
  const { window, rescaleSlope } = delivered.series;
  const { ManufacturerModelName = 'UNKNOWN', DeviceSerialNumber = 'UNKNOWN', Manufacturer, ...otherEquipment } = equipment(source);
  // A multi-frame object tells the side of each frame.
  const seriesModule = without(series(source), 'Laterality');
  return {
    ...sopCommon(source),
    SOPClassUID: ENHANCED_MR_IMAGE_STORAGE,
    InstanceNumber: String(delivered.image.counters.contrast + 1),
    ...patientAndStudy(source),
    ...seriesModule,
    PatientPosition: codeString(header?.measurementInformation?.patientPosition),
    FrameOfReferenceUID: identity.frameOfReferenceUid,
    PositionReferenceIndicator: '',
    ...otherEquipment,
    // These may not be empty here. What the scanner's software is, MRD does not tell; the pixels are ours.
    Manufacturer: Manufacturer === '' ? 'UNKNOWN' : Manufacturer,
    ManufacturerModelName,
    DeviceSerialNumber,
    SoftwareVersions: text(`Conus ${source.settings.softwareVersion}`, 64),
    ...describedImage(source),
    ImageType: frameTypeOf(source),
    ...frameKind,
    ContentDate: date,
    ContentTime: time,
    AcquisitionNumber: String(delivered.image.counters.repetition + 1),
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    // By whose standard the scanner limits what it emits is nothing that MRD tells.
    ApplicableSafetyStandardAgency: 'UNKNOWN',
    PresentationLUTShape: 'IDENTITY',
    ...acquisition(source),
    ...evidence(sources),
    AcquisitionContextSequence: [],
    ...pixelModule,
    NumberOfFrames: String(frames.length),
    PixelData: littleEndian(frames.flatMap((frame) => Array.from(frame.source.delivered.pixels as Uint16Array))),
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
          { PixelSpacing: pixelSpacingMm(source.geometry).map(decimalString), SliceThickness: decimalString(voxelSizeMm(source.geometry)[2]) },
        ],
        ...(hasOneStack && orientation(source.geometry)),
        FrameAnatomySequence: [{ AnatomicRegionSequence: [anatomyOf(header)], FrameLaterality: 'U' }],
        MRImageFrameTypeSequence: [{ FrameType: frameTypeOf(source), ...frameKind }],
        PixelValueTransformationSequence: [{ RescaleIntercept: '0', RescaleSlope: decimalString(rescaleSlope), RescaleType: 'US' }],
        // Of what the transformation gives, not of stored values.
        FrameVOILUTSequence: [{ WindowCenter: decimalString(window.centre * rescaleSlope), WindowWidth: decimalString(window.width * rescaleSlope) }],
        RealWorldValueMappingSequence,
        ...echo(source),
      },
    ],
    PerFrameFunctionalGroupsSequence: frames.map((frame) => ({
      FrameContentSequence: [frameContent(frame, isTemporal)],
      PlanePositionSequence: [{ ImagePositionPatient: imagePositionPatient(frame.source.geometry).map(decimalString) }],
      ...(!hasOneStack && orientation(frame.source.geometry)),
      ...derivationImage(frame.source),
    })),
  };
}

interface Frame {
  readonly source: PlacedSource;
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

function inOrder(sources: readonly PlacedSource[]): Frame[] {
  const stacks: ImageGeometry[] = [];
  const stackOf = (geometry: ImageGeometry) => {
    const known = stacks.findIndex((other) => isParallel(other, geometry));
    return known >= 0 ? known + 1 : stacks.push(geometry);
  };
  const placed = sources.map((source) => ({ source, stack: stackOf(source.geometry), alongMm: alongMm(source.geometry), time: timeOf(source.delivered.image) }));
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

function timeOf({ counters: { repetition, phase, set, average } }: ReconImage): readonly number[] {
  return [repetition, phase, set, average];
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

/** Four values: DERIVED, PRIMARY, a flavour, and what the pixels are. */
function frameTypeOf(source: ImageSource): string[] {
  const marks = imageTypeOf(source).slice(2);
  const what = source.derivation?.imageTypeMark ?? marks[0]!;
  return ['DERIVED', 'PRIMARY', 'STATIC', what === 'M' ? 'NONE' : what];
}

/** SNOMED CT codes of PS3.16, CID 4031; without a known region it is some part of a body. */
const anatomies: Readonly<Record<string, readonly [string, string]>> = {
  SPINE: ['421060004', 'Vertebral column'],
  CSPINE: ['122494005', 'Cervical spine'],
  TSPINE: ['122495006', 'Thoracic spine'],
  LSPINE: ['122496007', 'Lumbar spine'],
  SSPINE: ['54735007', 'Sacrum'],
};

function anatomyOf(header: ImageSource['header']): DicomDataset {
  const [value, meaning] = anatomies[codeString(header?.studyInformation?.bodyPartExamined)] ?? ['123037004', 'Body structure'];
  return code(value, 'SCT', meaning);
}

/** The images that others are made from, by study and series, as PS3.3 10.3.1 wants them beside the frames. */
function evidence(sources: readonly PlacedSource[]): DicomDataset {
  const bySeries = new Map<string, Map<string, DicomDataset>>();
  for (const { sopClassUid, sopInstanceUid, seriesInstanceUid } of sources.flatMap(({ derivation }) => derivation?.sources ?? [])) {
    const instances = bySeries.get(seriesInstanceUid) ?? new Map<string, DicomDataset>();
    bySeries.set(seriesInstanceUid, instances);
    instances.set(sopInstanceUid, { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid });
  }
  if (bySeries.size === 0) return {};
  return {
    SourceImageEvidenceSequence: [
      {
        StudyInstanceUID: sources[0]!.identity.studyInstanceUid,
        ReferencedSeriesSequence: [...bySeries].map(([SeriesInstanceUID, instances]) => ({ SeriesInstanceUID, ReferencedSOPSequence: [...instances.values()] })),
      },
    ],
  };
}

function echo({ header, delivered: { image } }: ImageSource): DicomDataset {
  const teMs = ofContrast(header?.sequenceParameters?.TE, image);
  return teMs === undefined ? {} : { MREchoSequence: [{ EffectiveEchoTime: teMs }] };
}

/**
 * What the header tells of the acquisition, for those who search by it: with the attributes of the classic object, beside
 * the functional groups, because those of timing, geometry and modifiers want what the header does not tell.
 */
function acquisition(source: ImageSource): DicomDataset {
  const all = mrAcquisition(source);
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => searchable.has(name) && value !== ''));
}

const searchable: ReadonlySet<string> = new Set([
  'RepetitionTime', 'EchoTrainLength', 'InversionTime', 'FlipAngle', 'MagneticFieldStrength', 'ImagingFrequency', 'ParallelAcquisition',
  'ParallelReductionFactorInPlane', 'ParallelReductionFactorOutOfPlane', 'ParallelAcquisitionTechnique', 'PartialFourier',
]);

function derivationImage({ derivation }: ImageSource): DicomDataset {
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
