// SENSE where only the phase encoding is undersampled: after the readout transform every column is a
// problem of its own,
//
//   A x = sum_c conj(S_c) F^-1 W F (S_c x) + damping x = b = sum_c conj(S_c) F^-1 W y_c
//
// with the sampling weights W of the lines and an orthonormal F. Four columns are solved together, one a
// lane, in blocks as fft.ts has them (element j of a block: row j from the centre, round the end); what
// four columns need fits the second-level cache.
//
// With several sets of maps the image is as many images, x_s, of which the coils see the sum of S_s x_s; everything else stays
// as it is. A block is then one of sets times n elements, set after set.
//
// A depends on the coils through sum_c conj(S_c(r)) S_c(r') alone: a unitary mixing of the coils changes
// nothing, and along one column few mixtures are not zero. `compressMaps` finds them.
import { ELEMENT, firstSlot, transformSlots } from './fft';
import { loadColumns, storeColumns } from './block';

/** Up to four columns of complex64 [n, ...] -> a block, zero in the lanes that have none. */
export function packColumns(source: usize, rowBytes: usize, n: i32, nColumns: i32, block: usize): void {
  if (nColumns < 4) memory.fill(block, 0, ELEMENT * n);
  loadColumns(source, rowBytes, n, n >> 1, nColumns, block, 0, n, 0);
}

/** The way back. */
export function unpackColumns(block: usize, n: i32, nColumns: i32, target: usize, rowBytes: usize): void {
  storeColumns(block, 0, n, 0, 1, target, rowBytes, n, n >> 1, nColumns);
}

/**
 * b, of up to four columns.
 * @param slab complex64, coil c, line l at slab + c * coilBytes + l * lineBytes, n lines about n / 2
 * @param maps blocks [nCoils], of nSets n elements, as is b
 * @param weights float32 [n] in the order of a block
 * @param slots two slots of `slotBytes`
 */
export function senseRightSide(
  plan: usize, slab: usize, coilBytes: usize, lineBytes: usize, nCoils: i32, nColumns: i32,
  maps: usize, nSets: i32, weights: usize, scale: f32, b: usize, slots: usize, slotBytes: usize,
): void {
  const n = load<i32>(plan);
  const setBytes = ELEMENT * n;
  const blockBytes = setBytes * nSets;
  const input = slots + slotBytes * firstSlot(plan);
  memory.fill(b, 0, blockBytes);
  for (let coil = 0; coil < nCoils; coil++) {
    packColumns(slab, lineBytes, n, nColumns, input);
    weighExchanged(input, weights, scale, input, n);
    transformSlots(plan, slots, slotBytes, 1);
    for (let at: usize = 0; at < blockBytes; at += setBytes) addConjugate(maps + at, slots, b + at, n);
    slab += coilBytes;
    maps += blockBytes;
  }
}

/**
 * out = A x
 * @param maps blocks [nMaps], of nSets n elements, as are x and out
 * @param weights as in `senseRightSide`; `scale` is 1 / n
 */
export function senseNormal(
  plan: usize, maps: usize, nMaps: i32, nSets: i32, weights: usize, scale: f32, damping: f32, x: usize, out: usize,
  slots: usize, slotBytes: usize,
): void {
  const n = load<i32>(plan);
  const setBytes = ELEMENT * n;
  const blockBytes = setBytes * nSets;
  const input = slots + slotBytes * firstSlot(plan);
  const damp = f32x4.splat(damping);
  for (let at: usize = 0; at < blockBytes; at += 16) v128.store(out + at, f32x4.mul(damp, v128.load(x + at)));
  for (let map = 0; map < nMaps; map++) {
    multiply(maps, x, input, n);
    for (let at = setBytes; at < blockBytes; at += setBytes) addProduct(maps + at, x + at, input, n);
    transformSlots(plan, slots, slotBytes, 1);
    weighExchanged(slots, weights, scale, input, n);
    transformSlots(plan, slots, slotBytes, 1);
    for (let at: usize = 0; at < blockBytes; at += setBytes) addConjugate(maps + at, slots, out + at, n);
    maps += blockBytes;
  }
}

/**
 * Conjugate gradients on A x = b from x = 0, each column for itself.
 * @param tolerance ends when every column's residual is below this part of |b|
 * @param work three blocks
 * @returns the number of iterations
 */
