// Centred, orthonormal transforms in place along either axis of a complex64 matrix.
import { firstSlot, transformSlots } from './fft';
import { fetchRows, loadColumns, loadLines, storeColumns, storeLines } from './block';

/**
 * Columns that are taken together: long runs in every row, where a row is far from the next one, and
 * blocks that still fit the second-level cache.
 */
export const COLUMNS = 32;

/**
 * Every line of [nLines, n].
 * @param reAt 0: forward, exp(-2 pi i j k / n); 16: inverse
 * @param slots two slots of `slotBytes`
 */
export function fftLines(
  plan: usize, data: usize, nLines: i32, reAt: usize, scale: f32, slots: usize, slotBytes: usize,
): void {
  const n = load<i32>(plan);
  const centre = n >> 1;
  const lineBytes = (<usize>n) << 3;
  const input = slots + slotBytes * firstSlot(plan);
  for (let line = 0; line < nLines; line += 4) {
    const count = min(4, nLines - line);
    loadLines(data, lineBytes, count, n, centre, 1, input, n, reAt);
    transformSlots(plan, slots, slotBytes, 1);
    storeLines(slots, n, reAt, scale, data, lineBytes, count, n, centre, false);
    data += 4 * lineBytes;
  }
}

/**
 * Every column of [n, nColumns].
 * @param slots COLUMNS / 4 + 1 slots of `slotBytes`
 */
export function fftColumns(
  plan: usize, data: usize, nColumns: i32, reAt: usize, scale: f32, slots: usize, slotBytes: usize,
): void {
  const n = load<i32>(plan);
  const centre = n >> 1;
  const rowBytes = (<usize>nColumns) << 3;
  const input = slots + slotBytes * firstSlot(plan);
  for (let column = 0; column < nColumns; column += COLUMNS) {
    const count = min(COLUMNS, nColumns - column);
    fetchRows(data, rowBytes, n, count, slots);
    loadColumns(data, rowBytes, n, centre, count, input, slotBytes, n, reAt);
    transformSlots(plan, slots, slotBytes, (count + 3) >> 2);
    storeColumns(slots, slotBytes, n, reAt, scale, data, rowBytes, n, centre, count);
    data += (<usize>COLUMNS) << 3;
  }
}
