/**
 * How pathologies are asked for.
 *
 *   request = item { "," item }
 *   item    = kind [ ":" level ] [ ":" grade ] { ":" key "=" value }
 *           | "random" { ":" key "=" value }
 *
 *   stenosis:L4-L5:severe,modic1:L5-S1,fracture:L1:2:shape=wedge
 *
 * A level is a vertebra (L1) or a disc (L4-L5, or L4-5), as kinds.ts says of each kind. What is left out, level,
 * grade or key, is drawn. "random" draws whole persons: see prevalence.ts. Capitals do not matter.
 */
import { simulatorError } from '../errors.js';
import { kindEntry, kindNames, syntaxOf, type KindName, type Site } from './kinds.js';

export interface PathologyRequest {
  readonly kind: KindName;
  /** Absent: to be drawn. Always absent for muscles. */
  readonly level?: string;
  readonly grade?: string;
  readonly options: Readonly<Record<string, string | number>>;
}

/** Findings as they are found in people of an age. */
export interface RandomRequest {
  readonly kind: 'random';
  /** Years; absent: the age of the spine. */
  readonly age?: number;
  /** How grades are drawn: as found in people, or for tests of grading (severity.ts). */
  readonly grades: 'prevalence' | 'uniform';
}

/**
 * @param vertebrae names of the vertebrae of the spine, from the head down
 * @throws SIM_ERR_PATHOLOGY
 */
export function parsePathologies(text: string, vertebrae: readonly string[]): (PathologyRequest | RandomRequest)[] {
  const items = text.split(',').map((item) => item.trim().toLowerCase());
  if (items.some((item) => item === '')) throw refused(`'${text}'`, 'an item is empty', 'items parted by single commas');
  return items.map((item) => parseItem(item, vertebrae));
}

function parseItem(item: string, vertebrae: readonly string[]): PathologyRequest | RandomRequest {
  const [name = '', ...rest] = item.split(':').map((part) => part.trim());
  if (name === 'random') return parseRandom(item, rest);
  const kind = kindNames.find((known) => known === name);
  if (kind === undefined) throw refused(item, `no pathology '${name}'`, ['random', ...kindNames].join(', '));
  const { site, grades, keys } = kindEntry(kind);
  const levels = levelsOf(site, vertebrae);

  let [level, grade]: (string | undefined)[] = [undefined, undefined];
  const options: Record<string, string | number> = {};
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals >= 0) {
      const key = part.slice(0, equals).trim();
      if (keys[key] === undefined || key in options) throw refused(item, `key '${key}'`, syntaxOf(kind));
      options[key] = parseValue(item, kind, key, part.slice(equals + 1).trim());
      continue;
    }
    const asLevel = levels.find((known) => known.toLowerCase() === spelledOut(part));
    // Behind keys stands nothing but keys, before the grade nothing but the level.
    const afterKeys = Object.keys(options).length > 0;
    if (!afterKeys && level === undefined && grade === undefined && asLevel !== undefined) level = asLevel;
    else if (!afterKeys && grade === undefined && grades.includes(part)) grade = part;
    else throw refused(item, `'${part}'`, `${syntaxOf(kind)}${levels.length > 0 ? `, levels ${levels.join(' ')}` : ''}`);
  }
  return { kind, ...(level === undefined ? {} : { level }), ...(grade === undefined ? {} : { grade }), options };
}

function parseValue(item: string, kind: KindName, name: string, text: string): string | number {
  const key = kindEntry(kind).keys[name]!;
  if ('values' in key) {
    if (!key.values.includes(text)) throw refused(item, `${name}=${text}`, `${name}=${key.values.join('|')}`);
    return text;
  }
  const value = Number(text);
  if (text === '' || !(value >= key.from && value <= key.to)) {
    throw refused(item, `${name}=${text}`, `${name} from ${key.from} to ${key.to} ${key.unit}`);
  }
  return value;
}

const randomSyntax = 'random[:age=18..100][:grades=prevalence|uniform]';

function parseRandom(item: string, parts: readonly string[]): RandomRequest {
  let age: number | undefined;
  let grades: RandomRequest['grades'] = 'prevalence';
  for (const part of parts) {
    const [key, text = ''] = part.split('=');
    const years = Number(text);
    if (key === 'age' && text !== '' && years >= 18 && years <= 100) age = years;
    else if (key === 'grades' && (text === 'prevalence' || text === 'uniform')) grades = text;
    else throw refused(item, `'${part}'`, randomSyntax);
  }
  return { kind: 'random', ...(age === undefined ? {} : { age }), grades };
}

/** Names of the places at which a pathology can sit, from the head down. */
export function levelsOf(site: Site, vertebrae: readonly string[]): string[] {
  switch (site) {
    case 'disc':
      // The discs of the spine begin below the axis; between the sacral vertebrae there are none.
      return vertebrae.slice(1).flatMap((below, index) => {
        const above = vertebrae[index]!;
        return above === 'C1' || /^S[1-5]$/.test(above) ? [] : [`${above}-${below}`];
      });
    case 'lumbarDisc':
      return levelsOf('disc', vertebrae).filter((name) => name.includes('L'));
    case 'vertebra':
      return vertebrae.filter((name) => !/^(C[12]|S\d|Co\d)$/.test(name));
    case 'cord':
      // The cord ends at the first or second lumbar vertebra.
      return vertebrae.filter((name) => /^(C\d|T\d+)$/.test(name));
    case 'muscle':
      return [];
  }
}

/** L4-5 is L4-L5. */
function spelledOut(level: string): string {
  return level.replace(/^([ctls])(\d+)-(\d+)$/, '$1$2-$1$3');
}

function refused(item: string, what: string, known: string): Error {
  return simulatorError('SIM_ERR_PATHOLOGY', `'${item}': ${what}; known: ${known}`);
}
