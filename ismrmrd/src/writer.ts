/**
 * Messages as bytes. Each function returns the message in pieces to be written one after the other:
 * heads are built, samples, pixels and files are views of the caller's memory, not copied. The caller
 * must not change these before they are written.
 */
import { ACQUISITION_HEADER_BYTES, encodeAcquisitionHeader } from './acquisitionHeader.js';
import { bytesOf, encodeString, writeLength } from './binary.js';
import { mrdError } from './errors.js';
import { hasFlag } from './flags.js';
import { encodeImageHeader, IMAGE_HEADER_BYTES } from './imageHeader.js';
import { MessageId } from './messageIds.js';
import { isPixelArray } from './pixels.js';
import {
  type Acquisition,
  ImageDataType,
  type MrdImage,
  type MrdMessage,
  type NdArray,
  type Waveform,
} from './types.js';
import { encodeWaveformHeader, WAVEFORM_HEADER_BYTES } from './waveformHeader.js';

const CONFIG_FILE_BYTES = 1024;
const LARGEST_UINT16 = 2 ** 16 - 1;
const LARGEST_UINT32 = 2 ** 32 - 1;

/** CONFIG_FILE: the name of a configuration that the server has. @throws MRD_ERR_WRITE_CONFIG_NAME */
export function encodeConfigFile(name: string): Uint8Array[] {
  const bytes = encodeString(name);
  if (bytes.length >= CONFIG_FILE_BYTES) throw mrdError('MRD_ERR_WRITE_CONFIG_NAME', `${bytes.length} bytes`);
  const message = new Uint8Array(2 + CONFIG_FILE_BYTES);
  new DataView(message.buffer).setUint16(0, MessageId.configFile, true);
  message.set(bytes, 2);
  return [message];
}

/** CONFIG_TEXT: a configuration itself. @throws MRD_ERR_WRITE_TOO_LONG */
export function encodeConfigText(text: string): Uint8Array[] {
  return shortString(MessageId.configText, encodeString(text));
}

/** HEADER: the ISMRMRD header as XML. @throws MRD_ERR_WRITE_TOO_LONG */
export function encodeHeader(xml: string): Uint8Array[] {
  return shortString(MessageId.header, encodeString(xml));
}

/** CLOSE: nothing comes after it. */
export function encodeClose(): Uint8Array[] {
  return [head(MessageId.close, 0).bytes];
}

/**
 * TEXT. Empty text is written as one space: the C++ stream tools crash on a text of length 0.
 * @throws MRD_ERR_WRITE_TOO_LONG
 */
export function encodeText(text: string): Uint8Array[] {
  return shortString(MessageId.text, encodeString(text === '' ? ' ' : text));
}

/** QUERY: asks a Gadgetron-like server, e.g. for "ismrmrd::version". */
export function encodeQuery(correlationId: bigint, query: string): Uint8Array[] {
  const text = encodeString(query);
  const { bytes, view } = head(MessageId.query, 24);
  view.setBigUint64(10, correlationId, true);
  writeLength(view, 18, text.length);
  return [bytes, text];
}

/** RESPONSE: answers the query with the same correlation id. */
export function encodeResponse(correlationId: bigint, response: string): Uint8Array[] {
  const text = encodeString(response);
  const { bytes, view } = head(MessageId.response, 16);
  view.setBigUint64(2, correlationId, true);
  writeLength(view, 10, text.length);
  return [bytes, text];
}

/**
 * ACQUISITION, with its trajectory if it has one; samples plain.
 * @throws MRD_ERR_WRITE_SHAPE, MRD_ERR_WRITE_COMPRESSED
 */
export function encodeAcquisition({ header, trajectory, data }: Acquisition): Uint8Array[] {
  const { nSamples, nChannels, trajectoryDimensions, flags } = header;
  checkUint16s(nSamples, nChannels, trajectoryDimensions);
  if (data.length !== 2 * nChannels * nSamples) {
    throw mrdError('MRD_ERR_WRITE_SHAPE', `${data.length} floats for ${nChannels} channels x ${nSamples} samples`);
  }
  if (trajectory.length !== trajectoryDimensions * nSamples) {
    const expected = `${nSamples} samples x ${trajectoryDimensions} dimensions`;
    throw mrdError('MRD_ERR_WRITE_SHAPE', `a trajectory of ${trajectory.length} floats for ${expected}`);
  }
  if (compressions.some((name) => hasFlag(flags, name))) {
    throw mrdError('MRD_ERR_WRITE_COMPRESSED', `flags 0x${flags.toString(16)}`);
  }
  const { bytes, view } = head(MessageId.acquisition, ACQUISITION_HEADER_BYTES);
  encodeAcquisitionHeader(header, view, 2);
  return trajectory.length === 0 ? [bytes, bytesOf(data)] : [bytes, bytesOf(trajectory), bytesOf(data)];
}

/** DICOM_WITHNAME: a DICOM file for a Gadgetron client. @throws MRD_ERR_WRITE_TOO_LONG */
export function encodeDicom(file: Uint8Array, name: string, attributes: string): Uint8Array[] {
  checkUint32(file.length);
  const { bytes, view } = head(MessageId.dicom, 4);
  view.setUint32(2, file.length, true);
  return [bytes, file, ...longString(name), ...longString(attributes)];
}

