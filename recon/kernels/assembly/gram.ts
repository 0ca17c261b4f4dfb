// Normal equations of GRAPPA, of calibration lines in hybrid space.
//
// A source is (tap j, readout tap d, coil c), a target (offset m, coil c'); with K the calibration lines
// in k-space, periodic along the readout, summed over kernel positions t and over kx. Written for two
// dimensions; with partitions t, j, m and R stand for pairs (line, partition), the line running fastest:
//
//   G[(j d c), (j' d' c')] = sum conj(K[c, t + j R, kx + d]) K[c', t + j' R, kx + d']
//   B[(j d c), (m c')]     = sum conj(K[c, t + j R, kx + d]) K[c', t + (kp/2 - 1) R + m, kx]
//
// Both depend on the readout taps by their difference e alone and are, by Parseval, Fourier sums over
// the columns x of what is correlated line by line in hybrid space:
//
//   r_e[c, c'] = sum_x exp(-2 pi i e (x - x0) / N) P[c, c'](x),   P = sum_t conj(H[c, line, x]) H[c', line', x]
//
// so that (kr kp)^2 correlations of k-space shrink to kp^2 / 2, each with 2 kr - 1 cheap sums, and no
// transform along the readout is needed. Taps j and j' that are equally far apart correlate the same lines but for
// those at either end, which are exchanged. P, and sums over a few columns, are float32, all else is float64.

/** Bytes of a complex128. */
const COMPLEX: usize = 16;

/** Pairs of columns that are summed in float32. */
const BLOCK: i32 = 16;
/** Bytes of a pair of columns of P, and of its phases. */
const PAIR: usize = 16;
const PHASES: usize = 32;

/** What becomes of the products that are there. */
const REPLACE: i32 = 0;
const ADD: i32 = 1;
const SUBTRACT: i32 = 2;

/**
 * P of two coils with two coils, complex64 [4, nColumns, rounded up to pairs]: (a0 b0), (a0 b1), (a1 b0), (a1 b1).
 * Pointers are to the first line of each coil; lines follow `lineBytes` apart, partitions of them `planeBytes`.
 */
function correlateTile(
  a0: usize, a1: usize, b0: usize, b1: usize, nLines: i32, lineBytes: usize, nPlanes: i32, planeBytes: usize,
  nColumns: i32, products: usize, mode: i32,
): void {
  const productBytes = PAIR * ((nColumns + 1) >> 1);
  const last = <usize>(nLines - 1) * lineBytes;
  const lastPlane = <usize>(nPlanes - 1) * planeBytes;
  let at = products;
  for (let x = 0; x + 2 <= nColumns; x += 2) {
    // With b' the pair (im, re) of b: conj(a) b = (sum of re(a) b) + (sum of im(a) b') with signs (+, -).
    let re00 = f32x4.splat(0);
    let im00 = f32x4.splat(0);
    let re01 = f32x4.splat(0);
    let im01 = f32x4.splat(0);
    let re10 = f32x4.splat(0);
    let im10 = f32x4.splat(0);
    let re11 = f32x4.splat(0);
    let im11 = f32x4.splat(0);
    for (let plane: usize = 0; plane <= lastPlane; plane += planeBytes) {
      for (let line = plane; line <= plane + last; line += lineBytes) {
        const va0 = v128.load(a0 + line);
        const va1 = v128.load(a1 + line);
        const vb0 = v128.load(b0 + line);
        const vb1 = v128.load(b1 + line);
        const sb0 = v128.shuffle<f32>(vb0, vb0, 1, 0, 3, 2);
        const sb1 = v128.shuffle<f32>(vb1, vb1, 1, 0, 3, 2);
        const r0 = v128.shuffle<f32>(va0, va0, 0, 0, 2, 2);
        const i0 = v128.shuffle<f32>(va0, va0, 1, 1, 3, 3);
        re00 = f32x4.add(re00, f32x4.mul(r0, vb0));
        im00 = f32x4.add(im00, f32x4.mul(i0, sb0));
        re01 = f32x4.add(re01, f32x4.mul(r0, vb1));
        im01 = f32x4.add(im01, f32x4.mul(i0, sb1));
        const r1 = v128.shuffle<f32>(va1, va1, 0, 0, 2, 2);
        const i1 = v128.shuffle<f32>(va1, va1, 1, 1, 3, 3);
        re10 = f32x4.add(re10, f32x4.mul(r1, vb0));
        im10 = f32x4.add(im10, f32x4.mul(i1, sb0));
        re11 = f32x4.add(re11, f32x4.mul(r1, vb1));
        im11 = f32x4.add(im11, f32x4.mul(i1, sb1));
      }
    }
    keep(at, re00, im00, mode);
    keep(at + productBytes, re01, im01, mode);
    keep(at + 2 * productBytes, re10, im10, mode);
    keep(at + 3 * productBytes, re11, im11, mode);
    at += PAIR;
    a0 += 16;
    a1 += 16;
    b0 += 16;
    b1 += 16;
  }
  if (nColumns & 1) {
    correlateColumn(a0, b0, last, lineBytes, lastPlane, planeBytes, at, mode);
    correlateColumn(a0, b1, last, lineBytes, lastPlane, planeBytes, at + productBytes, mode);
    correlateColumn(a1, b0, last, lineBytes, lastPlane, planeBytes, at + 2 * productBytes, mode);
    correlateColumn(a1, b1, last, lineBytes, lastPlane, planeBytes, at + 3 * productBytes, mode);
  }
}

