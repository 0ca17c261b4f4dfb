// Noise of a combined GRAPPA image, pixel by pixel. With the terms of a measured line
//
//   u_0[c] = conj(S_c),   u_(m j)[c](x, y) = sum_t conj(S_t) h[m, t, (j, c)](x)
//
// (itself, and its part in a line that is dy lines away) and their statistics over the lines, V[a, b],
//
//   variance(x, y) = sum_c sum_ab V[a, b] Re( conj(u_a p_a) u_b p_b ),   p_a(y) = exp(2 pi i dy_a (y - y0) / N)
//
// for four columns and four rows at a time.

/** Four lanes of real, then four of imaginary parts. */
const ELEMENT: usize = 32;
const ROWS: usize = 4;

/**
 * Four columns of the image, those of `block`.
 * @param maps complex64 [nCoils, nRows, nColumns]
 * @param weights layout of GrappaKernel
 * @param terms (R - 1) kp + 1; a term (m, j) has the index 1 + (m - 1) kp + j
 * @param pairs float32 [terms, terms], lower triangle: V[a, a] and 2 V[a, b]
 * @param phases float32 [nRows, terms, (cos, sin)] of p_a(y)
 * @param out float32 [nRows, nColumns], the standard deviation
 * @param scratch (4 terms nCoils + 4 (nCoils rounded up to four) + terms) ELEMENTs
 */
export function grappaNoise(
  maps: usize, weights: usize, nCoils: i32, nRows: i32, nColumns: i32, block: i32, acceleration: i32, kp: i32,
  pairs: usize, phases: usize, out: usize, scratch: usize,
): void {
  const nBlocks = (nColumns + 3) >> 2;
  const nGroups = (nCoils + 3) >> 2;
  const nTerms = (acceleration - 1) * kp + 1;
  const groupBytes = ELEMENT * 4 * nCoils * kp;
  const blockBytes = groupBytes * nGroups;
  const offsetBytes = blockBytes * nBlocks;
  const termBytes = ELEMENT * ROWS * nCoils;
  const terms = scratch;
  const sensitivities = terms + termBytes * nTerms;
  const turned = sensitivities + ELEMENT * ROWS * (4 * nGroups);
  memory.fill(sensitivities, 0, ELEMENT * ROWS * (4 * nGroups));
  const left = min(4, nColumns - (block << 2));
  for (let row = 0; row < nRows; row += <i32>ROWS) {
    const nRowsHere = min(<i32>ROWS, nRows - row);
    gatherMaps(maps, nCoils, nRows, nColumns, row, nRowsHere, block << 2, left, sensitivities);
    ownTerm(sensitivities, nCoils, terms);
    for (let m = 0; m < acceleration - 1; m++) {
      const group = weights + offsetBytes * m + blockBytes * block;
      for (let j = 0; j < kp; j++) {
        const to = terms + termBytes * (1 + m * kp + j);
        for (let c = 0; c < nCoils; c++) {
          servedTerm(group + ELEMENT * 4 * (j * nCoils + c), groupBytes, nGroups, sensitivities, to + ELEMENT * ROWS * c);
        }
      }
    }
    for (let r = 0; r < nRowsHere; r++) {
      const phase = phases + ((<usize>((row + r) * nTerms)) << 3);
      const variance = rowVariance(terms + ELEMENT * r, termBytes, nTerms, nCoils, pairs, phase, turned);
      const deviation = f32x4.sqrt(f32x4.max(variance, f32x4.splat(0)));
      const at = out + ((<usize>((row + r) * nColumns + (block << 2))) << 2);
      if (left == 4) {
        v128.store(at, deviation);
      } else {
        v128.store32_lane(at, deviation, 0);
        if (left > 1) v128.store32_lane(at, deviation, 1, 4);
        if (left > 2) v128.store32_lane(at, deviation, 2, 8);
      }
    }
  }
}

/** Planar [coil][row]; missing rows and columns keep what is there. */
function gatherMaps(
  maps: usize, nCoils: i32, nRows: i32, nColumns: i32, row: i32, nRowsHere: i32, column: i32, left: i32, to: usize,
): void {
  for (let c = 0; c < nCoils; c++) {
    for (let r = 0; r < nRowsHere; r++) {
      const at = maps + ((<usize>((c * nRows + row + r) * nColumns + column)) << 3);
      const element = to + ELEMENT * (<usize>c * ROWS + r);
      for (let x: usize = 0; x < <usize>left; x++) {
        store<f32>(element + (x << 2), load<f32>(at + (x << 3)));
        store<f32>(element + (x << 2), load<f32>(at + (x << 3), 4), 16);
      }
    }
  }
}