export function senseSolve(
  plan: usize, maps: usize, nMaps: i32, nSets: i32, weights: usize, scale: f32, damping: f32, nIterations: i32, tolerance: f32,
  b: usize, x: usize, work: usize, slots: usize, slotBytes: usize,
): i32 {
  const n = load<i32>(plan) * nSets;
  const blockBytes = ELEMENT * n;
  const r = work;
  const p = r + blockBytes;
  const q = p + blockBytes;
  memory.fill(x, 0, blockBytes);
  memory.copy(r, b, blockBytes);
  memory.copy(p, b, blockBytes);
  let energy = product(r, r, n);
  const enough = f32x4.mul(energy, f32x4.splat(tolerance * tolerance));
  for (let i = 0; i < nIterations; i++) {
    if (!v128.any_true(f32x4.gt(energy, enough))) return i;
    senseNormal(plan, maps, nMaps, nSets, weights, scale, damping, p, q, slots, slotBytes);
    const alpha = quotient(energy, product(p, q, n));
    let next = f32x4.splat(0);
    for (let at: usize = 0; at < blockBytes; at += 16) {
      v128.store(x + at, f32x4.add(v128.load(x + at), f32x4.mul(alpha, v128.load(p + at))));
      const rest = f32x4.sub(v128.load(r + at), f32x4.mul(alpha, v128.load(q + at)));
      v128.store(r + at, rest);
      next = f32x4.add(next, f32x4.mul(rest, rest));
    }
    const beta = quotient(next, energy);
    for (let at: usize = 0; at < blockBytes; at += 16) {
      v128.store(p + at, f32x4.add(v128.load(r + at), f32x4.mul(beta, v128.load(p + at))));
    }
    energy = next;
  }
  return nIterations;
}

/**
 * Blocks of coils -> blocks of fewer mixtures v with, in every row and lane,
 *   sum_c |S_c|^2 - sum_v |S_v|^2 <= tolerance.
 * Gram-Schmidt in coil space: the row where most is left gives the next mixture; the largest of four lanes
 * decides for all of them.
 * @param maps blocks [nCoils], the mixtures over them
 * @param scratch nCoils (n + 1) elements
 * @returns the number of mixtures
 */
export function compressMaps(maps: usize, nCoils: i32, n: i32, tolerance: f32, scratch: usize): i32 {
  const blockBytes = ELEMENT * n;
  const rowBytes = ELEMENT * nCoils;
  const mixture = scratch + rowBytes * n;
  // What is left of the coils, coils innermost.
  let left = scratch;
  let most: f32 = -1;
  let pivot: usize = 0;
  for (let row = 0; row < n; row++) {
    let energy = f32x4.splat(0);
    let map = maps + ELEMENT * row;
    for (const end = left + rowBytes; left < end; left += ELEMENT, map += blockBytes) {
      const re = v128.load(map);
      const im = v128.load(map, 16);
      v128.store(left, re);
      v128.store(left, im, 16);
      energy = f32x4.add(energy, f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)));
    }
    const largest = largestLane(energy);
    if (largest > most) {
      most = largest;
      pivot = left - rowBytes;
    }
  }
  let nMaps = 0;
  while (nMaps < nCoils && most > tolerance) {
    normalised(pivot, mixture, nCoils);
    left = scratch;
    most = -1;
    for (let at: usize = 0; at < blockBytes; at += ELEMENT, left += rowBytes) {
      let re = f32x4.splat(0);
      let im = f32x4.splat(0);
      for (let c: usize = 0; c < rowBytes; c += ELEMENT) {
        const vr = v128.load(mixture + c);
        const vi = v128.load(mixture + c, 16);
        const sr = v128.load(left + c);
        const si = v128.load(left + c, 16);
        re = f32x4.add(re, f32x4.add(f32x4.mul(vr, sr), f32x4.mul(vi, si)));
        im = f32x4.add(im, f32x4.sub(f32x4.mul(vr, si), f32x4.mul(vi, sr)));
      }
      v128.store(maps + at, re);
      v128.store(maps + at, im, 16);
      let energy = f32x4.splat(0);
      for (let c: usize = 0; c < rowBytes; c += ELEMENT) {
        const vr = v128.load(mixture + c);
        const vi = v128.load(mixture + c, 16);
        const sr = f32x4.sub(v128.load(left + c), f32x4.sub(f32x4.mul(vr, re), f32x4.mul(vi, im)));
        const si = f32x4.sub(v128.load(left + c, 16), f32x4.add(f32x4.mul(vr, im), f32x4.mul(vi, re)));
        v128.store(left + c, sr);
        v128.store(left + c, si, 16);
        energy = f32x4.add(energy, f32x4.add(f32x4.mul(sr, sr), f32x4.mul(si, si)));
      }
      const largest = largestLane(energy);
      if (largest > most) {
        most = largest;
        pivot = left;
      }
    }
    maps += blockBytes;
    nMaps++;
  }
  return nMaps;
}

