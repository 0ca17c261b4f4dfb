export * from './errors.js';
export * from './flags.js';
export * from './types.js';
export { parseHeader, serializeHeader } from './header.js';
export type { MrdEncoding, MrdHeader, MrdLimit } from './headerSchema.js';
export { parseMeta, serializeMeta, type Meta, type MetaAttributes, type MetaValue } from './meta.js';
export type { XmlElement } from './xml.js';
export { isHdf5, openMrdFile, type BatchOptions, type ImageGroup, type MrdFileReader } from './hdf5Reader.js';
export { createMrdFile, type CreateOptions, type MrdFileWriter } from './hdf5Writer.js';
export { ACQUISITION_HEADER_BYTES, decodeAcquisitionHeader, encodeAcquisitionHeader } from './acquisitionHeader.js';
export { decodeImageHeader, encodeImageHeader, IMAGE_HEADER_BYTES } from './imageHeader.js';
export { decodeWaveformHeader, encodeWaveformHeader, WAVEFORM_HEADER_BYTES } from './waveformHeader.js';
export { DEFAULT_LIMITS, type ParserLimits } from './limits.js';
export { messageSink, parseMessages, readMessages } from './messages.js';
export { MessageId, messageName, type MessageName } from './messageIds.js';
export { MrdParser } from './parser.js';
export {
  encodeAcquisition,
  encodeClose,
  encodeConfigFile,
  encodeConfigText,
  encodeDependency,
  encodeDicom,
  encodeHeader,
  encodeImage,
  encodeMessage,
  encodeNdArray,
  encodeQuery,
  encodeResponse,
  encodeText,
  encodeWaveform,
} from './writer.js';
export { type Affine, type MrdGeometry, voxelToPatient } from './affine.js';
