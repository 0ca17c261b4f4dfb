// Into and out of the blocks of fft.ts: lanes, centring, padding, cropping.
//
// A centred line keeps zero frequency (or position) at some index `centre`; in a block it lies at 0 and
// the line goes round: index i of the line is element (i - centre) mod n. Padding and cropping are the
// indexes that have no partner. Exchanging real and imaginary parts (`reAt` = 16 instead of 0) on the
// way in and out makes the forward transform the inverse one.
import { ELEMENT } from './fft';

/** First index of a line of `count` that has an element in a transform of length n. */
@inline
export function firstKept(centre: i32, n: i32): i32 {
  return max(0, centre - (n >> 1));
}

/** Index after the last one that has an element. */
@inline
export function endKept(count: i32, centre: i32, n: i32): i32 {
  return min(count, centre + n - (n >> 1));
}

/**
 * Brings rows of `nColumns` complex64 into the cache: one word a cache line, nothing between the loads,
 * so that the misses overlap, as they would not between the arithmetic. WebAssembly has no prefetch.
 * @param sink where the words go, lest the loads be left out
 */
export function fetchRows(source: usize, rowBytes: usize, nRows: i32, nColumns: i32, sink: usize): void {
  const nBytes = (<usize>nColumns) << 3;
  let words = 0;
  for (let r = 0; r < nRows; r++) {
    for (let at: usize = 0; at < nBytes; at += 64) words |= load<i32>(source + at);
    source += rowBytes;
  }
  store<i32>(sink, words);
}

/**
 * Rows of up to 4 * nSlots columns -> one block a slot, four columns in each. Lanes past `nColumns` are
 * left as they are: nobody stores them.
 * @param source complex64, row i at source + i * rowBytes
 */
export function loadColumns(
  source: usize, rowBytes: usize, nRows: i32, centre: i32, nColumns: i32,
  slots: usize, slotBytes: usize, n: i32, reAt: usize,
): void {
  const from = firstKept(centre, n);
  const end = endKept(nRows, centre, n);
  if (end - from < n) {
    for (let column = 0; column < nColumns; column += 4) {
      memory.fill(slots + slotBytes * (column >> 2), 0, ELEMENT * n);
    }
  }
  for (let i = from; i < end; i++) {
    const d = i - centre;
    let to = slots + ELEMENT * (d < 0 ? d + n : d);
    let at = source + rowBytes * i;
    let left = nColumns;
    for (; left >= 4; left -= 4) {
      const first = v128.load(at);
      const second = v128.load(at, 16);
      v128.store(to + reAt, v128.shuffle<f32>(first, second, 0, 2, 4, 6));
      v128.store(to + 16 - reAt, v128.shuffle<f32>(first, second, 1, 3, 5, 7));
      at += 32;
      to += slotBytes;
    }
    for (; left > 0; left--) {
      store<f32>(to + reAt, load<f32>(at));
      store<f32>(to + 16 - reAt, load<f32>(at, 4));
      at += 8;
      to += 4;
    }
  }
}

/** The way back, times `scale`. */
export function storeColumns(
  slots: usize, slotBytes: usize, n: i32, reAt: usize, scale: f32,
  target: usize, rowBytes: usize, nRows: i32, centre: i32, nColumns: i32,
): void {
  const scales = f32x4.splat(scale);
  const end = endKept(nRows, centre, n);
  for (let i = firstKept(centre, n); i < end; i++) {
    const d = i - centre;
    let from = slots + ELEMENT * (d < 0 ? d + n : d);
    let at = target + rowBytes * i;
    let left = nColumns;
    for (; left >= 4; left -= 4) {
      const re = f32x4.mul(scales, v128.load(from + reAt));
      const im = f32x4.mul(scales, v128.load(from + 16 - reAt));
      v128.store(at, v128.shuffle<f32>(re, im, 0, 4, 1, 5));
      v128.store(at, v128.shuffle<f32>(re, im, 2, 6, 3, 7), 16);
      at += 32;
      from += slotBytes;
    }
    for (; left > 0; left--) {
      store<f32>(at, scale * load<f32>(from + reAt));
      store<f32>(at, scale * load<f32>(from + 16 - reAt), 4);
      at += 8;
      from += 4;
    }
  }
}

/**
 * Up to four contiguous lines -> block, one line a lane.
 * @param step 1, or -1 for lines that run backwards: sample i is then element (centre - i) mod n
 */
export function loadLines(
  source: usize, lineBytes: usize, nLines: i32, nSamples: i32, centre: i32, step: i32,
  block: usize, n: i32, reAt: usize,
): void {
  let from: i32;
  let end: i32;
  let split: i32;
  if (step > 0) {
    from = firstKept(centre, n);
    end = endKept(nSamples, centre, n);
    split = centre;
  } else {
    from = max(0, centre + (n >> 1) - n + 1);
    end = min(nSamples, centre + (n >> 1) + 1);
    split = centre + 1;
  }
  if (end - from < n) memory.fill(block, 0, ELEMENT * n);
  split = min(max(split, from), end);
  loadRun(source, lineBytes, nLines, from, split, centre, step, block, n, reAt);
  loadRun(source, lineBytes, nLines, split, end, centre, step, block, n, reAt);
}