/** A row of coils to norm 1 in each lane; a lane of zeros stays one. */
function normalised(row: usize, out: usize, nCoils: i32): void {
  let energy = f32x4.splat(0);
  const rowBytes = ELEMENT * nCoils;
  for (let c: usize = 0; c < rowBytes; c += 16) {
    const value = v128.load(row + c);
    energy = f32x4.add(energy, f32x4.mul(value, value));
  }
  const scale = quotient(f32x4.sqrt(energy), energy);
  for (let c: usize = 0; c < rowBytes; c += 16) v128.store(out + c, f32x4.mul(scale, v128.load(row + c)));
}

@inline
function largestLane(a: v128): f32 {
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
}

/** a / b; 0 where b is. */
@inline
function quotient(a: v128, b: v128): v128 {
  return v128.and(f32x4.div(a, b), f32x4.gt(b, f32x4.splat(0)));
}

/** Re sum conj(a) b, a lane for itself. */
function product(a: usize, b: usize, n: i32): v128 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < ELEMENT * n; at += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(a + at), v128.load(b + at)));
  }
  return sum;
}

function multiply(map: usize, x: usize, out: usize, n: i32): void {
  for (const end = x + ELEMENT * n; x < end; x += ELEMENT, map += ELEMENT, out += ELEMENT) {
    const mr = v128.load(map);
    const mi = v128.load(map, 16);
    const xr = v128.load(x);
    const xi = v128.load(x, 16);
    v128.store(out, f32x4.sub(f32x4.mul(mr, xr), f32x4.mul(mi, xi)));
    v128.store(out, f32x4.add(f32x4.mul(mr, xi), f32x4.mul(mi, xr)), 16);
  }
}

/** out += map x */
function addProduct(map: usize, x: usize, out: usize, n: i32): void {
  for (const end = x + ELEMENT * n; x < end; x += ELEMENT, map += ELEMENT, out += ELEMENT) {
    const mr = v128.load(map);
    const mi = v128.load(map, 16);
    const xr = v128.load(x);
    const xi = v128.load(x, 16);
    v128.store(out, f32x4.add(v128.load(out), f32x4.sub(f32x4.mul(mr, xr), f32x4.mul(mi, xi))));
    v128.store(out, f32x4.add(v128.load(out, 16), f32x4.add(f32x4.mul(mr, xi), f32x4.mul(mi, xr))), 16);
  }
}

/** Weighted, real and imaginary parts exchanged, which makes the next transform the inverse one. */
function weighExchanged(x: usize, weights: usize, scale: f32, out: usize, n: i32): void {
  for (const end = x + ELEMENT * n; x < end; x += ELEMENT, weights += 4, out += ELEMENT) {
    const w = f32x4.splat(scale * load<f32>(weights));
    const re = v128.load(x);
    const im = v128.load(x, 16);
    v128.store(out, f32x4.mul(w, im));
    v128.store(out, f32x4.mul(w, re), 16);
  }
}

/** sum += conj(map) x; x comes exchanged. */
function addConjugate(map: usize, x: usize, sum: usize, n: i32): void {
  for (const end = x + ELEMENT * n; x < end; x += ELEMENT, map += ELEMENT, sum += ELEMENT) {
    const mr = v128.load(map);
    const mi = v128.load(map, 16);
    const xi = v128.load(x);
    const xr = v128.load(x, 16);
    v128.store(sum, f32x4.add(v128.load(sum), f32x4.add(f32x4.mul(mr, xr), f32x4.mul(mi, xi))));
    v128.store(sum, f32x4.add(v128.load(sum, 16), f32x4.sub(f32x4.mul(mr, xi), f32x4.mul(mi, xr))), 16);
  }
}
