export * from './errors.js';
export * from './flags.js';
export * from './types.js';
export { parseHeader, serializeHeader } from './header.js';
export type { MrdEncoding, MrdHeader, MrdLimit } from './headerSchema.js';
export { parseMeta, serializeMeta, type Meta, type MetaAttributes, type MetaValue } from './meta.js';
export type { XmlElement } from './xml.js';
export { isHdf5, openMrdFile, type BatchOptions, type ImageGroup, type MrdFileReader } from './hdf5Reader.js';
export { createMrdFile, type CreateOptions, type MrdFileWriter } from './hdf5Writer.js';