@inline
function keep(at: usize, re: v128, im: v128, mode: i32): void {
  keepPair(at, f32x4.add(re, f32x4.mul(im, f32x4(1, -1, 1, -1))), mode);
}

@inline
function keepPair(at: usize, sum: v128, mode: i32): void {
  if (mode == ADD) sum = f32x4.add(v128.load(at), sum);
  if (mode == SUBTRACT) sum = f32x4.sub(v128.load(at), sum);
  v128.store(at, sum);
}

/** The last column of an odd number; the other one of its pair is zero. */
function correlateColumn(
  a: usize, b: usize, last: usize, lineBytes: usize, lastPlane: usize, planeBytes: usize, at: usize, mode: i32,
): void {
  let re: f32 = 0;
  let im: f32 = 0;
  for (let plane: usize = 0; plane <= lastPlane; plane += planeBytes) {
    for (let line = plane; line <= plane + last; line += lineBytes) {
      const ar = load<f32>(a + line);
      const ai = load<f32>(a + line, 4);
      const br = load<f32>(b + line);
      const bi = load<f32>(b + line, 4);
      re += ar * br + ai * bi;
      im += ar * bi - ai * br;
    }
  }
  keepPair(at, f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(0), 0, re), 1, im), mode);
}

/**
 * r_e for |e| < nLags of one product P.
 * @param phases float32 [nLags, pairs of columns, (cos, cos, cos', cos', sin, sin, sin', sin')] of 2 pi e (x - x0) / N
 * @param lags complex128 [2 nLags - 1], e = -(nLags - 1) first
 */
function lagSums(product: usize, nColumns: i32, phases: usize, nLags: i32, lags: usize): void {
  const zero = lags + COMPLEX * (nLags - 1);
  const nPairs = (nColumns + 1) >> 1;
  for (let e = 0; e < nLags; e++) {
    let cosines = f64x2.splat(0);
    let sines = f64x2.splat(0);
    let at = product;
    for (let from = 0; from < nPairs; from += BLOCK) {
      const end = at + PAIR * min(BLOCK, nPairs - from);
      let c0 = f32x4.splat(0);
      let s0 = f32x4.splat(0);
      let c1 = f32x4.splat(0);
      let s1 = f32x4.splat(0);
      for (; at + 2 * PAIR <= end; at += 2 * PAIR, phases += 2 * PHASES) {
        const p0 = v128.load(at);
        const p1 = v128.load(at, 16);
        c0 = f32x4.add(c0, f32x4.mul(p0, v128.load(phases)));
        s0 = f32x4.add(s0, f32x4.mul(p0, v128.load(phases, 16)));
        c1 = f32x4.add(c1, f32x4.mul(p1, v128.load(phases, 32)));
        s1 = f32x4.add(s1, f32x4.mul(p1, v128.load(phases, 48)));
      }
      if (at < end) {
        const p = v128.load(at);
        c0 = f32x4.add(c0, f32x4.mul(p, v128.load(phases)));
        s0 = f32x4.add(s0, f32x4.mul(p, v128.load(phases, 16)));
        at += PAIR;
        phases += PHASES;
      }
      cosines = f64x2.add(cosines, columnSum(f32x4.add(c0, c1)));
      sines = f64x2.add(sines, columnSum(f32x4.add(s0, s1)));
    }
    // exp(-i a) P = P cos a - i P sin a; with -e the sine changes its sign.
    const turned = f64x2.mul(v128.shuffle<f64>(sines, sines, 1, 0), f64x2(1, -1));
    v128.store(zero + COMPLEX * e, f64x2.add(cosines, turned));
    v128.store(zero - COMPLEX * e, f64x2.sub(cosines, turned));
  }
}

