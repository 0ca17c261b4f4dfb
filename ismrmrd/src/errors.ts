/**
 * Coded errors. A folder declares its codes in one table; an error carries the code, what was got,
 * what was expected and what to do, so that a technologist, a log and a test read the same thing.
 */

/** What the documentation says of one error code. */
export interface ErrorEntry {
  /** What holds when this error does not occur. */
  readonly expected: string;
  /** What the person who meets it can do. */
  readonly action: string;
}

export type ErrorTable = Readonly<Record<string, ErrorEntry>>;

/** An error with a documented code. `message` is complete by itself: code, got, expected, action. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly got: string;
  readonly expected: string;
  readonly action: string;

  constructor(code: Code, got: string, entry: ErrorEntry, options?: { cause?: unknown }) {
    super(`${code}: got ${got}; expected ${entry.expected}; ${entry.action}`, options);
    this.name = 'CodedError';
    this.code = code;
    this.got = got;
    this.expected = entry.expected;
    this.action = entry.action;
  }
}

/**
 * The constructor of one table's errors: `const mrdError = errorsOf(MRD_ERRORS)`, then
 * `throw mrdError('MRD_ERR_UNKNOWN_MESSAGE_ID', 'id 999')`.
 */
export function errorsOf<Table extends ErrorTable>(table: Table) {
  return <Code extends keyof Table & string>(
    code: Code,
    got: string,
    options?: { cause?: unknown },
  ): CodedError<Code> => new CodedError(code, got, table[code] as ErrorEntry, options);
}

