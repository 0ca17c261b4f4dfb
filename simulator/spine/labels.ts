/**
 * Codes of the label map. Vertebrae are numbered as in VerSe (Sekuboyina 2021, doi 10.1016/j.media.2021.102166)
 * down to L6: C1 … C7 1 to 7, T1 … T12 8 to 19, L1 … L6 20 to 25; then S1 … S5 26 to 30, Co1 31. A level's
 * structures are a hundred apart, so that the hundreds tell the kind and the rest the level. A segment has
 * the number of its upper vertebra.
 */
import { simulatorError } from '../errors.js';
import type { Side, SpinePlan } from './plan.js';

const vertebraNames = [
  ...numbered('C', 7),
  ...numbered('T', 12),
  ...numbered('L', 6),
  ...numbered('S', 5),
  'Co1',
];

/** Without a level. From 20 to 99: surroundings. */
export const spineLabels = {
  csf: 1,
  cord: 2,
  epiduralFat: 3,
  ligamentumFlavum: 4,
  anteriorLongitudinalLigament: 5,
  posteriorLongitudinalLigament: 6,
  interspinousLigament: 7,
  supraspinousLigament: 8,
  sacrum: 9,
  root: 10,
} as const;

const kinds = {
  body: 100,
  arch: 200,
  disc: 300,
  foramenLeft: 400,
  foramenRight: 500,
  facetLeft: 600,
  facetRight: 700,
} as const;

/** 1 to 31. @throws SIM_ERR_SPINE */
export function vertebraNumber(name: string): number {
  const index = vertebraNames.indexOf(name);
  if (index < 0) throw simulatorError('SIM_ERR_SPINE', `a vertebra named ${name}`);
  return index + 1;
}

export function bodyLabel(vertebra: string): number {
  return kinds.body + vertebraNumber(vertebra);
}

export function archLabel(vertebra: string): number {
  return kinds.arch + vertebraNumber(vertebra);
}

/** @param segment 'L4-L5' */
export function discLabel(segment: string): number {
  return kinds.disc + segmentNumber(segment);
}

export function foramenLabel(segment: string, side: Side): number {
  return (side === 'left' ? kinds.foramenLeft : kinds.foramenRight) + segmentNumber(segment);
}

export function facetLabel(segment: string, side: Side): number {
  return (side === 'left' ? kinds.facetLeft : kinds.facetRight) + segmentNumber(segment);
}

export interface LabelEntry {
  readonly code: number;
  readonly name: string;
  /** Vertebra or segment. */
  readonly level?: string;
  readonly side?: Side;
}

/** What the codes of a plan's label map mean, without its surroundings; ascending. */
export function labelTable(plan: SpinePlan): LabelEntry[] {
  const general = Object.entries(spineLabels).map(([name, code]): LabelEntry => ({ code, name }));
  const vertebrae = ['C1', ...plan.vertebrae.map(({ name }) => name)].flatMap((level): LabelEntry[] => [
    { code: bodyLabel(level), name: 'vertebralBody', level },
    { code: archLabel(level), name: 'posteriorElements', level },
  ]);
  const segments = plan.segments.flatMap(({ name: level }): LabelEntry[] => [
    { code: discLabel(level), name: 'disc', level },
    ...(['left', 'right'] as const).flatMap((side): LabelEntry[] => [
      { code: foramenLabel(level, side), name: 'foramen', level, side },
      { code: facetLabel(level, side), name: 'facetJoint', level, side },
    ]),
  ]);
  return [...general, ...vertebrae, ...segments].sort((a, b) => a.code - b.code);
}

function segmentNumber(segment: string): number {
  return vertebraNumber(segment.slice(0, segment.indexOf('-')));
}

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}