/** DEPENDENCY_QUERY's answer: meta attributes. */
export function encodeDependency(attributes: string): Uint8Array[] {
  return [head(MessageId.dependency, 0).bytes, ...longString(attributes)];
}

/** IMAGE. @throws MRD_ERR_WRITE_SHAPE */
export function encodeImage({ header, attributes, data }: MrdImage): Uint8Array[] {
  const { dataType, matrixSize, nChannels } = header;
  const [columns, rows, slices] = matrixSize;
  checkUint16s(columns, rows, slices, nChannels);
  if (!isPixelArray(dataType, data, columns * rows * slices * nChannels)) {
    const expected = `${columns} x ${rows} x ${slices} ${dataType} pixels in ${nChannels} channels`;
    throw mrdError('MRD_ERR_WRITE_SHAPE', `${data.constructor.name} of ${data.length} for ${expected}`);
  }
  const text = encodeString(attributes);
  const { bytes, view } = head(MessageId.image, IMAGE_HEADER_BYTES + 8);
  encodeImageHeader(header, text.length, view, 2);
  writeLength(view, 2 + IMAGE_HEADER_BYTES, text.length);
  return text.length === 0 ? [bytes, bytesOf(data)] : [bytes, text, bytesOf(data)];
}

/** WAVEFORM. @throws MRD_ERR_WRITE_SHAPE */
export function encodeWaveform({ header, data }: Waveform): Uint8Array[] {
  checkUint16s(header.nSamples, header.nChannels);
  if (data.length !== header.nSamples * header.nChannels) {
    const expected = `${header.nChannels} channels x ${header.nSamples} samples`;
    throw mrdError('MRD_ERR_WRITE_SHAPE', `${data.length} numbers for ${expected}`);
  }
  const { bytes, view } = head(MessageId.waveform, WAVEFORM_HEADER_BYTES);
  encodeWaveformHeader(header, view, 2);
  return [bytes, bytesOf(data)];
}

/** NDARRAY. Gadgetron clients do not know it. @throws MRD_ERR_WRITE_SHAPE */
export function encodeNdArray({ version, dataType, dimensions, data }: NdArray): Uint8Array[] {
  checkUint16s(dimensions.length);
  const nElements = dimensions.reduce((product, size) => product * size, 1);
  if (dimensions.length === 0 || nElements === 0 || !isPixelArray(dataType, data, nElements)) {
    const expected = `[${dimensions.join(', ')}] ${dataType} elements`;
    throw mrdError('MRD_ERR_WRITE_SHAPE', `${data.constructor.name} of ${data.length} for ${expected}`);
  }
  const { bytes, view } = head(MessageId.ndarray, 6 + 8 * dimensions.length);
  view.setUint16(2, ImageDataType[dataType], true);
  view.setUint16(4, version, true);
  view.setUint16(6, dimensions.length, true);
  dimensions.forEach((size, axis) => {
    writeLength(view, 8 + 8 * axis, size);
  });
  return [bytes, bytesOf(data)];
}

/** Any message. @throws MRD_ERR_WRITE_* as the function of its kind */
export function encodeMessage(message: MrdMessage): Uint8Array[] {
  switch (message.kind) {
    case 'configFile':
      return encodeConfigFile(message.name);
    case 'configText':
      return encodeConfigText(message.text);
    case 'header':
      return encodeHeader(message.xml);
    case 'close':
      return encodeClose();
    case 'text':
      return encodeText(message.text);
    case 'query':
      return encodeQuery(message.correlationId, message.query);
    case 'response':
      return encodeResponse(message.correlationId, message.response);
    case 'acquisition':
      return encodeAcquisition(message.acquisition);
    case 'dicom':
      return encodeDicom(message.file, message.name, message.attributes);
    case 'dependency':
      return encodeDependency(message.attributes);
    case 'image':
      return encodeImage(message.image);
    case 'waveform':
      return encodeWaveform(message.waveform);
    case 'ndarray':
      return encodeNdArray(message.array);
  }
}

const compressions = ['compressionZfp', 'compressionNhlbi', 'compression3', 'compression4'] as const;

/** A message's id with `nBytes` of room behind it; the view's byte 0 is the id's first. */
function head(id: number, nBytes: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(2 + nBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id, true);
  return { bytes, view };
}

function shortString(id: number, text: Uint8Array): Uint8Array[] {
  checkUint32(text.length);
  const { bytes, view } = head(id, 4);
  view.setUint32(2, text.length, true);
  return [bytes, text];
}

function longString(text: string): Uint8Array[] {
  const bytes = encodeString(text);
  const length = new Uint8Array(8);
  writeLength(new DataView(length.buffer), 0, bytes.length);
  return [length, bytes];
}

function checkUint32(length: number): void {
  if (length > LARGEST_UINT32) throw mrdError('MRD_ERR_WRITE_TOO_LONG', `${length} bytes`);
}

function checkUint16s(...sizes: readonly number[]): void {
  if (sizes.every((size) => Number.isInteger(size) && size >= 0 && size <= LARGEST_UINT16)) return;
  throw mrdError('MRD_ERR_WRITE_SHAPE', `sizes ${sizes.join(', ')} that a uint16 cannot say`);
}
