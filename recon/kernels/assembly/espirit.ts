// The steps of ESPIRiT that take time: products with the calibration matrix, Gram matrices, and the
// eigenvectors of a small Hermitian matrix in every point of a grid.
//
// Matrices of complex64 with few columns lie in panels of eight columns: [nColumns / 8][nRows][8 real, 8
// imaginary parts], columns padded with zeros. A panel stays in the cache while another matrix passes.

/** Bytes of a row of a panel. */
const PANEL_ROW: usize = 64;

/**
 * out[r, :] = sum_s a[r, s] x[s, :], where a[r, s] is gathered: its real part lies at rowAt[r] + sumAt[s], its
 * imaginary part `imaginaryAt` bytes further. So the calibration matrix, which repeats every sample many times,
 * is never made.
 * @param rowAt int32 addresses [nRows] @param sumAt int32 offsets [nSums]
 * @param x panels [nPanels][nSums], `xBytes` apart @param out panels [nPanels][nRows], `outBytes` apart
 */
export function gatheredProduct(
  rowAt: usize, nRows: i32, sumAt: usize, nSums: i32, imaginaryAt: usize, x: usize, xBytes: usize, nPanels: i32,
  out: usize, outBytes: usize,
): void {
  for (let panel = 0; panel < nPanels; panel++) {
    let to = out;
    for (let r = 0; r < nRows; r += 2) {
      const two = r + 1 < nRows;
      const a = <usize>load<u32>(rowAt + ((<usize>r) << 2));
      const b = two ? <usize>load<u32>(rowAt + ((<usize>r) << 2), 4) : a;
      // Two rows by eight columns: each element that is loaded is used twice or more.
      let aRe0 = f32x4.splat(0);
      let aRe1 = aRe0;
      let aIm0 = aRe0;
      let aIm1 = aRe0;
      let bRe0 = aRe0;
      let bRe1 = aRe0;
      let bIm0 = aRe0;
      let bIm1 = aRe0;
      let at = x;
      for (let s: usize = 0; s < (<usize>nSums) << 2; s += 4, at += PANEL_ROW) {
        const offset = <usize>load<u32>(sumAt + s);
        const re0 = v128.load(at);
        const re1 = v128.load(at, 16);
        const im0 = v128.load(at, 32);
        const im1 = v128.load(at, 48);
        const ar = v128.load32_splat(a + offset);
        const ai = v128.load32_splat(a + offset + imaginaryAt);
        aRe0 = f32x4.add(aRe0, f32x4.sub(f32x4.mul(ar, re0), f32x4.mul(ai, im0)));
        aIm0 = f32x4.add(aIm0, f32x4.add(f32x4.mul(ar, im0), f32x4.mul(ai, re0)));
        aRe1 = f32x4.add(aRe1, f32x4.sub(f32x4.mul(ar, re1), f32x4.mul(ai, im1)));
        aIm1 = f32x4.add(aIm1, f32x4.add(f32x4.mul(ar, im1), f32x4.mul(ai, re1)));
        const br = v128.load32_splat(b + offset);
        const bi = v128.load32_splat(b + offset + imaginaryAt);
        bRe0 = f32x4.add(bRe0, f32x4.sub(f32x4.mul(br, re0), f32x4.mul(bi, im0)));
        bIm0 = f32x4.add(bIm0, f32x4.add(f32x4.mul(br, im0), f32x4.mul(bi, re0)));
        bRe1 = f32x4.add(bRe1, f32x4.sub(f32x4.mul(br, re1), f32x4.mul(bi, im1)));
        bIm1 = f32x4.add(bIm1, f32x4.add(f32x4.mul(br, im1), f32x4.mul(bi, re1)));
      }
      putRow(to, aRe0, aRe1, aIm0, aIm1);
      if (two) putRow(to + PANEL_ROW, bRe0, bRe1, bIm0, bIm1);
      to += 2 * PANEL_ROW;
    }
    x += xBytes;
    out += outBytes;
  }
}

