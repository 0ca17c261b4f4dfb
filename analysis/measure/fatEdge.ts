/**
 * Where fat ends in an image in which it is bright and what bounds it, cortex, annulus and ligament, is dark: finer than a
 * network's outline, along one row or column of a section.
 *
 *   level   how bright fat is: the 90th percentile of what lies between the walls, without CSF
 *   edge    from the outlined wall inwards to where the signal first reaches level / 2, or outwards, by no more than `outMm`, to
 *           where it falls below (half-maximum), linear between pixels
 *   closed  where nothing between the walls reaches it
 */
import { percentileOf } from '../../imaging/index.js';
import type { Contrast } from '../types.js';
import type { Gap } from './walls.js';

/** Contrasts with bright fat and dark walls: on T1w marrow is too bright. */
export const brightFat: readonly Contrast[] = ['t2w', 'pdw'];

const outMm = 0.75;

/** NaN where there are no values. */
export function fatLevel(values: readonly number[]): number {
  return values.length === 0 ? NaN : percentileOf(Float64Array.from(values).sort(), 90);
}

/** The gap between the edges of what is bright in it, in fractions of pixels; the outlined one where no level is known. */
export function fatEdges(profile: Float32Array, { from, to }: Gap, level: number, stepMm: number): Gap {
  if (!(level > 0)) return { from, to };
  const [first, last] = [edgeFrom(profile, from, to, level / 2, stepMm), edgeFrom(profile, to, from, level / 2, stepMm)];
  const middle = (from + to) / 2;
  // Of a gap, the pixels between its two are counted.
  return first === undefined || last === undefined ? { from: middle - 0.5, to: middle + 0.5 } : { from: first - 0.5, to: last + 0.5 };
}

/** The edge that a wall at one pixel is to have; undefined where all the way to the opposite wall is dark. */
function edgeFrom(profile: Float32Array, wall: number, opposite: number, half: number, stepMm: number): number | undefined {
  const inwards = Math.sign(opposite - wall);
  const isBright = (pixel: number) => profile[pixel]! > half;
  const farthest = wall - inwards * Math.round(outMm / stepMm);
  let outermost = wall + inwards;
  while (outermost !== opposite && !isBright(outermost)) outermost += inwards;
  if (outermost === opposite) return undefined;
  if (outermost === wall + inwards) while (outermost !== farthest && isBright(outermost - inwards)) outermost -= inwards;
  const [bright, dark] = [profile[outermost]!, profile[outermost - inwards]!];
  return outermost - inwards * (dark <= half ? (bright - half) / (bright - dark) : 0.5);
}
