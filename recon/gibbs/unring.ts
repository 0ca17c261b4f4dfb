/**
 * Gibbs ringing, taken out by local subvoxel shifts. An edge rings where the sampling grid does not meet the zeros
 * of the ringing; so along one axis every pixel is looked at through shifts s = j / (2M), |j| <= M, of a pixel,
 *
 *   I_s = F^-1( exp(2 pi i k s / N) F(I) ),
 *
 * and gets the shift whose neighbourhood on either side oscillates least: total variation over K pixels,
 *
 *   TV(x, s) = min over both sides of sum_(n = k1..K) |I_s(x +- n) - I_s(x +- (n - 1))|,
 *
 * where it is then interpolated back from linearly. For two axes the image is split by weights that give each
 * its own ringing,
 *
 *   G_x = (1 + cos k_y) / ((1 + cos k_x) + (1 + cos k_y)),   G_y = 1 - G_x,   I = U_x(G_x I) + U_y(G_y I).
 *
 * Applied to magnitudes and complex images alike; it does not undo what zero-filling and filters did.
 * Kellner E, Dhital B, Kiselev VG, Reisert M. Gibbs-ringing artifact removal based on local subvoxel-shifts.
 * Magn Reson Med 2016;76:1574-1581. doi:10.1002/mrm.26054
 */
import { fftColumns, fftLines, planFft } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';

/** M: shifts to either side. */
const nShifts = 20;
/** Neighbours that tell how much a pixel's surroundings oscillate. */
const firstNeighbour = 1;
const lastNeighbour = 3;

/** @param pointer complex64 [nRows, nColumns], replaced */
export function removeGibbsRinging(kernels: Kernels, pointer: number, nRows: number, nColumns: number): void {
  const { arena } = kernels;
  const n = nRows * nColumns;
  arena.withScratch(16 * n, (scratch) => {
    const kspace = arena.f32(pointer, 2 * n);
    transform(kernels, pointer, nRows, nColumns, 'forward');
    for (const [axis, target] of [['columns', scratch], ['rows', scratch + 8 * n]] as const) {
      const part = arena.f32(target, 2 * n);
      for (let row = 0; row < nRows; row++) {
        const alongY = 1 + Math.cos((2 * Math.PI * (row - Math.floor(nRows / 2))) / nRows);
        for (let column = 0; column < nColumns; column++) {
          const alongX = 1 + Math.cos((2 * Math.PI * (column - Math.floor(nColumns / 2))) / nColumns);
          const sum = alongX + alongY;
          const weight = sum < 1e-12 ? 0.5 : (axis === 'columns' ? alongY : alongX) / sum;
          const at = 2 * (row * nColumns + column);
          part[at] = weight * kspace[at]!;
          part[at + 1] = weight * kspace[at + 1]!;
        }
      }
      transform(kernels, target, nRows, nColumns, 'inverse');
    }
    const byColumns = arena.f32(scratch, 2 * n);
    const byRows = arena.f32(scratch + 8 * n, 2 * n);
    for (let row = 0; row < nRows; row++) unringLine(kernels, byColumns, 2 * row * nColumns, 2, nColumns);
    for (let column = 0; column < nColumns; column++) unringLine(kernels, byRows, 2 * column, 2 * nColumns, nRows);
    for (let i = 0; i < 2 * n; i++) kspace[i] = byColumns[i]! + byRows[i]!;
  });
}

function transform(kernels: Kernels, pointer: number, nRows: number, nColumns: number, direction: 'forward' | 'inverse'): void {
  fftLines(kernels, planFft(kernels, nColumns), pointer, nRows, direction);
  fftColumns(kernels, planFft(kernels, nRows), pointer, nColumns, direction);
}

/** One line of n complex values, `stride` floats apart from `at`, in place. */
function unringLine(kernels: Kernels, values: Float32Array, at: number, stride: number, n: number): void {
  const { arena } = kernels;
  const count = 2 * nShifts + 1;
  arena.withScratch(8 * n * count, (pointer) => {
    const shifted = arena.f32(pointer, 2 * n * count);
    for (let i = 0; i < n; i++) {
      shifted[2 * i] = values[at + i * stride]!;
      shifted[2 * i + 1] = values[at + i * stride + 1]!;
    }
    const plan = planFft(kernels, n);
    fftLines(kernels, plan, pointer, 1, 'forward');
    for (let j = count - 1; j >= 0; j--) shiftInto(shifted, 2 * n * j, n, shiftOf(j));
    fftLines(kernels, plan, pointer, count, 'inverse');
    for (let x = 0; x < n; x++) {
      const j = leastOscillating(shifted, n, count, x);
      interpolate(shifted, 2 * n * j, n, x, shiftOf(j), values, at + x * stride);
    }
  });
}

/** Of a pixel; index 0 is the one without a shift, then to either side. */
function shiftOf(j: number): number {
  const size = Math.ceil(j / 2) / (2 * nShifts + 1);
  return j % 2 === 0 ? size : -size;
}

/** The spectrum at 0 times exp(2 pi i k s / N), to `to`. */
function shiftInto(values: Float32Array, to: number, n: number, shift: number): void {
  const centre = Math.floor(n / 2);
  for (let i = 0; i < n; i++) {
    // The outermost sample of an even length has no partner to turn with.
    const angle = n % 2 === 0 && i === 0 ? 0 : (2 * Math.PI * (i - centre) * shift) / n;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const [re, im] = [values[2 * i]!, values[2 * i + 1]!];
    values[to + 2 * i] = re * c - im * s;
    values[to + 2 * i + 1] = re * s + im * c;
  }
}

function leastOscillating(shifted: Float32Array, n: number, count: number, x: number): number {
  let best = 0;
  let least = Infinity;
  for (let j = 0; j < count; j++) {
    const variation = Math.min(variationBeside(shifted, 2 * n * j, n, x, 1), variationBeside(shifted, 2 * n * j, n, x, -1));
    if (variation < least) {
      least = variation;
      best = j;
    }
  }
  return best;
}

function variationBeside(values: Float32Array, start: number, n: number, x: number, side: 1 | -1): number {
  let sum = 0;
  for (let k = firstNeighbour; k <= lastNeighbour; k++) {
    const a = start + 2 * ((x + side * k + n) % n);
    const b = start + 2 * ((x + side * (k - 1) + n) % n);
    sum += Math.abs(values[a]! - values[b]!) + Math.abs(values[a + 1]! - values[b + 1]!);
  }
  return sum;
}

/** The value at x of a line that was shifted by s: I_s(x) is I(x + s), so x lies s before. */
function interpolate(values: Float32Array, start: number, n: number, x: number, shift: number, out: Float32Array, to: number): void {
  const neighbour = start + 2 * ((x + (shift > 0 ? -1 : 1) + n) % n);
  const here = start + 2 * x;
  const share = Math.abs(shift);
  out[to] = (1 - share) * values[here]! + share * values[neighbour]!;
  out[to + 1] = (1 - share) * values[here + 1]! + share * values[neighbour + 1]!;
}