@inline
function putRow(at: usize, re0: v128, re1: v128, im0: v128, im1: v128): void {
  v128.store(at, re0);
  v128.store(at, re1, 16);
  v128.store(at, im0, 32);
  v128.store(at, im1, 48);
}

/**
 * G = X^H X in float64, the lower triangle by panels (what lies above the diagonal panels is not written).
 * @param x panels [nPanels][nRows] @param gram complex128 [8 nPanels, 8 nPanels]
 */
export function panelGram(x: usize, nPanels: i32, nRows: i32, gram: usize): void {
  const panelBytes = PANEL_ROW * nRows;
  const rowBytes = (<usize>nPanels) << 7;
  for (let panel = 0; panel < nPanels; panel++) {
    for (let lane: usize = 0; lane < 32; lane += 4) {
      const column = x + panelBytes * panel + lane;
      for (let other = 0; other <= panel; other++) gramRow(column, x + panelBytes * other, nRows, gram + ((<usize>other) << 7));
      gram += rowBytes;
    }
  }
}

/** One column's products with the eight of a panel: sum conj(a) b. */
function gramRow(column: usize, panel: usize, nRows: i32, out: usize): void {
  let re0 = f64x2.splat(0);
  let re1 = re0;
  let re2 = re0;
  let re3 = re0;
  let im0 = re0;
  let im1 = re0;
  let im2 = re0;
  let im3 = re0;
  for (const end = column + PANEL_ROW * nRows; column < end; column += PANEL_ROW, panel += PANEL_ROW) {
    const ar = f64x2.splat(<f64>load<f32>(column));
    const ai = f64x2.splat(<f64>load<f32>(column, 32));
    const r0 = f64x2.promote_low_f32x4(v128.load64_zero(panel));
    const r1 = f64x2.promote_low_f32x4(v128.load64_zero(panel, 8));
    const r2 = f64x2.promote_low_f32x4(v128.load64_zero(panel, 16));
    const r3 = f64x2.promote_low_f32x4(v128.load64_zero(panel, 24));
    const i0 = f64x2.promote_low_f32x4(v128.load64_zero(panel, 32));
    const i1 = f64x2.promote_low_f32x4(v128.load64_zero(panel, 40));
    const i2 = f64x2.promote_low_f32x4(v128.load64_zero(panel, 48));
    const i3 = f64x2.promote_low_f32x4(v128.load64_zero(panel, 56));
    re0 = f64x2.add(re0, f64x2.add(f64x2.mul(ar, r0), f64x2.mul(ai, i0)));
    re1 = f64x2.add(re1, f64x2.add(f64x2.mul(ar, r1), f64x2.mul(ai, i1)));
    re2 = f64x2.add(re2, f64x2.add(f64x2.mul(ar, r2), f64x2.mul(ai, i2)));
    re3 = f64x2.add(re3, f64x2.add(f64x2.mul(ar, r3), f64x2.mul(ai, i3)));
    im0 = f64x2.add(im0, f64x2.sub(f64x2.mul(ar, i0), f64x2.mul(ai, r0)));
    im1 = f64x2.add(im1, f64x2.sub(f64x2.mul(ar, i1), f64x2.mul(ai, r1)));
    im2 = f64x2.add(im2, f64x2.sub(f64x2.mul(ar, i2), f64x2.mul(ai, r2)));
    im3 = f64x2.add(im3, f64x2.sub(f64x2.mul(ar, i3), f64x2.mul(ai, r3)));
  }
  putComplex(out, re0, im0);
  putComplex(out + 32, re1, im1);
  putComplex(out + 64, re2, im2);
  putComplex(out + 96, re3, im3);
}

@inline
function putComplex(at: usize, re: v128, im: v128): void {
  v128.store(at, v128.shuffle<f64>(re, im, 0, 2));
  v128.store(at, v128.shuffle<f64>(re, im, 1, 3), 16);
}

