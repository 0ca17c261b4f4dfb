/**
 * What was done to images after their reconstruction, or in place of a scan, as DICOM records it: who
 * contributed (one item a stage), from which images, how far the result is to be trusted, and whether
 * it was measured at all.
 */
import type { DenoisingRecord } from '../../recon/index.js';
import { code, type DicomDataset } from './dicomModules.js';
import { text } from './dicomValues.js';
import { contentUid } from './uids.js';

/** One piece of software on the way of an image. */
export interface ProcessingStage {
  /** `synthesizing`: makes an image of what was not measured. */
  readonly purpose: 'processing' | 'synthesizing';
  readonly manufacturer: string;
  readonly modelName: string;
  readonly softwareVersion: string;
  /** Of a network's file. The stage's device UID follows from it, so that other weights are another device. */
  readonly modelSha256?: string;
  readonly description: string;
}

/** An image that another was made from. */
export interface SourceImage {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
}

/** The quality light with what it rests on. */
export interface QualityVerdict {
  readonly light: 'green' | 'amber' | 'red';
  readonly reasons: readonly string[];
}

export interface Derivation {
  /** What ImageType ends with, e.g. DENOISED: a code string. */
  readonly imageTypeMark: string;
  /** Nobody measured these pixels. The mark goes to whatever is computed from them. */
  readonly isSynthetic: boolean;
  /** Added to what the description of the series says, e.g. DENOISED 70%. */
  readonly seriesMark: string;
  /** For DerivationDescription: method, version, strength. */
  readonly description: string;
  readonly stages: readonly ProcessingStage[];
  readonly sources: readonly SourceImage[];
  readonly quality?: QualityVerdict;
}

/** What a series description starts with where the images are synthetic. */
export const syntheticMark = 'SYN';

const purposes = {
  processing: code('109102', 'DCM', 'Processing Equipment'),
  synthesizing: code('109100', 'DCM', 'Synthesizing Equipment'),
};

/** @param contributed when, as date and time */
export function contributingEquipment(stages: readonly ProcessingStage[], contributed: string): DicomDataset[] {
  return stages.map((stage) => {
    const { modelSha256 } = stage;
    const digest = modelSha256 === undefined ? '' : `; model SHA-256 ${modelSha256}`;
    return {
      PurposeOfReferenceCodeSequence: [purposes[stage.purpose]],
      Manufacturer: text(stage.manufacturer, 64),
      ManufacturerModelName: text(stage.modelName, 64),
      SoftwareVersions: text(stage.softwareVersion, 64),
      ...(modelSha256 === undefined ? {} : { DeviceUID: contentUid('device', stage.manufacturer, stage.modelName, modelSha256) }),
      ContributionDateTime: contributed,
      ContributionDescription: `${text(stage.description, 1024 - digest.length)}${digest}`,
    };
  });
}

/** SourceImageSequence with its purpose; nothing where no source is known. */
export function sourceImages(sources: readonly SourceImage[]): DicomDataset {
  if (sources.length === 0) return {};
  return {
    SourceImageSequence: sources.map(({ sopClassUid, sopInstanceUid }) => ({
      ReferencedSOPClassUID: sopClassUid,
      ReferencedSOPInstanceUID: sopInstanceUid,
      PurposeOfReferenceCodeSequence: [code('121322', 'DCM', 'Source image for image processing operation')],
    })),
  };
}

/** What a person must know of the image before anything else. */
export function qualityText({ light, reasons }: QualityVerdict): string {
  const because = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  return `quality light ${light.toUpperCase()}${because}`;
}

/** What tells series of different derivations apart, for their identifiers. */
export function derivationKey(derivation: Omit<Derivation, 'sources'> | undefined): string {
  if (derivation === undefined) return '';
  const { imageTypeMark, isSynthetic, seriesMark, stages } = derivation;
  return JSON.stringify([imageTypeMark, isSynthetic, seriesMark, stages.map(({ modelName, softwareVersion, modelSha256 }) => [modelName, softwareVersion, modelSha256])]);
}

const noiseSources = { measured: 'measured noise', edge: 'noise of the edge of k-space', dose: 'noise by dose and kernel', estimated: 'noise estimated from the image' } as const;

/** @param mark DENOISED or RESIDUAL */
export function denoisingDerivation(mark: string, record: DenoisingRecord, sources: readonly SourceImage[]): Derivation {
  const network = `${record.modelId} ${record.modelVersion}`;
  const what = `${mark === 'RESIDUAL' ? 'What was taken out by denoising' : `Denoised at ${record.strengthPercent} %`} by ${network}, ${noiseSources[record.noiseSource]}`;
  const description = record.dataConsistency ? `${what}, measured lines put back` : what;
  return {
    imageTypeMark: mark,
    isSynthetic: false,
    // The series of such images has its mark already.
    seriesMark: '',
    description,
    stages: [
      { purpose: 'processing', manufacturer: 'Conus', modelName: record.modelId, softwareVersion: record.modelVersion, modelSha256: record.modelSha256, description },
    ],
    sources,
    quality: { light: record.light, reasons: record.reasons },
  };
}