/** u_0: conj(S) */
function ownTerm(sensitivities: usize, nCoils: i32, to: usize): void {
  const end = ELEMENT * ROWS * nCoils;
  for (let at: usize = 0; at < end; at += ELEMENT) {
    v128.store(to + at, v128.load(sensitivities + at));
    v128.store(to + at, f32x4.neg(v128.load(sensitivities + at, 16)), 16);
  }
}

/** u of one (m, j) and one source coil, four rows. */
function servedTerm(weights: usize, groupBytes: usize, nGroups: i32, sensitivities: usize, to: usize): void {
  let re0 = f32x4.splat(0);
  let im0 = f32x4.splat(0);
  let re1 = f32x4.splat(0);
  let im1 = f32x4.splat(0);
  let re2 = f32x4.splat(0);
  let im2 = f32x4.splat(0);
  let re3 = f32x4.splat(0);
  let im3 = f32x4.splat(0);
  for (let group = 0; group < nGroups; group++) {
    for (let t: usize = 0; t < 4; t++) {
      const wr = v128.load(weights + ELEMENT * t);
      const wi = v128.load(weights + ELEMENT * t, 16);
      const sr0 = v128.load(sensitivities);
      const si0 = v128.load(sensitivities, 16);
      re0 = f32x4.add(re0, f32x4.add(f32x4.mul(sr0, wr), f32x4.mul(si0, wi)));
      im0 = f32x4.add(im0, f32x4.sub(f32x4.mul(sr0, wi), f32x4.mul(si0, wr)));
      const sr1 = v128.load(sensitivities, 32);
      const si1 = v128.load(sensitivities, 48);
      re1 = f32x4.add(re1, f32x4.add(f32x4.mul(sr1, wr), f32x4.mul(si1, wi)));
      im1 = f32x4.add(im1, f32x4.sub(f32x4.mul(sr1, wi), f32x4.mul(si1, wr)));
      const sr2 = v128.load(sensitivities, 64);
      const si2 = v128.load(sensitivities, 80);
      re2 = f32x4.add(re2, f32x4.add(f32x4.mul(sr2, wr), f32x4.mul(si2, wi)));
      im2 = f32x4.add(im2, f32x4.sub(f32x4.mul(sr2, wi), f32x4.mul(si2, wr)));
      const sr3 = v128.load(sensitivities, 96);
      const si3 = v128.load(sensitivities, 112);
      re3 = f32x4.add(re3, f32x4.add(f32x4.mul(sr3, wr), f32x4.mul(si3, wi)));
      im3 = f32x4.add(im3, f32x4.sub(f32x4.mul(sr3, wi), f32x4.mul(si3, wr)));
      sensitivities += ELEMENT * ROWS;
    }
    weights += groupBytes;
  }
  v128.store(to, re0);
  v128.store(to, im0, 16);
  v128.store(to, re1, 32);
  v128.store(to, im1, 48);
  v128.store(to, re2, 64);
  v128.store(to, im2, 80);
  v128.store(to, re3, 96);
  v128.store(to, im3, 112);
}

/** @param turned scratch, one ELEMENT a term: u_a p_a of one coil */
function rowVariance(
  terms: usize, termBytes: usize, nTerms: i32, nCoils: i32, pairs: usize, phases: usize, turned: usize,
): v128 {
  let variance = f32x4.splat(0);
  for (let c = 0; c < nCoils; c++) {
    let pair = pairs;
    for (let a = 0; a < nTerms; a++) {
      const at = terms + termBytes * a;
      const re = v128.load(at);
      const im = v128.load(at, 16);
      const cosine = v128.load32_splat(phases + ((<usize>a) << 3));
      const sine = v128.load32_splat(phases + ((<usize>a) << 3), 4);
      const ownRe = f32x4.sub(f32x4.mul(re, cosine), f32x4.mul(im, sine));
      const ownIm = f32x4.add(f32x4.mul(re, sine), f32x4.mul(im, cosine));
      const own = turned + ELEMENT * a;
      v128.store(own, ownRe);
      v128.store(own, ownIm, 16);
      let sumRe = f32x4.splat(0);
      let sumIm = f32x4.splat(0);
      for (let b = turned; b <= own; b += ELEMENT) {
        const weight = v128.load32_splat(pair);
        sumRe = f32x4.add(sumRe, f32x4.mul(weight, v128.load(b)));
        sumIm = f32x4.add(sumIm, f32x4.mul(weight, v128.load(b, 16)));
        pair += 4;
      }
      variance = f32x4.add(variance, f32x4.add(f32x4.mul(ownRe, sumRe), f32x4.mul(ownIm, sumIm)));
      pair += (<usize>(nTerms - 1 - a)) << 2;
    }
    terms += ELEMENT * ROWS;
  }
  return variance;
}
