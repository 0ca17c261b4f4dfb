// One readout of all coils on its way into hybrid space: k-space along the lines, image along the columns.
//
//   h[c, x] (+)= sum_d W[c, d] crop_x( F^-1 pad( s[d, .] ) )
//
// Whitening mixes coils and the transform mixes samples, so the two commute: W is applied to the
// cropped columns, of which there are half as many as samples where the readout is twofold oversampled.
import { ELEMENT, transformBlock } from './fft';
import { endKept, firstKept, loadLines, storeLines } from './block';

/**
 * @param samples complex64 [nCoils, nSamples]
 * @param target complex64, one line of nColumns a coil, `coilBytes` apart
 * @param step 1, or -1 for a readout that was acquired backwards
 * @param whitener 0 for none, else `packWhitener`'s layout, scale included
 * @param slots ceil(nCoils / 4) blocks of batch 1, then one more, `blockBytes` each
 */
export function transformReadout(
  plan: usize, samples: usize, nCoils: i32, nSamples: i32, centre: i32, step: i32,
  target: usize, coilBytes: usize, nColumns: i32, scale: f32, whitener: usize, accumulate: bool,
  slots: usize, blockBytes: usize,
): void {
  const n = load<i32>(plan);
  const sampleBytes = (<usize>nSamples) << 3;
  const nGroups = (nCoils + 3) >> 2;
  const spare = slots + blockBytes * nGroups;
  const columnCentre = nColumns >> 1;
  for (let group = 0; group < nGroups; group++) {
    const count = min(4, nCoils - 4 * group);
    const slot = slots + blockBytes * group;
    loadLines(samples + sampleBytes * (4 * group), sampleBytes, count, nSamples, centre, step, slot, n, 16);
    const result = transformBlock(plan, slot, spare, 1);
    if (whitener == 0) {
      storeLines(
        result, n, 16, scale,
        target + coilBytes * (4 * group), coilBytes, count, nColumns, columnCentre, accumulate,
      );
    } else if (result != slot) {
      memory.copy(slot, result, ELEMENT * n);
    }
  }
  if (whitener == 0) return;
  const from = firstKept(columnCentre, n);
  const end = endKept(nColumns, columnCentre, n);
  for (let group = 0; group < nGroups; group++) {
    const nUsed = load<i32>(whitener);
    const weights = <usize>load<u32>(whitener, 4);
    whitenRun(slots, blockBytes, nUsed, weights, spare, n + from - columnCentre, n);
    whitenRun(slots, blockBytes, nUsed, weights, spare, 0, end - columnCentre);
    storeLines(
      spare, n, 16, 1,
      target + coilBytes * (4 * group), coilBytes, min(4, nCoils - 4 * group), nColumns, columnCentre,
      accumulate,
    );
    whitener += 8;
  }
}

/**
 * Four rows of W times the elements from..end of every coil -> one block.
 * @param weights for each of the first nUsed coils: 4 real, then 4 imaginary parts, one a row
 */
function whitenRun(
  slots: usize, blockBytes: usize, nUsed: i32, weights: usize, out: usize, from: i32, end: i32,
): void {
  for (let k = from; k < end; k++) {
    const at = slots + ELEMENT * k;
    let re = f32x4.splat(0);
    let im = f32x4.splat(0);
    let w = weights;
    for (let coil = 0; coil < nUsed; coil++) {
      const sample = at + blockBytes * (coil >> 2) + ((<usize>(coil & 3)) << 2);
      const xr = v128.load32_splat(sample, 16);
      const xi = v128.load32_splat(sample);
      const wr = v128.load(w);
      const wi = v128.load(w, 16);
      re = f32x4.add(re, f32x4.sub(f32x4.mul(wr, xr), f32x4.mul(wi, xi)));
      im = f32x4.add(im, f32x4.add(f32x4.mul(wr, xi), f32x4.mul(wi, xr)));
      w += 32;
    }
    v128.store(out + ELEMENT * k, im);
    v128.store(out + ELEMENT * k, re, 16);
  }
}
