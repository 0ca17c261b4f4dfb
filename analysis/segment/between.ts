/**
 * How far the patient moved between two stacks that see the same from different sides, told by what the network took them for,
 * which does not depend on contrast:
 *
 *   t = argmax  mean over places x of Σ_c p_c(x) max(ln s_c(x + t), -5)  -  λ |t|²
 *
 * p: of the one stack, at its borders and in its bodies, discs and canal;   s: of the other, interpolated. It is the mean
 * likelihood of one labelling under the other, as between an atlas and a labelling (Ashburner and Friston 2005,
 * doi 10.1016/j.neuroimage.2005.02.018). Along one axis after another by parabolas through steps of 2, 1 and 0.5 mm. Shifts
 * alone: turns are not looked for.
 */
import type { Vector3 } from '../../imaging/index.js';
import { classIndex, nClasses } from './classes.js';
import { evidenceStep, type Evidence } from './evidence.js';
import { latticeOf } from '../geometry.js';
import { Sampler } from './sampler.js';

const steps = [2, 1, 0.5] as const;
const mostRounds = 3;
const nearlyNothing = 0.1;
/** λ, nats a mm²: a millimetre costs as much as one place in five hundred that is all wrong. */
const penalty = 0.01;
/** Nats that half a slice can tell: motion along the spine has to gain more, as slices beside endplates are easily mistaken as a whole. */
const sliceTells = 0.75;
const leastLog = -5;
const wantedPlaces = 2000;
const leastPlaces = 400;

const inside = new Set([classIndex.vertebralBody, classIndex.disc, classIndex.sac, classIndex.cord]);

interface Places {
  readonly xyz: Float64Array;
  /** [place, class] */
  readonly probabilities: Float32Array;
}

/** @returns what is to be added to a place of these stacks to find it in `other`, undefined where they hardly overlap */
export function shiftBetween(ones: readonly Evidence[], other: Evidence): Vector3 | undefined {
  const places = ones.map((one) => placesOf(one, other, wantedPlaces / ones.length));
  if (places.reduce((sum, { xyz }) => sum + xyz.length / 3, 0) < leastPlaces) return undefined;
  const sampler = new Sampler(other);
  const score = (t: readonly number[]) => likelihood(places, sampler, t) - penalty * (t[0]! ** 2 + t[1]! ** 2 + t[2]! ** 2);
  const level = climb(score, [0, 0, 0], [0, 1]);
  const free = climb(score, level.t, [0, 1, 2]);
  const nSlices = ones.reduce((sum, { geometry }) => sum + geometry.matrixSize[2], 0);
  return free.score - level.score > sliceTells / nSlices ? free.t : level.t;
}

function climb(score: (t: readonly number[]) => number, from: Vector3, axes: readonly number[]): { t: Vector3; score: number } {
  const t: [number, number, number] = [...from];
  let here = score(t);
  for (const step of steps) {
    for (let round = 0; round < mostRounds; round++) {
      let mostMoved = 0;
      for (const axis of axes) {
        const at = (by: number) => t.map((value, place) => (place === axis ? value + by : value));
        const [before, after] = [score(at(-step)), score(at(step))];
        const bend = before - 2 * here + after;
        const by = here < Math.max(before, after) ? (before > after ? -step : step) : bend < 0 ? (0.5 * step * (before - after)) / bend : 0;
        mostMoved = Math.max(mostMoved, Math.abs(by) / step);
        t[axis]! += by;
        here = score(t);
      }
      if (mostMoved < nearlyNothing) break;
    }
  }
  return { t, score: here };
}

/** Every so manieth of the places that tell something and lie in the other stack. */
function placesOf(one: Evidence, other: Evidence, wanted: number): Places {
  const { geometry, codes, winners } = one;
  const [columns, rows, slices] = geometry.matrixSize;
  const { origin, across, down, on } = latticeOf(geometry);
  const sampler = new Sampler(other);
  const found: number[] = [];
  for (let slice = 0; slice < slices; slice++) {
    for (let row = 1; row < rows; row++) {
      for (let column = 1, pixel = (slice * rows + row) * columns + 1; column < columns; column++, pixel++) {
        const own = winners[pixel]!;
        if (inside.has(own) || own !== winners[pixel - 1] || own !== winners[pixel - columns]) found.push(pixel);
      }
    }
  }
  const every = Math.max(1, Math.floor(found.length / wanted));
  const [xyz, kept]: [number[], number[]] = [[], []];
  for (let index = 0; index < found.length; index += every) {
    const pixel = found[index]!;
    const [column, line] = [pixel % columns, Math.floor(pixel / columns)];
    const [row, slice] = [line % rows, Math.floor(line / rows)];
    const [x, y, z] = [0, 1, 2].map((axis) => origin[axis]! + column * across[axis]! + row * down[axis]! + slice * on[axis]!) as [number, number, number];
    if (!sampler.find(x, y, z)) continue;
    xyz.push(x, y, z);
    kept.push(pixel);
  }
  const probabilities = new Float32Array(kept.length * nClasses);
  kept.forEach((pixel, place) => {
    let sum = 0;
    for (let index = 0; index < nClasses; index++) sum += probabilities[place * nClasses + index] = Math.exp(-evidenceStep * codes[pixel * nClasses + index]!);
    for (let index = 0; index < nClasses; index++) probabilities[place * nClasses + index]! /= sum;
  });
  return { xyz: Float64Array.from(xyz), probabilities };
}

function likelihood(places: readonly Places[], sampler: Sampler, [dx, dy, dz]: readonly number[]): number {
  const logs = new Float64Array(nClasses);
  let [sum, n] = [0, 0];
  for (const { xyz, probabilities } of places) {
    for (let place = 0, from = 0; from < xyz.length; place += nClasses, from += 3) {
      if (!sampler.find(xyz[from]! + dx!, xyz[from + 1]! + dy!, xyz[from + 2]! + dz!)) continue;
      sampler.logs(logs);
      n++;
      for (let index = 0; index < nClasses; index++) sum += probabilities[place + index]! * Math.max(leastLog, logs[index]!);
    }
  }
  return n === 0 ? -Infinity : sum / n;
}
