// Synthesis of missing lines in hybrid space:
//
//   H[t, line, x] = sum over measured taps j, coils c of  h[m, t, (j, c)](x) H[c, source line j, x]
//
// four columns and four target coils at a time, a strip of columns for all the lines after the other.

/** Bytes of four columns of weights or planar sources: 4 real, then 4 imaginary parts. */
const ELEMENT: usize = 32;
/** Column blocks side by side: their weights stay in the second-level cache, and whole cache lines are moved. */
const STRIP = 4;

/**
 * @param weights layout of GrappaKernel
 * @param slab complex64, coil c at slab + coilBytes c, there [nLines, nColumns]
 * @param firstColumn @param endColumn the columns to do; the first a multiple of four
 * @param targets int32 a target: offset m, line, then kp source lines, -1 where not measured
 * @param sources scratch, kp nCoils ELEMENTs
 */
export function fillLines(
  weights: usize, slab: usize, coilBytes: usize, nCoils: i32, nColumns: i32, firstColumn: i32, endColumn: i32, kp: i32,
  targets: usize, nTargets: i32, sources: usize,
): void {
  const nBlocks = (nColumns + 3) >> 2;
  const nGroups = (nCoils + 3) >> 2;
  const groupBytes = ELEMENT * 4 * nCoils * kp;
  const blockBytes = groupBytes * nGroups;
  const offsetBytes = blockBytes * nBlocks;
  const targetBytes = (<usize>(kp + 2)) << 2;
  const lineBytes = (<usize>nColumns) << 3;
  const endBlock = (endColumn + 3) >> 2;
  for (let first = firstColumn >> 2; first < endBlock; first += STRIP) {
    const end = min(endBlock, first + STRIP);
    let target = targets;
    for (let i = 0; i < nTargets; i++) {
      const line = lineBytes * load<i32>(target, 4);
      for (let block = first; block < end; block++) {
        const left = nColumns - (block << 2);
        const column = slab + ELEMENT * block;
        let group = weights + offsetBytes * (load<i32>(target) - 1) + blockBytes * block;
        gatherSources(target + 8, kp, column, coilBytes, lineBytes, nCoils, left, sources);
        for (let t = 0; t < nCoils; t += 4) {
          synthesise(
            group, target + 8, kp, nCoils, sources, column + line + coilBytes * t, coilBytes, min(4, nCoils - t), left,
          );
          group += groupBytes;
        }
      }
      target += targetBytes;
    }
  }
}

/** Four columns of every measured source, planar. */
function gatherSources(
  lines: usize, kp: i32, column: usize, coilBytes: usize, lineBytes: usize, nCoils: i32, left: i32, sources: usize,
): void {
  for (let j = 0; j < kp; j++) {
    const line = load<i32>(lines + ((<usize>j) << 2));
    let to = sources + ELEMENT * (j * nCoils);
    if (line < 0) continue;
    let at = column + lineBytes * line;
    for (let c = 0; c < nCoils; c++) {
      if (left >= 4) {
        const first = v128.load(at);
        const second = v128.load(at, 16);
        v128.store(to, v128.shuffle<f32>(first, second, 0, 2, 4, 6));
        v128.store(to, v128.shuffle<f32>(first, second, 1, 3, 5, 7), 16);
      } else {
        for (let x: usize = 0; x < <usize>left; x++) {
          store<f32>(to + (x << 2), load<f32>(at + (x << 3)));
          store<f32>(to + (x << 2), load<f32>(at + (x << 3), 4), 16);
        }
      }
      at += coilBytes;
      to += ELEMENT;
    }
  }
}

/** Up to four target coils of one line, four columns. */
function synthesise(
  weights: usize, lines: usize, kp: i32, nCoils: i32, sources: usize,
  line: usize, coilBytes: usize, nTargetCoils: i32, left: i32,
): void {
  let re0 = f32x4.splat(0);
  let im0 = f32x4.splat(0);
  let re1 = f32x4.splat(0);
  let im1 = f32x4.splat(0);
  let re2 = f32x4.splat(0);
  let im2 = f32x4.splat(0);
  let re3 = f32x4.splat(0);
  let im3 = f32x4.splat(0);
  for (let j = 0; j < kp; j++) {
    if (load<i32>(lines + ((<usize>j) << 2)) < 0) {
      weights += 4 * ELEMENT * nCoils;
      sources += ELEMENT * nCoils;
      continue;
    }
    for (let c = 0; c < nCoils; c++) {
      const re = v128.load(sources);
      const im = v128.load(sources, 16);
      const wr0 = v128.load(weights);
      const wi0 = v128.load(weights, 16);
      re0 = f32x4.add(re0, f32x4.sub(f32x4.mul(wr0, re), f32x4.mul(wi0, im)));
      im0 = f32x4.add(im0, f32x4.add(f32x4.mul(wr0, im), f32x4.mul(wi0, re)));
      const wr1 = v128.load(weights, 32);
      const wi1 = v128.load(weights, 48);
      re1 = f32x4.add(re1, f32x4.sub(f32x4.mul(wr1, re), f32x4.mul(wi1, im)));
      im1 = f32x4.add(im1, f32x4.add(f32x4.mul(wr1, im), f32x4.mul(wi1, re)));
      const wr2 = v128.load(weights, 64);
      const wi2 = v128.load(weights, 80);
      re2 = f32x4.add(re2, f32x4.sub(f32x4.mul(wr2, re), f32x4.mul(wi2, im)));
      im2 = f32x4.add(im2, f32x4.add(f32x4.mul(wr2, im), f32x4.mul(wi2, re)));
      const wr3 = v128.load(weights, 96);
      const wi3 = v128.load(weights, 112);
      re3 = f32x4.add(re3, f32x4.sub(f32x4.mul(wr3, re), f32x4.mul(wi3, im)));
      im3 = f32x4.add(im3, f32x4.add(f32x4.mul(wr3, im), f32x4.mul(wi3, re)));
      weights += 4 * ELEMENT;
      sources += ELEMENT;
    }
  }
  scatter(line, re0, im0, left);
  if (nTargetCoils > 1) scatter(line + coilBytes, re1, im1, left);
  if (nTargetCoils > 2) scatter(line + 2 * coilBytes, re2, im2, left);
  if (nTargetCoils > 3) scatter(line + 3 * coilBytes, re3, im3, left);
}

@inline
function scatter(at: usize, re: v128, im: v128, left: i32): void {
  const first = v128.shuffle<f32>(re, im, 0, 4, 1, 5);
  if (left >= 4) {
    v128.store(at, first);
    v128.store(at, v128.shuffle<f32>(re, im, 2, 6, 3, 7), 16);
    return;
  }
  if (left > 1) v128.store(at, first);
  else v128.store64_lane(at, first, 0);
  if (left > 2) v128.store64_lane(at, v128.shuffle<f32>(re, im, 2, 6, 3, 7), 0, 16);
}
