// The column transform and coil combination in one pass over a hybrid slab.
//
//   x[c, r, .] = crop_r( F^-1 pad( h[c, ., .] ) )
//   combineMaps:   image[r, k]  = sum_c conj(map[c, r, k]) x[c, r, k]
//   combineRss:    image[r, k]  = sqrt( sum_c |x[c, r, k]|^2 )
//   coilImages:    image[c, r, k] = x[c, r, k]
//
// Some columns are taken through all coils before the next ones: transformed columns never leave the
// cache, and the slab is read once and not written.
import { ELEMENT, firstSlot, transformSlots } from './fft';
import { fetchRows, loadColumns, storeColumns } from './block';
import { COLUMNS } from './lines';

/** `count` columns of one coil, transformed, real and imaginary parts exchanged -> slots. */
@inline
function transformColumns(
  plan: usize, hybrid: usize, lineBytes: usize, nLines: i32, centreLine: i32, count: i32,
  slots: usize, slotBytes: usize,
): void {
  fetchRows(hybrid, lineBytes, nLines, count, slots);
  const input = slots + slotBytes * firstSlot(plan);
  loadColumns(hybrid, lineBytes, nLines, centreLine, count, input, slotBytes, load<i32>(plan), 16);
  transformSlots(plan, slots, slotBytes, (count + 3) >> 2);
}

/**
 * @param slab complex64, coil c, line l at slab + c * coilBytes + l * lineBytes
 * @param centreLine the line that holds zero frequency
 * @param firstColumn @param endColumn the columns to do; those of slab, maps and image alike
 * @param maps complex64 [nCoils, nRows, nColumns]
 * @param image complex64 [nRows, nColumns]
 * @param slots COLUMNS / 2 + 1 slots of `slotBytes`
 */
export function combineMaps(
  plan: usize, slab: usize, coilBytes: usize, lineBytes: usize, nCoils: i32, nLines: i32, centreLine: i32,
  maps: usize, image: usize, nRows: i32, nColumns: i32, firstColumn: i32, endColumn: i32,
  scale: f32, slots: usize, slotBytes: usize,
): void {
  const n = load<i32>(plan);
  const rowBytes = (<usize>nColumns) << 3;
  const sums = slots + slotBytes * (COLUMNS / 4 + 1);
  for (let column = firstColumn; column < endColumn; column += COLUMNS) {
    const count = min(COLUMNS, endColumn - column);
    const offset = (<usize>column) << 3;
    memory.fill(sums, 0, slotBytes * ((count + 3) >> 2));
    for (let coil = 0; coil < nCoils; coil++) {
      const hybrid = slab + coilBytes * coil + offset;
      transformColumns(plan, hybrid, lineBytes, nLines, centreLine, count, slots, slotBytes);
      const map = maps + rowBytes * nRows * coil + offset;
      fetchRows(map, rowBytes, nRows, count, slots + slotBytes * (COLUMNS / 4));
      for (let b = 0; 4 * b < count; b++) {
        const x = slots + slotBytes * b;
        const sum = sums + slotBytes * b;
        addWeighted(x, sum, n, map + 32 * b, rowBytes, nRows, min(4, count - 4 * b));
      }
    }
    storeColumns(sums, slotBytes, n, 0, scale, image + offset, rowBytes, nRows, nRows >> 1, count);
  }
}

/**
 * sum += conj(map) x over up to four columns; x comes exchanged, the sum is not. Few columns or four are
 * rounded alike, so that the image does not depend on how threads share the columns.
 */
function addWeighted(x: usize, sum: usize, n: i32, map: usize, rowBytes: usize, nRows: i32, nColumns: i32): void {
  const centre = nRows >> 1;
  addRows(x + ELEMENT * (n - centre), sum + ELEMENT * (n - centre), map, rowBytes, centre, nColumns);
  addRows(x, sum, map + rowBytes * centre, rowBytes, nRows - centre, nColumns);
}

