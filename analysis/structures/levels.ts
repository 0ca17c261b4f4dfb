/**
 * Names of levels, from signs of which each may fail.
 *
 *   P(t | signs) ∝ P(N) · exp(Σ_b≤t ln L_b) · g(c - t)
 *
 * t is the place of T12 among the bodies from head to foot. That is by definition the last vertebra with ribs, those between it and the sacrum
 * are lumbar. Signs:
 *
 *   the sacrum    tells the last lumbar vertebra, so N = n - 1 - t lumbar ones of n bodies above it; 4 or 6 are as rare as P(N) says
 *   ribs          ln L_b for and against a rib beside each body (ribs.ts), but not beside the two next to the sacrum, where the pelvis is, nor in the
 *                 neck and half-way down from it, where articular pillars lie as ribs do and the heads of ribs elsewhere
 *   the dens      is that of C2, so t = 17: seven cervical vertebrae are as good as certain
 *   the cord      ends at c, on the mean at L1's lower third: g is normal, and wide. In a neck it only leaves the slices
 *
 * The likeliest t gives all names at once, by counting: none can come twice or be left out. Its probability is multiplied by what no
 * sign within the image can rule out:
 *
 *   one end only      1 - a: the dens, or ribs and sacrum both, have to be seen. From one end, one person in ten is counted wrongly:
 *                     4 to 36 % have a lumbosacral transition (Konin and Walz 2010, doi 10.3174/ajnr.A2036)
 *   the sacrum's look  what lies below the last disc may be drawn as sacrum and vertebra at once
 *   a missing disc    where the distance of the others asks for one
 *
 * Names are certain from 0.98 on; below that they are the likeliest ones, and the reasons tell which landmark is missing. The cord's end: Saifuddin
 * 1998, Spine 23:1452 (lower third of L1, from T12 to L3). The other weights are ours, set on simulated spines (bench/levels.ts).
 */
import { vertebraName, vertebraNumber } from '../anatomy.js';
import type { Numbering } from '../types.js';
import type { RibEvidence } from './ribs.js';
import type { Vertebrae } from './vertebrae.js';

export interface Names {
  /** Of the bodies from head to foot; '' where they have none. */
  readonly names: readonly string[];
  readonly numbering: Numbering;
}

/** What the bodies do not tell by themselves. */
export interface LevelSigns {
  /** Of each body. */
  readonly ribs: readonly RibEvidence[];
  /** Where the cord ends, in places of bodies: 2.5 is half-way from the middle of the third to that of the fourth; undefined if it does not end within the image. */
  readonly conus: number | undefined;
}

const [c2, t1, t12, l1, s1] = ['C2', 'T1', 'T12', 'L1', 'S1'].map(vertebraNumber) as [number, number, number, number, number];
const certainFrom = 0.98;
/** Of four to six lumbar vertebrae; half of the transitions that are found in series of patients change the number. */
const numberShares = new Map([[4, 0.12], [5, 0.76], [6, 0.12]]);
/** Of all others together: so the likeliest names are never called sure where no number fits. */
const otherNumbers = 1e-4;
/** a */
const transitional = 0.1;
const sacrumDoubt = 0.1;
const missingDoubt = 0.1;
const otherDens = 0.005;
/** Of c - t: L1's lower third. */
const conusAt = 1.3;
const conusSd = 0.9;
/** Without the sacrum: how much less likely it is that the lowest vertebra is one farther from L5. */
const awayFromL5 = 0.5;
/** So many vertebrae below the axis ribs lie as ribs.ts knows them. */
const ribsFrom = 10;
/** ln L of bone that is a rib rather than anything else. */
const seenFrom = 2;
/** Of ribs that would be drawn. */
const drawnFrom = 0.5;

interface Hypothesis {
  /** t */
  readonly place: number;
  readonly logWeight: number;
}

export function namesOf(found: Vertebrae, signs: LevelSigns): Names {
  const { bodies, hasSacrum, hasDens } = found;
  const nPresacral = bodies.length - (hasSacrum ? 1 : 0);
  const inNeck = !hasSacrum && isNeck(bodies);
  const tells = (place: number) => (hasDens ? place >= ribsFrom : !inNeck) && place < nPresacral - (hasSacrum ? 2 : 0);
  const ribs = signs.ribs.map((one, place) => (tells(place) ? one : { logRatio: 0, drawn: 0 }));
  const conus = inNeck ? undefined : signs.conus;
  const hypotheses = hypothesesOf(found, { ribs, conus }, nPresacral);
  const best = hypotheses.reduce((most, one) => (one.logWeight > most.logWeight ? one : most));
  const total = hypotheses.reduce((sum, { logWeight }) => sum + Math.exp(logWeight - best.logWeight), 0);
  const lastRib = ribs.findLastIndex(({ logRatio }) => logRatio > seenFrom);
  const nMissing = found.discs.filter(({ isMissing }) => isMissing).length;
  const bothEnds = hasDens || (hasSacrum && lastRib >= 0);
  const probability = (1 / total) * (bothEnds ? 1 : 1 - transitional) * (hasSacrum ? 1 - sacrumDoubt * (1 - found.sacrumShare) : 1) * (1 - missingDoubt) ** nMissing;
  const nLumbar = hasSacrum ? nPresacral - 1 - best.place : 5;
  const isCounted = nLumbar >= 4 && nLumbar <= 6;
  const certain = probability >= certainFrom && isCounted;
  const last = hasSacrum && !isCounted ? 5 : nLumbar;
  // Where no number fits, counted upwards from the sacrum as if there were five.
  const first = hasSacrum && !isCounted ? l1 + 5 - nPresacral : hasSacrum || hasDens || lastRib >= 0 || conus !== undefined ? t12 - best.place : guessed(found);
  const numbers = bodies.map((_, place) => {
    if (hasSacrum && place === nPresacral) return s1;
    const number = first + place;
    return number < c2 || number > l1 + last - 1 ? undefined : number;
  });
  return {
    names: numbers.map((number) => (number === undefined ? '' : vertebraName(number)!)),
    numbering: { certain, probability: Math.floor(100 * probability) / 100, reasons: reasonsOf(found, { ribs, conus }, { nPresacral, lastRib, nLumbar, isCounted, nMissing, probability }) },
  };
}

