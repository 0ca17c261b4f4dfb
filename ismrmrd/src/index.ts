export * from './errors.js';
export * from './flags.js';
export * from './types.js';
export { parseHeader, serializeHeader } from './header.js';
export type { MrdEncoding, MrdHeader, MrdLimit } from './headerSchema.js';
export { parseMeta, serializeMeta, type Meta, type MetaAttributes, type MetaValue } from './meta.js';
export type { XmlElement } from './xml.js';