function addRows(x: usize, sum: usize, map: usize, rowBytes: usize, nRows: i32, nColumns: i32): void {
  for (const end = x + ELEMENT * nRows; x < end; x += ELEMENT, sum += ELEMENT, map += rowBytes) {
    if (nColumns >= 4) {
      const first = v128.load(map);
      const second = v128.load(map, 16);
      const mr = v128.shuffle<f32>(first, second, 0, 2, 4, 6);
      const mi = v128.shuffle<f32>(first, second, 1, 3, 5, 7);
      const xi = v128.load(x);
      const xr = v128.load(x, 16);
      v128.store(sum, f32x4.add(v128.load(sum), f32x4.add(f32x4.mul(mr, xr), f32x4.mul(mi, xi))));
      v128.store(sum, f32x4.add(v128.load(sum, 16), f32x4.sub(f32x4.mul(mr, xi), f32x4.mul(mi, xr))), 16);
    } else {
      for (let lane = 0; lane < nColumns; lane++) {
        const at = (<usize>lane) << 2;
        const mr = load<f32>(map + 2 * at);
        const mi = load<f32>(map + 2 * at, 4);
        const xi = load<f32>(x + at);
        const xr = load<f32>(x + at, 16);
        store<f32>(sum + at, load<f32>(sum + at) + (mr * xr + mi * xi));
        store<f32>(sum + at, load<f32>(sum + at, 16) + (mr * xi - mi * xr), 16);
      }
    }
  }
}

/** Parameters as `combineMaps`; image float32 [nRows, nColumns]. */
export function combineRss(
  plan: usize, slab: usize, coilBytes: usize, lineBytes: usize, nCoils: i32, nLines: i32, centreLine: i32,
  image: usize, nRows: i32, nColumns: i32, firstColumn: i32, endColumn: i32,
  scale: f32, slots: usize, slotBytes: usize,
): void {
  const n = load<i32>(plan);
  const rowBytes = (<usize>nColumns) << 2;
  const sums = slots + slotBytes * (COLUMNS / 4 + 1);
  for (let column = firstColumn; column < endColumn; column += COLUMNS) {
    const count = min(COLUMNS, endColumn - column);
    const nSlots = (count + 3) >> 2;
    memory.fill(sums, 0, slotBytes * nSlots);
    for (let coil = 0; coil < nCoils; coil++) {
      const hybrid = slab + coilBytes * coil + ((<usize>column) << 3);
      transformColumns(plan, hybrid, lineBytes, nLines, centreLine, count, slots, slotBytes);
      for (let b = 0; b < nSlots; b++) addEnergy(slots + slotBytes * b, sums + slotBytes * b, n);
    }
    storeRoots(sums, slotBytes, n, scale, image + ((<usize>column) << 2), rowBytes, nRows, count);
  }
}

function addEnergy(x: usize, sum: usize, n: i32): void {
  for (const end = x + ELEMENT * n; x < end; x += ELEMENT, sum += ELEMENT) {
    const re = v128.load(x);
    const im = v128.load(x, 16);
    v128.store(sum, f32x4.add(v128.load(sum), f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im))));
  }
}

function storeRoots(
  sums: usize, slotBytes: usize, n: i32, scale: f32, image: usize, rowBytes: usize, nRows: i32, nColumns: i32,
): void {
  const centre = nRows >> 1;
  for (let r = 0; r < nRows; r++) {
    const d = r - centre;
    const from = sums + ELEMENT * (d < 0 ? d + n : d);
    for (let k = 0; k < nColumns; k++) {
      const energy = load<f32>(from + slotBytes * (k >> 2) + ((<usize>(k & 3)) << 2));
      store<f32>(image + ((<usize>k) << 2), scale * sqrt<f32>(energy));
    }
    image += rowBytes;
  }
}

/** Parameters as `combineMaps`; images complex64 [nCoils, nRows, nColumns]. */
export function coilImages(
  plan: usize, slab: usize, coilBytes: usize, lineBytes: usize, nCoils: i32, nLines: i32, centreLine: i32,
  images: usize, nRows: i32, nColumns: i32, firstColumn: i32, endColumn: i32,
  scale: f32, slots: usize, slotBytes: usize,
): void {
  const n = load<i32>(plan);
  const rowBytes = (<usize>nColumns) << 3;
  for (let column = firstColumn; column < endColumn; column += COLUMNS) {
    const count = min(COLUMNS, endColumn - column);
    const offset = (<usize>column) << 3;
    for (let coil = 0; coil < nCoils; coil++) {
      const hybrid = slab + coilBytes * coil + offset;
      transformColumns(plan, hybrid, lineBytes, nLines, centreLine, count, slots, slotBytes);
      const image = images + rowBytes * nRows * coil + offset;
      storeColumns(slots, slotBytes, n, 16, scale, image, rowBytes, nRows, nRows >> 1, count);
    }
  }
}