function hypothesesOf({ bodies, hasSacrum, hasDens }: Vertebrae, { ribs, conus }: LevelSigns, nPresacral: number): Hypothesis[] {
  // From a neck down to L6: T12 lies up to 18 vertebrae below the first body and up to 6 above the last.
  const places = Array.from({ length: bodies.length + 25 }, (_, index) => index - 7);
  return places.map((place) => {
    const below = nPresacral - 1 - place;
    const ofNumber = hasSacrum ? Math.log(numberShares.get(below) ?? otherNumbers) : -awayFromL5 * Math.abs(below - 5);
    const ofRibs = ribs.reduce((sum, { logRatio }, at) => sum + (at <= place ? logRatio : 0), 0);
    const ofDens = hasDens ? Math.log(place === t12 - c2 ? 1 - 2 * otherDens : otherDens) - (Math.abs(place - (t12 - c2)) > 1 ? 20 : 0) : 0;
    const ofConus = conus === undefined ? 0 : -0.5 * ((conus - place - conusAt) / conusSd) ** 2;
    return { place, logWeight: ofNumber + ofRibs + ofDens + ofConus };
  });
}

/** The first number where no landmark is in the image: by their size they are of the neck, else the lowest is taken for L5. */
function guessed({ bodies }: Vertebrae): number {
  return isNeck(bodies) ? Math.max(c2, t1 - bodies.length + 2) : l1 + 4 - bodies.length + 1;
}

function isNeck(bodies: Vertebrae['bodies']): boolean {
  return bodies.reduce((sum, { halfDepthMm }) => sum + 2 * halfDepthMm, 0) / bodies.length < 21;
}

interface Counted {
  readonly nPresacral: number;
  readonly lastRib: number;
  readonly nLumbar: number;
  readonly isCounted: boolean;
  readonly nMissing: number;
  readonly probability: number;
}

function reasonsOf({ bodies, hasSacrum, sacrumShare, hasDens }: Vertebrae, { ribs, conus }: LevelSigns, { nPresacral, lastRib, nLumbar, isCounted, nMissing, probability }: Counted): string[] {
  const reasons: string[] = [];
  if (hasDens) reasons.push('counted downwards from the axis, whose dens is seen');
  else if (hasSacrum) reasons.push(sacrumShare > 0.85 ? 'counted upwards from the sacrum' : 'counted upwards from what is likely the sacrum');
  else if (lastRib >= 0) reasons.push('counted from the last ribs that are seen');
  else if (conus !== undefined) reasons.push('counted from the end of the cord, which is taken for L1: a guess');
  else reasons.push(isNeck(bodies) ? 'by their size they are cervical, which is a guess' : 'the lowest is taken for L5, which is a guess');
  if (lastRib >= 0 && hasSacrum && !hasDens) {
    const between = nPresacral - 1 - lastRib;
    if (!isCounted || between !== nLumbar) reasons.push(`the last ribs that are seen are ${between} vertebrae above the sacrum, where four to six are expected`);
    else if (nLumbar === 5) reasons.push('the last ribs are five vertebrae above the sacrum, at T12');
    else reasons.push(`the last ribs are ${nLumbar === 4 ? 'four vertebrae above the sacrum: four' : 'six vertebrae above the sacrum: six'} lumbar vertebrae`);
  }
  if (hasDens && lastRib >= 0) {
    const isThere = lastRib === t12 - c2;
    reasons.push(isThere ? 'the last ribs are at T12' : `the last ribs that are seen are ${lastRib} vertebrae below the axis, where those of T12 are 17`);
  }
  if (hasDens && hasSacrum && !isCounted) reasons.push(`${nPresacral} vertebrae from the axis to the sacrum, where 22 to 24 are expected; counted upwards from the sacrum`);
  const inNeck = !hasSacrum && isNeck(bodies);
  if (!hasDens && inNeck) reasons.push('landmark missing: no dens is seen, the image or what is drawn in it begins below');
  else if (!hasDens && lastRib < 0) reasons.push(`landmark missing: ${whyNoRibs(ribs)}`);
  if (!hasDens && !hasSacrum && !inNeck) reasons.push('landmark missing: no sacrum is seen, the image or what is drawn in it ends above');
  if (nMissing > 0) reasons.push(`${nMissing} ${nMissing === 1 ? 'disc is' : 'discs are'} not seen where the distance of the others asks for ${nMissing === 1 ? 'one' : 'them'}`);
  if (probability < certainFrom) reasons.push(`these names are right with a probability of about ${Math.floor(100 * probability)} %, and certain from ${100 * certainFrom} % on`);
  return reasons;
}

function whyNoRibs(ribs: readonly RibEvidence[]): string {
  const wouldBeDrawn = ribs.some(({ drawn }) => drawn > drawnFrom);
  return `no ribs are seen, ${wouldBeDrawn ? 'T12 lies above the image or its ribs are not drawn' : 'the slices end beside the bodies before ribs begin'}, so that T12 is not known`;
}
