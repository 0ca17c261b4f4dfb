/**
 * Coil maps by iterative adaptive combination: of all maps S of norm 1 and images rho, those that fit the coil images m
 * where the maps vary slowly. One is updated with the other, in turns:
 *
 *   S(p) <- sum over the window about p of  m(q) conj(rho(q)),   S <- S / |S|,   rho(p) <- S(p)^H m(p)
 *
 * from rho the combination with the mean of each coil. The window smooths the products of coil images and image, in which the
 * phase of the object is no more, so that it may be smaller than Walsh's, which has a covariance in each. What is left is a phase of
 * both, and it is that of one virtual coil: with v = sum_p S(p) rho(p), of norm 1, v^H S is made real and positive in each turn.
 *
 * Inati SJ, Hansen MS, Kellman P. A solution to the phase problem in adaptive coil combination. Proc ISMRM 2013:2672. The order of
 * the steps is that of Gadgetron's coil_map_Inati_Iter.
 */
import type { Kernels } from '../kernels/index.js';
import type { MapGrid } from './grid.js';

/** Half the side of the window, in points of the coarse grid. */
const halfWindow = 2;
const mostIterations = 20;
/** Ends where an iteration changes rho by less than this part of it. */
const tolerance = 1e-3;

/**
 * @param images address of complex64 [gridRows, gridColumns, nCoils], of mean square 1
 * @param vectors address of the same shape; of norm 1
 */
export function inatiVectors({ arena, wasm }: Kernels, grid: MapGrid, images: number, vectors: number): void {
  const { gridRows, gridColumns, nCoils } = grid;
  const nPoints = gridRows * gridColumns;
  const m = arena.f32(images, 2 * nPoints * nCoils);
  const s = arena.f32(vectors, 2 * nPoints * nCoils);
  const virtual = meanCoils(m, nCoils);
  let rho = combined(m, nCoils, () => virtual);
  for (let i = 0; i < mostIterations; i++) {
    multiplyByConjugate(m, rho, nCoils, s);
    smooth(s, grid);
    normalise(s, nCoils);
    const next = combined(m, nCoils, (point) => s.subarray(2 * point * nCoils, 2 * (point + 1) * nCoils));
    virtual.set(virtualCoil(weightedSum(s, next, nCoils)));
    turnToVirtual(s, next, virtual);
    const change = relativeChange(rho, next);
    rho = next;
    if (change < tolerance) break;
  }
  arena.withScratch(8 * nCoils, (pointer) => {
    arena.f32(pointer, 2 * nCoils).set(virtual);
    // The vectors that are zero become v, as those of Walsh do.
    wasm.alignPhases(vectors, nPoints, nCoils, pointer);
  });
}

/** The virtual coil of the mean of each coil. */
function meanCoils(m: Float32Array, nCoils: number): Float32Array {
  const sums = new Float64Array(2 * nCoils);
  for (let i = 0; i < m.length; i++) sums[i % (2 * nCoils)]! += m[i]!;
  return virtualCoil(sums);
}

/** To norm 1, and so that the coil with the largest part in it has it real and positive; the first coil where all are zero. */
function virtualCoil(vector: Float64Array): Float32Array {
  let strongest = 0;
  let energy = 0;
  const energyOf = (c: number) => vector[c]! ** 2 + vector[c + 1]! ** 2;
  for (let c = 0; c < vector.length; c += 2) {
    energy += energyOf(c);
    if (energyOf(c) > energyOf(strongest)) strongest = c;
  }
  const out = new Float32Array(vector.length);
  if (energy === 0) out[0] = 1;
  else {
    const scale = 1 / Math.sqrt(energy * energyOf(strongest));
    const [re, im] = [scale * vector[strongest]!, -scale * vector[strongest + 1]!];
    for (let c = 0; c < out.length; c += 2) {
      out[c] = re * vector[c]! - im * vector[c + 1]!;
      out[c + 1] = re * vector[c + 1]! + im * vector[c]!;
    }
  }
  return out;
}

/** sum_c conj(w_c) m_c of every point. */
function combined(m: Float32Array, nCoils: number, weightsOf: (point: number) => Float32Array): Float32Array {
  const rho = new Float32Array(m.length / nCoils);
  for (let point = 0, at = 0; point < rho.length / 2; point++) {
    const w = weightsOf(point);
    let [re, im] = [0, 0];
    for (let c = 0; c < 2 * nCoils; c += 2, at += 2) {
      re += w[c]! * m[at]! + w[c + 1]! * m[at + 1]!;
      im += w[c]! * m[at + 1]! - w[c + 1]! * m[at]!;
    }
    rho[2 * point] = re;
    rho[2 * point + 1] = im;
  }
  return rho;
}

