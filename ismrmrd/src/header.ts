/** The MRD header: XML text <-> typed object. */
import { z } from 'zod';
import { mrdError } from './errors.js';
import { headerSchema, type MrdHeader } from './headerSchema.js';
import { elementsOf, localName, readXml, textOf, writeXml, type XmlElement } from './xml.js';

const ROOT = 'ismrmrdHeader';
const NAMESPACE = 'http://www.ismrm.org/ISMRMRD';

/** What lies between the XML and the schema's codecs: the header's shape with text for its leaves. */
type Draft = string | Draft[] | { [name: string]: Draft | readonly XmlElement[] };

type Prefixes = ReadonlyMap<string, string>;

/** The prefixes that an element's own attributes declare, on top of those around it. */
function prefixesIn(element: XmlElement, around: Prefixes): Prefixes {
  const declared = element.attributes.filter(([name]) => name.startsWith('xmlns:'));
  return declared.length === 0 ? around : new Map([...around, ...declared.map(([name, uri]) => [name, uri] as const)]);
}

/** The prefixes that an element and what lies within it use. */
function usedPrefixes(element: XmlElement): string[] {
  const names = [element.name, ...element.attributes.map(([name]) => name)];
  const own = names.filter((name) => name.includes(':')).map((name) => `xmlns:${name.split(':')[0]!}`);
  return [...own, ...elementsOf(element).flatMap(usedPrefixes)];
}

/** An unknown element that stands by itself: it carries the declarations it took from its ancestors. */
function detach(element: XmlElement, around: Prefixes): XmlElement {
  const own = new Set(element.attributes.map(([name]) => name));
  const missing = [...new Set(usedPrefixes(element))].filter((name) => around.has(name) && !own.has(name));
  return { ...element, attributes: [...element.attributes, ...missing.map((name) => [name, around.get(name)!] as const)] };
}

function withoutOptional(schema: unknown): { schema: unknown; optional: boolean } {
  return schema instanceof z.ZodOptional ? { schema: schema.unwrap(), optional: true } : { schema, optional: false };
}

function draftOf(schema: unknown, element: XmlElement, path: string, around: Prefixes): Draft {
  if (!(schema instanceof z.ZodObject)) {
    const [inner] = elementsOf(element);
    if (inner) throw mrdError('MRD_ERR_HEADER_VALUE', `the element ${inner.name} in ${path}`);
    return textOf(element);
  }
  const prefixes = prefixesIn(element, around);
  const byName = new Map<string, XmlElement[]>();
  for (const child of elementsOf(element)) {
    const name = localName(child);
    const same = byName.get(name);
    if (same) same.push(child);
    else byName.set(name, [child]);
  }
  const draft: { [name: string]: Draft | readonly XmlElement[] } = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    if (name === 'unknown') continue;
    const found = byName.get(name) ?? [];
    byName.delete(name);
    const { schema: inner, optional } = withoutOptional(field);
    const at = path === '' ? name : `${path}.${name}`;
    if (inner instanceof z.ZodArray) {
      draft[name] = found.map((child, i) => draftOf(inner.element, child, `${at}[${i}]`, prefixes));
    } else if (found.length > 1) {
      throw mrdError('MRD_ERR_HEADER_REPEATED', `${found.length} times ${at}`);
    } else if (found.length === 1) {
      const value = draftOf(inner, found[0]!, at, prefixes);
      // An optional number or choice that was left blank is an absent one.
      const blank = optional && typeof value === 'string' && value.trim() === '' && !(inner instanceof z.ZodString);
      if (!blank) draft[name] = value;
    }
  }
  const unknown = elementsOf(element).filter((child) => byName.has(localName(child)));
  if (unknown.length > 0) draft.unknown = unknown.map((child) => detach(child, prefixes));
  return draft;
}

/** `encoding[0].trajectory` from zod's list of keys. */
function dotted(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('').replace(/^\./, '');
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], root);
}

/** Numbers as they are; of texts their length, because errors are logged and a header names the patient. */
function shown(value: unknown): string {
  if (typeof value === 'string' && !/^[+-]?\d{0,20}\.?\d{0,20}(e[+-]?\d{1,4})?$/i.test(value.trim())) return `a text of ${value.length} characters`;
  return JSON.stringify(value)?.slice(0, 60) ?? 'nothing';
}

/** The first thing that zod found, as a coded error that names the element. */
function schemaError(error: z.core.$ZodError, root: unknown) {
  const issue = error.issues[0]!;
  const at = dotted(issue.path);
  const value = valueAt(root, issue.path);
  return value === undefined
    ? mrdError('MRD_ERR_HEADER_MISSING', `no ${at}`)
    : mrdError('MRD_ERR_HEADER_VALUE', `${at} = ${shown(value)}, not ${issue.message}`);
}

/**
 * Reads a header of any version. Order and prefixes of the elements do not matter; elements that the
 * schema does not know are kept (`unknown`); attributes and comments are not.
 *
 * @throws MRD_ERR_HEADER_NOT_XML, MRD_ERR_HEADER_ROOT, MRD_ERR_HEADER_MISSING, MRD_ERR_HEADER_REPEATED,
 * MRD_ERR_HEADER_VALUE (with the path of the element), MRD_ERR_XML_TOO_LARGE, MRD_ERR_XML_DOCTYPE
 */
export function parseHeader(xml: string): MrdHeader {
  const root = readXml(xml, 'MRD_ERR_HEADER_NOT_XML');
  if (localName(root) !== ROOT) throw mrdError('MRD_ERR_HEADER_ROOT', `the root element ${root.name}`);
  const draft = draftOf(headerSchema, root, '', new Map());
  const result = z.safeDecode(headerSchema, draft as z.input<typeof headerSchema>);
  if (!result.success) throw schemaError(result.error, draft);
  return result.data;
}

function childrenOf(schema: z.ZodObject, draft: Readonly<Record<string, unknown>>): XmlElement[] {
  const known = Object.entries(schema.shape).flatMap(([name, field]) => {
    const value = draft[name];
    if (name === 'unknown' || value === undefined) return [];
    const { schema: inner } = withoutOptional(field);
    return inner instanceof z.ZodArray
      ? (value as unknown[]).map((item) => elementOf(name, inner.element, item))
      : [elementOf(name, inner, value)];
  });
  return [...known, ...((draft.unknown ?? []) as XmlElement[])];
}

function elementOf(name: string, schema: unknown, draft: unknown): XmlElement {
  const children =
    schema instanceof z.ZodObject ? childrenOf(schema, draft as Record<string, unknown>) : draft === '' ? [] : [String(draft)];
  return { name, attributes: [], children };
}

/**
 * Writes a header in the order of the schema; unknown elements follow at the end of their parent.
 * @throws MRD_ERR_HEADER_MISSING, MRD_ERR_HEADER_VALUE (NaN, out of range), MRD_ERR_XML_CHARACTER
 */
export function serializeHeader(header: MrdHeader): string {
  const result = z.safeEncode(headerSchema, header);
  if (!result.success) throw schemaError(result.error, header);
  return writeXml({ ...elementOf(ROOT, headerSchema, result.data), attributes: [['xmlns', NAMESPACE]] });
}
