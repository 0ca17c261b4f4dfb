/**
 * An image made from a DICOM image of anybody: all that the source says of patient, study, acquisition and place stays,
 * the pixels are others, and what was done is said. Classic MR and CT images of one frame.
 *
 *   stored = round((value - RescaleIntercept) / RescaleSlope), in the bits of the source
 */
import dcmjs from 'dcmjs';
import type { DicomElement, DicomElements } from 'dcmjs';
import { CT_IMAGE_STORAGE } from './ctDataset.js';
import { contributingEquipment, derivationKey, qualityText, sourceImages, syntheticMark } from './derivation.js';
import type { Derivation } from './derivation.js';
import { MR_IMAGE_STORAGE } from './dicomDataset.js';
import { littleEndian, type DicomDataset } from './dicomModules.js';
import { EXPLICIT_VR_LITTLE_ENDIAN, fileOf } from './dicomFile.js';
import type { InstanceIdentity } from './dicomObjects.js';
import { dateAndTime, text } from './dicomValues.js';
import { deliveryError } from './errors.js';
import { contentUid, instanceUid } from './uids.js';

export interface DerivedImage {
  /** A whole Part 10 file. */
  readonly source: Uint8Array;
  /** [rows, columns] in the unit of the source after its rescaling (HU for CT); not finite ones become the least. */
  readonly values: Float32Array;
  /** Its sources are filled in. */
  readonly derivation: Omit<Derivation, 'sources'>;
  readonly softwareVersion: string;
  readonly created: Date;
}

/** Groups of overlays and curves, and single attributes, that are of the old pixels or of the old instance. */
const leftGroups = /^(50|60|0400)/;
const left: ReadonlySet<string> = new Set(['00080012', '00080013', '00082112', '00089215', '00280106', '00280107', '00281101', '00281201', '00880200', '0018A001']);

/** @throws CodedError CONUS_ERR_DERIVED_SOURCE, CONUS_ERR_IMAGE_SIZE; what dcmjs throws where the source cannot be read */
export function derivedDicom({ source, values, derivation, softwareVersion, created }: DerivedImage): { instance: InstanceIdentity; bytes: Uint8Array } {
  const { dict } = dcmjs.data.DicomMessage.readFile(source.slice().buffer);
  const is = identityOf(dict);
  const pixels = storedPixels(dict, values);
  const bytes = littleEndian(pixels);
  const seriesInstanceUid = contentUid('derived series', is.seriesInstanceUid, softwareVersion, derivationKey(derivation));
  const instance = {
    sopClassUid: is.sopClassUid,
    studyInstanceUid: is.studyInstanceUid,
    seriesInstanceUid,
    sopInstanceUid: instanceUid(seriesInstanceUid, is.sopInstanceUid, new Uint8Array(bytes)),
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
  };
  const changed = dcmjs.data.DicomMetaDictionary.denaturalizeDataset({
    ...described(dict, derivation, softwareVersion),
    SpecificCharacterSet: 'ISO_IR 192',
    SOPInstanceUID: instance.sopInstanceUid,
    SeriesInstanceUID: seriesInstanceUid,
    // As for our own series: a hundred numbers for each of the scanner.
    SeriesNumber: String(100 * (Number(firstOf(dict, '00200011')) || 0) + 1),
    ...creation(created),
    ...sourceImages([{ sopClassUid: is.sopClassUid, sopInstanceUid: is.sopInstanceUid, seriesInstanceUid: is.seriesInstanceUid }]),
    PixelData: bytes,
    _vrMap: { PixelData: 'OW' },
  });
  const { date, time } = dateAndTime(created);
  const stages = dcmjs.data.DicomMetaDictionary.denaturalizeDataset({ ContributingEquipmentSequence: contributingEquipment(derivation.stages, `${date}${time}`) });
  const contributed = { vr: 'SQ', Value: [...(dict['0018A001']?.Value ?? []), ...(stages['0018A001']?.Value ?? [])] } satisfies DicomElement;
  return { instance, bytes: fileOf({ ...kept(dict), ...changed, '0018A001': contributed }, EXPLICIT_VR_LITTLE_ENDIAN, softwareVersion) };
}

