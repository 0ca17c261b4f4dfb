/**
 * What the network doubts near named structures alone. T1w and T2w are taken minutes apart, and what moves by itself between them, bowel and
 * vessels, is in one of them only without the pair being wrong: where somebody knows where the spine is, only what lies on it or
 * within a few millimetres of it counts.
 *
 *   doubt of a slice = softplus(ln sum of exp(logit) over its tissue within `marginMm` in plane of a named code - ln 30)   (trust.ts)
 *
 * Distances are those of a square about each pixel.
 */
import type { NamedRegions } from './places.js';
import { doubtOf, type PairEvidence } from './trust.js';

const marginMm = 5;

/**
 * The evidence with the doubt near named structures in the place of that of whole slices.
 * @param grid of the evidence, averaged over 2 x 2 pixels of `rows` x `columns` of `pixelMm`, on which `codes` [slice, row, column] lies
 */
export function doubtNear(evidence: PairEvidence, { codes, names }: NamedRegions, { rows, columns, pixelMm }: { readonly rows: number; readonly columns: number; readonly pixelMm: number }): PairEvidence {
  const [halfRows, halfColumns] = [rows >> 1, columns >> 1];
  const nHalf = halfRows * halfColumns;
  const reach = Math.round(marginMm / (2 * pixelMm));
  const isDoubted = evidence.isDoubted.slice();
  const slices = evidence.slices.map((features, slice) => {
    const named = new Uint8Array(nHalf);
    for (let row = 0; row < 2 * halfRows; row++) {
      for (let column = 0; column < 2 * halfColumns; column++) {
        if (names.has(codes[(slice * rows + row) * columns + column]!)) named[(row >> 1) * halfColumns + (column >> 1)] = 1;
      }
    }
    const near = widened(widened(named, halfRows, halfColumns, 1, reach), halfColumns, halfRows, halfColumns, reach);
    const from = slice * nHalf;
    for (let pixel = 0; pixel < nHalf; pixel++) if (near[pixel] === 0) isDoubted[from + pixel] = 0;
    return { ...features, doubt: doubtOf(evidence.doubt.subarray(from, from + nHalf), near) };
  });
  return { ...evidence, slices, isDoubted };
}

/** 1 wherever there is one within `reach` along lines of `length` pixels that lie `stride` apart; the other axis has `nLines`. */
function widened(mask: Uint8Array, nLines: number, length: number, stride: number, reach: number): Uint8Array {
  const wide = new Uint8Array(mask.length);
  const step = stride === 1 ? length : 1;
  for (let line = 0; line < nLines; line++) {
    let last = -Infinity;
    let next = 0;
    for (let place = 0; place < length; place++) {
      while (next < length && next <= place + reach) {
        if (mask[line * step + next * stride] === 1) last = next;
        next++;
      }
      if (last >= place - reach) wide[line * step + place * stride] = 1;
    }
  }
  return wide;
}