/** Every error of the format package. */
export const MRD_ERRORS = {
  MRD_ERR_UNKNOWN_MESSAGE_ID: {
    expected: 'a message id of the MRD protocol',
    action: 'check that the client speaks ISMRMRD and that no message was cut short',
  },
  MRD_ERR_TRUNCATED_ID: {
    expected: 'a stream that ends between two messages',
    action: 'check the connection; the sender stopped inside a message id',
  },
  MRD_ERR_TRUNCATED_MESSAGE: {
    expected: 'a stream that ends between two messages',
    action: 'check the connection and the lengths that the sender declares; the last message is incomplete',
  },
  MRD_ERR_DATA_AFTER_CLOSE: {
    expected: 'nothing after CLOSE',
    action: 'open a new connection for the next scan',
  },
  MRD_ERR_WRITE_AFTER_END: {
    expected: 'no bytes after the end of the stream was declared',
    action: 'make a new parser for a new stream',
  },
  MRD_ERR_LIMIT: {
    expected: 'limits that are numbers, 0 or more',
    action: 'correct the limit or leave it out for its default',
  },
  MRD_ERR_TOO_MANY_MESSAGES: {
    expected: 'at most maxMessages messages in a stream',
    action: 'raise maxMessages if the scan is really that long',
  },
  MRD_ERR_TOO_MANY_CHUNKS: {
    expected: 'a message in at most maxChunksPerMessage pieces',
    action: 'have the sender write whole messages, or raise maxChunksPerMessage',
  },
  MRD_ERR_MESSAGE_TOO_LARGE: {
    expected: 'a message of at most maxMessageBytes bytes',
    action: 'check the declared lengths; raise maxMessageBytes if the data are really that large',
  },
  MRD_ERR_CONFIG_TEXT_TOO_LONG: {
    expected: 'a configuration text of at most maxConfigTextBytes bytes',
    action: 'check that the length is a little-endian uint32; raise maxConfigTextBytes if it is right',
  },
  MRD_ERR_HEADER_TOO_LONG: {
    expected: 'an XML header of at most maxHeaderXmlBytes bytes',
    action: 'check that the length is a little-endian uint32; raise maxHeaderXmlBytes if it is right',
  },
  MRD_ERR_TEXT_TOO_LONG: {
    expected: 'a text of at most maxTextBytes bytes',
    action: 'check that the length is a little-endian uint32; raise maxTextBytes if it is right',
  },
  MRD_ERR_QUERY_TOO_LONG: {
    expected: 'a query of at most maxTextBytes bytes',
    action: 'check that the length is a little-endian uint64; raise maxTextBytes if it is right',
  },
  MRD_ERR_RESPONSE_TOO_LONG: {
    expected: 'a response of at most maxTextBytes bytes',
    action: 'check that the length is a little-endian uint64; raise maxTextBytes if it is right',
  },
  MRD_ERR_DEPENDENCY_TOO_LONG: {
    expected: 'a dependency answer of at most maxAttributeBytes bytes',
    action: 'check that the length is a little-endian uint64; raise maxAttributeBytes if it is right',
  },
  MRD_ERR_NO_CHANNELS: {
    expected: 'an acquisition with at least one active channel',
    action: 'set active_channels in the acquisition header',
  },
  MRD_ERR_NO_SAMPLES: {
    expected: 'an acquisition with at least one sample',
    action: 'leave out acquisitions without data, or set number_of_samples in the acquisition header',
  },
  MRD_ERR_TOO_MANY_CHANNELS: {
    expected: 'at most maxChannels channels in an acquisition',
    action: 'check that the header is the packed one of 340 bytes; raise maxChannels if it is right',
  },
  MRD_ERR_TOO_MANY_SAMPLES: {
    expected: 'at most maxSamples samples in an acquisition',
    action: 'check that the header is the packed one of 340 bytes; raise maxSamples if it is right',
  },
  MRD_ERR_ACQUISITION_TOO_LARGE: {
    expected: 'at most maxAcquisitionSamples samples over all channels of an acquisition',
    action: 'split the readout, or raise maxAcquisitionSamples',
  },
  MRD_ERR_TRAJECTORY_DIMENSIONS: {
    expected: 'a trajectory of at most maxTrajectoryDimensions numbers a sample',
    action: 'check trajectory_dimensions in the acquisition header',
  },
  MRD_ERR_SAMPLE_DESTINATION: {
    expected: 'allocate() to return one float for each real and imaginary part, or undefined',
    action: 'return an array of exactly 2 * nChannels * nSamples floats',
  },
  MRD_ERR_COMPRESSION_ZFP: {
    expected: 'samples as they are or NHLBI-compressed',
    action: 'turn ZFP compression off in the client',
  },
  MRD_ERR_COMPRESSION_UNKNOWN: {
    expected: 'samples as they are or NHLBI-compressed',
    action: 'turn compression off in the client; flags 55 and 56 have no published format',
  },
  MRD_ERR_NHLBI_ELEMENTS: {
    expected: 'as many compressed elements as the acquisition header implies',
    action: 'check the compression in the client, or turn it off',
  },
  MRD_ERR_NHLBI_BITS: {
    expected: 'compressed elements of 1 to 32 bits',
    action: 'check the precision that the client compresses with',
  },
  MRD_ERR_NHLBI_SCALE: {
    expected: 'a compression scale above 0',
    action: 'check that the client compresses finite samples',
  },
  MRD_ERR_NHLBI_LENGTH: {
    expected: 'a compressed block whose length follows from its elements and bits',
    action: 'check the compression in the client, or turn it off',
  },
  MRD_ERR_IMAGE_DATA_TYPE: {
    expected: 'an image data type from 1 to 8',
    action: 'set data_type in the image header',
  },
  MRD_ERR_IMAGE_EMPTY: {
    expected: 'an image with at least one pixel and one channel',
    action: 'set matrix_size and channels in the image header; a 2D image has a third size of 1',
  },
  MRD_ERR_IMAGE_TOO_LARGE: {
    expected: 'an image of at most maxImagePixels pixels over all channels',
    action: 'check that the header is the packed one of 198 bytes; raise maxImagePixels if it is right',
  },
  MRD_ERR_IMAGE_ATTRIBUTES_TOO_LONG: {
    expected: 'image attributes of at most maxAttributeBytes bytes',
    action: 'check that a uint64 length follows the image header; raise maxAttributeBytes if it is right',
  },
  MRD_ERR_DICOM_TOO_LARGE: {
    expected: 'a DICOM file of at most maxDicomBytes bytes',
    action: 'check that the length is a little-endian uint32; raise maxDicomBytes if it is right',
  },
  MRD_ERR_DICOM_NAME_TOO_LONG: {
    expected: 'a DICOM file name of at most maxDicomNameBytes bytes',
    action: 'check that a uint64 length follows the file',
  },
  MRD_ERR_DICOM_ATTRIBUTES_TOO_LONG: {
    expected: 'DICOM meta attributes of at most maxAttributeBytes bytes',
    action: 'check that a uint64 length follows the file name; raise maxAttributeBytes if it is right',
  },
  MRD_ERR_WAVEFORM_TOO_LARGE: {
    expected: 'a waveform of at most maxWaveformSamples samples over all channels',
    action: 'check that the header is the aligned one of 40 bytes; raise maxWaveformSamples if it is right',
  },
  MRD_ERR_NDARRAY_DATA_TYPE: {
    expected: 'an NDARRAY data type from 1 to 8',
    action: 'set the data type that opens the message',
  },
  MRD_ERR_NDARRAY_RANK: {
    expected: 'an NDARRAY of 1 to maxNdArrayRank dimensions',
    action: 'drop dimensions of size 1, or raise maxNdArrayRank',
  },
  MRD_ERR_NDARRAY_EMPTY: {
    expected: 'an NDARRAY without a dimension of size 0',
    action: 'leave out arrays without elements',
  },
  MRD_ERR_NDARRAY_TOO_LARGE: {
    expected: 'an NDARRAY of at most maxNdArrayElements elements',
    action: 'check that the dimensions are little-endian uint64; raise maxNdArrayElements if they are right',
  },
  MRD_ERR_WRITE_CONFIG_NAME: {
    expected: 'a configuration name of at most 1023 bytes in UTF-8',
    action: 'shorten the name, or send the configuration as text',
  },
  MRD_ERR_WRITE_TOO_LONG: {
    expected: 'a text or file whose length a uint32 can say',
    action: 'split it over several messages',
  },
  MRD_ERR_WRITE_SHAPE: {
    expected: 'data of the type and size that the header says',
    action: 'make header and data agree',
  },
  MRD_ERR_WRITE_COMPRESSED: {
    expected: 'an acquisition without compression flags, as its samples are written as they are',
    action: 'clear flags 53 to 56',
  },
  MRD_ERR_XML_TOO_LARGE: {
    expected: 'an XML document of at most 4194304 characters and 65536 tags',
    action: 'move bulk data out of the header or the meta attributes',
  },
  MRD_ERR_XML_DOCTYPE: {
    expected: 'XML without a document type declaration',
    action: 'remove the DOCTYPE; MRD needs none, and entities it declares are never expanded',
  },
  MRD_ERR_XML_CHARACTER: {
    expected: 'text whose characters XML can hold',
    action: 'remove control characters and unpaired surrogates, or encode the bytes as base64',
  },
  MRD_ERR_HEADER_NOT_XML: {
    expected: 'an ISMRMRD header as well-formed XML',
    action: 'check that the sender puts the XML header, and nothing else, into the header message',
  },
  MRD_ERR_HEADER_ROOT: {
    expected: 'the root element ismrmrdHeader',
    action: 'send the ISMRMRD header, not another XML document',
  },
  MRD_ERR_HEADER_MISSING: {
    expected: 'every element that the ISMRMRD schema requires',
    action: 'add the element to the header',
  },
  MRD_ERR_HEADER_REPEATED: {
    expected: 'at most one of an element that the ISMRMRD schema does not repeat',
    action: 'remove all but one from the header',
  },
  MRD_ERR_HEADER_VALUE: {
    expected: 'a value of the type that the ISMRMRD schema gives the element',
    action: 'correct the value in the header',
  },
  MRD_ERR_META_NOT_XML: {
    expected: 'meta attributes as well-formed XML, or nothing',
    action: 'check the attribute length that the sender declares and what it writes there',
  },
  MRD_ERR_META_ROOT: {
    expected: 'the root element ismrmrdMeta',
    action: 'write meta attributes as an ismrmrdMeta document',
  },
  MRD_ERR_META_ENTRY: {
    expected: 'meta elements with exactly one name each',
    action: 'write each attribute as <meta><name>…</name><value>…</value></meta>',
  },
  MRD_ERR_HDF5_OPEN: {
    expected: 'a readable HDF5 file',
    action: 'check the path and that the file was written to its end',
  },
  MRD_ERR_HDF5_SIGNATURE: {
    expected: 'a file that starts with the HDF5 signature',
    action: 'if it is an MRD stream, read it as one',
  },
  MRD_ERR_HDF5_GROUP: {
    expected: 'one group with an MRD dataset, or the name of one that is there',
    action: 'name the group that holds the data',
  },
  MRD_ERR_HDF5_LAYOUT: {
    expected: 'the members and types of the ISMRMRD HDF5 layout',
    action: 'write the file with an ISMRMRD library',
  },
  MRD_ERR_HDF5_LENGTH: {
    expected: 'as many samples and pixels as the header of each record says',
    action: 'write the file again; its headers and its data disagree',
  },
  MRD_ERR_HDF5_READ: {
    expected: 'data that the HDF5 library can read',
    action: 'check that the file is whole; what was read before is valid',
  },
  MRD_ERR_HDF5_WRITE: {
    expected: 'room and permission to write the file',
    action: 'check the disk and the path; the file is not complete',
  },
  MRD_ERR_HDF5_MEMORY: {
    expected: 'a batch that fits into the 2 GiB of the HDF5 library',
    action: 'read in smaller batches',
  },
  MRD_ERR_HDF5_NAME: {
    expected: 'a group name of ASCII letters, digits, "_", "-" and "." that is not taken',
    action: 'choose another name',
  },
  MRD_ERR_HDF5_IMAGE_GROUPS: {
    expected: 'at most 32 image groups in one file',
    action: 'put further series into another file',
  },
  MRD_ERR_HDF5_IMAGE_SERIES: {
    expected: 'images of one pixel type, matrix size and number of channels in a group',
    action: 'give images that differ another series index or group',
  },
  MRD_ERR_HDF5_TWICE: {
    expected: 'one header a file',
    action: 'write the header once',
  },
  MRD_ERR_HDF5_CLOSED: {
    expected: 'a file that is open',
    action: 'do not use it after close()',
  },
} as const satisfies ErrorTable;

export type MrdErrorCode = keyof typeof MRD_ERRORS;

export const mrdError = errorsOf(MRD_ERRORS);
