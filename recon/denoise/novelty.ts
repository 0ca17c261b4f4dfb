/**
 * Whether an image is of the kind that a denoiser is for, asked before it is: an MR image whose noise is what its noise
 * map says. What is something else, or nothing, is refused with the reason; what is merely unusual is for trust.ts.
 */
import { noiseRatio, type Components } from './noiseCheck.js';
import { WindowSums } from './windowSums.js';

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
  noiseMap: 'has a noise map that is zero, negative or not finite',
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
  /** Standard deviation of each component, [rows, columns]. */
  readonly noise: Float32Array;
  readonly components: Components;
}

/** An image that has so few different values among those that are not 0 was never measured. */
const fewestValues = 24;
/** Values are counted in so many pixels. */
const nCounted = 8192;
/** Noise may be off its map by this factor either way; trust.ts warns before. */
const largestNoiseFactor = 3;
/** Means over windows of this size stand out of noise by more than `standsOut` standard deviations, or nothing is there. */
const window = 8;
const standsOut = 7;
/** Air in CT images, and the value outside of their field of view, HU. */
const airHu = [-1100, -900] as const;

/** Why a denoiser is not to be asked; undefined where it may be. */
export function noveltyOf(input: NoveltyInput): NoveltyReason | undefined {
  const { rows, columns, data, noise, components } = input;
  if (!data.every(Number.isFinite)) return 'notFinite';
  if (!noise.every((value) => value > 0 && Number.isFinite(value))) return 'noiseMap';
  if (data.every((value) => value === 0)) return 'empty';
  if (looksLikeHounsfield(data, components)) return 'hounsfield';
  const nValues = countValues(data, components);
  if (nValues === 1 && data.every((value, i) => value === data[i % components])) return 'constant';
  if (nValues < fewestValues) return 'fewValues';
  const ratio = noiseRatio(data, noise, rows, columns, components);
  if (!(ratio > 0) || ratio > largestNoiseFactor || ratio < 1 / largestNoiseFactor) return 'noiseScale';
  return showsSomething(input, ratio) ? undefined : 'noiseOnly';
}

/** Different values among the pixels that are not 0, counted in some of them. */
function countValues(data: Float32Array, components: Components): number {
  const values = new Set<number>();
  const step = Math.max(1, Math.floor(data.length / components / nCounted)) * components;
  for (let i = 0; i < data.length; i += step) {
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
  const part = (c: number) => {
    const values = Float32Array.from(noise, (value, p) => data[components * p + c]! / value);
    // The noise of a magnitude lies about a level of its own.
    const level = components === 1 ? values.slice().sort()[values.length >> 1]! : 0;
    return new WindowSums(values.map((value) => value - level), rows, columns);
  };
  const { energy } = part(0).largest(components === 2 ? part(1) : undefined, window, window);
  return Math.sqrt(energy) / window > standsOut * ratio;
}
