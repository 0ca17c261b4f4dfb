/**
 * Meta attributes of images and dependency answers:
 * <ismrmrdMeta><meta><name>DataRole</name><value>Image</value></meta>…</ismrmrdMeta>
 */
import { mrdError } from './errors.js';
import { elementsOf, localName, readXml, textOf, writeXml, type XmlElement } from './xml.js';

/** The values of each name, in the order of the document. */
export type Meta = ReadonlyMap<string, readonly string[]>;

export type MetaValue = string | number | readonly (string | number)[];
/** Attributes to be written, as a plain object. */
export type MetaAttributes = Readonly<Record<string, MetaValue>>;

/**
 * Reads meta attributes; nothing, or an element without entries, is an empty Meta. A name that
 * occurs again adds its values.
 * @throws MRD_ERR_META_NOT_XML, MRD_ERR_META_ROOT, MRD_ERR_META_ENTRY, MRD_ERR_XML_TOO_LARGE,
 * MRD_ERR_XML_DOCTYPE
 */
export function parseMeta(xml: string): Meta {
  const meta = new Map<string, string[]>();
  if (/^[\s\0]*$/.test(xml)) return meta;
  const root = readXml(xml, 'MRD_ERR_META_NOT_XML');
  if (localName(root) !== 'ismrmrdMeta') throw mrdError('MRD_ERR_META_ROOT', `the root element ${root.name}`);
  for (const entry of elementsOf(root)) {
    const parts = elementsOf(entry);
    const names = parts.filter((part) => localName(part) === 'name');
    if (localName(entry) !== 'meta' || names.length !== 1) {
      throw mrdError('MRD_ERR_META_ENTRY', `<${entry.name}> with ${names.length} names`);
    }
    const name = textOf(names[0]!);
    const values = parts.filter((part) => localName(part) === 'value').map(textOf);
    const earlier = meta.get(name);
    if (!earlier) meta.set(name, values);
    else for (const value of values) earlier.push(value);
  }
  return meta;
}

function toElement(name: string, children: readonly (XmlElement | string)[]): XmlElement {
  return { name, attributes: [], children: children.filter((child) => child !== '') };
}

/** Writes meta attributes. @throws MRD_ERR_XML_CHARACTER for text that no XML document can hold */
export function serializeMeta(meta: Meta | MetaAttributes): string {
  const entries: Iterable<readonly [string, MetaValue]> = meta instanceof Map ? meta : Object.entries(meta);
  const elements = [...entries].map(([name, value]) => {
    const values = typeof value === 'object' ? value : [value];
    return toElement('meta', [
      toElement('name', [name]),
      ...values.map((item) => toElement('value', [String(item)])),
    ]);
  });
  return writeXml(toElement('ismrmrdMeta', elements));
}
