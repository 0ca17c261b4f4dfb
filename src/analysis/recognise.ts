/**
 * Which contrast and which plane a series has: by the role that the exam's protocol gives it, else by its sequence, else
 * by its name. What cannot be told is left out and said so, never guessed.
 */
import type { Contrast, Orientation } from '../../analysis/index.js';
import type { ImageGeometry } from '../../imaging/index.js';
import type { KnownSequence } from '../synthesis/index.js';

export interface ContrastFacts {
  readonly modality: 'MR' | 'CT';
  readonly isSynthetic: boolean;
  /** In the protocol: `t1w`, `stir`. */
  readonly role?: string;
  readonly known: KnownSequence;
  readonly description: string;
}

const roles: Readonly<Record<string, Contrast>> = { t1w: 't1w', t2w: 't2w', pdw: 'pdw', stir: 'stir', t2fs: 't2fs', t1fs: 't1fs', pdfs: 'pdfs', ct: 'ct' };

/** TR and TE between which weightings lie, ms: as in clinical protocols (Westbrook, MRI in Practice). */
const longestTrOfT1Ms = 1300;
const longestTeOfT1Ms = 40;
const leastTeOfT2Ms = 60;

export function contrastOf({ modality, isSynthetic, role, known, description }: ContrastFacts): Contrast | undefined {
  if (modality === 'CT') return isSynthetic ? 'syntheticCt' : 'ct';
  const byRole = role === undefined ? undefined : roles[role];
  return byRole ?? bySequence(known) ?? byName(description);
}

function bySequence({ trMs, teMs, isGradientEcho, hasInversion, isFatSuppressed }: ContrastFacts['known']): Contrast | undefined {
  if (isGradientEcho === true || trMs === undefined || teMs === undefined) return undefined;
  if (hasInversion === true) return 'stir';
  const saturated = isFatSuppressed === true;
  if (teMs >= leastTeOfT2Ms) return saturated ? 't2fs' : 't2w';
  if (trMs <= longestTrOfT1Ms && teMs <= longestTeOfT1Ms) return saturated ? 't1fs' : 't1w';
  return saturated ? 'pdfs' : 'pdw';
}

/** The first that fits: STIR is often called T2 STIR. */
const names: readonly (readonly [RegExp, Contrast])[] = [
  [/stir|tirm/i, 'stir'],
  [/t2.*(fs|fat.?sat|spair)/i, 't2fs'],
  [/t1.*(fs|fat.?sat|spair)/i, 't1fs'],
  [/(pd|proton).*(fs|fat.?sat)/i, 'pdfs'],
  [/t2/i, 't2w'],
  [/t1/i, 't1w'],
  [/(^|[^a-z])pd/i, 'pdw'],
  [/(^|[^a-z])ct([^a-z]|$)/i, 'ct'],
];

function byName(description: string): Contrast | undefined {
  return names.find(([pattern]) => pattern.test(description))?.[1];
}

/** Of the patient's axes, the one nearest to the normal of the slices. */
export function orientationOf({ rowDirection: r, columnDirection: c }: ImageGeometry): Orientation {
  const normal = [r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2], r[0] * c[1] - r[1] * c[0]].map(Math.abs);
  const axis = normal.indexOf(Math.max(...normal));
  return (['sagittal', 'coronal', 'axial'] as const)[axis]!;
}
