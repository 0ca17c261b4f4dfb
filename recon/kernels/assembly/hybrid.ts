// From k-space weights to weights a column.
//
//   h[m, t, (j, c)](x) = sum_d w[(j, d, c), (m, t)] exp(-2 pi i (d - kr/2) (x - x0) / N)
//
// A shift by d samples along the readout is a linear phase across the image; so the convolution with the
// kernel becomes, in hybrid space, one small matrix a column.

/**
 * @param weights complex128 [(j, d, c), (m - 1, t)]
 * @param phases float32 [kr][column block][4 cosines, 4 sines] of 2 pi (d - kr/2) (x - x0) / N, 0 past the last column
 * @param hybrid float32, layout of GrappaKernel
 */
export function hybridWeights(
  weights: usize, phases: usize, nCoils: i32, nColumns: i32, acceleration: i32, kr: i32, kp: i32, hybrid: usize,
): void {
  const nBlocks = (nColumns + 3) >> 2;
  const rowBytes = (<usize>((acceleration - 1) * nCoils)) << 4;
  const tapBytes = rowBytes * nCoils;
  const phaseBytes = (<usize>nBlocks) << 5;
  let out = hybrid;
  for (let m = 0; m < acceleration - 1; m++) {
    for (let block = 0; block < nBlocks; block++) {
      for (let group = 0; group < nCoils; group += 4) {
        for (let j = 0; j < kp; j++) {
          for (let c = 0; c < nCoils; c++) {
            for (let t = group; t < group + 4; t++) {
              let re = f32x4.splat(0);
              let im = f32x4.splat(0);
              if (t < nCoils) {
                let at = weights + tapBytes * (j * kr) + rowBytes * c + ((<usize>(m * nCoils + t)) << 4);
                let phase = phases + ((<usize>block) << 5);
                for (let d = 0; d < kr; d++) {
                  const wr = f32x4.splat(<f32>load<f64>(at));
                  const wi = f32x4.splat(<f32>load<f64>(at, 8));
                  const cosines = v128.load(phase);
                  const sines = v128.load(phase, 16);
                  re = f32x4.add(re, f32x4.add(f32x4.mul(wr, cosines), f32x4.mul(wi, sines)));
                  im = f32x4.add(im, f32x4.sub(f32x4.mul(wi, cosines), f32x4.mul(wr, sines)));
                  at += tapBytes;
                  phase += phaseBytes;
                }
              }
              v128.store(out, re);
              v128.store(out, im, 16);
              out += 32;
            }
          }
        }
      }
    }
  }
}
