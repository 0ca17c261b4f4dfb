/**
 * Images as DICOM objects in memory: whole files (PS3.10) with the identity under which an archive
 * keeps them. Nothing is written here. The same images, header and settings give the same objects,
 * identifiers included; only the moment of creation (InstanceCreationDate and -Time,
 * ContributionDateTime) is the caller's.
 */
import dcmjs from 'dcmjs';
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage, ReconImageKind, ReconNotice } from '../../recon/index.js';
import { denoisingDerivation, derivationKey } from './derivation.js';
import type { Derivation, SourceImage } from './derivation.js';
import { dicomDataset, sopClassOf } from './dicomDataset.js';
import type { ImageSource } from './dicomDataset.js';
import { EXPLICIT_VR_LITTLE_ENDIAN, fileOf, writeShared } from './dicomFile.js';
import type { DicomDataset } from './dicomModules.js';
import { enhancedMrDataset } from './enhancedMr.js';
import type { PlacedSource } from './enhancedMr.js';
import { warning } from './errors.js';
import { instanceNumberOf } from './headerFacts.js';
import { ENHANCED_MR_IMAGE_STORAGE } from './multiFrame.js';
import type { Pseudonymiser } from './pseudonymise.js';
import { SeriesBook } from './series.js';
import type { DeliveredImage } from './series.js';
import type { DeliverySettings } from './types.js';
import { instanceUid, scanIdentity, seriesUid } from './uids.js';
import type { ScanIdentity } from './uids.js';

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
  /** What its images are. */
  readonly output: ReconImageKind;
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
  /** One multi-frame object a series and contrast, where images have a geometry; made by `end`. */
  readonly enhanced?: boolean | undefined;
  /** Objects under a pseudonym, identifiers included. */
  readonly pseudonymiser?: Pseudonymiser | undefined;
}

/** Makes the objects of one scan, image by image. */
export class DicomObjectMaker {
  readonly #header: MrdHeader | undefined;
  readonly #settings: DeliverySettings;
  readonly #options: DicomObjectOptions;
  readonly #book: SeriesBook;
  readonly #scan: ScanIdentity;
  /** By place: what a denoised image is made from. */
  readonly #conventional = new Map<string, SourceImage>();
  /** Frames of multi-frame objects that are still to be made. */
  readonly #frames = new Map<string, PlacedSource[]>();
  #nUnplaced = 0;

  constructor(header: MrdHeader | undefined, settings: DeliverySettings, options: DicomObjectOptions = {}) {
    this.#header = header;
    this.#settings = settings;
    this.#options = options;
    this.#book = new SeriesBook(header, isInteger(settings) ? settings : { ...settings, pixelType: 'uint16' });
    this.#scan = scanIdentity(header, settings);
  }

  /** The object of an image, or nothing where it will be a frame. @throws CONUS_ERR_IMAGE_SIZE */
  make(image: ReconImage): DicomObject | undefined {
    const source = this.#sourceOf(this.#book.place(image));
    if (image.geometry === undefined) this.#nUnplaced++;
    else if (this.#options.enhanced === true) {
      const key = `${source.identity.seriesInstanceUid} ${image.counters.contrast} ${image.fovMm.join(' ')}`;
      const frames = this.#frames.get(key) ?? [];
      this.#frames.set(key, frames);
      frames.push({ ...source, geometry: image.geometry });
      return undefined;
    }
    const object = this.#object(dicomDataset(source), source, sopClassOf(image), source.delivered.imageIndex);
    if (image.kind === 'image') this.#conventional.set(placeOf(image), { ...source.identity, sopClassUid: object.instance.sopClassUid });
    return object;
  }

  /** The multi-frame objects. */
  end(): DicomObject[] {
    const all = [...this.#frames.values()];
    this.#frames.clear();
    return all.map((frames) => {
      const [first] = frames;
      // What is in it makes the object what it is, in whatever order it came.
      const contents = frames.map(({ identity }) => identity.sopInstanceUid).sort();
      const sopInstanceUid = instanceUid(first!.identity.seriesInstanceUid, 'frames', ...contents);
      const source = { ...first!, identity: { ...first!.identity, sopInstanceUid } };
      return this.#object(enhancedMrDataset([source, ...frames.slice(1)]), source, ENHANCED_MR_IMAGE_STORAGE, first!.delivered.imageIndex);
    });
  }

  #sourceOf(delivered: DeliveredImage): ImageSource {
    const { image } = delivered;
    const derivation = this.#options.derivationOf?.(image) ?? this.#denoisingOf(image);
    const seriesInstanceUid = this.#seriesUid(delivered, derivation);
    return {
      delivered,
      header: this.#header,
      settings: this.#settings,
      derivation,
      identity: {
        studyInstanceUid: this.#scan.studyInstanceUid,
        seriesInstanceUid,
        sopInstanceUid: instanceUid(seriesInstanceUid, placeOf(image), ...contentOf(delivered)),
        frameOfReferenceUid: this.#scan.frameOfReferenceUid,
      },
      instanceNumber: instanceNumberOf(this.#header, image) ?? delivered.imageIndex,
      created: this.#options.created ?? new Date(),
    };
  }

  #denoisingOf(image: ReconImage): Derivation | undefined {
    if (image.denoising === undefined) return undefined;
    const source = this.#conventional.get(placeOf(image));
    return denoisingDerivation(image.kind === 'residual' ? 'RESIDUAL' : 'DENOISED', image.denoising, source === undefined ? [] : [source]);
  }

