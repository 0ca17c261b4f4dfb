/**
 * The phase of coil maps: the virtual coil v^H m, with v the principal eigenvector of the covariance
 * of the whole image, is what a smooth body coil would see; each map vector is turned so that v^H S is
 * real and positive. Where v^H S goes through zero the phase has to jump; v has most of the
 * energy, so that is outside or at the rim of the body.
 */

const nPowerIterations = 50;

/**
 * @param images complex64 [nPoints, nCoils]
 * @param vectors complex64 [nPoints, nCoils], turned in place; vectors of zero become v
 */
export function alignPhases(images: Float32Array, vectors: Float32Array, nCoils: number): void {
  const virtual = principalVector(covariance(images, nCoils), nCoils);
  for (let at = 0; at < vectors.length; at += 2 * nCoils) {
    let re = 0;
    let im = 0;
    for (let c = 0; c < 2 * nCoils; c += 2) {
      re += virtual[c]! * vectors[at + c]! + virtual[c + 1]! * vectors[at + c + 1]!;
      im += virtual[c]! * vectors[at + c + 1]! - virtual[c + 1]! * vectors[at + c]!;
    }
    const magnitude = Math.hypot(re, im);
    if (magnitude === 0) {
      vectors.set(virtual, at);
      continue;
    }
    const cosine = re / magnitude;
    const sine = im / magnitude;
    for (let c = at; c < at + 2 * nCoils; c += 2) {
      const vRe = vectors[c]!;
      const vIm = vectors[c + 1]!;
      vectors[c] = vRe * cosine + vIm * sine;
      vectors[c + 1] = vIm * cosine - vRe * sine;
    }
  }
}

/** sum over points of m m^H, complex128 interleaved [nCoils, nCoils] */
function covariance(images: Float32Array, nCoils: number): Float64Array {
  const matrix = new Float64Array(2 * nCoils * nCoils);
  for (let at = 0; at < images.length; at += 2 * nCoils) {
    for (let a = 0; a < nCoils; a++) {
      const aRe = images[at + 2 * a]!;
      const aIm = images[at + 2 * a + 1]!;
      for (let b = 0; b < nCoils; b++) {
        const bRe = images[at + 2 * b]!;
        const bIm = images[at + 2 * b + 1]!;
        const to = 2 * (a * nCoils + b);
        matrix[to] = matrix[to]! + aRe * bRe + aIm * bIm;
        matrix[to + 1] = matrix[to + 1]! + aIm * bRe - aRe * bIm;
      }
    }
  }
  return matrix;
}

/** Power iteration, from the column of the strongest coil. */
function principalVector(matrix: Float64Array, n: number): Float64Array {
  let strongest = 0;
  for (let c = 1; c < n; c++) {
    if (matrix[2 * c * (n + 1)]! > matrix[2 * strongest * (n + 1)]!) strongest = c;
  }
  let vector = new Float64Array(2 * n);
  vector[2 * strongest] = 1;
  for (let i = 0; i < nPowerIterations; i++) {
    const next = new Float64Array(2 * n);
    let energy = 0;
    for (let a = 0; a < n; a++) {
      let re = 0;
      let im = 0;
      for (let b = 0; b < n; b++) {
        const at = 2 * (a * n + b);
        re += matrix[at]! * vector[2 * b]! - matrix[at + 1]! * vector[2 * b + 1]!;
        im += matrix[at]! * vector[2 * b + 1]! + matrix[at + 1]! * vector[2 * b]!;
      }
      next[2 * a] = re;
      next[2 * a + 1] = im;
      energy += re * re + im * im;
    }
    const scale = 1 / Math.sqrt(energy);
    vector = next.map((value) => value * scale);
  }
  return vector;
}
