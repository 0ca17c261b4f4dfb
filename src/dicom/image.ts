/**
 * A DICOM object as images: identity, facts, and frames with their place and their values.
 *
 *   value = stored * slope + intercept
 *
 * by the modality's rescale (PS3.3, C.11.1; HU in CT) where there is one, else by a single linear real-world value
 * mapping (C.7.6.16.2.11), else the stored value itself. Which it was is told.
 */
import type { PixelWindow } from '../../imaging/index.js';
import { codecsReady, decodeFrame } from './codecs.js';
import type { PixelFormat } from './codecs.js';
import { dicomError } from './errors.js';
import { factsOf, patientAndStudyOf } from './facts.js';
import type { ImageFacts } from './facts.js';
import { readHeader } from './header.js';
import type { Attributes, DicomHeader, InstanceIdentity } from './header.js';
import { framePlanes } from './planes.js';
import type { Plane } from './planes.js';
import { transferSyntaxOf } from './sopClasses.js';

export interface Scaling {
  readonly source: 'rescale' | 'realWorld' | 'stored';
  readonly slope: number;
  readonly intercept: number;
  /** HU, a UCUM code, or as the object names it; undefined for stored values. */
  readonly unit?: string;
}

export interface DicomFrame {
  /** From 1. */
  readonly number: number;
  readonly plane: Plane | undefined;
  readonly scaling: Scaling;
  /** The first one that the object proposes, in the unit of the values. */
  readonly window: PixelWindow | undefined;
  readonly echoTimeMs: number | undefined;
  /** What tells images at one place apart: temporal position, echo, b value, and the like. */
  readonly series: string;
  /** [row, column] after scaling. @throws DICOM_ERR_CODEC */
  values(): Float32Array;
}

export interface DicomImage {
  readonly identity: InstanceIdentity;
  readonly facts: ImageFacts;
  /** For series that are derived from this one. Never to be logged. */
  readonly patientAndStudy: Readonly<Record<string, unknown>>;
  readonly frames: readonly DicomFrame[];
}

/**
 * Everything about an object but its pixel values: what a receiver checks before it says that it has it.
 * @throws those of readHeader, DICOM_ERR_GEOMETRY, DICOM_ERR_PIXELS
 */
export function describeDicom(file: Uint8Array): { header: DicomHeader; facts: ImageFacts; planes: (Plane | undefined)[] } {
  const header = readHeader(file);
  const facts = factsOf(header);
  const planes = framePlanes(header, facts.nFrames);
  checkPixels(header, facts);
  return { header, facts, planes };
}

/**
 * @param file a whole DICOM file
 * @throws those of describeDicom; DICOM_ERR_PIXELS for colour
 */
export async function parseDicom(file: Uint8Array): Promise<DicomImage> {
  const { header, facts, planes } = describeDicom(file);
  const { attributes, identity, storageClass } = header;
  const format = pixelFormat(attributes, facts);
  if (header.outline.pixelData?.encapsulated === true) await codecsReady();
  const [shared] = storageClass.enhanced ? attributes.items('SharedFunctionalGroupsSequence') : [];
  const perFrame = storageClass.enhanced ? attributes.items('PerFrameFunctionalGroupsSequence') : [];
  const frames = planes.map((plane, index): DicomFrame => {
    const group = (sequence: string) =>
      storageClass.enhanced ? (perFrame[index]?.items(sequence)[0] ?? shared?.items(sequence)[0]) : undefined;
    const scaling = scalingOf(
      storageClass.enhanced ? group('PixelValueTransformationSequence') : attributes,
      group('RealWorldValueMappingSequence') ?? attributes.items('RealWorldValueMappingSequence')[0],
      facts.modality,
    );
    return {
      number: index + 1,
      plane,
      scaling,
      window: windowOf(storageClass.enhanced ? group('FrameVOILUTSequence') : attributes, scaling),
      echoTimeMs: group('MREchoSequence')?.number('EffectiveEchoTime') ?? facts.echoTimeMs,
      series: seriesWithin(attributes, group, facts),
      values: () => scaled(storedPixels(header, format, facts.nFrames, index), format, scaling),
    };
  });
  return { identity, facts, patientAndStudy: patientAndStudyOf(attributes), frames };
}

function scalingOf(rescale: Attributes | undefined, mapping: Attributes | undefined, modality: string): Scaling {
  const slope = rescale?.number('RescaleSlope');
  const intercept = rescale?.number('RescaleIntercept');
  if (slope !== undefined && intercept !== undefined) {
    const unit = rescale?.text('RescaleType') ?? (modality === 'CT' ? 'HU' : undefined);
    return { source: 'rescale', slope, intercept, ...(unit !== undefined && { unit }) };
  }
  const realSlope = mapping?.number('RealWorldValueSlope');
  const realIntercept = mapping?.number('RealWorldValueIntercept');
  if (realSlope !== undefined && realIntercept !== undefined) {
    const unit = mapping?.items('MeasurementUnitsCodeSequence')[0]?.text('CodeValue');
    return { source: 'realWorld', slope: realSlope, intercept: realIntercept, ...(unit !== undefined && { unit }) };
  }
  return { source: 'stored', slope: 1, intercept: 0 };
}

/** Windows are in what the modality's rescale gives (PS3.3, C.11.2.1.2), of which a real-world value mapping knows nothing. */
function windowOf(attributes: Attributes | undefined, { source, slope, intercept }: Scaling): PixelWindow | undefined {
  // One that cannot be read is no reason to refuse an image.
  const [centre, width] = ['WindowCenter', 'WindowWidth'].map((keyword) => Number.parseFloat(attributes?.texts(keyword)[0] ?? '')) as [number, number];
  if (!Number.isFinite(centre) || !(width > 0 && width < Infinity)) return undefined;
  return source === 'realWorld' ? { centre: centre * slope + intercept, width: width * Math.abs(slope) } : { centre, width };
}

