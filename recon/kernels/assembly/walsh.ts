// Local principal components (Walsh): for each pixel the eigenvector of the largest eigenvalue of
//
//   C(p) = sum over q in the window about p of  m(q) m(q)^H
//
// with m the coil images of low resolution; by power iteration. Windows are cut at the edges. The phase
// is that of a virtual coil.

/** Bytes of a complex64. */
const COMPLEX: usize = 8;

/**
 * One row.
 * @param images complex64 [nRows, nColumns, nCoils], nCoils even (a zero coil makes it so)
 * @param vectors complex64 [nRows, nColumns, nCoils], of norm 1, or 0 where there is no signal
 * @param scratch (nColumns + 1) nCoils^2 + 2 nCoils complex64
 */
export function localPrincipalVectors(
  images: usize, nRows: i32, nColumns: i32, nCoils: i32, row: i32, halfWindow: i32, nIterations: i32,
  vectors: usize, scratch: usize,
): void {
  const pixelBytes = COMPLEX * nCoils;
  const rowBytes = pixelBytes * nColumns;
  const matrixBytes = pixelBytes * nCoils;
  const covariance = scratch + matrixBytes * nColumns;
  const work = covariance + matrixBytes;
  // The window is a rectangle: sums down the columns first, then along the row.
  const top = max(0, row - halfWindow);
  const nTall = min(nRows - 1, row + halfWindow) - top + 1;
  for (let column = 0; column < nColumns; column++) {
    const pixel = images + rowBytes * top + pixelBytes * column;
    outerProducts(pixel, rowBytes, nTall, nCoils, scratch + matrixBytes * column);
  }
  for (let column = 0; column < nColumns; column++) {
    const from = max(0, column - halfWindow);
    const nWide = min(nColumns - 1, column + halfWindow) - from + 1;
    sumMatrices(scratch + matrixBytes * from, matrixBytes, nWide, covariance);
    principalVector(covariance, nCoils, nIterations, vectors + rowBytes * row + pixelBytes * column, work);
  }
}

/**
 * The virtual coil v: the principal eigenvector of all pixels together.
 * @param vector complex64 [nCoils]
 * @param scratch nCoils^2 + 2 nCoils complex64
 */
export function globalPrincipalVector(
  images: usize, nPixels: i32, nCoils: i32, nIterations: i32, vector: usize, scratch: usize,
): void {
  outerProducts(images, COMPLEX * nCoils, nPixels, nCoils, scratch);
  principalVector(scratch, nCoils, nIterations, vector, scratch + COMPLEX * nCoils * nCoils);
}

/**
 * Turns every vector so that v^H S is real and positive; a vector of zero becomes v.
 * @param vectors complex64 [nPixels, nCoils]
 */
export function alignPhases(vectors: usize, nPixels: i32, nCoils: i32, virtual: usize): void {
  const bytes = COMPLEX * nCoils;
  for (let pixel = 0; pixel < nPixels; pixel++) {
    let re: f32 = 0;
    let im: f32 = 0;
    for (let at: usize = 0; at < bytes; at += COMPLEX) {
      const vRe = load<f32>(virtual + at);
      const vIm = load<f32>(virtual + at, 4);
      const sRe = load<f32>(vectors + at);
      const sIm = load<f32>(vectors + at, 4);
      re += vRe * sRe + vIm * sIm;
      im += vRe * sIm - vIm * sRe;
    }
    const magnitude = sqrt<f32>(re * re + im * im);
    if (magnitude == 0) {
      memory.copy(vectors, virtual, bytes);
    } else {
      const cosine = re / magnitude;
      const sine = im / magnitude;
      for (let at: usize = 0; at < bytes; at += COMPLEX) {
        const sRe = load<f32>(vectors + at);
        const sIm = load<f32>(vectors + at, 4);
        store<f32>(vectors + at, sRe * cosine + sIm * sine);
        store<f32>(vectors + at, sIm * cosine - sRe * sine, 4);
      }
    }
    vectors += bytes;
  }
}

