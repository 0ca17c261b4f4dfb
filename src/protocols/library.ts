/** The protocols of this program, and those in files: read, checked, with every inversion time resolved. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from 'ismrmrd';
import { checkProtocol, resolveInversionTimes } from '../../protocols/index.js';
import type { Protocol, ProtocolFinding } from '../../protocols/index.js';
import { chainNamed, isParameterName, knownConfigNames, parseParameter } from '../chain/index.js';
import { PROTOCOL_FILE_ERRORS, PROTOCOL_FILE_WARNINGS, protocolFileError } from './errors.js';
import { fatNull } from './fatNull.js';

/** Beside the compiled program as in the source: the build copies the files. */
const folder = fileURLToPath(new URL('../../protocols/exams/', import.meta.url));

const FAT_NULL_TOLERANCE_MS = 20;

export interface CheckedProtocol {
  /** Where there are no errors; inversion times are in ms. */
  readonly protocol: Protocol | undefined;
  /** The same with inversion times that may be `auto`: for a person whose fat is known. */
  readonly unresolved: Protocol | undefined;
  readonly errors: readonly ProtocolFinding<string>[];
  readonly warnings: readonly ProtocolFinding<string>[];
}

/** Of the protocols that come with the program, sorted. */
export function protocolNames(): string[] {
  return readdirSync(folder)
    .filter((file) => extname(file) === '.json')
    .map((file) => basename(file, '.json'))
    .sort();
}

/**
 * @param nameOrPath of a protocol of this program, or the path of a .json file
 * @throws CodedError PROTOCOL_ERR_*: the first thing that is wrong with it
 */
export async function loadProtocol(nameOrPath: string): Promise<Protocol> {
  return (await validProtocol(nameOrPath)).protocol;
}

/**
 * The same with inversion times that may be `auto`: for a person whose fat is known.
 * @throws CodedError PROTOCOL_ERR_*: the first thing that is wrong with it
 */
export async function loadUnresolvedProtocol(nameOrPath: string): Promise<Protocol> {
  return (await validProtocol(nameOrPath)).unresolved;
}

async function validProtocol(nameOrPath: string): Promise<{ protocol: Protocol; unresolved: Protocol }> {
  const isFile = extname(nameOrPath) === '.json';
  if (!isFile && !protocolNames().includes(nameOrPath)) {
    throw protocolFileError('PROTOCOL_ERR_UNKNOWN', `"${nameOrPath}"; there are ${protocolNames().join(', ')}`);
  }
  const { protocol, unresolved, errors } = await checkProtocolFile(isFile ? nameOrPath : join(folder, `${nameOrPath}.json`));
  if (protocol !== undefined && unresolved !== undefined) return { protocol, unresolved };
  const [first] = errors as [ProtocolFinding<string>];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more: conus protocols check)` : '';
  throw new CodedError(first.code, `${first.got} at ${first.path} of ${nameOrPath}${more}`, first);
}

/** Everything that is wrong with the file, and what is worth a word. @throws CodedError PROTOCOL_ERR_FILE */
export async function checkProtocolFile(path: string): Promise<CheckedProtocol> {
  const { protocol, errors, warnings } = checkProtocol(await readJson(path), fatNull);
  if (protocol === undefined) return { protocol, unresolved: undefined, errors, warnings };
  const further = [...nameErrors(protocol, path), ...chainErrors(protocol)];
  if (further.length > 0) return { protocol: undefined, unresolved: undefined, errors: further, warnings };
  return { protocol: resolveInversionTimes(protocol, fatNull), unresolved: protocol, errors, warnings: [...warnings, ...fatNullWarnings(protocol)] };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    throw protocolFileError('PROTOCOL_ERR_FILE', `${path} (${(cause as Error).message})`, { cause });
  }
}

function errorAt(code: keyof typeof PROTOCOL_FILE_ERRORS, path: string, got: string): ProtocolFinding<string> {
  return { code, path, got, ...PROTOCOL_FILE_ERRORS[code] };
}

function nameErrors({ name, basedOn }: Protocol, path: string): ProtocolFinding<string>[] {
  const found: ProtocolFinding<string>[] = [];
  if (basename(path) !== `${name}.json`) found.push(errorAt('PROTOCOL_ERR_NAME', 'name', `"${name}" in ${basename(path)}`));
  if (basedOn !== undefined && ![dirname(path), folder].some((place) => existsSync(join(place, `${basedOn}.json`)))) {
    found.push(errorAt('PROTOCOL_ERR_NAME', 'basedOn', `"${basedOn}", which is no protocol`));
  }
  return found;
}

function chainErrors(protocol: Protocol): ProtocolFinding<string>[] {
  const places = [{ chain: protocol.chain, path: 'chain' }, ...protocol.series.map(({ chain }, index) => ({ chain, path: `series.${index}.chain` }))];
  return places.flatMap(({ chain, path }) => {
    if (chain === undefined) return [];
    const name = chain.chain;
    const isUsable = name === undefined || (knownConfigNames.includes(name) && chainNamed(name).task === 'reconstruct');
    return [
      ...(isUsable ? [] : [errorAt('PROTOCOL_ERR_CHAIN', `${path}.chain`, `"${name}", which is no chain that reconstructs`)]),
      ...Object.entries(chain.parameters).flatMap(([key, value]) => parameterErrors(key, value, `${path}.parameters.${key}`)),
    ];
  });
}

function parameterErrors(name: string, value: unknown, path: string): ProtocolFinding<string>[] {
  if (!isParameterName(name)) return [errorAt('PROTOCOL_ERR_CHAIN', path, `"${name}", which is no parameter`)];
  try {
    parseParameter(name, value, 'the protocol');
    return [];
  } catch (error) {
    if (error instanceof CodedError) return [errorAt('PROTOCOL_ERR_CHAIN', path, error.got)];
    throw error;
  }
}

function fatNullWarnings({ series, fieldStrengthT }: Protocol): ProtocolFinding<string>[] {
  return series.flatMap(({ sequence }, index) => {
    if (sequence.kind !== 'stirTse' || sequence.tiMs === 'auto') return [];
    const nullMs = fatNull(sequence, fieldStrengthT);
    if (Math.abs(sequence.tiMs - nullMs) <= FAT_NULL_TOLERANCE_MS) return [];
    const got = `${sequence.tiMs} ms, where fat is nulled at ${nullMs.toFixed(0)} ms`;
    return [{ code: 'PROTOCOL_WARN_FAT_NULL', path: `series.${index}.sequence.tiMs`, got, ...PROTOCOL_FILE_WARNINGS.PROTOCOL_WARN_FAT_NULL }];
  });
}
