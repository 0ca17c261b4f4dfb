/** The SOP classes and transfer syntaxes that Conus stores, reads and sends (PS3.4 B.5, PS3.5 10). docs/dicom.md lists them. */

export interface StorageClass {
  readonly uid: string;
  readonly name: string;
  /** Whether every frame of it has a place in the patient. */
  readonly placed: boolean;
  /** Functional groups in place of attributes of the image. */
  readonly enhanced: boolean;
}

const storageClass = (uid: string, name: string, placed: boolean, enhanced = false): StorageClass => ({
  uid: `1.2.840.10008.5.1.4.1.1.${uid}`, name, placed, enhanced,
});

/** What the receiver accepts, and the reader reads. */
export const receivedClasses: readonly StorageClass[] = [
  storageClass('4', 'MR Image Storage', true),
  storageClass('4.1', 'Enhanced MR Image Storage', true, true),
  storageClass('4.4', 'Legacy Converted Enhanced MR Image Storage', true, true),
  storageClass('2', 'CT Image Storage', true),
  storageClass('2.1', 'Enhanced CT Image Storage', true, true),
  storageClass('2.2', 'Legacy Converted Enhanced CT Image Storage', true, true),
  storageClass('7', 'Secondary Capture Image Storage', false),
];

/** What a downstream stage makes of images; taken from the nodes of such stages only, and kept as it comes. */
export const resultClasses: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10008.5.1.4.1.1.66.4', 'Segmentation Storage'],
  ['1.2.840.10008.5.1.4.1.1.88.11', 'Basic Text SR Storage'],
  ['1.2.840.10008.5.1.4.1.1.88.22', 'Enhanced SR Storage'],
  ['1.2.840.10008.5.1.4.1.1.88.33', 'Comprehensive SR Storage'],
  ['1.2.840.10008.5.1.4.1.1.88.34', 'Comprehensive 3D SR Storage'],
]);

/** SEG, SR, or OT for what else a stage makes. */
export function modalityOfResult(sopClassUid: string): 'SEG' | 'SR' | 'OT' {
  const name = resultClasses.get(sopClassUid) ?? '';
  if (name.startsWith('Segmentation')) return 'SEG';
  return name.includes(' SR ') ? 'SR' : 'OT';
}

export const receivedClassOf = new Map(receivedClasses.map((entry) => [entry.uid, entry]));

export const VERIFICATION = '1.2.840.10008.1.1';
export const STORAGE_COMMITMENT_PUSH = '1.2.840.10008.1.20.1';
/** The one well-known instance of storage commitment. */
export const STORAGE_COMMITMENT_INSTANCE = '1.2.840.10008.1.20.1.1';

export const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

export type Codec = 'rle' | 'jpeg' | 'jpegLs' | 'jpeg2000';

export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  /** How frames are compressed; native pixels where it is absent. */
  readonly codec?: Codec;
}

export const transferSyntaxes: readonly TransferSyntax[] = [
  { uid: EXPLICIT_LITTLE_ENDIAN, name: 'Explicit VR Little Endian' },
  { uid: IMPLICIT_LITTLE_ENDIAN, name: 'Implicit VR Little Endian' },
  { uid: '1.2.840.10008.1.2.5', name: 'RLE Lossless', codec: 'rle' },
  { uid: '1.2.840.10008.1.2.4.70', name: 'JPEG Lossless, first-order prediction', codec: 'jpeg' },
  { uid: '1.2.840.10008.1.2.4.57', name: 'JPEG Lossless', codec: 'jpeg' },
  { uid: '1.2.840.10008.1.2.4.80', name: 'JPEG-LS Lossless', codec: 'jpegLs' },
  { uid: '1.2.840.10008.1.2.4.90', name: 'JPEG 2000 Lossless', codec: 'jpeg2000' },
  { uid: '1.2.840.10008.1.2.4.91', name: 'JPEG 2000', codec: 'jpeg2000' },
];

export const transferSyntaxOf = new Map(transferSyntaxes.map((entry) => [entry.uid, entry]));