/** Images of one series at one place differ in one of these. */
function seriesWithin(attributes: Attributes, group: (sequence: string) => Attributes | undefined, facts: ImageFacts): string {
  const content = group('FrameContentSequence');
  const diffusion = group('MRDiffusionSequence') ?? attributes;
  return JSON.stringify([
    group('MREchoSequence')?.number('EffectiveEchoTime') ?? attributes.text('EchoNumbers') ?? facts.echoTimeMs ?? null,
    content?.number('TemporalPositionIndex') ?? attributes.number('TemporalPositionIdentifier') ?? null,
    diffusion.number('DiffusionBValue') ?? null,
    content?.text('StackID') ?? null,
    (group('MRImageFrameTypeSequence') ?? group('CTImageFrameTypeSequence'))?.texts('FrameType').slice(2) ?? facts.imageType.slice(2),
  ]);
}

function checkPixels({ attributes, outline, storageClass }: DicomHeader, { rows, columns, nFrames }: ImageFacts): void {
  const { pixelData } = outline;
  if (pixelData === undefined) throw dicomError('DICOM_ERR_PIXELS', 'no pixel data');
  const bitsAllocated = attributes.whole('BitsAllocated', 1, 64);
  const samples = attributes.whole('SamplesPerPixel', 1, 4);
  if (storageClass.placed) pixelFormat(attributes, { rows, columns });
  if (pixelData.encapsulated) {
    frameExtents(pixelData, nFrames);
    return;
  }
  const expected = Math.ceil((rows * columns * nFrames * samples * bitsAllocated) / 8);
  const got = pixelData.fragments[0]!.length;
  if (got < expected) throw dicomError('DICOM_ERR_PIXELS', `${got} bytes for ${nFrames} frames of ${rows} x ${columns}, ${expected} bytes`);
}

function pixelFormat(attributes: Attributes, { rows, columns }: { rows: number; columns: number }): PixelFormat {
  const bitsAllocated = attributes.whole('BitsAllocated', 1, 64);
  const bitsStored = attributes.whole('BitsStored', 1, bitsAllocated);
  const samples = attributes.whole('SamplesPerPixel', 1, 4);
  const photometricInterpretation = attributes.text('PhotometricInterpretation') ?? '';
  const isGrey = samples === 1 && photometricInterpretation.startsWith('MONOCHROME');
  if (!isGrey || ![8, 16, 32].includes(bitsAllocated) || attributes.number('HighBit') !== bitsStored - 1) {
    throw dicomError('DICOM_ERR_PIXELS', `${samples} samples of ${bitsStored} bits in ${bitsAllocated}`);
  }
  return { rows, columns, bitsAllocated, bitsStored, isSigned: attributes.whole('PixelRepresentation', 0, 1) === 1, photometricInterpretation };
}

type PixelData = NonNullable<DicomHeader['outline']['pixelData']>;

/** The fragments of each frame (PS3.5, A.4): one a frame, or by the offset table, or all of a single frame. @throws DICOM_ERR_PIXELS */
function frameExtents({ fragments, frameOffsets }: PixelData, nFrames: number): PixelData['fragments'][] {
  if (nFrames === 1) return [[...fragments]];
  if (fragments.length === nFrames) return fragments.map((fragment) => [fragment]);
  const first = fragments[0]?.offset ?? 0;
  const starts = frameOffsets.map((offset) => fragments.findIndex((fragment) => fragment.offset === first + offset));
  if (starts.length !== nFrames || starts[0] !== 0 || starts.some((start, i) => i > 0 && start <= starts[i - 1]!)) {
    throw dicomError('DICOM_ERR_PIXELS', `${fragments.length} fragments for ${nFrames} frames without an offset table that fits`);
  }
  return starts.map((start, i) => fragments.slice(start, starts[i + 1] ?? fragments.length));
}

/** Bytes of one frame, native and little-endian. */
function storedPixels({ file, outline, meta }: DicomHeader, format: PixelFormat, nFrames: number, index: number): Uint8Array {
  const pixelData = outline.pixelData!;
  const codec = transferSyntaxOf.get(meta.transferSyntaxUid)!.codec;
  if (codec === undefined) {
    const nBytes = (format.rows * format.columns * format.bitsAllocated) / 8;
    const start = pixelData.fragments[0]!.offset + index * nBytes;
    return file.subarray(start, start + nBytes);
  }
  const parts = frameExtents(pixelData, nFrames)[index]!.map(({ offset, length }) => file.subarray(offset, offset + length));
  return decodeFrame(codec, parts.length === 1 ? parts[0]! : Buffer.concat(parts), format);
}

/** Bits beyond the stored ones (overlays of old) are left out; signed values get their sign from the highest stored bit. */
function scaled(bytes: Uint8Array, format: PixelFormat, { slope, intercept }: Scaling): Float32Array {
  const { bitsAllocated, bitsStored, isSigned } = format;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(format.rows * format.columns);
  const unused = 32 - bitsStored;
  for (let i = 0; i < values.length; i++) {
    const raw = bitsAllocated === 16 ? view.getUint16(2 * i, true) : bitsAllocated === 8 ? view.getUint8(i) : view.getUint32(4 * i, true);
    const stored = isSigned ? (raw << unused) >> unused : (raw << unused) >>> unused;
    values[i] = stored * slope + intercept;
  }
  return values;
}