/**
 * Hermitian matrices of the kernels' images in some points, H[a, b](p) = scale sum_k x[(a, p), k] conj(x[(b, p), k]),
 * spread along the columns of a finer grid: out[(a, b), row, column] = sum_p w[p, column] H[a, b](row, p).
 * @param x panels [nPanels][(coil, row, point)], `xBytes` apart
 * @param weights float32 [nPoints, nColumns], nColumns a multiple of four
 * @param out float32 [pairs a >= b][nRows][nColumns real, nColumns imaginary parts]
 */
export function spreadHermitian(
  x: usize, xBytes: usize, nPanels: i32, nCoils: i32, nRows: i32, nPoints: i32, scale: f32, weights: usize, nColumns: i32,
  out: usize,
): void {
  const coilBytes = PANEL_ROW * nRows * nPoints;
  const lineBytes = (<usize>nColumns) << 2;
  for (let a = 0; a < nCoils; a++) {
    for (let b = 0; b <= a; b++) {
      for (let row = 0; row < nRows; row++) {
        memory.fill(out, 0, 2 * lineBytes);
        for (let point = 0; point < nPoints; point++) {
          const offset = PANEL_ROW * (row * nPoints + point);
          let re = f32x4.splat(0);
          let im = f32x4.splat(0);
          let left = x + coilBytes * a + offset;
          let right = x + coilBytes * b + offset;
          for (let panel = 0; panel < nPanels; panel++, left += xBytes, right += xBytes) {
            for (let half: usize = 0; half < 32; half += 16) {
              const ar = v128.load(left + half);
              const ai = v128.load(left + half, 32);
              const br = v128.load(right + half);
              const bi = v128.load(right + half, 32);
              re = f32x4.add(re, f32x4.add(f32x4.mul(ar, br), f32x4.mul(ai, bi)));
              im = f32x4.add(im, f32x4.sub(f32x4.mul(ai, br), f32x4.mul(ar, bi)));
            }
          }
          const sumRe = f32x4.splat(scale * lanes(re));
          const sumIm = f32x4.splat(scale * lanes(im));
          const w = weights + lineBytes * point;
          for (let at: usize = 0; at < lineBytes; at += 16) {
            const weight = v128.load(w + at);
            const to = out + at;
            v128.store(to, f32x4.add(v128.load(to), f32x4.mul(weight, sumRe)));
            v128.store(to + lineBytes, f32x4.add(v128.load(to + lineBytes), f32x4.mul(weight, sumIm)));
          }
        }
        out += 2 * lineBytes;
      }
    }
  }
}

@inline
function lanes(a: v128): f32 {
  return f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3);
}

/** Bytes of a complex number in four points: 4 real, then 4 imaginary parts. */
const QUAD: usize = 32;

/**
 * The eigenvector of the largest eigenvalue in every point of one row of the finer grid, by power iteration.
 * @param spread what `spreadHermitian` made, of nRows rows
 * @param weights float32 [nRows]: the row is their sum
 * @param first vectors that these are to be orthogonal to, complex64 [nColumns, coilStride], of norm 1 or zero; 0 for none
 * @param vectors complex64 [nColumns, coilStride], of norm 1
 * @param values float32 [nColumns]
 * @param scratch nCoils (nCoils + 1) / 2 + 3 nCoils elements of 32 bytes
 */
