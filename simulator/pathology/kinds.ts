/**
 * What can be asked for: the one table of pathologies, from which the parser, its messages and the table in
 * docs/simulator.md are made.
 */
import { severities } from '../truth/grades.js';

/** What a pathology sits at. */
export type Site = 'disc' | 'lumbarDisc' | 'vertebra' | 'cord' | 'muscle';

export interface ChoiceKey {
  readonly meaning: string;
  readonly values: readonly string[];
}

export interface NumberKey {
  readonly meaning: string;
  readonly unit: string;
  readonly from: number;
  readonly to: number;
}

export type Key = ChoiceKey | NumberKey;

export interface KindEntry {
  readonly meaning: string;
  readonly site: Site;
  /** In the order of severity. Empty where the pathology has no grade. */
  readonly grades: readonly string[];
  /** What the grades are, with their scale. */
  readonly scale: string;
  readonly keys: Readonly<Record<string, Key>>;
}

const side: ChoiceKey = { meaning: 'side', values: ['left', 'right', 'both'] };
const endplate: ChoiceKey = { meaning: 'which endplate of the disc', values: ['upper', 'lower', 'both'] };
const extents = ['small', 'moderate', 'large'] as const;
const spans = 'small, moderate or large: a quarter, a half or most of the endplate';
const modic = (meaning: string): KindEntry => ({ meaning, site: 'disc', grades: extents, scale: spans, keys: { endplate } });
const hernia = (meaning: string, more: Readonly<Record<string, Key>> = {}): KindEntry => ({
  meaning,
  site: 'disc',
  grades: ['mild', 'moderate', 'severe'],
  scale: 'a third and two thirds of the canal taken',
  keys: { zone: { meaning: 'where it lies', values: ['central', 'subarticular', 'foraminal'] }, side: { ...side, values: ['left', 'right'] }, ...more },
});

