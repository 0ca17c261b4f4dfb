/** Documentation of a JSON Schema as Markdown tables; every page about a format is written from its schema. */

/** The part of JSON Schema that the schemas of the house make use of. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/**
 * One table an object, the outer ones first; of a union, one table a member.
 * @param title of the outermost object; keys within it are named without it
 */
export function schemaTables(title: string, schema: JsonSchema): string[] {
  return innerSections(title, schema, title);
}

function sections(title: string, schema: JsonSchema, outermost: string): string[] {
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
    ...properties.flatMap(([key, value]) => innerSections(title === outermost ? key : `${title}.${key}`, value, outermost)),
  ];
}

function innerSections(title: string, schema: JsonSchema, outermost: string): string[] {
  if (schema.properties !== undefined) return sections(title, schema, outermost);
  const named = namedPart(schema);
  if (named !== undefined) return sections(`${title}.NAME`, named, outermost);
  const kinds = (schema.oneOf ?? []).filter(({ properties }) => properties !== undefined);
  if (kinds.length > 0) {
    return kinds.flatMap((kind) => {
      const { key, value } = tagOf(kind);
      return sections(`${title}, ${key} ${value}`, kind, outermost);
    });
  }
  return schema.items === undefined ? [] : innerSections(`${title}[]`, schema.items, outermost);
}

/** What stands under each name of an object with free names, where that is an object itself. */
function namedPart({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  return typeof additionalProperties === 'object' && additionalProperties.properties !== undefined ? additionalProperties : undefined;
}

function defaultOf({ default: standard }: JsonSchema): string {
  if (standard === undefined) return '';
  const isEmpty = typeof standard === 'object' && standard !== null && Object.keys(standard).length === 0;
  return isEmpty ? '' : JSON.stringify(standard).replaceAll('"', '');
}

/** What a pair or a range cannot say of itself in one line is said of its items. */
function meaningOf(schema: JsonSchema): string {
  return (schema.description ?? '').replaceAll('|', '\\|');
}

function valuesOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum !== undefined) return schema.enum.join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(valuesOf).join(' or ');
  if (schema.oneOf !== undefined) return schema.oneOf.map((kind) => tagOf(kind).value).join(', ');
  if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(valuesOf).join(', ')}]`;
  if (schema.type === 'array') return schema.items?.properties === undefined && schema.items?.oneOf === undefined ? `list of ${valuesOf(schema.items ?? {})}` : 'list, below';
  if (schema.type === 'object') return schema.properties === undefined && namedPart(schema) === undefined ? 'names and values' : 'below';
  return `${schema.type ?? 'any'}${rangeOf(schema)}`;
}

function rangeOf({ type, minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  if (type !== 'number' && type !== 'integer') return '';
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}${isBounded ? ` to ${maximum}` : ''}`;
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return '';
  return isBounded ? ` ${minimum} to ${maximum}` : ` from ${minimum}`;
}

/** What tells a member of a union from the others: key `kind`, value `tse`. */
function tagOf({ properties }: JsonSchema): { readonly key: string; readonly value: string } {
  const [key, value] = Object.entries(properties ?? {}).find(([, property]) => typeof property.const === 'string') ?? ['?', {}];
  return { key, value: String(value.const) };
}