@inline
function columnSum(pair: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(pair), f64x2.promote_low_f32x4(v128.shuffle<f32>(pair, pair, 2, 3, 2, 3)));
}

/**
 * Lower triangle of G, its diagonal included.
 *
 * @param lines calibration lines, complex64 [nCoils, nPlanes, nLines, nColumns]
 * @param r1 @param kp1 acceleration and taps along the lines
 * @param r2 @param kp2 acceleration and taps along the partitions; 1 and 1 for two dimensions; kp = kp1 kp2
 * @param gram complex128 [n, n], n = kp kr nCoils, source index (j kr + d) nCoils + c
 * @param phases float32, see lagSums
 * @param scratch complex128 [2 kr - 1], then complex64 [4, nColumns, rounded up to pairs]
 */
export function grappaGram(
  lines: usize, nCoils: i32, nPlanes: i32, nLines: i32, nColumns: i32, r1: i32, r2: i32, kr: i32, kp1: i32, kp2: i32,
  phases: usize, gram: usize, scratch: usize,
): void {
  const lineBytes = (<usize>nColumns) << 3;
  const planeBytes = lineBytes * nLines;
  const coilBytes = planeBytes * nPlanes;
  const nPositions = nLines - (kp1 - 1) * r1;
  const nPlanePositions = nPlanes - (kp2 - 1) * r2;
  const productBytes = PAIR * ((nColumns + 1) >> 1);
  const products = scratch + COMPLEX * (2 * kr - 1);
  for (let j2 = 0; j2 < kp2; j2++) {
    for (let k2 = j2; k2 < kp2; k2++) {
      // Taps so many acquired lines apart; of the same partition each pair once.
      for (let apart = j2 == k2 ? 0 : 1 - kp1; apart < kp1; apart++) {
        const isSame = j2 == k2 && apart == 0;
        const from = max(0, -apart);
        const end = min(kp1, kp1 - apart);
        for (let c = 0; c < nCoils; c += 2) {
          const nC = min(2, nCoils - c);
          for (let d = isSame ? c : 0; d < nCoils; d += 2) {
            const nD = min(2, nCoils - d);
            let a0 = lines + coilBytes * c + planeBytes * (j2 * r2) + lineBytes * (from * r1);
            let b0 = lines + coilBytes * d + planeBytes * (k2 * r2) + lineBytes * ((from + apart) * r1);
            for (let j1 = from; j1 < end; j1++) {
              const a1 = a0 + coilBytes * (nC - 1);
              const b1 = b0 + coilBytes * (nD - 1);
              if (j1 == from || nPositions <= 2 * r1) {
                correlateTile(a0, a1, b0, b1, nPositions, lineBytes, nPlanePositions, planeBytes, nColumns, products, REPLACE);
              } else {
                const before = lineBytes * r1;
                const after = lineBytes * (nPositions - r1);
                correlateTile(a0 - before, a1 - before, b0 - before, b1 - before, r1, lineBytes, nPlanePositions, planeBytes, nColumns, products, SUBTRACT);
                correlateTile(a0 + after, a1 + after, b0 + after, b1 + after, r1, lineBytes, nPlanePositions, planeBytes, nColumns, products, ADD);
              }
              for (let p = 0; p < nC; p++) {
                for (let q = 0; q < nD; q++) {
                  lagSums(products + productBytes * (2 * p + q), nColumns, phases, kr, scratch);
                  scatterGram(gram, nCoils, kr, kp1 * kp2, j1 + kp1 * j2, c + p, j1 + apart + kp1 * k2, d + q, scratch);
                }
              }
              a0 += lineBytes * r1;
              b0 += lineBytes * r1;
            }
          }
        }
      }
    }
  }
}

