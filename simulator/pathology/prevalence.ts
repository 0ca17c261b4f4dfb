/**
 * Findings as they are found in people.
 *
 * Share of people without complaints who have a finding, in %, at 20, 30 … 80 years; between them linear:
 *   degeneration, bulge, protrusion, facet, listhesis   Brinjikji 2015, doi 10.3174/ajnr.A4173
 *   stenosis   Kalichman 2009, doi 10.1016/j.spinee.2009.03.005 (relative, acquired: 20 % under 40, 47 % at 60 to 69)
 *   modic      from few at 20 to what Wang 2012, doi 10.1016/j.spinee.2012.03.026, found in men of 35 to 70 (56 %) and
 *              Sheng-yun 2014, doi 10.1371/journal.pone.0114993, in people without pain (10.5 %); types as in Wang
 *   fracture   O'Neill 1996, J Bone Miner Res 11:1010 (5 % at 50 to 20 % from 75)
 *   schmorl, haemangioma   16 and 11 % at any age: Mok 2010, Spine 35:1944; Schmorl and Junghanns 1971
 * Recess, foramen and fatty muscles go with stenosis, disc and age; their rates are ours. Metastases, infections and
 * lesions of the cord are no findings of people without complaints: they are never drawn this way.
 *
 * A finding sits at one place or, with a chance of `anotherPlace` each, at more. Low levels have most of them.
 *
 * For tests of grading ('uniform') two to five findings are drawn evenly from all kinds instead.
 */
import type { Random } from '../random.js';
import type { SpinePlan } from '../spine/index.js';
import { levelsOf, type PathologyRequest, type RandomRequest } from './grammar.js';
import { kindEntry, kindNames, type KindName } from './kinds.js';
import { clash } from './together.js';

type Rates = readonly [number, number, number, number, number, number, number];

const rates: Readonly<Partial<Record<KindName | 'modic', Rates>>> = {
  degeneration: [37, 52, 68, 80, 88, 93, 96],
  bulge: [30, 40, 50, 60, 69, 77, 84],
  protrusion: [29, 31, 33, 36, 38, 40, 43],
  extrusion: [2, 3, 4, 4, 4, 4, 4],
  facet: [4, 9, 18, 32, 50, 69, 83],
  listhesis: [3, 5, 8, 14, 23, 35, 50],
  stenosis: [12, 18, 22, 30, 40, 48, 52],
  recess: [6, 10, 14, 22, 30, 38, 42],
  foramen: [6, 10, 16, 26, 36, 44, 48],
  modic: [4, 8, 16, 28, 38, 46, 50],
  fracture: [0.5, 1, 2, 5, 9, 16, 24],
  schmorl: [16, 16, 16, 16, 16, 16, 16],
  haemangioma: [11, 11, 11, 11, 11, 11, 11],
};

const modicTypes: readonly (readonly [KindName, number])[] = [['modic2', 0.642], ['modic1', 0.16], ['modicmixed', 0.181], ['modic3', 0.017]];
const anotherPlace = 0.35;
const mostPlaces = 3;

export function prevalence(kind: keyof typeof rates, ageYears: number): number {
  const at = Math.min(6, Math.max(0, (ageYears - 20) / 10));
  const [low, table] = [Math.min(5, Math.floor(at)), rates[kind]!];
  return (table[low]! + (at - low) * (table[low + 1]! - table[low]!)) / 100;
}

export function drawFindings(plan: SpinePlan, { age, grades }: RandomRequest, levels: readonly string[], random: Random): PathologyRequest[] {
  return grades === 'uniform' ? drawEvenly(levels, random) : drawAsFound(age ?? plan.ageYears, levels, random);
}

function drawAsFound(ageYears: number, levels: readonly string[], random: Random): PathologyRequest[] {
  const found: PathologyRequest[] = [];
  for (const name of Object.keys(rates) as (keyof typeof rates)[]) {
    if (random.uniform() >= prevalence(name, ageYears)) continue;
    for (let place = 0; place < mostPlaces; place++) {
      const kind = name === 'modic' ? drawWeighted(modicTypes, random) : name;
      const next = requestOf(kind, levels, random, drawMildGrade(kind, ageYears, random));
      if (!found.some((other) => clash(withLevel(other), withLevel(next)))) found.push(next);
      if (random.uniform() >= anotherPlace) break;
    }
  }
  return found;
}

function drawEvenly(levels: readonly string[], random: Random): PathologyRequest[] {
  const wanted = 2 + Math.floor(4 * random.uniform());
  const found: PathologyRequest[] = [];
  for (let attempt = 0; attempt < 20 && found.length < wanted; attempt++) {
    const kind = kindNames[Math.floor(random.uniform() * kindNames.length)]!;
    if (kindEntry(kind).site !== 'muscle' && levelsOf(kindEntry(kind).site, levels).length === 0) continue;
    const { grades } = kindEntry(kind);
    const next = requestOf(kind, levels, random, grades[Math.floor(random.uniform() * grades.length)]);
    if (!found.some((other) => clash(withLevel(other), withLevel(next)))) found.push(next);
  }
  return found;
}

function requestOf(kind: KindName, levels: readonly string[], random: Random, grade: string | undefined): PathologyRequest {
  const { site } = kindEntry(kind);
  return {
    kind,
    ...(site === 'muscle' ? {} : { level: drawLevel(kind, levelsOf(site, levels), random) }),
    ...(grade === undefined ? {} : { grade }),
    options: {},
  };
}

function withLevel({ kind, level = '', options }: PathologyRequest) {
  return { kind, level, options };
}

/** Mild ones are the commonest, the more so in the young; healthy grades are no finding. */
function drawMildGrade(kind: KindName, ageYears: number, random: Random): string | undefined {
  const grades = kindEntry(kind).grades.filter((grade) => grade !== 'normal' && !(kind === 'facet' && grade === '0') && !(kind === 'degeneration' && grade < '3'));
  if (grades.length === 0) return undefined;
  const step = 0.3 + (0.35 * Math.min(80, ageYears)) / 80;
  return drawWeighted(grades.map((grade, index) => [grade, step ** index] as const), random);
}

/** Where a pathology likes to sit, among the places that there are. */
export function drawLevel(kind: KindName, places: readonly string[], random: Random): string {
  return places.length === 0 ? '' : drawWeighted(places.map((place) => [place, weightOf(kind, place)] as const), random);
}

/** Lower lumbar and mid-cervical discs wear; the thoracolumbar junction breaks; plaques are cervical. */
function weightOf(kind: KindName, place: string): number {
  switch (kindEntry(kind).site) {
    case 'disc':
    case 'lumbarDisc':
      if (kind === 'schmorl') return /^(T11|T12|L1|L2)-/.test(place) ? 3 : 1;
      return /^(L4-L5|L5-S1|L5-L6|L6-S1)$/.test(place) ? 6 : /^L3-/.test(place) ? 3 : /^C[456]-/.test(place) ? 3 : /^L/.test(place) ? 1.2 : 0.4;
    case 'vertebra':
      return kind === 'fracture' ? (/^(T12|L1)$/.test(place) ? 5 : /^(T7|T8|L2|L3)$/.test(place) ? 2 : 1) : /^[LT]/.test(place) ? 2 : 1;
    case 'cord':
      return place.startsWith('C') ? 3 : 1;
    case 'muscle':
      return 1;
  }
}

function drawWeighted<T>(weighted: readonly (readonly [T, number])[], random: Random): T {
  const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random.uniform() * total;
  for (const [value, weight] of weighted) {
    left -= weight;
    if (left < 0) return value;
  }
  return weighted.at(-1)![0];
}
