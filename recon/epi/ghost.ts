/**
 * The phase between the readouts to and fro of an echo-planar train. Delays of gradients and receiver
 * shift the echoes of backward readouts against those of forward ones, and eddy currents turn them; in
 * image space along the readout
 *
 *   B(x) = F(x) exp(i (a + b (x - x0))),
 *
 * and lines that alternate so give a ghost half a field of view away. Readouts without phase encoding, to
 * and fro, tell it: with P(x) = sum_c conj(F_c) B_c
 *
 *   b = arg sum_x conj(P(x)) P(x + 1),   a = arg sum_x P(x) exp(-i b (x - x0)),
 *
 * and both are refined once by a fit, weighted by |P|, to the phase that is left.
 *
 * Bruder H et al. Image reconstruction for echo planar imaging with nonequidistant k-space sampling. Magn
 * Reson Med 1992;23:311-323. doi:10.1002/mrm.1910230211
 */

export interface GhostPhase {
  /** a, rad */
  readonly constantRad: number;
  /** b, rad a column */
  readonly slopeRad: number;
}

/**
 * @param forward @param backward complex64 interleaved [nCoils, nColumns], image along the columns, backward ones turned round
 */
export function ghostPhase(forward: Float32Array, backward: Float32Array, nColumns: number): GhostPhase {
  const product = new Float64Array(2 * nColumns);
  for (let start = 0; start < forward.length; start += 2 * nColumns) {
    for (let at = 0; at < 2 * nColumns; at += 2) {
      const [fr, fi, br, bi] = [forward[start + at]!, forward[start + at + 1]!, backward[start + at]!, backward[start + at + 1]!];
      product[at] = product[at]! + fr * br + fi * bi;
      product[at + 1] = product[at + 1]! + fr * bi - fi * br;
    }
  }
  let [re, im] = [0, 0];
  for (let at = 0; at + 3 < product.length; at += 2) {
    re += product[at]! * product[at + 2]! + product[at + 1]! * product[at + 3]!;
    im += product[at]! * product[at + 3]! - product[at + 1]! * product[at + 2]!;
  }
  return refined(product, { slopeRad: Math.atan2(im, re), constantRad: 0 });
}

/** Turns lines by -(a + b (x - x0)), complex64 interleaved [nCoils, nColumns], in place. */
export function removeGhostPhase(lines: Float32Array, nColumns: number, { constantRad, slopeRad }: GhostPhase): void {
  for (let x = 0; x < nColumns; x++) {
    const angle = -(constantRad + slopeRad * (x - Math.floor(nColumns / 2)));
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    for (let at = 2 * x; at < lines.length; at += 2 * nColumns) {
      const [re, im] = [lines[at]!, lines[at + 1]!];
      lines[at] = re * c - im * s;
      lines[at + 1] = re * s + im * c;
    }
  }
}

/** The constant of a slope, then both by a weighted linear fit of what is left. */
function refined(product: Float64Array, { slopeRad }: GhostPhase): GhostPhase {
  const nColumns = product.length / 2;
  const turned = product.slice();
  turn(turned, slopeRad);
  let [re, im] = [0, 0];
  for (let at = 0; at < turned.length; at += 2) {
    re += turned[at]!;
    im += turned[at + 1]!;
  }
  const constantRad = Math.atan2(im, re);
  const [c, s] = [Math.cos(constantRad), Math.sin(constantRad)];
  let [w, wx, wxx, wp, wxp] = [0, 0, 0, 0, 0];
  for (let column = 0; column < nColumns; column++) {
    const [pr, pi] = [turned[2 * column]!, turned[2 * column + 1]!];
    const weight = Math.hypot(pr, pi);
    const phase = Math.atan2(pi * c - pr * s, pr * c + pi * s);
    const x = column - Math.floor(nColumns / 2);
    w += weight;
    wx += weight * x;
    wxx += weight * x * x;
    wp += weight * phase;
    wxp += weight * x * phase;
  }
  const determinant = w * wxx - wx * wx;
  if (!(determinant > 0)) return { constantRad, slopeRad };
  return {
    constantRad: constantRad + (wxx * wp - wx * wxp) / determinant,
    slopeRad: slopeRad + (w * wxp - wx * wp) / determinant,
  };
}

function turn(product: Float64Array, slopeRad: number): void {
  const centre = Math.floor(product.length / 4);
  for (let at = 0; at < product.length; at += 2) {
    const angle = -slopeRad * (at / 2 - centre);
    const [re, im, c, s] = [product[at]!, product[at + 1]!, Math.cos(angle), Math.sin(angle)];
    product[at] = re * c - im * s;
    product[at + 1] = re * s + im * c;
  }
}