/** sum_i m_i m_i^H of `count` pixels, one below the other. */
function outerProducts(pixel: usize, rowBytes: usize, count: i32, nCoils: i32, out: usize): void {
  const bytes = COMPLEX * nCoils;
  for (let a: usize = 0; a < bytes; a += COMPLEX) {
    for (let b: usize = 0; b < bytes; b += 16) {
      let sum = f32x4.splat(0);
      let at = pixel;
      for (let i = 0; i < count; i++) {
        const right = v128.load(at + b);
        const swapped = v128.shuffle<f32>(right, right, 1, 0, 3, 2);
        const conjugate = f32x4.mul(right, f32x4(1, -1, 1, -1));
        sum = f32x4.add(
          sum,
          f32x4.add(
            f32x4.mul(v128.load32_splat(at + a), conjugate),
            f32x4.mul(v128.load32_splat(at + a, 4), swapped),
          ),
        );
        at += rowBytes;
      }
      v128.store(out, sum);
      out += 16;
    }
  }
}

function sumMatrices(matrices: usize, matrixBytes: usize, count: i32, out: usize): void {
  for (let at: usize = 0; at < matrixBytes; at += 16) {
    let sum = v128.load(matrices + at);
    for (let i = 1; i < count; i++) sum = f32x4.add(sum, v128.load(matrices + at + matrixBytes * i));
    v128.store(out + at, sum);
  }
}

/**
 * Starts from the column of the strongest coil, which has a part along the principal vector. A matrix of trace 1 has its
 * largest eigenvalue between 1 / nCoils and 1: the vector need not be normalised in between.
 */
function principalVector(matrix: usize, nCoils: i32, nIterations: i32, vector: usize, work: usize): void {
  const bytes = COMPLEX * nCoils;
  let strongest = 0;
  let trace: f64 = 0;
  for (let c = 0; c < nCoils; c++) {
    trace += <f64>diagonal(matrix, bytes, c);
    if (diagonal(matrix, bytes, c) > diagonal(matrix, bytes, strongest)) strongest = c;
  }
  if (!(trace > 0)) {
    memory.fill(vector, 0, bytes);
    return;
  }
  const scale = f32x4.splat(<f32>(1 / trace));
  const end = matrix + bytes * nCoils;
  for (let at = matrix; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), scale));
  for (let c = 0; c < nCoils; c++) {
    v128.store64_lane(vector + COMPLEX * c, v128.load64_zero(matrix + bytes * c + COMPLEX * strongest), 0);
  }
  normalise(vector, bytes);
  const swapped = work + bytes;
  for (let i = 0; i < nIterations; i++) {
    for (let b: usize = 0; b < bytes; b += 16) {
      const pair = v128.load(vector + b);
      v128.store(work + b, f32x4.mul(pair, f32x4(1, -1, 1, -1)));
      v128.store(swapped + b, v128.shuffle<f32>(pair, pair, 1, 0, 3, 2));
    }
    let row = matrix;
    for (let a: usize = 0; a < bytes; a += 2 * COMPLEX) {
      // Two rows at a time: what is loaded of the vector is used twice.
      const next = row + bytes;
      let re0 = f32x4.splat(0);
      let im0 = f32x4.splat(0);
      let re1 = f32x4.splat(0);
      let im1 = f32x4.splat(0);
      for (let b: usize = 0; b < bytes; b += 16) {
        const w0 = v128.load(row + b);
        const w1 = v128.load(next + b);
        const x = v128.load(work + b);
        const y = v128.load(swapped + b);
        re0 = f32x4.add(re0, f32x4.mul(w0, x));
        im0 = f32x4.add(im0, f32x4.mul(w0, y));
        re1 = f32x4.add(re1, f32x4.mul(w1, x));
        im1 = f32x4.add(im1, f32x4.mul(w1, y));
      }
      v128.store(vector + a, laneSums(re0, im0, re1, im1));
      row = next + bytes;
    }
  }
  normalise(vector, bytes);
}

@inline
function diagonal(matrix: usize, rowBytes: usize, c: i32): f32 {
  return load<f32>(matrix + (rowBytes + COMPLEX) * c);
}

/** The sum of the lanes of each. */
@inline
function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 2, 6), v128.shuffle<f32>(a, b, 1, 5, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 2, 6), v128.shuffle<f32>(c, d, 1, 5, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** To norm 1; zero where there is nothing to normalise. */
function normalise(vector: usize, bytes: usize): void {
  // In float64: the square of a small sample is no float32.
  let energy: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 4) {
    const value = <f64>load<f32>(vector + at);
    energy += value * value;
  }
  const scale: f64 = energy > 0 ? 1 / sqrt(energy) : 0;
  for (let at: usize = 0; at < bytes; at += 4) {
    store<f32>(vector + at, <f32>(scale * <f64>load<f32>(vector + at)));
  }
}
