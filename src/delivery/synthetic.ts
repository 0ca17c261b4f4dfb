/**
 * Series that nobody scanned: volumes that were computed from acquired series, as DICOM objects and as MRD messages.
 * Each of them says so wherever it can be said: SyntheticData YES, DERIVED, a description that starts with SYN, the
 * images that it was computed from, and the networks with their hashes.
 *
 *   stored = round(value * scale),   int16: signals with a sign fit as well as magnitudes
 */
import { percentileWindow, pointOf, volumeOf, voxelSizeMm } from '../../imaging/index.js';
import type { FastSpinEchoSequence, ImageGeometry, PixelWindow, Volume } from '../../imaging/index.js';
import { ImageType, serializeMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { contributingEquipment, derivationKey, qualityText, sourceImages, syntheticMark } from './derivation.js';
import type { Derivation } from './derivation.js';
import { CT_IMAGE_STORAGE } from './ctDataset.js';
import { MR_IMAGE_STORAGE, rescaledPixels, unpairedBodyParts } from './dicomDataset.js';
import { littleEndian, plane } from './dicomModules.js';
import type { DicomDataset } from './dicomModules.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from './dicomFile.js';
import { encodeDicom, encodeDicomSeries } from './dicomObjects.js';
import type { InstanceIdentity } from './dicomObjects.js';
import { codeString, dateAndTime, decimalString, text } from './dicomValues.js';
import { deliveryError } from './errors.js';
import { ENHANCED_MR_IMAGE_STORAGE, multiFrameDataset, searchableOf } from './multiFrame.js';
import { quantise } from './scale.js';
import { contentUid, instanceUid, validUid } from './uids.js';

/** The images themselves; how low and how high each pixel may be; fat fractions; what speaks against the pair. */
export type SyntheticKind = 'image' | 'low' | 'high' | 'fatFraction' | 'pairResidual';

interface KindFacts {
  /** Of ImageType, where the images have M. */
  readonly mark: string;
  /** In the description of the series, behind that of the images. */
  readonly suffix: string;
  /** Stored values a unit. */
  readonly scale: number;
  readonly meaning: string;
}

/** Signals are in units of the equilibrium magnetisation of water, a few at most; fat fractions reach 1, residuals some ten. */
const mrKinds: Readonly<Record<SyntheticKind, KindFacts>> = {
  image: { mark: 'M', suffix: '', scale: 4000, meaning: 'signal per equilibrium magnetisation of water' },
  low: { mark: 'INTERVALLOW', suffix: 'LOW', scale: 4000, meaning: 'lower end of the 90 % interval of the signal' },
  high: { mark: 'INTERVALHIGH', suffix: 'HIGH', scale: 4000, meaning: 'upper end of the 90 % interval of the signal' },
  fatFraction: { mark: 'FATFRACTION', suffix: 'FAT', scale: 1000, meaning: 'fat fraction, estimated' },
  pairResidual: { mark: 'PAIRRESIDUAL', suffix: 'PAIR', scale: 100, meaning: 'what speaks against the pair of acquired images, standard deviations' },
};

/** In Hounsfield units, stored as they are. */
const ctKinds: Readonly<Partial<Record<SyntheticKind, KindFacts>>> = {
  image: { mark: '', suffix: '', scale: 1, meaning: 'estimated CT number, HU' },
  low: { mark: 'INTERVALLOW', suffix: 'LOW', scale: 1, meaning: 'lower end of the 90 % interval of the CT number, HU' },
  high: { mark: 'INTERVALHIGH', suffix: 'HIGH', scale: 1, meaning: 'upper end of the 90 % interval of the CT number, HU' },
};

const factsOf = ({ kind, modality }: Pick<SyntheticSeries, 'kind' | 'modality'>): KindFacts => (modality === 'CT' ? ctKinds[kind] : undefined) ?? mrKinds[kind];

export interface SyntheticSeries {
  readonly kind: SyntheticKind;
  /** CT: Hounsfield units, which nobody measured; their maps of the pair are MR. */
  readonly modality: 'MR' | 'CT';
  /** Of the images of the contrast; the marks of synthetic images and of the kind are added where they are not in it. */
  readonly description: string;
  readonly volume: Volume;
  /** What would have scanned it; maps have none. */
  readonly sequence?: FastSpinEchoSequence & { readonly tiMs?: number; readonly isFatSaturated: boolean };
  readonly fieldStrengthT: number;
  /** With `isSynthetic`. */
  readonly derivation: Derivation;
  /** Of the series among all synthetic ones of its exam, from 1. */
  readonly number: number;
  /** Patient, study, place and equipment, as attributes of one of the sources. Never to be logged. */
  readonly subject: DicomDataset;
  readonly softwareVersion: string;
}

export interface SyntheticObject {
  readonly instance: InstanceIdentity;
  /** A whole Part 10 file. */
  readonly bytes: Uint8Array;
}

/** Their numbers are behind those of everything that a scanner makes. */
const FIRST_SERIES_NUMBER = 9000;

/** As it appears in archives: SYN first, and never so long that a mark is cut off. */
export function syntheticDescription({ description, kind }: Pick<SyntheticSeries, 'description' | 'kind'>): string {
  const { suffix } = mrKinds[kind];
  const name = description.startsWith(syntheticMark) ? description : `${syntheticMark} ${description}`;
  return suffix === '' ? text(name, 64) : `${text(name, 63 - suffix.length)} ${suffix}`;
}

/**
 * One object a slice, or of MR one of all slices where `enhanced` is wanted; the same series gives the same objects, but for the
 * moment of creation.
 * @throws CodedError CONUS_ERR_DERIVED_SOURCE where the derivation does not say that the images are synthetic
 */
export function syntheticDicom(series: SyntheticSeries, created: Date, { enhanced = false }: { readonly enhanced?: boolean | undefined } = {}): SyntheticObject[] {
  if (!series.derivation.isSynthetic) throw deliveryError('CONUS_ERR_DERIVED_SOURCE', 'a synthetic series whose derivation does not say so');
  return enhanced && series.modality === 'MR' ? [multiFrameObject(series, created)] : sliceObjects(series, created);
}

interface SeriesIdentity {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly frameOfReferenceUid: string;
}

/** @param what objects of another class are another series */
function identityOf({ derivation, subject, softwareVersion, kind }: SyntheticSeries, what: 'synthetic series' | 'enhanced synthetic series'): SeriesIdentity {
  const sources = [...new Set(derivation.sources.map(({ seriesInstanceUid }) => seriesInstanceUid))].sort();
  const studyInstanceUid = validUid(textOf(subject, 'StudyInstanceUID')) ?? contentUid('study', ...sources);
  return {
    studyInstanceUid,
    seriesInstanceUid: contentUid(what, studyInstanceUid, softwareVersion, kind, derivationKey(derivation), derivation.description, ...sources),
    frameOfReferenceUid: validUid(textOf(subject, 'FrameOfReferenceUID')) ?? contentUid('frame of reference', studyInstanceUid, ...sources),
  };
}

function sliceObjects(series: SyntheticSeries, created: Date): SyntheticObject[] {
  const { softwareVersion, derivation } = series;
  const { studyInstanceUid, seriesInstanceUid, frameOfReferenceUid } = identityOf(series, 'synthetic series');
  const common = {
    ...commonAttributes(series, created),
    SOPClassUID: sopClassOf(series),
    ImageType: imageTypeOf(series),
    ...sourceImages(derivation.sources),
    ...(series.modality === 'CT' ? hounsfieldAttributes : sequenceAttributes(series)),
    StudyInstanceUID: studyInstanceUid,
    SeriesInstanceUID: seriesInstanceUid,
  };
  const own = slicesOf(series).map((slice, index) => {
    const { geometry } = slice;
    const stored = pixelModule(series, slice);
    const sopInstanceUid = instanceUid(seriesInstanceUid, `slice ${index}`, JSON.stringify(geometry), new Uint8Array(stored['PixelData'] as ArrayBuffer));
    return { SOPInstanceUID: sopInstanceUid, InstanceNumber: String(index + 1), ...plane(geometry, frameOfReferenceUid), ...stored };
  });
  return encodeDicomSeries(common, own, softwareVersion).map((bytes, slice) => ({
    instance: { sopClassUid: sopClassOf(series), studyInstanceUid, seriesInstanceUid, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, sopInstanceUid: own[slice]!.SOPInstanceUID },
    bytes,
  }));
}

function multiFrameObject(series: SyntheticSeries, created: Date): SyntheticObject {
  const { softwareVersion, derivation, subject, sequence, volume } = series;
  const { studyInstanceUid, seriesInstanceUid, frameOfReferenceUid } = identityOf(series, 'enhanced synthetic series');
  const slices = slicesOf(series);
  const [first] = slices;
  const { mark, scale } = factsOf(series);
  const stored = slices.map(({ pixels }) => new Uint8Array(littleEndian(pixels)));
  const sopInstanceUid = instanceUid(seriesInstanceUid, 'frames', JSON.stringify(volume.geometry), ...stored);
  const dataset = multiFrameDataset({
    sopInstanceUid, studyInstanceUid, frameOfReferenceUid,
    attributes: {
      ...commonAttributes(series, created), InstanceNumber: '1', ...searchableOf(sequenceAttributes(series)), ...(sequence?.isFatSaturated === true && { SpectrallySelectedSuppression: 'FAT' }),
      StudyInstanceUID: studyInstanceUid, SeriesInstanceUID: seriesInstanceUid,
    },
    pixelModule: pixelModule(series, first!),
    mark: mark === 'M' ? derivation.imageTypeMark : mark,
    bodyPart: textOf(subject, 'BodyPartExamined'),
    slope: 1 / scale,
    window: first!.window,
    echoTimeMs: sequence?.teMs,
    frames: slices.map(({ geometry, pixels }) => ({ geometry, pixels, time: [], derivation })),
    softwareVersion,
  });
  return {
    instance: { sopClassUid: ENHANCED_MR_IMAGE_STORAGE, studyInstanceUid, seriesInstanceUid, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, sopInstanceUid },
    bytes: encodeDicom(dataset, softwareVersion),
  };
}

function pixelModule(series: SyntheticSeries, { geometry, pixels, window }: StoredSlice): DicomDataset {
  const unit = series.modality === 'CT' ? { code: "[hnsf'U]", meaning: 'Hounsfield unit' } : { code: '1', meaning: 'no units' };
  return rescaledPixels({ rows: geometry.matrixSize[1], columns: geometry.matrixSize[0], pixels, window, slope: 1 / factsOf(series).scale, unit });
}

/** As a client of an MRD connection gets them, one message a slice. */
export function syntheticMrd(series: SyntheticSeries): MrdImage[] {
  const { derivation, kind, sequence, softwareVersion } = series;
  const stage = derivation.stages.filter(({ purpose }) => purpose === 'synthesizing').at(-1);
  return slicesOf(series).map(({ geometry, pixels, window }, slice): MrdImage => {
    const [columns, rows] = geometry.matrixSize;
    return {
      header: {
        version: 1, dataType: 'int16', flags: 0n, measurementUid: 0,
        matrixSize: [columns, rows, 1], fovMm: [geometry.fovMm[0], geometry.fovMm[1], geometry.fovMm[2]], nChannels: 1,
        position: geometry.centreMm, readDir: geometry.rowDirection, phaseDir: geometry.columnDirection, sliceDir: geometry.sliceDirection,
        patientTablePosition: [0, 0, 0],
        average: 0, slice, contrast: 0, phase: 0, repetition: 0, set: 0, acquisitionTimeStamp: 0, physiologyTimeStamp: [0, 0, 0],
        imageType: ImageType.magnitude, imageIndex: slice + 1, imageSeriesIndex: series.number,
        userInt: [0, 0, 0, 0, 0, 0, 0, 0], userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
      },
      attributes: serializeMeta({
        DataRole: 'Image',
        ImageProcessingHistory: ['CONUS', 'Synthesis'],
        ImageComments: commentsOf(series),
        SeriesDescription: syntheticDescription(series),
        SequenceDescriptionAdditional: `CONUS_${syntheticMark}`,
        ImageType: imageTypeOf(series).join('\\'),
        RescaleSlope: 1 / factsOf(series).scale,
        RescaleIntercept: 0,
        WindowCenter: window.centre,
        WindowWidth: window.width,
        ...(sequence !== undefined && { EchoTime: sequence.teMs }),
        ...(sequence?.tiMs !== undefined && { InversionTime: sequence.tiMs }),
        ImageRowDir: geometry.rowDirection,
        ImageColumnDir: geometry.columnDirection,
        ImageSliceDir: geometry.sliceDirection,
        Keep_image_geometry: 1,
        ConusVersion: softwareVersion,
        ConusKind: kind,
        ConusSynthetic: 'true',
        ConusUnit: series.modality === 'CT' ? 'HU' : '1',
        ...(derivation.quality !== undefined && { ConusQuality: derivation.quality.light, ConusQualityReasons: derivation.quality.reasons.join('; ') }),
        ...(stage !== undefined && { ConusModel: stage.modelName, ConusModelVersion: stage.softwareVersion }),
        ...(stage?.modelSha256 !== undefined && { ConusModelSha256: stage.modelSha256 }),
      }),
      data: pixels,
    };
  });
}

interface StoredSlice {
  readonly geometry: ImageGeometry;
  readonly pixels: Int16Array;
  readonly window: PixelWindow;
}

/** Both ways out store the same. */
const storedSlices = new WeakMap<SyntheticSeries, readonly StoredSlice[]>();

/** In the order of the volume, at the scale of the kind, all in one window. */
function slicesOf(series: SyntheticSeries): readonly StoredSlice[] {
  const known = storedSlices.get(series);
  if (known !== undefined) return known;
  const { volume, modality } = series;
  const { geometry, data } = volumeOf(volume.geometry, volume.data);
  const [columns, rows, nSlices] = geometry.matrixSize;
  const nPixels = columns * rows;
  const stored = quantise(data, factsOf(series).scale, 'int16').pixels as Int16Array;
  const window = modality === 'CT' ? boneWindow : percentileWindow(stored);
  const slices = Array.from({ length: nSlices }, (_, slice) => ({
    geometry: sliceGeometry(geometry, slice),
    pixels: stored.slice(slice * nPixels, (slice + 1) * nPixels),
    window,
  }));
  storedSlices.set(series, slices);
  return slices;
}

function sliceGeometry(geometry: ImageGeometry, slice: number): ImageGeometry {
  const [columns, rows] = geometry.matrixSize;
  return {
    ...geometry,
    centreMm: pointOf(geometry, [Math.floor(columns / 2), Math.floor(rows / 2), slice]),
    fovMm: [geometry.fovMm[0], geometry.fovMm[1], voxelSizeMm(geometry)[2]],
    matrixSize: [columns, rows, 1],
  };
}

const sopClassOf = ({ modality }: Pick<SyntheticSeries, 'modality'>): string => (modality === 'CT' ? CT_IMAGE_STORAGE : MR_IMAGE_STORAGE);

/** Of bone, HU. */
export const boneWindow: PixelWindow = { centre: 400, width: 1800 };

/** AXIAL is what the standard calls the cross-sections of a CT, of whichever plane (PS3.3, C.8.2.1.1.1): all that are no localiser. */
const imageTypeOf = (series: Pick<SyntheticSeries, 'kind' | 'modality'>): string[] => {
  const { mark } = factsOf(series);
  return series.modality === 'CT' ? ['DERIVED', 'SECONDARY', 'AXIAL', 'SYNTHETIC', ...(mark === '' ? [] : [mark])] : ['DERIVED', 'PRIMARY', mark, 'SYNTHETIC'];
};

/** What a person must know before anything else. */
function commentsOf(series: SyntheticSeries): string {
  const { kind, modality, derivation, subject, softwareVersion } = series;
  const isOfNobody = textOf(subject, 'SyntheticData') === 'YES';
  return [
    'SYNTHETIC: computed, not measured',
    ...(isOfNobody ? ['from images of a phantom or simulation, not of a patient'] : []),
    ...(derivation.quality === undefined ? [] : [qualityText(derivation.quality)]),
    ...(modality === 'CT' ? ['estimated from MR, no X-ray was measured'] : []),
    ...(kind === 'image' ? [] : [factsOf(series).meaning]),
    `Conus ${softwareVersion}, research software`,
  ].join('; ');
}

/** Of both kinds of object. */
function commonAttributes(series: SyntheticSeries, created: Date): DicomDataset {
  const { derivation, subject } = series;
  const { date, time } = dateAndTime(created);
  const bodyPart = codeString(textOf(subject, 'BodyPartExamined'));
  return {
    ...empty(['PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber', 'ReferringPhysicianName', 'PatientPosition', 'Manufacturer']),
    ...subject,
    SpecificCharacterSet: 'ISO_IR 192',
    SyntheticData: 'YES',
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    ContentDate: textOf(subject, 'StudyDate') ?? date,
    ContentTime: textOf(subject, 'StudyTime') ?? time,
    Modality: series.modality,
    ...(unpairedBodyParts.has(bodyPart) ? {} : { Laterality: '' }),
    SeriesNumber: String(FIRST_SERIES_NUMBER + series.number),
    SeriesDescription: syntheticDescription(series),
    AcquisitionNumber: '1',
    BurnedInAnnotation: 'NO',
    ContentQualification: 'RESEARCH',
    DerivationDescription: text(derivation.description, 1024),
    ImageComments: text(commentsOf(series), 10240),
    ContributingEquipmentSequence: contributingEquipment(derivation.stages, `${date}${time}`),
  };
}

/** Stored values are Hounsfield units; there was no tube. */
const hounsfieldAttributes: DicomDataset = { KVP: '', RescaleIntercept: '0', RescaleSlope: '1', RescaleType: 'HU' };

/** What would have scanned it: it was not, as every other attribute says. */
function sequenceAttributes({ sequence, fieldStrengthT }: SyntheticSeries): DicomDataset {
  const field = { MagneticFieldStrength: decimalString(fieldStrengthT) };
  if (sequence === undefined) {
    return { ...field, ScanningSequence: 'RM', SequenceVariant: 'NONE', ScanOptions: '', MRAcquisitionType: '2D', RepetitionTime: '', EchoTime: '', EchoTrainLength: '' };
  }
  const { trMs, teMs, tiMs, echoTrainLength, isFatSaturated } = sequence;
  return {
    ...field,
    ScanningSequence: tiMs === undefined ? 'SE' : ['SE', 'IR'],
    SequenceVariant: 'SK',
    ScanOptions: isFatSaturated ? 'FS' : '',
    MRAcquisitionType: '2D',
    RepetitionTime: decimalString(trMs),
    EchoTime: decimalString(teMs),
    EchoTrainLength: String(echoTrainLength),
    ...(tiMs !== undefined && { InversionTime: decimalString(tiMs) }),
  };
}

const empty = (keywords: readonly string[]): DicomDataset => Object.fromEntries(keywords.map((keyword) => [keyword, '']));

function textOf(dataset: DicomDataset, keyword: string): string | undefined {
  const value: unknown = Array.isArray(dataset[keyword]) ? (dataset[keyword] as unknown[])[0] : dataset[keyword];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
