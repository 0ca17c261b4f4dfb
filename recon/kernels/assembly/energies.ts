// How much energy the lines of a slab hold.

/**
 * energies[row] = sum over coils and every `step`-th column of |h[c, row, column]|^2, summed in float64.
 * @param slab complex64, coil c at slab + coilBytes c, there [nRows, nColumns]
 * @param energies float64 [nRows]
 */
export function rowEnergies(
  slab: usize, coilBytes: usize, nCoils: i32, nRows: i32, nColumns: i32, step: i32, energies: usize,
): void {
  const rowBytes = (<usize>nColumns) << 3;
  const stepBytes = (<usize>step) << 3;
  memory.fill(energies, 0, (<usize>nRows) << 3);
  for (let coil = 0; coil < nCoils; coil++) {
    let row = slab + coilBytes * coil;
    for (let to = energies, last = energies + ((<usize>nRows) << 3); to < last; to += 8) {
      let sum = f64x2.splat(0);
      for (let at = row, end = row + rowBytes; at < end; at += stepBytes) {
        const value = f64x2.promote_low_f32x4(v128.load64_zero(at));
        sum = f64x2.add(sum, f64x2.mul(value, value));
      }
      store<f64>(to, load<f64>(to) + f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
      row += rowBytes;
    }
  }
}