/** Without private attributes, whose meaning for other pixels nobody knows. */
function kept(elements: DicomElements): DicomElements {
  return Object.fromEntries(
    Object.entries(elements).filter(([tag]) => parseInt(tag.slice(3, 4), 16) % 2 === 0 && !leftGroups.test(tag) && !left.has(tag.toUpperCase())),
  );
}

function identityOf(elements: DicomElements) {
  const sopClassUid = firstOf(elements, '00080016');
  const nFrames = firstOf(elements, '00280008') || '1';
  if (![MR_IMAGE_STORAGE, CT_IMAGE_STORAGE].includes(sopClassUid) || nFrames !== '1' || firstOf(elements, '00280002') !== '1') {
    throw deliveryError('CONUS_ERR_DERIVED_SOURCE', `an object of class ${sopClassUid} with ${nFrames} frames`);
  }
  return { sopClassUid, sopInstanceUid: firstOf(elements, '00080018'), seriesInstanceUid: firstOf(elements, '0020000E'), studyInstanceUid: firstOf(elements, '0020000D') };
}

function storedPixels(elements: DicomElements, values: Float32Array): Uint16Array | Int16Array {
  const number = (tag: string, standard: number) => (firstOf(elements, tag) === '' ? standard : Number(firstOf(elements, tag)));
  const [rows, columns, bits] = [number('00280010', 0), number('00280011', 0), number('00280101', 16)];
  if (values.length !== rows * columns) throw deliveryError('CONUS_ERR_IMAGE_SIZE', `${values.length} values for ${rows} rows x ${columns} columns`);
  if (number('00280100', 16) !== 16) throw deliveryError('CONUS_ERR_DERIVED_SOURCE', `pixels of ${number('00280100', 16)} bits`);
  const isSigned = number('00280103', 0) === 1;
  const [least, most] = isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  const [slope, intercept] = [number('00281053', 1), number('00281052', 0)];
  const stored = isSigned ? new Int16Array(values.length) : new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Math.round((values[i]! - intercept) / slope);
    stored[i] = value > least ? Math.min(value, most) : least;
  }
  return stored;
}

function described(elements: DicomElements, derivation: Omit<Derivation, 'sources'>, softwareVersion: string): DicomDataset {
  const imageType = (elements['00080008']?.Value ?? []).map(String);
  const isSynthetic = derivation.isSynthetic || firstOf(elements, '0008001C') === 'YES';
  const before = derivation.isSynthetic ? `${syntheticMark} ` : '';
  const after = derivation.seriesMark === '' ? '' : ` ${derivation.seriesMark}`;
  const comments = [
    ...(derivation.isSynthetic ? ['SYNTHETIC: computed, not measured'] : []),
    ...(derivation.quality === undefined ? [] : [qualityText(derivation.quality)]),
    `Conus ${softwareVersion}, research software`,
  ];
  return {
    ImageType: ['DERIVED', imageType[1] ?? 'PRIMARY', ...(imageType.length > 2 ? imageType.slice(2) : ['OTHER']), derivation.imageTypeMark],
    ...(isSynthetic && { SyntheticData: 'YES' }),
    SeriesDescription: `${before}${text(firstOf(elements, '0008103E'), 64 - before.length - after.length)}${after}`.trim(),
    DerivationDescription: text(derivation.description, 1024),
    ImageComments: text(comments.join('; '), 10240),
    ContentQualification: 'RESEARCH',
  };
}

function creation(created: Date): DicomDataset {
  const { date, time } = dateAndTime(created);
  return { InstanceCreationDate: date, InstanceCreationTime: time };
}

function firstOf(elements: DicomElements, tag: string): string {
  return String(elements[tag]?.Value[0] ?? '').trim();
}
