/**
 * Codes of labelled stacks. Vertebrae are numbered as in VerSe (Sekuboyina 2021, doi 10.1016/j.media.2021.102166) down to
 * L6: C1 … C7 1 to 7, T1 … T12 8 to 19, L1 … L6 20 to 25; then S1 26. A level's structures are a hundred apart, so that the
 * hundreds tell the kind and the rest the level. A segment has the number of its upper vertebra.
 */
import type { Side } from './types.js';

const vertebraNames: readonly string[] = [
  ...numbered('C', 7),
  ...numbered('T', 12),
  ...numbered('L', 6),
  'S1',
];

/** Without a level. */
export const structureCodes = {
  sac: 1,
  cord: 2,
  epiduralFat: 3,
  ligamentumFlavum: 4,
  sacrum: 9,
  root: 10,
  otherBone: 49,
} as const;

const kinds = { body: 100, arch: 200, disc: 300, foramenLeft: 400, foramenRight: 500, facetLeft: 600, facetRight: 700 } as const;

/** What stands at a level, or undefined for codes without one. */
export interface LevelCode {
  readonly kind: keyof typeof kinds;
  readonly level: string;
}

/** 1 to 26, 0 for other names. */
export function vertebraNumber(name: string): number {
  return vertebraNames.indexOf(name) + 1;
}

export function vertebraName(number: number): string | undefined {
  return vertebraNames[number - 1];
}

export function bodyCode(vertebra: string): number {
  return kinds.body + vertebraNumber(vertebra);
}

export function archCode(vertebra: string): number {
  return kinds.arch + vertebraNumber(vertebra);
}

/** @param segment 'L4-L5' */
export function discCode(segment: string): number {
  return kinds.disc + segmentNumber(segment);
}

export function foramenCode(segment: string, side: Side): number {
  return (side === 'left' ? kinds.foramenLeft : kinds.foramenRight) + segmentNumber(segment);
}

export function facetCode(segment: string, side: Side): number {
  return (side === 'left' ? kinds.facetLeft : kinds.facetRight) + segmentNumber(segment);
}

export function levelCodeOf(code: number): LevelCode | undefined {
  return levelCodes[code];
}

function segmentNumber(segment: string): number {
  return vertebraNumber(segment.slice(0, segment.indexOf('-')));
}

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}

/** By code: they are looked up for every pixel. */
const levelCodes: readonly (LevelCode | undefined)[] = Array.from({ length: 800 }, (_, code) => {
  const hundreds = code - (code % 100);
  const kind = (Object.keys(kinds) as (keyof typeof kinds)[]).find((name) => kinds[name] === hundreds);
  const level = vertebraName(code % 100);
  return kind === undefined || level === undefined ? undefined : { kind, level };
});
