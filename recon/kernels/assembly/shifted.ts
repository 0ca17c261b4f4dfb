// Sums of shifted rows, each with a complex factor of its own: what coils receive whose sensitivities are
// finite Fourier series (simulator/scanner/coilSum.ts).
//
//   out[c, s] = sum_r sum_t a[c, r, t] rows[r, start_t + s]
//
// Rows are planar, real parts and then imaginary parts, so that any shift is an unaligned load. Four
// coils share what is loaded.

/** Bytes of the factors of four coils: 4 real, then 4 imaginary parts. */
const GROUP: usize = 32;

/**
 * @param rows float32 planar: row r at rows + rowBytes r, its imaginary parts imagBytes later
 * @param starts int32 [nShifts], bytes from the begin of a row to its first element
 * @param factors for every four coils: [nRows, nShifts] groups of 4 real and 4 imaginary parts
 * @param nSamples a multiple of 4
 * @param out float32 planar [4 ceil(nCoils / 4), 2, nSamples]
 */
export function shiftedSums(
  rows: usize, nRows: i32, rowBytes: usize, imagBytes: usize, starts: usize, nShifts: i32,
  factors: usize, nCoils: i32, nSamples: i32, out: usize,
): void {
  const lineBytes = (<usize>nSamples) << 2;
  const groupBytes = GROUP * nRows * nShifts;
  for (let coil = 0; coil < nCoils; coil += 4) {
    for (let sample: usize = 0; sample < lineBytes; sample += 16) {
      let re0 = f32x4.splat(0);
      let im0 = re0;
      let re1 = re0;
      let im1 = re0;
      let re2 = re0;
      let im2 = re0;
      let re3 = re0;
      let im3 = re0;
      let factor = factors;
      let row = rows + sample;
      for (let r = 0; r < nRows; r++) {
        for (let t = 0; t < nShifts; t++) {
          const at = row + <usize>load<i32>(starts + ((<usize>t) << 2));
          const x = v128.load(at);
          const y = v128.load(at + imagBytes);
          let a = v128.load32_splat(factor);
          let b = v128.load32_splat(factor, 16);
          re0 = f32x4.add(re0, f32x4.sub(f32x4.mul(a, x), f32x4.mul(b, y)));
          im0 = f32x4.add(im0, f32x4.add(f32x4.mul(a, y), f32x4.mul(b, x)));
          a = v128.load32_splat(factor, 4);
          b = v128.load32_splat(factor, 20);
          re1 = f32x4.add(re1, f32x4.sub(f32x4.mul(a, x), f32x4.mul(b, y)));
          im1 = f32x4.add(im1, f32x4.add(f32x4.mul(a, y), f32x4.mul(b, x)));
          a = v128.load32_splat(factor, 8);
          b = v128.load32_splat(factor, 24);
          re2 = f32x4.add(re2, f32x4.sub(f32x4.mul(a, x), f32x4.mul(b, y)));
          im2 = f32x4.add(im2, f32x4.add(f32x4.mul(a, y), f32x4.mul(b, x)));
          a = v128.load32_splat(factor, 12);
          b = v128.load32_splat(factor, 28);
          re3 = f32x4.add(re3, f32x4.sub(f32x4.mul(a, x), f32x4.mul(b, y)));
          im3 = f32x4.add(im3, f32x4.add(f32x4.mul(a, y), f32x4.mul(b, x)));
          factor += GROUP;
        }
        row += rowBytes;
      }
      const to = out + sample;
      v128.store(to, re0);
      v128.store(to + lineBytes, im0);
      v128.store(to + 2 * lineBytes, re1);
      v128.store(to + 3 * lineBytes, im1);
      v128.store(to + 4 * lineBytes, re2);
      v128.store(to + 5 * lineBytes, im2);
      v128.store(to + 6 * lineBytes, re3);
      v128.store(to + 7 * lineBytes, im3);
    }
    factors += groupBytes;
    out += 8 * lineBytes;
  }
}
