/** What can be wrong with DICOM objects and with those who send or take them. No text quotes a value of a data set. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const DICOM_ERRORS = {
  DICOM_ERR_NOT_DICOM: {
    expected: 'a DICOM file (PS3.10): 128 bytes, DICM, meta information with SOP class, SOP instance and transfer syntax',
    action: 'check the file; conus inspect tells what it holds',
  },
  DICOM_ERR_TRUNCATED: {
    expected: 'a data set that ends with its last element, and elements that end within it',
    action: 'send the object again; its lengths say more than there is',
  },
  DICOM_ERR_STRUCTURE: {
    expected: 'elements in ascending order, with value representations of the standard, nested at most 16 deep',
    action: 'check the sender: what it wrote is not a data set in the transfer syntax that it named',
  },
  DICOM_ERR_TOO_LARGE: {
    expected: 'an object within the limit on its size, and a header within 64 MiB',
    action: 'raise dicom.receiver.maxObjectMebibytes where such objects are wanted',
  },
  DICOM_ERR_TRANSFER_SYNTAX: {
    expected: 'a transfer syntax of docs/dicom.md',
    action: 'let the sender write Explicit VR Little Endian or one of the lossless compressions',
  },
  DICOM_ERR_SOP_CLASS: {
    expected: 'a storage SOP class of docs/dicom.md',
    action: 'send MR, CT or Secondary Capture images, classic or enhanced',
  },
  DICOM_ERR_IDENTITY: {
    expected: 'valid unique identifiers of study, series, instance and SOP class, the same ones as announced',
    action: 'check the sender',
  },
  DICOM_ERR_VALUE: {
    expected: 'a value of the kind that the standard gives this attribute',
    action: 'check the sender: the named attribute cannot be read',
  },
  DICOM_ERR_GEOMETRY: {
    expected: 'position, orientation (two orthogonal unit vectors) and pixel spacing of every MR and CT image',
    action: 'send the original images; where an image lies is never invented',
  },
  DICOM_ERR_PIXELS: {
    expected: 'grey pixels of 8, 16 or 32 bits, as many as rows, columns and frames imply',
    action: 'check the sender; colour images are passed on but not read',
  },
  DICOM_ERR_CODEC: {
    expected: 'compressed frames that decode to their size',
    action: 'send the object again, uncompressed where that fails too',
  },
  DICOM_ERR_MIXED_SERIES: {
    expected: 'one study, modality, frame of reference and patient in a series',
    action: 'check the sender: it gave images that do not belong together one series identifier',
  },
  DICOM_ERR_GANTRY_TILT: {
    expected: 'slices that lie one above the other, along their normal',
    action: 'reformat the scan to untilted slices first; a tilted stack is not a volume on a regular grid',
  },
  DICOM_ERR_SPACING: {
    expected: 'slices one and the same distance apart, each there once',
    action: 'send the missing slices; a stack with gaps is not made into a volume',
  },
  DICOM_ERR_PDU: {
    expected: 'protocol data units of the upper layer (PS3.8), in order and within the agreed length',
    action: 'check that the peer speaks DICOM, and TLS where that is asked for',
  },
  DICOM_ERR_AE_TITLE: {
    expected: 'application entities that the configuration allows',
    action: 'add the title to dicom.receiver.callingAeTitles, or correct the title that is called',
  },
  DICOM_ERR_BUSY: {
    expected: 'an association within the limit on associations at once',
    action: 'try again later, or raise dicom.receiver.maxAssociations',
  },
  DICOM_ERR_OBJECT_STORE: {
    expected: 'an object store that takes what is received',
    action: 'check the room and the permissions on the data directory; the sender was told to send again',
  },
  DICOM_ERR_CONNECTION: {
    expected: 'a peer that answers and ends in good order',
    action: 'check address, port and TLS of the destination, and its log',
  },
  DICOM_ERR_TIMEOUT: {
    expected: 'an answer within the time limit',
    action: 'check the destination and the network',
  },
  DICOM_ERR_CANCELLED: {
    expected: 'to be let finish',
    action: 'send again',
  },
  DICOM_ERR_REJECTED: {
    expected: 'a peer that accepts the association',
    action: 'check both AE titles, and that the peer knows ours',
  },
  DICOM_ERR_NOT_ACCEPTED: {
    expected: 'a peer that accepts the SOP class in some transfer syntax',
    action: 'set the rules of the destination to what it takes',
  },
  DICOM_ERR_REFUSED: {
    expected: 'a destination that stores the object',
    action: 'look the status up in the conformance statement of the destination',
  },
  DICOM_ERR_HTTP: {
    expected: 'a DICOMweb service that answers a STOW-RS request',
    action: 'check the address and the credentials of the destination',
  },
  DICOM_ERR_COLLISION: {
    expected: 'no other file under the name of the object',
    action: 'look at the file: two different objects have one identifier',
  },
  DICOM_ERR_DESTINATION: {
    expected: 'a destination of the configuration, dicom://AETITLE@host:port, https://…/studies, or a folder',
    action: 'name one of these',
  },
  DICOM_ERR_COMMITMENT: {
    expected: 'a peer that reports what it keeps',
    action: 'check that the destination offers storage commitment and knows where to report',
  },
} as const satisfies ErrorTable;

/** Remarks on a stack of slices. */
export const DICOM_WARNINGS = {
  DICOM_WARN_SLICE_GAP: {
    expected: 'slices one and the same distance apart',
    action: 'look for slices that were not sent',
  },
  DICOM_WARN_IRREGULAR_SPACING: {
    expected: 'slices one and the same distance apart',
    action: 'measure within slices only',
  },
  DICOM_WARN_DUPLICATE_SLICE: {
    expected: 'one image a slice position',
    action: 'check that one series holds one acquisition; the image with the lowest number is used',
  },
} as const satisfies ErrorTable;

export type DicomErrorCode = keyof typeof DICOM_ERRORS;

export const dicomError = errorsOf(DICOM_ERRORS);
export const dicomWarning = noticesOf(DICOM_WARNINGS);
