/**
 * Whether an image is of the kind that a denoiser is for, asked before it is: an MR image whose noise is what its noise
 * map says. What is something else, or nothing, is refused with the reason; what is merely unusual is for trust.ts.
 */
import { noiseRatio, type Components } from '../../imaging/index.js';

export type NoveltyReason =
  | 'empty'
  | 'notFinite'
  | 'noiseMap'
  | 'constant'
  | 'fewValues'
  | 'hounsfield'
  | 'noiseOnly'
  | 'noiseScale';

/** For people: what the image is instead. */
export const noveltyTexts: Readonly<Record<NoveltyReason, string>> = {
  empty: 'is zero throughout',
  notFinite: 'has values that are not finite',
  noiseMap: 'has a noise map that is negative, not finite, or zero where the image is not',
  constant: 'has one value throughout',
  fewValues: 'has only a few different values, as masks and label maps have',
  hounsfield: 'has the values of a CT image',
  noiseOnly: 'shows nothing but noise',
  noiseScale: 'has a noise that is far from its noise map',
};

export interface NoveltyInput {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns, components] */
  readonly data: Float32Array;
  /** Standard deviation of each component, [rows, columns]; 0 where there is nothing in the image. */
  readonly noise: Float32Array;
  readonly components: Components;
  /** False: its finest details, by which the image would tell of its noise, are gone. True where not given. */
  readonly noiseIsWhite?: boolean;
}

/** An image that has so few different values among those that are not 0 was never measured. */
const fewestValues = 24;
/** Values are counted in so many pixels. */
const nCounted = 8192;
/** Noise may be off its map by this factor either way; trust.ts warns before. */
const largestNoiseFactor = 3;
/** Means over windows of this size stand out of noise by more than `standsOut` standard deviations, or nothing is there. */
const window = 8;
/** What counts as nothing, over the noise. */
const nothing = 1e-3;
const standsOut = 7;
/** Air in CT images, and the value outside of their field of view, HU. */
const airHu = [-1100, -900] as const;

/** Why a denoiser is not to be asked; undefined where it may be. Looks at the cheap reasons first. */
export function noveltyOf(input: NoveltyInput): NoveltyReason | undefined {
  return plainNoveltyOf(input) ?? noiseNoveltyOf(input).reason;
}

/** The reasons that are cheap to see. */
export function plainNoveltyOf(input: NoveltyInput): NoveltyReason | undefined {
  const { data, components } = input;
  const size = totalSize(data);
  if (!Number.isFinite(size)) return 'notFinite';
  if (!isKnown(input)) return 'noiseMap';
  if (size === 0) return 'empty';
  if (looksLikeHounsfield(data, components)) return 'hounsfield';
  const nValues = countValues(data, components);
  if (nValues === 1 && data.every((value, i) => value === data[i % components])) return 'constant';
  return nValues < fewestValues ? 'fewValues' : undefined;
}

/** The reasons that the noise gives, and what the image told of it: noise found / noise map; undefined where it was not asked. */
export function noiseNoveltyOf(input: NoveltyInput): { readonly reason: NoveltyReason | undefined; readonly ratio: number | undefined } {
  const { rows, columns, data, noise, components } = input;
  const ratio = input.noiseIsWhite === false ? undefined : noiseRatio(data, noise, rows, columns, components);
  if (ratio !== undefined && (!(ratio > 0) || ratio > largestNoiseFactor || ratio < 1 / largestNoiseFactor)) return { reason: 'noiseScale', ratio };
  return { reason: showsSomething(input, ratio ?? 1) ? undefined : 'noiseOnly', ratio };
}

/** Sum of magnitudes: not finite where one of them is not. */
function totalSize(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!);
  return sum;
}

/** Whether every pixel has its noise, but for those that a mask or missing coil maps left next to nothing in. */
function isKnown({ data, noise, components }: NoveltyInput): boolean {
  let largest = 0;
  for (let p = 0; p < noise.length; p++) if (noise[p]! > largest) largest = noise[p]!;
  if (!(largest > 0 && largest < Infinity)) return false;
  for (let p = 0; p < noise.length; p++) {
    if (noise[p]! > 0) continue;
    const size = Math.abs(data[components * p]!) + (components === 2 ? Math.abs(data[2 * p + 1]!) : 0);
    if (noise[p] !== 0 || size > nothing * largest) return false;
  }
  return true;
}

/** Different values among the pixels that are not 0, counted in some of them, up to the fewest that will do. */
function countValues(data: Float32Array, components: Components): number {
  const values = new Set<number>();
  const step = Math.max(1, Math.floor(data.length / components / nCounted)) * components;
  for (let i = 0; i < data.length && values.size < fewestValues; i += step) {
    const size = components === 2 ? Math.hypot(data[i]!, data[i + 1]!) : data[i]!;
    if (size !== 0) values.add(size);
  }
  return values.size;
}

/** Real, and a good part of it air. */
function looksLikeHounsfield(data: Float32Array, components: Components): boolean {
  let nAir = 0;
  for (let i = 0; i < data.length; i += components) {
    if (components === 2 && data[i + 1] !== 0) return false;
    if (data[i]! > airHu[0] && data[i]! < airHu[1]) nAir++;
  }
  return nAir > 0.02 * (data.length / components);
}

/** Whether a window's mean stands out of the noise that the image has, whatever its map says. */
function showsSomething({ rows, columns, data, noise, components }: NoveltyInput, ratio: number): boolean {
  if (rows < window || columns < window) return true;
  // The noise of a magnitude lies about a level of its own.
  const level = components === 1 ? medianOf(data.map((value, p) => (noise[p]! > 0 ? value / noise[p]! : 0))) : 0;
  let largest = 0;
  for (let row = 0; row + window <= rows; row += window) {
    for (let column = 0; column + window <= columns; column += window) {
      let [re, im] = [0, 0];
      for (let r = row; r < row + window; r++) {
        for (let p = r * columns + column; p < r * columns + column + window; p++) {
          if (noise[p] === 0) continue;
          re += data[components * p]! / noise[p]! - level;
          if (components === 2) im += data[2 * p + 1]! / noise[p]!;
        }
      }
      largest = Math.max(largest, re * re + im * im);
    }
  }
  return Math.sqrt(largest) / window > standsOut * ratio;
}

function medianOf(values: Float32Array): number {
  return values.sort()[values.length >> 1]!;
}
