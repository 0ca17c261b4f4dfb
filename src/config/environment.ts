/**
 * Settings from environment variables: CONUS_DOORS_TLS_KEY_FILE is doors.tls.keyFile. Which variables there are
 * follows from the JSON Schema of the configuration, and so does how a value is read.
 */
import type { JsonSchema } from '../schemaTables.js';
import { configError } from './errors.js';

interface Variable {
  readonly path: readonly string[];
  readonly schema: JsonSchema;
}

/** By their names. */
export function environmentVariables(schema: JsonSchema): ReadonlyMap<string, Variable> {
  return new Map(leaves(schema, []).map((variable) => [nameOf(variable.path), variable]));
}

/**
 * The settings of a file with those of the environment over them.
 * @throws CodedError CONUS_ERR_CONFIG_KEY for a variable that begins like a section and is none of its keys
 */
export function environmentSettings(settings: unknown, schema: JsonSchema, environment: NodeJS.ProcessEnv): unknown {
  const variables = environmentVariables(schema);
  const sections = Object.keys(schema.properties ?? {}).map((section) => `${nameOf([section])}_`);
  let result = settings;
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !sections.some((section) => name.startsWith(section))) continue;
    const variable = variables.get(name);
    if (variable === undefined) throw configError('CONUS_ERR_CONFIG_KEY', `environment variable ${name}`);
    result = withSetting(result, variable.path, valueOf(text, variable.schema));
  }
  return result;
}

function leaves(schema: JsonSchema, path: readonly string[]): Variable[] {
  if (schema.properties === undefined) return [{ path, schema }];
  return Object.entries(schema.properties).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function nameOf(path: readonly string[]): string {
  return ['CONUS', ...path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())].join('_');
}

/** What cannot be read as its type is left as text, for the schema to refuse. */
function valueOf(text: string, { type, properties, items }: JsonSchema): unknown {
  switch (type) {
    case 'number':
    case 'integer':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      return items?.type === 'string' ? text.split(',').map((item) => item.trim()).filter((item) => item !== '') : jsonOf(text);
    case undefined:
    default:
      return properties === undefined && type === 'string' ? text : jsonOf(text);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function withSetting(settings: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const object = typeof settings === 'object' && settings !== null && !Array.isArray(settings) ? (settings as Record<string, unknown>) : {};
  return { ...object, [key]: withSetting(object[key], rest, value) };
}