  #object(dataset: DicomDataset, { identity, delivered }: ImageSource, sopClassUid: string, objectIndex: number): DicomObject {
    const { pseudonymiser } = this.#options;
    const { sopInstanceUid, seriesInstanceUid, studyInstanceUid } = identity;
    const instance = { sopInstanceUid, sopClassUid, seriesInstanceUid, studyInstanceUid, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
    return {
      instance: pseudonymiser === undefined ? instance : pseudonymousInstance(instance, pseudonymiser),
      seriesDescription: delivered.series.description,
      output: delivered.image.kind,
      seriesIndex: delivered.series.index,
      objectIndex,
      bytes: encodeDicom(dataset, this.#settings.softwareVersion, pseudonymiser),
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

  /** A DICOM series holds one kind of object; Secondary Capture and multi-frame objects get their own. */
  #seriesUid({ image, series }: DeliveredImage, derivation: Derivation | undefined): string {
    const isEnhanced = this.#options.enhanced === true && image.geometry !== undefined;
    const facts = [image.kind, image.method, image.snrUnits, image.rows, image.columns, series.index, series.pixelType];
    return seriesUid(this.#scan, isEnhanced ? ENHANCED_MR_IMAGE_STORAGE : sopClassOf(image), facts.join(' '), series.description, derivationKey(derivation));
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
  const made = images.flatMap((image) => maker.make(image) ?? []);
  return [...made, ...maker.end()];
}

/**
 * The files of data sets that have most in common, like the slices of a series, as `encodeDicom` makes them.
 * @param common of all of them; each has the attributes of its own beside them
 */
export function encodeDicomSeries(common: DicomDataset, own: readonly DicomDataset[], softwareVersion: string): Uint8Array[] {
  const elementsOf = (dataset: DicomDataset) => dcmjs.data.DicomMetaDictionary.denaturalizeDataset(dataset);
  const shared = writeShared(elementsOf(common));
  return own.map((dataset) => fileOf({ ...shared, ...elementsOf(dataset) }, EXPLICIT_VR_LITTLE_ENDIAN, softwareVersion));
}

/** The file of a data set: preamble, meta information, Explicit VR Little Endian. */
export function encodeDicom(dataset: DicomDataset, softwareVersion: string, pseudonymiser?: Pseudonymiser): Uint8Array {
  const elements = dcmjs.data.DicomMetaDictionary.denaturalizeDataset(dataset);
  const shown = pseudonymiser?.elements(elements, `Conus ${softwareVersion}`) ?? elements;
  return fileOf(shown, EXPLICIT_VR_LITTLE_ENDIAN, softwareVersion);
}

/**
 * A DICOM file of anybody under a pseudonym, in the transfer syntax that it has.
 * @param bytes a whole Part 10 file
 * @throws CodedError CONUS_ERR_BURNED_IN; what dcmjs throws where the file cannot be read
 */
export function pseudonymiseDicom(bytes: Uint8Array, pseudonymiser: Pseudonymiser, softwareVersion: string): Uint8Array {
  const { meta, dict } = dcmjs.data.DicomMessage.readFile(bytes.slice().buffer);
  const transferSyntaxUid = String(meta['00020010']?.Value[0]);
  return fileOf(pseudonymiser.elements(dict, `Conus ${softwareVersion}`), transferSyntaxUid, softwareVersion);
}

function pseudonymousInstance(instance: InstanceIdentity, pseudonymiser: Pseudonymiser): InstanceIdentity {
  return {
    ...instance,
    sopInstanceUid: pseudonymiser.uid(instance.sopInstanceUid),
    seriesInstanceUid: pseudonymiser.uid(instance.seriesInstanceUid),
    studyInstanceUid: pseudonymiser.uid(instance.studyInstanceUid),
  };
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
