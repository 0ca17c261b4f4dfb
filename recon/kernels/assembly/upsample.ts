// Coil maps from a coarse grid to the image's, by separable cubic interpolation, and normalisation
//   sum_c |S_c|^2 = 1
// in every pixel.

/** Bytes of one interpolation point: four indexes (int32), four weights (float32). */
const POINT: usize = 32;

/**
 * Along the rows.
 * @param coarse complex64 [nRows, nCoarse, coilStride], of which the first nCoils count
 * @param points POINT [nFine]
 * @param fine complex64 [nCoils, nRows, nFine]
 */
export function interpolateLines(
  coarse: usize, nCoils: i32, coilStride: i32, nRows: i32, nCoarse: i32, points: usize, nFine: i32, fine: usize,
): void {
  const pixelBytes = (<usize>coilStride) << 3;
  for (let coil = 0; coil < nCoils; coil++) {
    let line = coarse + ((<usize>coil) << 3);
    for (let row = 0; row < nRows; row++) {
      let point = points;
      for (let x = 0; x < nFine; x++) {
        let sum = f32x4.splat(0);
        for (let tap: usize = 0; tap < 16; tap += 4) {
          const value = v128.load64_zero(line + pixelBytes * load<i32>(point + tap));
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(point + tap, 16), value));
        }
        v128.store64_lane(fine, sum, 0);
        fine += 8;
        point += POINT;
      }
      line += pixelBytes * nCoarse;
    }
  }
}

/**
 * Across the rows, normalised.
 * @param coarse complex64 [nCoils, nCoarse, nColumns]
 * @param points POINT [nRows]
 * @param maps complex64 [nCoils, nRows, nColumns]
 * @param energies scratch, float32 [nColumns], rounded up to a multiple of two columns
 */
export function interpolateMaps(
  coarse: usize, nCoils: i32, nCoarse: i32, nColumns: i32, points: usize, nRows: i32, maps: usize, energies: usize,
): void {
  const lineBytes = (<usize>nColumns) << 3;
  const pairedBytes = (<usize>(nColumns & ~1)) << 3;
  for (let row = 0; row < nRows; row++) {
    memory.fill(energies, 0, (<usize>nColumns) << 2);
    const point = points + POINT * row;
    const w0 = v128.load32_splat(point, 16);
    const w1 = v128.load32_splat(point, 20);
    const w2 = v128.load32_splat(point, 24);
    const w3 = v128.load32_splat(point, 28);
    for (let coil = 0; coil < nCoils; coil++) {
      const lines = coarse + lineBytes * (coil * nCoarse);
      const l0 = lines + lineBytes * load<i32>(point);
      const l1 = lines + lineBytes * load<i32>(point, 4);
      const l2 = lines + lineBytes * load<i32>(point, 8);
      const l3 = lines + lineBytes * load<i32>(point, 12);
      const out = maps + lineBytes * (coil * nRows + row);
      for (let x: usize = 0; x < pairedBytes; x += 16) {
        const value = f32x4.add(
          f32x4.add(f32x4.mul(w0, v128.load(l0 + x)), f32x4.mul(w1, v128.load(l1 + x))),
          f32x4.add(f32x4.mul(w2, v128.load(l2 + x)), f32x4.mul(w3, v128.load(l3 + x))),
        );
        v128.store(out + x, value);
        const squares = f32x4.mul(value, value);
        const sums = f32x4.add(squares, v128.shuffle<f32>(squares, squares, 1, 0, 3, 2));
        const energy = energies + (x >> 1);
        v128.store64_lane(energy, f32x4.add(v128.load64_zero(energy), v128.shuffle<f32>(sums, sums, 0, 2, 0, 2)), 0);
      }
      if (pairedBytes < lineBytes) {
        const value = f32x4.add(
          f32x4.add(f32x4.mul(w0, v128.load64_zero(l0 + pairedBytes)), f32x4.mul(w1, v128.load64_zero(l1 + pairedBytes))),
          f32x4.add(f32x4.mul(w2, v128.load64_zero(l2 + pairedBytes)), f32x4.mul(w3, v128.load64_zero(l3 + pairedBytes))),
        );
        v128.store64_lane(out + pairedBytes, value, 0);
        const energy = energies + (pairedBytes >> 1);
        const re = f32x4.extract_lane(value, 0);
        const im = f32x4.extract_lane(value, 1);
        store<f32>(energy, load<f32>(energy) + re * re + im * im);
      }
    }
    for (let x: usize = 0; x < <usize>nColumns; x++) {
      const energy = load<f32>(energies + (x << 2));
      store<f32>(energies + (x << 2), energy > 0 ? 1 / sqrt<f32>(energy) : 0);
    }
    for (let coil = 0; coil < nCoils; coil++) {
      const out = maps + lineBytes * (coil * nRows + row);
      for (let x: usize = 0; x < pairedBytes; x += 16) {
        const pair = v128.load64_zero(energies + (x >> 1));
        v128.store(out + x, f32x4.mul(v128.load(out + x), v128.shuffle<f32>(pair, pair, 0, 0, 1, 1)));
      }
      if (pairedBytes < lineBytes) {
        const scaled = f32x4.mul(v128.load64_zero(out + pairedBytes), v128.load32_splat(energies + (pairedBytes >> 1)));
        v128.store64_lane(out + pairedBytes, scaled, 0);
      }
    }
  }
}