export function principalVectors(
  spread: usize, nCoils: i32, nRows: i32, nColumns: i32, weights: usize, nIterations: i32,
  first: usize, vectors: usize, coilStride: i32, values: usize, scratch: usize,
): void {
  const lineBytes = (<usize>nColumns) << 2;
  const nPairs = (nCoils * (nCoils + 1)) >> 1;
  const vector = scratch + QUAD * nPairs;
  const product = vector + QUAD * nCoils;
  const other = product + QUAD * nCoils;
  for (let column = 0; column < nColumns; column += 4) {
    let from = spread + ((<usize>column) << 2);
    for (let pair = 0; pair < nPairs; pair++) {
      let re = f32x4.splat(0);
      let im = f32x4.splat(0);
      for (let row = 0; row < nRows; row++, from += 2 * lineBytes) {
        const weight = v128.load32_splat(weights + ((<usize>row) << 2));
        re = f32x4.add(re, f32x4.mul(weight, v128.load(from)));
        im = f32x4.add(im, f32x4.mul(weight, v128.load(from + lineBytes)));
      }
      v128.store(scratch + QUAD * pair, re);
      v128.store(scratch + QUAD * pair, im, 16);
    }
    if (first != 0) loadVectors(first + ((<usize>column) << 3) * coilStride, coilStride, nCoils, other);
    strongestColumn(scratch, nCoils, vector);
    if (first != 0) leaveOut(other, vector, nCoils);
    let value = toUnit(vector, nCoils);
    for (let i = 0; i < nIterations; i++) {
      multiplyHermitian(scratch, nCoils, vector, product);
      memory.copy(vector, product, QUAD * nCoils);
      if (first != 0) leaveOut(other, vector, nCoils);
      value = toUnit(vector, nCoils);
    }
    v128.store(values + ((<usize>column) << 2), value);
    for (let lane: usize = 0; lane < 16; lane += 4) {
      let to = vectors + (((<usize>column) + (lane >> 2)) << 3) * coilStride;
      for (let c: usize = 0; c < QUAD * nCoils; c += QUAD, to += 8) {
        store<f32>(to, load<f32>(vector + c + lane));
        store<f32>(to, load<f32>(vector + c + lane, 16), 4);
      }
    }
  }
}

/** Four neighbouring vectors, a lane each. */
function loadVectors(from: usize, coilStride: i32, nCoils: i32, out: usize): void {
  for (let lane: usize = 0; lane < 16; lane += 4, from += (<usize>coilStride) << 3) {
    for (let c = 0; c < nCoils; c++) {
      store<f32>(out + QUAD * c + lane, load<f32>(from + ((<usize>c) << 3)));
      store<f32>(out + QUAD * c + lane, load<f32>(from + ((<usize>c) << 3), 4), 16);
    }
  }
}

/** vector -= other (other^H vector) */
function leaveOut(other: usize, vector: usize, nCoils: i32): void {
  let re = f32x4.splat(0);
  let im = f32x4.splat(0);
  const bytes = QUAD * nCoils;
  for (let c: usize = 0; c < bytes; c += QUAD) {
    const ar = v128.load(other + c);
    const ai = v128.load(other + c, 16);
    const br = v128.load(vector + c);
    const bi = v128.load(vector + c, 16);
    re = f32x4.add(re, f32x4.add(f32x4.mul(ar, br), f32x4.mul(ai, bi)));
    im = f32x4.add(im, f32x4.sub(f32x4.mul(ar, bi), f32x4.mul(ai, br)));
  }
  for (let c: usize = 0; c < bytes; c += QUAD) {
    const ar = v128.load(other + c);
    const ai = v128.load(other + c, 16);
    const to = vector + c;
    v128.store(to, f32x4.sub(v128.load(to), f32x4.sub(f32x4.mul(ar, re), f32x4.mul(ai, im))));
    v128.store(to, f32x4.sub(v128.load(to, 16), f32x4.add(f32x4.mul(ar, im), f32x4.mul(ai, re))), 16);
  }
}

/** The column of the largest diagonal element, which has a part along the eigenvector. */
function strongestColumn(matrix: usize, nCoils: i32, out: usize): void {
  let most = f32x4.splat(-1);
  for (let c = 0; c < nCoils; c++) {
    const diagonal = v128.load(element(matrix, c, c));
    const better = f32x4.gt(diagonal, most);
    most = f32x4.max(most, diagonal);
    for (let a = 0; a < nCoils; a++) {
      const at = a >= c ? element(matrix, a, c) : element(matrix, c, a);
      const im = v128.load(at, 16);
      const to = out + QUAD * a;
      v128.store(to, v128.bitselect(v128.load(at), v128.load(to), better));
      v128.store(to, v128.bitselect(a >= c ? im : f32x4.neg(im), v128.load(to, 16), better), 16);
    }
  }
}