/** out = m conj(rho) */
function multiplyByConjugate(m: Float32Array, rho: Float32Array, nCoils: number, out: Float32Array): void {
  for (let at = 0; at < m.length; at += 2) {
    const point = 2 * Math.floor(at / 2 / nCoils);
    const [re, im] = [rho[point]!, rho[point + 1]!];
    out[at] = m[at]! * re + m[at + 1]! * im;
    out[at + 1] = m[at + 1]! * re - m[at]! * im;
  }
}

/** Sums over the window, cut at the edges, in place: along the rows, then along the columns. */
function smooth(s: Float32Array, { gridRows, gridColumns, nCoils }: MapGrid): void {
  const width = 2 * nCoils;
  for (let row = 0; row < gridRows; row++) sumsAlong(s, row * gridColumns * width, gridColumns, width, width);
  sumsAlong(s, 0, gridRows, gridColumns * width, gridColumns * width);
}

/** out[i] = sum of x[j] over |i - j| <= halfWindow, of n vectors of `width` values, `stride` apart. */
function sumsAlong(x: Float32Array, from: number, n: number, stride: number, width: number): void {
  const before = new Float32Array(n * width);
  for (let i = 0; i < n; i++) before.set(x.subarray(from + i * stride, from + i * stride + width), i * width);
  for (let i = 0; i < n; i++) {
    const out = x.subarray(from + i * stride, from + i * stride + width).fill(0);
    for (let j = Math.max(0, i - halfWindow); j <= Math.min(n - 1, i + halfWindow); j++) {
      for (let k = 0; k < width; k++) out[k]! += before[j * width + k]!;
    }
  }
}

/** Every vector to norm 1, but those of zeros. */
function normalise(s: Float32Array, nCoils: number): void {
  for (let from = 0; from < s.length; from += 2 * nCoils) {
    let energy = 0;
    for (let at = from; at < from + 2 * nCoils; at++) energy += s[at]! ** 2;
    const scale = energy > 0 ? 1 / Math.sqrt(energy) : 0;
    for (let at = from; at < from + 2 * nCoils; at++) s[at] = scale * s[at]!;
  }
}

/** sum_p S(p) rho(p) */
function weightedSum(s: Float32Array, rho: Float32Array, nCoils: number): Float64Array {
  const sums = new Float64Array(2 * nCoils);
  for (let at = 0; at < s.length; at += 2) {
    const point = 2 * Math.floor(at / 2 / nCoils);
    const coil = at % (2 * nCoils);
    sums[coil]! += s[at]! * rho[point]! - s[at + 1]! * rho[point + 1]!;
    sums[coil + 1]! += s[at]! * rho[point + 1]! + s[at + 1]! * rho[point]!;
  }
  return sums;
}

/** rho gets the phase of v^H S, which S loses. */
function turnToVirtual(s: Float32Array, rho: Float32Array, virtual: Float32Array): void {
  const width = virtual.length;
  for (let point = 0; point < rho.length / 2; point++) {
    const vector = s.subarray(point * width, (point + 1) * width);
    let [re, im] = [0, 0];
    for (let c = 0; c < width; c += 2) {
      re += virtual[c]! * vector[c]! + virtual[c + 1]! * vector[c + 1]!;
      im += virtual[c]! * vector[c + 1]! - virtual[c + 1]! * vector[c]!;
    }
    const magnitude = Math.hypot(re, im);
    if (magnitude === 0) continue;
    const [cosine, sine] = [re / magnitude, im / magnitude];
    for (let c = 0; c < width; c += 2) {
      const [x, y] = [vector[c]!, vector[c + 1]!];
      vector[c] = x * cosine + y * sine;
      vector[c + 1] = y * cosine - x * sine;
    }
    const [x, y] = [rho[2 * point]!, rho[2 * point + 1]!];
    rho[2 * point] = x * cosine - y * sine;
    rho[2 * point + 1] = y * cosine + x * sine;
  }
}

function relativeChange(before: Float32Array, after: Float32Array): number {
  let [change, energy] = [0, 0];
  for (let i = 0; i < after.length; i++) {
    change += (after[i]! - before[i]!) ** 2;
    energy += after[i]! ** 2;
  }
  return Math.sqrt(change / energy);
}
