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

/** Columns that are normalised together: those of all coils stay in the nearest cache meanwhile. */
const TILE: i32 = 32;
const TILE_BYTES: usize = 256;

/**
 * Across the rows, normalised.
 * @param coarse complex64 [nCoils, nCoarse, nColumns]
 * @param points POINT [nRows]
 * @param maps complex64 [nCoils, nRows, nColumns]
 * @param scratch complex64 [nCoils, TILE], then float32 [TILE]
 */
export function interpolateMaps(
  coarse: usize, nCoils: i32, nCoarse: i32, nColumns: i32, points: usize, nRows: i32, maps: usize, scratch: usize,
): void {
  const lineBytes = (<usize>nColumns) << 3;
  const energies = scratch + TILE_BYTES * nCoils;
  for (let row = 0; row < nRows; row++) {
    const point = points + POINT * row;
    for (let column = 0; column < nColumns; column += TILE) {
      const count = min(TILE, nColumns - column);
      const offset = (<usize>column) << 3;
      memory.fill(energies, 0, (<usize>TILE) << 2);
      for (let coil = 0; coil < nCoils; coil++) {
        interpolateTile(coarse + lineBytes * (coil * nCoarse) + offset, lineBytes, point, count, scratch + TILE_BYTES * coil, energies);
      }
      for (let x: usize = 0; x < <usize>count; x++) {
        const energy = load<f32>(energies + (x << 2));
        store<f32>(energies + (x << 2), energy > 0 ? 1 / sqrt<f32>(energy) : 0);
      }
      for (let coil = 0; coil < nCoils; coil++) {
        scaleTile(scratch + TILE_BYTES * coil, energies, count, maps + lineBytes * (coil * nRows + row) + offset);
      }
    }
  }
}

/** Some columns of one coil; their energies are added. */
function interpolateTile(lines: usize, lineBytes: usize, point: usize, count: i32, out: usize, energies: usize): void {
  const w0 = v128.load32_splat(point, 16);
  const w1 = v128.load32_splat(point, 20);
  const w2 = v128.load32_splat(point, 24);
  const w3 = v128.load32_splat(point, 28);
  const l0 = lines + lineBytes * load<i32>(point);
  const l1 = lines + lineBytes * load<i32>(point, 4);
  const l2 = lines + lineBytes * load<i32>(point, 8);
  const l3 = lines + lineBytes * load<i32>(point, 12);
  const fourBytes = (<usize>(count & ~3)) << 3;
  for (let x: usize = 0; x < fourBytes; x += 32) {
    const first = weighted(w0, w1, w2, w3, l0 + x, l1 + x, l2 + x, l3 + x);
    const second = weighted(w0, w1, w2, w3, l0 + x + 16, l1 + x + 16, l2 + x + 16, l3 + x + 16);
    v128.store(out + x, first);
    v128.store(out + x, second, 16);
    const s0 = f32x4.mul(first, first);
    const s1 = f32x4.mul(second, second);
    const sums = f32x4.add(v128.shuffle<f32>(s0, s1, 0, 2, 4, 6), v128.shuffle<f32>(s0, s1, 1, 3, 5, 7));
    const energy = energies + (x >> 1);
    v128.store(energy, f32x4.add(v128.load(energy), sums));
  }
  const pairedBytes = (<usize>(count & ~1)) << 3;
  for (let x = fourBytes; x < pairedBytes; x += 16) {
    const value = weighted(w0, w1, w2, w3, l0 + x, l1 + x, l2 + x, l3 + x);
    v128.store(out + x, value);
    const squares = f32x4.mul(value, value);
    const sums = f32x4.add(squares, v128.shuffle<f32>(squares, squares, 1, 0, 3, 2));
    const energy = energies + (x >> 1);
    v128.store64_lane(energy, f32x4.add(v128.load64_zero(energy), v128.shuffle<f32>(sums, sums, 0, 2, 0, 2)), 0);
  }
  if (count & 1) {
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

@inline
function weighted(w0: v128, w1: v128, w2: v128, w3: v128, p0: usize, p1: usize, p2: usize, p3: usize): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(w0, v128.load(p0)), f32x4.mul(w1, v128.load(p1))),
    f32x4.add(f32x4.mul(w2, v128.load(p2)), f32x4.mul(w3, v128.load(p3))),
  );
}

function scaleTile(values: usize, scales: usize, count: i32, out: usize): void {
  const pairedBytes = (<usize>(count & ~1)) << 3;
  for (let x: usize = 0; x < pairedBytes; x += 16) {
    const pair = v128.load64_zero(scales + (x >> 1));
    v128.store(out + x, f32x4.mul(v128.load(values + x), v128.shuffle<f32>(pair, pair, 0, 0, 1, 1)));
  }
  if (count & 1) {
    const scaled = f32x4.mul(v128.load64_zero(values + pairedBytes), v128.load32_splat(scales + (pairedBytes >> 1)));
    v128.store64_lane(out + pairedBytes, scaled, 0);
  }
}