@inline
function element(matrix: usize, a: i32, b: i32): usize {
  return matrix + QUAD * (((a * (a + 1)) >> 1) + b);
}

/** out = H v from the lower triangle. */
function multiplyHermitian(matrix: usize, nCoils: i32, vector: usize, out: usize): void {
  let at = matrix;
  for (let a = 0; a < nCoils; a++) {
    const va = vector + QUAD * a;
    const ar = v128.load(va);
    const ai = v128.load(va, 16);
    let re = f32x4.splat(0);
    let im = f32x4.splat(0);
    for (let b: usize = 0; b < QUAD * a; b += QUAD, at += QUAD) {
      const hr = v128.load(at);
      const hi = v128.load(at, 16);
      const br = v128.load(vector + b);
      const bi = v128.load(vector + b, 16);
      re = f32x4.add(re, f32x4.sub(f32x4.mul(hr, br), f32x4.mul(hi, bi)));
      im = f32x4.add(im, f32x4.add(f32x4.mul(hr, bi), f32x4.mul(hi, br)));
      const to = out + b;
      v128.store(to, f32x4.add(v128.load(to), f32x4.add(f32x4.mul(hr, ar), f32x4.mul(hi, ai))));
      v128.store(to, f32x4.add(v128.load(to, 16), f32x4.sub(f32x4.mul(hr, ai), f32x4.mul(hi, ar))), 16);
    }
    const diagonal = v128.load(at);
    at += QUAD;
    v128.store(out + QUAD * a, f32x4.add(re, f32x4.mul(diagonal, ar)));
    v128.store(out + QUAD * a, f32x4.add(im, f32x4.mul(diagonal, ai)), 16);
  }
}

/** Each lane to norm 1; returns the norms it had. */
function toUnit(vector: usize, nCoils: i32): v128 {
  let energy = f32x4.splat(0);
  for (let c: usize = 0; c < QUAD * nCoils; c += 16) {
    const value = v128.load(vector + c);
    energy = f32x4.add(energy, f32x4.mul(value, value));
  }
  const norm = f32x4.sqrt(energy);
  const scale = v128.and(f32x4.div(f32x4.splat(1), norm), f32x4.gt(norm, f32x4.splat(0)));
  for (let c: usize = 0; c < QUAD * nCoils; c += 16) v128.store(vector + c, f32x4.mul(scale, v128.load(vector + c)));
  return norm;
}

/**
 * Sets the maps to zero where the interpolated eigenvalue is below `least`.
 * @param values complex64 [nCoarse, nColumns], interpolated along the rows
 * @param points as in upsample.ts, [nRows]
 * @param maps complex64 [nCoils, nRows, nColumns]
 */
export function cropMaps(
  values: usize, nColumns: i32, points: usize, nRows: i32, least: f32, maps: usize, nCoils: i32,
): void {
  const lineBytes = (<usize>nColumns) << 3;
  const mapBytes = lineBytes * nRows;
  for (let row = 0; row < nRows; row++, points += 32) {
    const l0 = values + lineBytes * load<i32>(points);
    const l1 = values + lineBytes * load<i32>(points, 4);
    const l2 = values + lineBytes * load<i32>(points, 8);
    const l3 = values + lineBytes * load<i32>(points, 12);
    for (let x: usize = 0; x < lineBytes; x += 8) {
      const value =
        load<f32>(points, 16) * load<f32>(l0 + x) + load<f32>(points, 20) * load<f32>(l1 + x) +
        load<f32>(points, 24) * load<f32>(l2 + x) + load<f32>(points, 28) * load<f32>(l3 + x);
      if (value < least) {
        let at = maps + x;
        for (let coil = 0; coil < nCoils; coil++, at += mapBytes) store<u64>(at, 0);
      }
    }
    maps += lineBytes;
  }
}