/** Enters r_e of (tap j, coil a) with (tap k, coil b) at every pair of readout taps of the lower triangle. */
function scatterGram(gram: usize, nCoils: i32, kr: i32, kp: i32, j: i32, a: i32, k: i32, b: i32, lags: usize): void {
  const n = kp * kr * nCoils;
  for (let d = 0; d < kr; d++) {
    const column = (j * kr + d) * nCoils + a;
    for (let e = 0; e < kr; e++) {
      const row = (k * kr + e) * nCoils + b;
      const value = v128.load(lags + COMPLEX * (kr - 1 + e - d));
      if (row >= column) v128.store(gram + COMPLEX * (row * n + column), f64x2.mul(value, f64x2(1, -1)));
      else v128.store(gram + COMPLEX * (column * n + row), value);
    }
  }
}

/**
 * Right-hand sides.
 * @param rightSides complex128 [n, (R - 1) nCoils], column (m - 1) nCoils + c'
 */
export function grappaRightSides(
  lines: usize, nCoils: i32, nPlanes: i32, nLines: i32, nColumns: i32, r1: i32, r2: i32, kr: i32, kp1: i32, kp2: i32,
  phases: usize, rightSides: usize, scratch: usize,
): void {
  const lineBytes = (<usize>nColumns) << 3;
  const planeBytes = lineBytes * nLines;
  const coilBytes = planeBytes * nPlanes;
  const kp = kp1 * kp2;
  const nPositions = nLines - (kp1 - 1) * r1;
  const nPlanePositions = nPlanes - (kp2 - 1) * r2;
  const nRightSides = (r1 * r2 - 1) * nCoils;
  const half = kr >> 1;
  const productBytes = PAIR * ((nColumns + 1) >> 1);
  const products = scratch + COMPLEX * (2 * kr - 1);
  for (let j = 0; j < kp; j++) {
    const first = lines + lineBytes * (j % kp1 * r1) + planeBytes * (j / kp1 * r2);
    for (let m = 1; m < r1 * r2; m++) {
      const second = lines + lineBytes * (((kp1 - 1) >> 1) * r1 + m % r1) + planeBytes * (((kp2 - 1) >> 1) * r2 + m / r1);
      for (let c = 0; c < nCoils; c += 2) {
        const nC = min(2, nCoils - c);
        const a0 = first + coilBytes * c;
        const a1 = a0 + coilBytes * (nC - 1);
        for (let t = 0; t < nCoils; t += 2) {
          const nT = min(2, nCoils - t);
          const b0 = second + coilBytes * t;
          const b1 = b0 + coilBytes * (nT - 1);
          correlateTile(a0, a1, b0, b1, nPositions, lineBytes, nPlanePositions, planeBytes, nColumns, products, REPLACE);
          for (let p = 0; p < nC; p++) {
            for (let q = 0; q < nT; q++) {
              lagSums(products + productBytes * (2 * p + q), nColumns, phases, half + 1, scratch);
              for (let d = 0; d < kr; d++) {
                const row = (j * kr + d) * nCoils + c + p;
                const column = (m - 1) * nCoils + t + q;
                // The target's readout tap is the centre: e = 0 - (d - half), and lag e lies at half + e.
                v128.store(
                  rightSides + COMPLEX * (row * nRightSides + column),
                  v128.load(scratch + COMPLEX * (2 * half - d)),
                );
              }
            }
          }
        }
      }
    }
  }
}
