// Coil combination, pixel by pixel.

/**
 * Root-sum-of-squares: out[p] = sqrt(sum_c |image[c, p]|^2).
 * @param image complex64 interleaved [nCoils, nPixels]
 * @param out float32 [nPixels]
 */
export function rssCombine(image: usize, out: usize, nCoils: i32, nPixels: i32): void {
  const coilBytes = (<usize>nPixels) << 3;
  for (let p = 0; p < nPixels; p++) {
    let energy: f32 = 0;
    let at = image + ((<usize>p) << 3);
    for (let c = 0; c < nCoils; c++) {
      const re = load<f32>(at);
      const im = load<f32>(at, 4);
      energy += re * re + im * im;
      at += coilBytes;
    }
    store<f32>(out + ((<usize>p) << 2), sqrt<f32>(energy));
  }
}
