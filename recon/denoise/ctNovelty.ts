/**
 * Whether an image is a CT image of a body in Hounsfield units, asked before a denoiser made for such is: what is
 * something else, or nothing, is refused with the reason. What tells is the scale, which is absolute: soft tissue, and fat
 * or air beside it, are where they have to be in every CT of a trunk (10 to 120 HU, -120 to -60 HU, below -800 HU), and
 * nowhere in particular in MR images, masks and maps. Means over blocks are asked, so that noise does not matter.
 */
export type CtNoveltyReason = 'empty' | 'notFinite' | 'constant' | 'fewValues' | 'range' | 'noSoftTissue' | 'noFatOrAir';

/** For people: what the image is instead. */
export const ctNoveltyTexts: Readonly<Record<CtNoveltyReason, string>> = {
  empty: 'is zero throughout',
  notFinite: 'has values that are not finite',
  constant: 'has one value throughout',
  fewValues: 'has only a few different values, as masks and label maps have',
  range: 'has values far outside of the Hounsfield scale',
  noSoftTissue: 'has no soft tissue where the Hounsfield scale has it',
  noFatOrAir: 'has neither fat nor air where the Hounsfield scale has them',
};

const block = 8;
/** An image that has so few different values was never measured. */
const fewestValues = 24;
/** Of means over blocks; metal on an extended scale reaches some 20,000 HU. */
const possibleHu = [-1500, 32_767] as const;
const softTissueHu = [-20, 150] as const;
const fatHu = [-150, -40] as const;
const airHu = [-1100, -800] as const;
/** Parts of the blocks. */
const leastSoftTissue = 0.02;
const leastFatOrAir = 0.005;

/** @param hounsfield float32 [rows, columns]; undefined: the image may be denoised */
export function ctNoveltyOf(hounsfield: Float32Array, rows: number, columns: number): CtNoveltyReason | undefined {
  if (!hounsfield.every(Number.isFinite)) return 'notFinite';
  if (hounsfield.every((value) => value === hounsfield[0])) return hounsfield[0] === 0 ? 'empty' : 'constant';
  if (hasFewValues(hounsfield)) return 'fewValues';
  const means = blockMeans(hounsfield, rows, columns);
  const partIn = ([from, to]: readonly [number, number]) => means.reduce((sum, mean) => sum + (mean >= from && mean <= to ? 1 : 0), 0) / means.length;
  if (partIn(possibleHu) < 1) return 'range';
  if (partIn(softTissueHu) < leastSoftTissue) return 'noSoftTissue';
  if (partIn(fatHu) + partIn(airHu) < leastFatOrAir) return 'noFatOrAir';
  return undefined;
}

function hasFewValues(values: Float32Array): boolean {
  const found = new Set<number>();
  for (const value of values) if (found.add(value).size >= fewestValues) return false;
  return true;
}

/** Of whole blocks; of the image where it is smaller than one. */
function blockMeans(image: Float32Array, rows: number, columns: number): Float64Array {
  const [height, width] = [Math.min(block, rows), Math.min(block, columns)];
  const [down, across] = [Math.floor(rows / height), Math.floor(columns / width)];
  const means = new Float64Array(down * across);
  for (let row = 0; row < down * height; row++) {
    for (let column = 0; column < across * width; column++) {
      means[Math.floor(row / height) * across + Math.floor(column / width)]! += image[row * columns + column]! / (height * width);
    }
  }
  return means;
}
