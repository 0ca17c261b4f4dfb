/**
 * How much noise an image has against what its noise map says, told by the image alone:
 *
 *   ratio = median |d| / median |N(0, 1)|,   d = (z00 - z01 - z10 + z11) / 2,   z = image / noise map,
 *
 * with the diagonal Haar details d of the whitened image, which white noise enters with a standard deviation of 1 and anatomy
 * hardly. The median does not see the few edges that do enter, and only the quietest tenth of the image is asked: the
 * blocks whose neighbours differ least, which says nothing of their own details where these are noise. 1 where the map is
 * right; 2 where the noise is twice what it says.
 *
 * Donoho DL, Johnstone IM. Ideal spatial adaptation by wavelet shrinkage. Biometrika 1994;81:425-455.
 * doi:10.1093/biomet/81.3.425
 */

/** median |N(0, 1)| */
const medianOfNormal = 0.6744897501960817;
/** Fewer blocks than this tell nothing. */
const fewestBlocks = 64;
const quietPart = 0.1;
/** Every so many blocks tell what is quiet. */
const sampled = 3;

/** Real numbers a pixel: 2 for complex images, 1 for real ones. */
export type Components = 1 | 2;

/**
 * @param data [rows, columns, components]
 * @param noise standard deviation of each component, [rows, columns]. Where it is not above 0, and where the image is
 *   exactly 0, outside of its coil maps or of a mask, nothing is asked
 * @returns noise found / noise map; NaN where there is too little to tell
 */
export function noiseRatio(data: Float32Array, noise: Float32Array, rows: number, columns: number, components: Components): number {
  const [blockRows, blockColumns] = [rows >> 1, columns >> 1];
  const nBlocks = blockRows * blockColumns;
  const means = new Float32Array(nBlocks * components);
  const details = new Float32Array(nBlocks * components);
  const counts = new Uint8Array(nBlocks);
  for (let row = 0; row < blockRows; row++) {
    for (let column = 0; column < blockColumns; column++) {
      const at = 2 * row * columns + 2 * column;
      const isKnown = noise[at]! > 0 && noise[at + 1]! > 0 && noise[at + columns]! > 0 && noise[at + columns + 1]! > 0;
      if (!isKnown) continue;
      const deviation = (noise[at]! + noise[at + 1]! + noise[at + columns]! + noise[at + columns + 1]!) / 4;
      const block = row * blockColumns + column;
      let isWhole = true;
      for (let c = 0; c < components; c++) {
        const a = data[components * at + c]!;
        const b = data[components * (at + 1) + c]!;
        const d = data[components * (at + columns) + c]!;
        const e = data[components * (at + columns + 1) + c]!;
        if (a === 0 || b === 0 || d === 0 || e === 0) isWhole = false;
        means[components * block + c] = (a + b + d + e) / (4 * deviation);
        details[components * block + c] = Math.abs(a - b - d + e) / (2 * deviation);
      }
      if (isWhole) counts[block] = 1;
    }
  }
  // Below 0 where a block does not count.
  const activity = new Float32Array(nBlocks).fill(-1);
  let n = 0;
  for (let row = 1; row < blockRows - 1; row++) {
    for (let column = 1; column < blockColumns - 1; column++) {
      const block = row * blockColumns + column;
      if (counts[block] === 0) continue;
      let sum = 0;
      for (let c = 0; c < components; c++) {
        const across = means[components * (block + 1) + c]! - means[components * (block - 1) + c]!;
        const along = means[components * (block + blockColumns) + c]! - means[components * (block - blockColumns) + c]!;
        sum += across * across + along * along;
      }
      activity[block] = sum;
      n++;
    }
  }
  if (n < fewestBlocks) return NaN;
  const sorted = activity.filter((value, block) => value >= 0 && block % sampled === 0).sort();
  const share = Math.max(quietPart, fewestBlocks / n);
  const quietest = sorted[Math.min(sorted.length, Math.ceil(share * sorted.length)) - 1]!;
  const quiet = new Float32Array(n * components);
  let nQuiet = 0;
  for (let block = 0; block < nBlocks; block++) {
    const value = activity[block]!;
    if (value < 0 || value > quietest) continue;
    for (let c = 0; c < components; c++) quiet[nQuiet++] = details[components * block + c]!;
  }
  const of = quiet.subarray(0, nQuiet).sort();
  return of[nQuiet >> 1]! / medianOfNormal;
}
