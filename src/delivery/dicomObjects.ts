/**
 * Images as DICOM objects in memory: whole files (PS3.10) with the identity under which an archive
 * keeps them. Nothing is written here. The same images, header and settings give the same objects,
 * identifiers included; only the moment of creation (InstanceCreationDate and -Time,
 * ContributionDateTime) is the caller's.
 */
import dcmjs from 'dcmjs';
import type { DicomElements } from 'dcmjs';
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage, ReconNotice } from '../../recon/index.js';
import { derivationKey } from './derivation.js';
import type { Derivation } from './derivation.js';
import { dicomDataset, sopClassOf } from './dicomDataset.js';
import type { DicomDataset } from './dicomModules.js';
import { text } from './dicomValues.js';
import { warning } from './errors.js';
import { instanceNumberOf } from './headerFacts.js';
import { SeriesBook } from './series.js';
import type { DeliveredImage } from './series.js';
import type { DeliverySettings } from './types.js';
import { instanceUid, scanIdentity, seriesUid } from './uids.js';
import type { ScanIdentity } from './uids.js';
import { IMPLEMENTATION_CLASS_UID } from '../version.js';

export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

/** What an archive knows an object by. */
export interface InstanceIdentity {
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly transferSyntaxUid: string;
}

export interface DicomObject {
  readonly instance: InstanceIdentity;
  readonly seriesDescription: string;
  /** Of the series within its scan, as in `DeliveredImage`. */
  readonly seriesIndex: number;
  /** Counted from 1 within the series, in the order in which objects were made. */
  readonly objectIndex: number;
  /** A whole Part 10 file. */
  readonly bytes: Uint8Array;
}

export interface DicomObjectOptions {
  /** When the objects are made; now where it is absent. */
  readonly created?: Date;
  /** What was done to an image beyond its reconstruction. */
  readonly derivationOf?: (image: ReconImage) => Derivation | undefined;
}

/** Makes the objects of one scan, image by image. */
export class DicomObjectMaker {
  readonly #header: MrdHeader | undefined;
  readonly #settings: DeliverySettings;
  readonly #options: DicomObjectOptions;
  readonly #book: SeriesBook;
  readonly #scan: ScanIdentity;
  #nUnplaced = 0;

  constructor(header: MrdHeader | undefined, settings: DeliverySettings, options: DicomObjectOptions = {}) {
    this.#header = header;
    this.#settings = settings;
    this.#options = options;
    this.#book = new SeriesBook(header, isInteger(settings) ? settings : { ...settings, pixelType: 'uint16' });
    this.#scan = scanIdentity(header, settings);
  }

  /** @throws CONUS_ERR_IMAGE_SIZE */
  make(image: ReconImage): DicomObject {
    const delivered = this.#book.place(image);
    const derivation = this.#options.derivationOf?.(image);
    const sopClassUid = sopClassOf(image);
    if (image.geometry === undefined) this.#nUnplaced++;
    const seriesInstanceUid = this.#seriesUid(delivered, derivation, sopClassUid);
    const instance = {
      sopInstanceUid: instanceUid(seriesInstanceUid, placeOf(image), ...contentOf(delivered)),
      sopClassUid,
      seriesInstanceUid,
      studyInstanceUid: this.#scan.studyInstanceUid,
      transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    };
    const dataset = dicomDataset({
      delivered,
      header: this.#header,
      settings: this.#settings,
      derivation,
      identity: { ...instance, frameOfReferenceUid: this.#scan.frameOfReferenceUid },
      instanceNumber: instanceNumberOf(this.#header, image) ?? delivered.imageIndex,
      created: this.#options.created ?? new Date(),
    });
    return {
      instance,
      seriesDescription: delivered.series.description,
      seriesIndex: delivered.series.index,
      objectIndex: delivered.imageIndex,
      bytes: encodeDicom(dataset, this.#settings.softwareVersion),
    };
  }

  /** What is to be said about the images so far. */
  get notices(): readonly ReconNotice[] {
    const notices = [...this.#book.notices];
    if (!isInteger(this.#settings)) notices.push(warning('DICOM_WARN_MAGNITUDE_ONLY', `${this.#settings.pixelType} was asked for`));
    if (this.#nUnplaced > 0) {
      notices.push(warning('DICOM_WARN_NO_GEOMETRY', `${this.#nUnplaced} images without geometry were written as Secondary Capture`));
    }
    return notices;
  }

  /** A DICOM series holds one kind of object; Secondary Capture gets its own. */
  #seriesUid({ image, series }: DeliveredImage, derivation: Derivation | undefined, sopClassUid: string): string {
    const facts = [image.kind, image.method, image.snrUnits, image.rows, image.columns, series.index, series.pixelType];
    return seriesUid(this.#scan, sopClassUid, facts.join(' '), series.description, derivationKey(derivation));
  }
}

/** All objects of a scan. @throws CONUS_ERR_IMAGE_SIZE */
export function dicomObjects(
  images: readonly ReconImage[],
  header: MrdHeader | undefined,
  settings: DeliverySettings,
  options: DicomObjectOptions = {},
): DicomObject[] {
  const maker = new DicomObjectMaker(header, settings, options);
  return images.map((image) => maker.make(image));
}

/** The file of a data set: preamble, meta information, Explicit VR Little Endian. */
export function encodeDicom(dataset: DicomDataset, softwareVersion: string): Uint8Array {
  const meta: DicomElements = {
    '00020001': { vr: 'OB', Value: [new Uint8Array([0, 1]).buffer] },
    '00020002': { vr: 'UI', Value: [dataset['SOPClassUID']] },
    '00020003': { vr: 'UI', Value: [dataset['SOPInstanceUID']] },
    '00020010': { vr: 'UI', Value: [EXPLICIT_VR_LITTLE_ENDIAN] },
    '00020012': { vr: 'UI', Value: [IMPLEMENTATION_CLASS_UID] },
    '00020013': { vr: 'SH', Value: [text(`CONUS_${softwareVersion}`, 16)] },
  };
  const file = new dcmjs.data.DicomDict(meta);
  file.dict = dcmjs.data.DicomMetaDictionary.denaturalizeDataset(dataset);
  return new Uint8Array(file.write());
}

function isInteger({ pixelType }: DeliverySettings): boolean {
  return pixelType === 'uint16' || pixelType === 'int16';
}

function placeOf({ counters, coil }: ReconImage): string {
  const { slice, contrast, phase, repetition, set, average } = counters;
  return JSON.stringify([slice, contrast, phase, repetition, set, average, coil ?? null]);
}

/** What a viewer would show: stored pixels, their scale, and where they lie. */
function contentOf({ image, series, pixels }: DeliveredImage): (string | Uint8Array)[] {
  return [
    JSON.stringify([series.rescaleSlope, image.geometry ?? null]),
    new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength),
  ];
}
