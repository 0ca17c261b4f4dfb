/** What the physicist accepts, and which setting passes. */
import type { Figures } from './figures.js';

export interface Limits {
  readonly maxNRmse?: number;
  readonly minSsim?: number;
  readonly maxGMean?: number;
  readonly maxG99?: number;
  readonly minSnr?: number;
  readonly maxMinutes?: number;
}

type Limited = Figures & { readonly minutes: number | undefined };

interface LimitRule {
  readonly name: keyof Limits;
  readonly label: string;
  readonly valueOf: (figures: Limited) => number | undefined;
  readonly isMaximum: boolean;
}

const rules: readonly LimitRule[] = [
  { name: 'maxNRmse', label: 'nRMSE', valueOf: ({ nRmse }) => nRmse, isMaximum: true },
  { name: 'minSsim', label: 'SSIM', valueOf: ({ ssim }) => ssim, isMaximum: false },
  { name: 'maxGMean', label: 'mean g', valueOf: ({ gMean }) => gMean, isMaximum: true },
  { name: 'maxG99', label: 'g, 99th percentile', valueOf: ({ g99 }) => g99, isMaximum: true },
  { name: 'minSnr', label: 'SNR', valueOf: ({ snr }) => snr, isMaximum: false },
  { name: 'maxMinutes', label: 'minutes', valueOf: ({ minutes }) => minutes, isMaximum: true },
];

export function hasLimits(limits: Limits): boolean {
  return rules.some(({ name }) => limits[name] !== undefined);
}

/** Each limit in words, e.g. `SSIM at least 0.95`. */
export function limitTexts(limits: Limits): string[] {
  return rules.flatMap(({ name, label, isMaximum }) => {
    const limit = limits[name];
    return limit === undefined ? [] : [`${label} at ${isMaximum ? 'most' : 'least'} ${limit}`];
  });
}

/** What is not within the limits; a figure that there is none of cannot be. */
export function violations(figures: Limited, limits: Limits): string[] {
  return rules.flatMap(({ name, label, valueOf, isMaximum }) => {
    const limit = limits[name];
    if (limit === undefined) return [];
    const value = valueOf(figures);
    if (value === undefined) return [`no ${label}`];
    const isWithin = isMaximum ? value <= limit : value >= limit;
    return isWithin ? [] : [`${label} ${value.toPrecision(3)} ${isMaximum ? 'above' : 'below'} ${limit}`];
  });
}
