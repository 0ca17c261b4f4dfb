/**
 * XML as a plain tree, for the header and the meta attributes. Well-formedness and tokens are
 * fast-xml-parser's; entities are ours (the five of XML and character references, nothing a document
 * could declare), so that a few bytes can never expand into many.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { mrdError, type MrdErrorCode } from './errors.js';

export interface XmlElement {
  /** As written, with its prefix where it has one. */
  readonly name: string;
  /** In document order; a list, so that no attribute name can touch a prototype. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** Elements and text. White space between elements is not kept. */
  readonly children: readonly (XmlElement | string)[];
}

/** Characters of one document: as many as the stream's limit lets through. Real headers have thousands. */
const MAX_XML_CHARACTERS = 4 * 2 ** 20;
/** Tags of one document, opening and closing, and equals signs: what bounds the time and memory of its tree. */
const MAX_XML_TAGS = 2 ** 16;
/** Elements within elements. The MRD schema needs 6. */
const MAX_XML_DEPTH = 32;

const ATTRIBUTES = ':@';
const TEXT = '#text';
const CDATA = '#cdata';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: CDATA,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: MAX_XML_DEPTH,
});

const illegalCharacter = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

const namedEntities = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decodeEntities(text: string): string {
  return text.replace(/&([^&;]*;?)/g, (whole, body: string) => {
    const reference = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));$/i.exec(body);
    const codePoint = reference ? parseInt(reference[1] ?? reference[2]!, reference[1] ? 16 : 10) : undefined;
    const decoded =
      codePoint === undefined
        ? namedEntities.get(body.slice(0, -1))
        : codePoint <= 0x10ffff
          ? String.fromCodePoint(codePoint)
          : undefined;
    if (decoded === undefined || illegalCharacter.test(decoded)) throw new Error(`the entity ${whole.slice(0, 20)}`);
    return decoded;
  });
}

/** fast-xml-parser's ordered node: one key is the name, ':@' the attributes. */
type OrderedNode = Readonly<Record<string, unknown>>;

function toText(node: OrderedNode): string | undefined {
  if (TEXT in node) return decodeEntities(String(node[TEXT]));
  if (CDATA in node) return (node[CDATA] as OrderedNode[]).map((part) => String(part[TEXT])).join('');
  return undefined;
}

function toChildren(nodes: readonly OrderedNode[]): (XmlElement | string)[] {
  const children: (XmlElement | string)[] = [];
  for (const node of nodes) {
    const text = toText(node);
    if (text === undefined) {
      children.push(toElement(node));
    } else if (typeof children.at(-1) === 'string') {
      children[children.length - 1] += text;
    } else {
      children.push(text);
    }
  }
  const hasElements = children.some((child) => typeof child !== 'string');
  return hasElements ? children.filter((child) => typeof child !== 'string' || child.trim() !== '') : children;
}

function toElement(node: OrderedNode): XmlElement {
  const name = Object.keys(node).find((key) => key !== ATTRIBUTES)!;
  return {
    name,
    attributes: Object.entries((node[ATTRIBUTES] ?? {}) as Record<string, string>).map(
      ([key, value]) => [key, decodeEntities(value)] as const,
    ),
    children: toChildren(node[name] as OrderedNode[]),
  };
}

/**
 * The root element of a document. What follows a NUL is cut off: some senders count it in the length.
 * @throws MRD_ERR_XML_TOO_LARGE, MRD_ERR_XML_DOCTYPE, and `notXml` for what is not well-formed XML
 */
export function readXml(xml: string, notXml: MrdErrorCode): XmlElement {
  if (xml.length > MAX_XML_CHARACTERS) {
    throw mrdError('MRD_ERR_XML_TOO_LARGE', `${xml.length} characters`);
  }
  for (const [mark, what] of [['<', 'tags'], ['=', 'attributes']] as const) {
    if (hasMoreThan(MAX_XML_TAGS, mark, xml)) throw mrdError('MRD_ERR_XML_TOO_LARGE', `more than ${MAX_XML_TAGS} ${what}`);
  }
  const nul = xml.indexOf('\0');
  const text = (nul < 0 ? xml : xml.slice(0, nul)).trim();
  if (/<!DOCTYPE/i.test(text)) throw mrdError('MRD_ERR_XML_DOCTYPE', 'a DOCTYPE');
  try {
    const wellFormed = XMLValidator.validate(text);
    if (wellFormed !== true) throw new Error(`${wellFormed.err.msg} (line ${wellFormed.err.line})`);
    if (illegalCharacter.test(text)) throw new Error('a control character');
    const roots = (parser.parse(text) as OrderedNode[]).filter((node) => !(TEXT in node));
    if (roots.length !== 1) throw new Error(`${roots.length} root elements`);
    return toElement(roots[0]!);
  } catch (cause) {
    throw mrdError(notXml, `${quote(text)} (${(cause as Error).message})`, { cause });
  }
}

function hasMoreThan(limit: number, character: string, text: string): boolean {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0 && count <= limit; at = text.indexOf(character, at + 1)) count += 1;
  return count > limit;
}

/** The start of a text, short enough for a message. */
function quote(text: string): string {
  return text === '' ? 'nothing' : JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** A carriage return is written as a reference: a reader turns a literal one into a line feed. */
function escapeText(text: string): string {
  if (illegalCharacter.test(text)) throw mrdError('MRD_ERR_XML_CHARACTER', JSON.stringify(text.slice(0, 80)));
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
}

function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}

function writeElement(element: XmlElement, indent: string): string {
  const attributes = element.attributes.map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`).join('');
  const open = `<${element.name}${attributes}`;
  const { children } = element;
  if (children.length === 0) return `${open}/>`;
  // Text beside elements is written without a line break, which would become part of it.
  const mixed = children.some((child) => typeof child === 'string');
  const inner = children.map((child) =>
    typeof child === 'string' ? escapeText(child) : writeElement(child, mixed ? '' : `${indent}  `),
  );
  return mixed
    ? `${open}>${inner.join('')}</${element.name}>`
    : `${open}>\n${inner.map((line) => `${indent}  ${line}\n`).join('')}${indent}</${element.name}>`;
}

/** A whole UTF-8 document. @throws MRD_ERR_XML_CHARACTER for text that no XML document can hold */
export function writeXml(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${writeElement(root, '')}\n`;
}

/** The name without its prefix. */
export function localName(element: XmlElement): string {
  return element.name.slice(element.name.indexOf(':') + 1);
}

/** All text directly within an element. */
export function textOf(element: XmlElement): string {
  return element.children.filter((child) => typeof child === 'string').join('');
}

export function elementsOf(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string');
}
