/** docs/protocols.md, from the schema. */
import { protocolJsonSchema } from '../../protocols/index.js';

/** The part of JSON Schema that the protocol schema makes use of. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

export function protocolsPage(): string {
  return [
    '# Exam protocols',
    '',
    'Written by `conus protocols schema --markdown`; do not edit.',
    '',
    'A protocol is one JSON file in `protocols/exams/`, named as the protocol: what is scanned, in order, how each series',
    'is known when it comes from a scanner, and what is synthesised and analysed. Adding one is dropping in a file;',
    '`conus protocols check FILE` tells everything that is wrong with it. Unknown keys are refused. Times are in ms, lengths in',
    'mm, angles in degrees; the unit is in the name.',
    '',
    'Scan times follow from the protocol (`protocols/timing.ts`), and so do the lines that are acquired (`protocols/encoding.ts`)',
    'and the directions of the slices (`protocols/geometry.ts`).',
    '',
    ...sections('the protocol', protocolJsonSchema() as Schema),
  ].join('\n');
}

/** One table an object, the outer ones first. */
function sections(title: string, schema: Schema): string[] {
  const properties = Object.entries(schema.properties ?? {});
  const rows = properties.map(([key, value]) => {
    const standard = schema.required?.includes(key) === true ? 'required' : defaultOf(value);
    return `| \`${key}\` | ${valuesOf(value)} | ${standard} | ${meaningOf(value)} |`;
  });
  return [
    `## ${title}`,
    '',
    '| key | values | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...properties.flatMap(([key, value]) => innerSections(title === 'the protocol' ? key : `${title}.${key}`, value)),
  ];
}

function innerSections(title: string, schema: Schema): string[] {
  if (schema.properties !== undefined) return sections(title, schema);
  const kinds = (schema.oneOf ?? []).filter(({ properties }) => properties !== undefined);
  if (kinds.length > 0) return kinds.flatMap((kind) => sections(`${title}, kind ${String(kind.properties?.['kind']?.const)}`, kind));
  return schema.items?.properties === undefined ? [] : sections(`${title}[]`, schema.items);
}

function defaultOf({ default: standard }: Schema): string {
  if (standard === undefined) return '';
  const isEmpty = typeof standard === 'object' && standard !== null && Object.keys(standard).length === 0;
  return isEmpty ? '' : JSON.stringify(standard).replaceAll('"', '');
}

/** What a pair or a range cannot say of itself in one line is said of its items. */
function meaningOf(schema: Schema): string {
  return (schema.description ?? '').replaceAll('|', '\\|');
}

function valuesOf(schema: Schema): string {
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum !== undefined) return schema.enum.join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(valuesOf).join(' or ');
  if (schema.oneOf !== undefined) return schema.oneOf.map(({ properties }) => String(properties?.['kind']?.const)).join(', ');
  if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(valuesOf).join(', ')}]`;
  if (schema.type === 'array') return schema.items?.properties === undefined ? `list of ${valuesOf(schema.items ?? {})}` : 'list, below';
  if (schema.type === 'object') return schema.properties === undefined ? 'names and values' : 'below';
  return `${schema.type ?? 'any'}${rangeOf(schema)}`;
}

function rangeOf({ type, minimum, exclusiveMinimum, maximum }: Schema): string {
  if (type !== 'number' && type !== 'integer') return '';
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}${isBounded ? ` to ${maximum}` : ''}`;
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return '';
  return isBounded ? ` ${minimum} to ${maximum}` : ` from ${minimum}`;
}
