// One readout of all coils on its way into hybrid space: k-space along the lines, image along the columns.
//
//   h[c, x] (+)= sum_d W[c, d] crop_x( F^-1 pad( s[d, .] ) )
//
// W whitens coils and compresses them where it has fewer rows than columns. It mixes coils and the
// transform mixes samples, so the two commute: W is applied to the cropped columns, of which there are
// half as many as samples where the readout is twofold oversampled.
import { ELEMENT, firstSlot, transformSlots } from './fft';
import { endKept, firstKept, loadLines, storeLines } from './block';

/**
 * @param samples complex64 [nCoils, nSamples]
 * @param target complex64, one line of nColumns a coil, `coilBytes` apart
 * @param step 1, or -1 for a readout that was acquired backwards
 * @param mixing 0 for none, else for every four rows of W: nUsed, weights; see `mixRun`
 * @param nOutputs rows of W, at most nCoils; nCoils where there is no W
 * @param slots ceil(nCoils / 4) + 1 slots of `slotBytes`
 */
export function transformReadout(
  plan: usize, samples: usize, nCoils: i32, nSamples: i32, centre: i32, step: i32,
  target: usize, coilBytes: usize, nColumns: i32, scale: f32, mixing: usize, nOutputs: i32, accumulate: bool,
  slots: usize, slotBytes: usize,
): void {
  const n = load<i32>(plan);
  const sampleBytes = (<usize>nSamples) << 3;
  const columnCentre = nColumns >> 1;
  let input = slots + slotBytes * firstSlot(plan);
  for (let coil = 0; coil < nCoils; coil += 4) {
    const count = min(4, nCoils - coil);
    loadLines(samples, sampleBytes, count, nSamples, centre, step, input, n, 16);
    samples += 4 * sampleBytes;
    input += slotBytes;
  }
  const nSlots = (nCoils + 3) >> 2;
  transformSlots(plan, slots, slotBytes, nSlots);
  const from = firstKept(columnCentre, n);
  const end = endKept(nColumns, columnCentre, n);
  let result = slots;
  for (let coil = 0; coil < nOutputs; coil += 4) {
    if (mixing != 0) {
      const nUsed = load<i32>(mixing);
      const weights = <usize>load<u32>(mixing, 4);
      result = slots + slotBytes * nSlots;
      mixRun(slots, slotBytes, nUsed, weights, result, n + from - columnCentre, n);
      mixRun(slots, slotBytes, nUsed, weights, result, 0, end - columnCentre);
      mixing += 8;
    }
    const count = min(4, nOutputs - coil);
    storeLines(result, n, 16, scale, target, coilBytes, count, nColumns, columnCentre, accumulate);
    target += 4 * coilBytes;
    result += slotBytes;
  }
}

/**
 * Four rows of W times the elements from..end of every coil -> one block.
 * @param weights for each of the first nUsed coils: 4 real, then 4 imaginary parts, one a row
 */
function mixRun(
  slots: usize, slotBytes: usize, nUsed: i32, weights: usize, out: usize, from: i32, end: i32,
): void {
  // Two elements at a time share the weights; the last one of an odd run is computed twice.
  for (let k = from; k < end; k += 2) {
    const apart = k + 1 < end ? ELEMENT : 0;
    const at = slots + ELEMENT * k;
    let re = f32x4.splat(0);
    let im = re;
    let re2 = re;
    let im2 = re;
    let w = weights;
    for (let coil = 0; coil < nUsed; coil++) {
      const sample = at + slotBytes * (coil >> 2) + ((<usize>(coil & 3)) << 2);
      const wr = v128.load(w);
      const wi = v128.load(w, 16);
      const xi = v128.load32_splat(sample);
      const xr = v128.load32_splat(sample, 16);
      re = f32x4.add(re, f32x4.sub(f32x4.mul(wr, xr), f32x4.mul(wi, xi)));
      im = f32x4.add(im, f32x4.add(f32x4.mul(wr, xi), f32x4.mul(wi, xr)));
      const yi = v128.load32_splat(sample + apart);
      const yr = v128.load32_splat(sample + apart, 16);
      re2 = f32x4.add(re2, f32x4.sub(f32x4.mul(wr, yr), f32x4.mul(wi, yi)));
      im2 = f32x4.add(im2, f32x4.add(f32x4.mul(wr, yi), f32x4.mul(wi, yr)));
      w += 32;
    }
    const to = out + ELEMENT * k;
    v128.store(to, im);
    v128.store(to, re, 16);
    v128.store(to + apart, im2);
    v128.store(to + apart, re2, 16);
  }
}
