// Centred, orthonormal transforms in place along either axis of a complex64 matrix.
import { ELEMENT, transformBlock } from './fft';
import { loadColumns, loadLines, storeColumns, storeLines } from './block';

/**
 * Every line of [nLines, n].
 * @param reAt 0: forward, exp(-2 pi i j k / n); 16: inverse
 * @param block two blocks of batch 1, `blockBytes` each
 */
export function fftLines(
  plan: usize, data: usize, nLines: i32, reAt: usize, scale: f32, block: usize, blockBytes: usize,
): void {
  const n = load<i32>(plan);
  const centre = n >> 1;
  const lineBytes = (<usize>n) << 3;
  for (let line = 0; line < nLines; line += 4) {
    const count = min(4, nLines - line);
    loadLines(data, lineBytes, count, n, centre, 1, block, n, reAt);
    const result = transformBlock(plan, block, block + blockBytes, 1);
    storeLines(result, n, reAt, scale, data, lineBytes, count, n, centre, false);
    data += 4 * lineBytes;
  }
}

/** Every column of [n, nColumns]; blocks of batch 2, so that whole cache lines are moved. */
export function fftColumns(
  plan: usize, data: usize, nColumns: i32, reAt: usize, scale: f32, block: usize, blockBytes: usize,
): void {
  const n = load<i32>(plan);
  const centre = n >> 1;
  const rowBytes = (<usize>nColumns) << 3;
  for (let column = 0; column < nColumns; column += 8) {
    const count = min(8, nColumns - column);
    const batch = count > 4 ? 2 : 1;
    loadColumns(data, rowBytes, n, centre, count, block, n, batch, reAt);
    const result = transformBlock(plan, block, block + blockBytes, batch);
    storeColumns(result, n, batch, reAt, scale, data, rowBytes, n, centre, count);
    data += 64;
  }
}