/** The samples from..end of `loadLines`, whose elements do not go round the end of the block. */
function loadRun(
  source: usize, lineBytes: usize, nLines: i32, from: i32, end: i32, centre: i32, step: i32,
  block: usize, n: i32, reAt: usize,
): void {
  if (from >= end) return;
  const d = (from - centre) * step;
  let to = block + ELEMENT * (d < 0 ? d + n : d);
  const next = step > 0 ? ELEMENT : <usize>(-(<isize>ELEMENT));
  // A missing line repeats the last one: its lane is computed and never stored.
  const last = nLines - 1;
  let a = source + ((<usize>from) << 3);
  let b = a + lineBytes * min(1, last);
  let c = a + lineBytes * min(2, last);
  let e = a + lineBytes * min(3, last);
  let left = end - from;
  for (; left >= 2; left -= 2) {
    const va = v128.load(a);
    const vb = v128.load(b);
    const vc = v128.load(c);
    const ve = v128.load(e);
    const abLow = v128.shuffle<f32>(va, vb, 0, 4, 1, 5);
    const ceLow = v128.shuffle<f32>(vc, ve, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(va, vb, 2, 6, 3, 7);
    const ceHigh = v128.shuffle<f32>(vc, ve, 2, 6, 3, 7);
    v128.store(to + reAt, v128.shuffle<f32>(abLow, ceLow, 0, 1, 4, 5));
    v128.store(to + 16 - reAt, v128.shuffle<f32>(abLow, ceLow, 2, 3, 6, 7));
    to += next;
    v128.store(to + reAt, v128.shuffle<f32>(abHigh, ceHigh, 0, 1, 4, 5));
    v128.store(to + 16 - reAt, v128.shuffle<f32>(abHigh, ceHigh, 2, 3, 6, 7));
    to += next;
    a += 16;
    b += 16;
    c += 16;
    e += 16;
  }
  if (left > 0) {
    v128.store(to + reAt, f32x4(load<f32>(a), load<f32>(b), load<f32>(c), load<f32>(e)));
    v128.store(to + 16 - reAt, f32x4(load<f32>(a, 4), load<f32>(b, 4), load<f32>(c, 4), load<f32>(e, 4)));
  }
}

/** Block -> up to four contiguous lines of `count`, times `scale`; added when `accumulate`. */
export function storeLines(
  block: usize, n: i32, reAt: usize, scale: f32,
  target: usize, lineBytes: usize, nLines: i32, count: i32, centre: i32, accumulate: bool,
): void {
  const from = firstKept(centre, n);
  const end = endKept(count, centre, n);
  const split = min(max(centre, from), end);
  storeRun(block, n, reAt, scale, target, lineBytes, nLines, from, split, centre, accumulate);
  storeRun(block, n, reAt, scale, target, lineBytes, nLines, split, end, centre, accumulate);
}

function storeRun(
  block: usize, n: i32, reAt: usize, scale: f32,
  target: usize, lineBytes: usize, nLines: i32, from: i32, end: i32, centre: i32, accumulate: bool,
): void {
  const scales = f32x4.splat(scale);
  const d = from - centre;
  let at = block + ELEMENT * (d < 0 ? d + n : d);
  let to = target + ((<usize>from) << 3);
  let left = end - from;
  for (; left >= 2; left -= 2) {
    const r0 = f32x4.mul(scales, v128.load(at + reAt));
    const i0 = f32x4.mul(scales, v128.load(at + 16 - reAt));
    const r1 = f32x4.mul(scales, v128.load(at + ELEMENT + reAt));
    const i1 = f32x4.mul(scales, v128.load(at + ELEMENT + 16 - reAt));
    const low0 = v128.shuffle<f32>(r0, i0, 0, 4, 1, 5);
    const high0 = v128.shuffle<f32>(r0, i0, 2, 6, 3, 7);
    const low1 = v128.shuffle<f32>(r1, i1, 0, 4, 1, 5);
    const high1 = v128.shuffle<f32>(r1, i1, 2, 6, 3, 7);
    write(to, v128.shuffle<f32>(low0, low1, 0, 1, 4, 5), accumulate);
    if (nLines > 1) write(to + lineBytes, v128.shuffle<f32>(low0, low1, 2, 3, 6, 7), accumulate);
    if (nLines > 2) write(to + 2 * lineBytes, v128.shuffle<f32>(high0, high1, 0, 1, 4, 5), accumulate);
    if (nLines > 3) write(to + 3 * lineBytes, v128.shuffle<f32>(high0, high1, 2, 3, 6, 7), accumulate);
    at += 2 * ELEMENT;
    to += 16;
  }
  if (left > 0) {
    for (let line = 0; line < nLines; line++) {
      let re = scale * load<f32>(at + reAt);
      let im = scale * load<f32>(at + 16 - reAt);
      if (accumulate) {
        re += load<f32>(to);
        im += load<f32>(to, 4);
      }
      store<f32>(to, re);
      store<f32>(to, im, 4);
      at += 4;
      to += lineBytes;
    }
  }
}

@inline
function write(to: usize, value: v128, accumulate: bool): void {
  v128.store(to, accumulate ? f32x4.add(v128.load(to), value) : value);
}
