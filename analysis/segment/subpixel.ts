/**
 * From probabilities on the network's pixels to classes on finer ones.
 *
 *   class(fine) = argmax_c Σ_k w_k ln p_c(k),     k: the four pixels round it, w_k bilinear
 *
 * The logarithm keeps where a border runs between two pixels: it is linear where logits are. Where the four agree they win by
 * any weights, so that most pixels cost nothing; logarithms are taken beside borders only.
 */
import { nClasses } from './classes.js';

const least = 1e-4;

export class Refiner {
  readonly #rows: number;
  readonly #columns: number;
  readonly #stride: number;
  readonly #winner: Uint8Array;
  readonly #scores: Float32Array;
  readonly #isNearBorder: Uint8Array;

  /** @param stride pixels from row to row and @param planeRows rows of a plane of probabilities: larger where they are padded */
  constructor(rows: number, columns: number, stride: number, planeRows: number) {
    [this.#rows, this.#columns, this.#stride] = [rows, columns, stride];
    this.#winner = new Uint8Array(stride * planeRows);
    this.#isNearBorder = new Uint8Array(stride * planeRows);
    this.#scores = new Float32Array(nClasses * stride * planeRows);
  }

  /**
   * @param probabilities [class, row, column], padded
   * @param classes written, [factor * rows, factor * columns]; @param confidence likewise, 255 times the winner's probability
   */
  refine(probabilities: Float32Array, factor: number, classes: Uint8Array, confidence: Uint8Array): void {
    this.#prepare(probabilities);
    const [rows, columns, stride, winner, scores] = [this.#rows, this.#columns, this.#stride, this.#winner, this.#scores];
    const plane = probabilities.length / nClasses;
    const [fineRows, fineColumns] = [factor * rows, factor * columns];
    const across = tapsOf(columns, factor);
    const down = tapsOf(rows, factor);
    for (let row = 0; row < fineRows; row++) {
      const above = down.below[row]! * stride;
      const under = down.above[row]! * stride;
      const v = down.fraction[row]!;
      for (let column = 0, to = row * fineColumns; column < fineColumns; column++, to++) {
        const left = across.below[column]!;
        const right = across.above[column]!;
        const u = across.fraction[column]!;
        const a = above + left;
        const b = above + right;
        const c = under + left;
        const d = under + right;
        const wa = (1 - u) * (1 - v);
        const wb = u * (1 - v);
        const wc = (1 - u) * v;
        const wd = u * v;
        let best = winner[a]!;
        if (best !== winner[b] || best !== winner[c] || best !== winner[d]) {
          let highest = -Infinity;
          for (let index = 0, at = 0; index < nClasses; index++, at += plane) {
            const score = wa * scores[at + a]! + wb * scores[at + b]! + wc * scores[at + c]! + wd * scores[at + d]!;
            if (score > highest) {
              highest = score;
              best = index;
            }
          }
        }
        const at = best * plane;
        classes[to] = best;
        confidence[to] = Math.round(255 * (wa * probabilities[at + a]! + wb * probabilities[at + b]! + wc * probabilities[at + c]! + wd * probabilities[at + d]!));
      }
    }
  }

  #prepare(probabilities: Float32Array): void {
    const [rows, columns, stride, winner, isNear, scores] = [this.#rows, this.#columns, this.#stride, this.#winner, this.#isNearBorder, this.#scores];
    const plane = probabilities.length / nClasses;
    winnersOf(probabilities, winner);
    isNear.fill(0);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const pixel = row * stride + column;
        const right = column + 1 < columns ? 1 : 0;
        const under = row + 1 < rows ? stride : 0;
        const own = winner[pixel]!;
        if (own !== winner[pixel + right] || own !== winner[pixel + under] || own !== winner[pixel + right + under] || winner[pixel + right] !== winner[pixel + under]) {
          isNear[pixel] = isNear[pixel + right] = isNear[pixel + under] = isNear[pixel + right + under] = 1;
        }
      }
    }
    for (let pixel = 0; pixel < plane; pixel++) {
      if (isNear[pixel] === 0) continue;
      for (let at = pixel; at < probabilities.length; at += plane) scores[at] = Math.log(probabilities[at]! + least);
    }
  }
}

/** The likeliest class of each pixel. */
function winnersOf(probabilities: Float32Array, winner: Uint8Array): void {
  const plane = winner.length;
  for (let pixel = 0; pixel < plane; pixel++) {
    let best = 0;
    let highest = probabilities[pixel]!;
    for (let index = 1, at = pixel + plane; index < nClasses; index++, at += plane) {
      if (probabilities[at]! > highest) {
        highest = probabilities[at]!;
        best = index;
      }
    }
    winner[pixel] = best;
  }
}

/** Neighbours of fine pixels along an axis, and how far they are from the first. */
function tapsOf(size: number, factor: number) {
  const n = size * factor;
  const [below, above, fraction] = [new Int32Array(n), new Int32Array(n), new Float32Array(n)];
  for (let index = 0; index < n; index++) {
    const at = (index + 0.5) / factor - 0.5;
    const floor = Math.floor(at);
    below[index] = Math.max(0, floor);
    above[index] = Math.min(size - 1, floor + 1);
    fraction[index] = at - floor;
  }
  return { below, above, fraction };
}