export const pathologyKinds = {
  degeneration: {
    meaning: 'disc degeneration: signal, then height is lost',
    site: 'disc', grades: ['1', '2', '3', '4', '5'], scale: 'Pfirrmann', keys: {},
  },
  bulge: {
    meaning: 'disc bulge, over more than a quarter of the circumference',
    site: 'disc', grades: [], scale: '', keys: { mm: { meaning: 'depth', unit: 'mm', from: 3, to: 6 } },
  },
  protrusion: hernia('disc protrusion: deeper than a bulge, nowhere wider than its base'),
  extrusion: hernia('disc extrusion: wider than its base, or beyond the level of the disc', {
    migration: { meaning: 'where it has moved', values: ['none', 'up', 'down'] },
  }),
  stenosis: {
    meaning: 'central canal stenosis: thick ligamenta flava and facets', site: 'lumbarDisc',
    grades: severities, scale: 'area of the dural sac, cut-offs 130, 100 and 76 mm²', keys: {},
  },
  recess: {
    meaning: 'lateral recess stenosis', site: 'lumbarDisc',
    grades: severities, scale: 'height of the recess, cut-offs 5, 3 and 2 mm', keys: { side },
  },
  foramen: {
    meaning: 'foraminal stenosis', site: 'lumbarDisc',
    grades: severities, scale: 'smallest width of the foramen, cut-offs 4, 3 and 2 mm', keys: { side },
  },
  facet: {
    meaning: 'facet arthropathy', site: 'disc',
    grades: ['0', '1', '2', '3'], scale: 'joint space, cut-offs 2, 1.2 and 0.6 mm; hypertrophy goes with it (Weishaupt)', keys: { side },
  },
  modic1: modic('Modic type 1: oedema along the endplates'),
  modic2: modic('Modic type 2: fat along the endplates'),
  modic3: modic('Modic type 3: sclerosis along the endplates'),
  modicmixed: {
    ...modic('mixed Modic: one type at the endplate, another behind it'),
    keys: { endplate, types: { meaning: 'which two', values: ['1/2', '2/3'] } },
  },
  schmorl: {
    meaning: 'Schmorl node', site: 'disc', grades: extents, scale: '4, 7 or 10 mm wide',
    keys: { endplate: { ...endplate, values: ['upper', 'lower'] }, oedema: { meaning: 'oedema round it', values: ['yes', 'no'] } },
  },
  fracture: {
    meaning: 'compression fracture', site: 'vertebra',
    grades: ['1', '2', '3'], scale: 'Genant: 20, 25 and 40 % of the height lost',
    keys: {
      shape: { meaning: 'Genant type', values: ['wedge', 'biconcave', 'crush'] },
      cause: { meaning: 'a traumatic one bursts: its posterior wall goes into the canal', values: ['osteoporotic', 'traumatic'] },
      oedema: { meaning: 'marrow oedema, as in the first months', values: ['yes', 'no'] },
    },
  },
  metastasis: {
    meaning: 'metastasis of a vertebral body', site: 'vertebra', grades: extents, scale: '10, 18 or 26 mm wide',
    keys: {
      matrix: { meaning: 'what it does to bone', values: ['lytic', 'sclerotic'] },
      breach: { meaning: 'through the cortex', values: ['yes', 'no'] },
      epidural: { meaning: 'into the canal', values: ['yes', 'no'] },
    },
  },
  haemangioma: {
    meaning: 'vertebral haemangioma', site: 'vertebra', grades: extents, scale: '8, 14 or 22 mm wide', keys: {},
  },
  spondylodiscitis: {
    meaning: 'infection of a disc and the vertebrae beside it', site: 'disc', grades: [], scale: '',
    keys: { abscess: { meaning: 'collection', values: ['none', 'paraspinal', 'epidural', 'both'] } },
  },
  plaque: {
    meaning: 'multiple sclerosis plaque of the cord: dorsolateral, at most two segments long', site: 'cord', grades: [], scale: '',
    keys: { mm: { meaning: 'length', unit: 'mm', from: 4, to: 30 }, side: { ...side, values: ['left', 'right'] } },
  },
  contusion: {
    meaning: 'cord contusion', site: 'cord', grades: [], scale: '',
    keys: { mm: { meaning: 'length', unit: 'mm', from: 5, to: 80 } },
  },
  listhesis: {
    meaning: 'spondylolisthesis: the upper vertebra slips, and what is above goes with it', site: 'disc',
    grades: ['1', '2', '3'], scale: 'Meyerding',
    keys: { direction: { meaning: 'where to', values: ['anterior', 'posterior'] } },
  },
  fatty: {
    meaning: 'fatty infiltration of multifidus and erector spinae', site: 'muscle',
    grades: ['0', '1', '2', '3', '4'], scale: 'Goutallier', keys: { side },
  },
} as const satisfies Readonly<Record<string, KindEntry>>;

export type KindName = keyof typeof pathologyKinds;

export const kindNames = Object.keys(pathologyKinds) as readonly KindName[];

export function kindEntry(kind: KindName): KindEntry {
  return pathologyKinds[kind];
}

/** What may be written behind a kind, in words. */
export function syntaxOf(kind: KindName): string {
  const { site, grades, keys } = kindEntry(kind);
  return [
    kind,
    ...(site === 'muscle' ? [] : [`[:${site === 'disc' || site === 'lumbarDisc' ? 'L4-L5' : site === 'cord' ? 'C5' : 'L1'}]`]),
    ...(grades.length === 0 ? [] : [`[:${grades.join('|')}]`]),
    ...Object.entries(keys).map(([name, key]) => `[:${name}=${'values' in key ? key.values.join('|') : `${key.from}..${key.to}`}]`),
  ].join('');
}

/** The table of docs/simulator.md. */
export function pathologyTable(): string {
  const rows = kindNames.map((kind) => {
    const { meaning, scale } = kindEntry(kind);
    return `| \`${syntaxOf(kind).replaceAll('|', '\\|')}\` | ${meaning} | ${scale} |`;
  });
  return ['| syntax | what it is | grades |', '|---|---|---|', ...rows].join('\n');
}
