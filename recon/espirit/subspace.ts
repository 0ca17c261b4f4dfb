/**
 * The signal space of calibration data: every window of k-space that the kernel covers, all coils in it, is a column
 * of A^H [nTaps, nWindows]; without noise these columns span few dimensions. The right singular vectors of the
 * calibration matrix A above the noise are the signal space.
 *
 * Orthogonal iteration finds the largest of them: from a block X of trial vectors, A^H, A and A^H in turn,
 * made orthonormal in between (G = X^H X = L L^H, X L^-H), then the eigensystem of G for the last block.
 * A repeats every sample many times and is never made: the kernels gather it from the samples.
 *
 * The noise level needs not be known. What the leading k singular values leave of |A|^2, spread over the
 * (nWindows - k)(nTaps - k) dimensions that are left, is the noise's variance nu; noise alone has singular values up to
 * nu^(1/2) (nWindows^(1/2) + nTaps^(1/2)). What is below that is noise.
 * Marchenko VA, Pastur LA. Math USSR Sb 1967;1:457-483. doi:10.1070/SM1967v001n04ABEH001994
 * Orthogonal iteration: Halko N, Martinsson PG, Tropp JA. SIAM Rev 2011;53:217-288. doi:10.1137/090771806
 */
import { hermitianEigensystem } from '../coil-compression/index.js';
import type { Kernels } from '../kernels/index.js';

const panelColumns = 8;
const panelRowBytes = 64;
const panelImaginaryBytes = 32;
/** Trial vectors at first; more are taken where none of the singular values found is noise. */
const firstTrialVectors = 96;
/** Singular values below this part of the largest say nothing, noise or not. */
const smallestPart = 1e-3;
/** Keeps the Gram matrix of dependent trial vectors positive. */
const gramShift = 1e-13;

export interface CalibrationWindows {
  /** Samples, complex64 [nCoils, nRows, nColumns] */
  readonly samples: Float32Array;
  readonly nCoils: number;
  readonly nRows: number;
  readonly nColumns: number;
  readonly kernelRows: number;
  readonly kernelColumns: number;
}

export interface SignalSpace {
  /** Orthonormal, panels [nPanels][nTaps] as assembly/espirit.ts has them; taps [coil, row, column]. To be released. */
  readonly pointer: number;
  readonly nPanels: number;
  readonly nTaps: number;
  readonly nVectors: number;
}

/** A place in memory for matrices in panels. */
interface Panels {
  readonly pointer: number;
  readonly nRows: number;
}

export function signalSpace(kernels: Kernels, windows: CalibrationWindows): SignalSpace {
  const { samples, nCoils, nRows, nColumns, kernelRows, kernelColumns } = windows;
  const { arena } = kernels;
  const nWindows = (nRows - kernelRows + 1) * (nColumns - kernelColumns + 1);
  const nTaps = nCoils * kernelRows * kernelColumns;
  const most = Math.min(nWindows, nTaps);
  const nBytes = 4 * samples.length;
  return arena.withScratch(2 * nBytes + 4 * (2 * nWindows + 2 * nTaps), (data) => {
    const conjugate = data + nBytes;
    arena.f32(data, samples.length).set(samples);
    arena.f32(conjugate, samples.length).set(samples.map((value, i) => (i % 2 === 0 ? value : -value)));
    // Window and tap together are the place of a sample: tables of either, from the samples' start and from 0.
    const tables = conjugate + nBytes;
    const windowOffsets = offsets(1, nRows - kernelRows + 1, nColumns - kernelColumns + 1, nRows, nColumns);
    const tapOffsets = offsets(nCoils, kernelRows, kernelColumns, nRows, nColumns);
    const entries = arena.i32(tables, 2 * nWindows + 2 * nTaps);
    entries.set([...windowOffsets, ...windowOffsets.map((at) => at + conjugate), ...tapOffsets, ...tapOffsets.map((at) => at + data)]);
    const windowsAt = tables + 4 * nWindows;
    const tapsAt = windowsAt + 4 * nWindows;
    const toTaps: Product = { rowAt: tapsAt + 4 * nTaps, nRows: nTaps, sumAt: tables, nSums: nWindows };
    const toWindows: Product = { rowAt: windowsAt, nRows: nWindows, sumAt: tapsAt, nSums: nTaps };
    const energy = windowEnergy(windows);

    for (let nTrial = Math.min(most, firstTrialVectors); ; nTrial = Math.min(most, 2 * nTrial)) {
      const found = iterate(kernels, toTaps, toWindows, nTrial, (values) => countSignals(values, energy, nWindows, nTaps));
      if (found.nVectors < nTrial || nTrial === most) return found;
      arena.release(found.pointer);
    }
  });
}

/** Byte offsets of [coil, row, column] within complex64 [nCoils, nRows, nColumns]. */
function offsets(nCoils: number, rows: number, columns: number, nRows: number, nColumns: number): number[] {
  return Array.from({ length: nCoils * rows * columns }, (_, i) => {
    const column = i % columns;
    const row = Math.floor(i / columns) % rows;
    const coil = Math.floor(i / columns / rows);
    return 8 * ((coil * nRows + row) * nColumns + column);
  });
}

/** |A|^2: each sample as often as there are windows that hold it. */
function windowEnergy({ samples, nRows, nColumns, kernelRows, kernelColumns }: CalibrationWindows): number {
  const times = (i: number, n: number, kernel: number) => Math.min(i + 1, n - i, kernel, n - kernel + 1);
  let energy = 0;
  for (let i = 0; i < samples.length / 2; i++) {
    const column = i % nColumns;
    const row = Math.floor(i / nColumns) % nRows;
    energy += times(row, nRows, kernelRows) * times(column, nColumns, kernelColumns) * (samples[2 * i]! ** 2 + samples[2 * i + 1]! ** 2);
  }
  return energy;
}

/** How many of the squared singular values, descending, are signal. */
function countSignals(values: Float64Array, energy: number, nWindows: number, nTaps: number): number {
  const least = values[0]! * smallestPart ** 2;
  let left = energy;
  let k = 0;
  for (; k < Math.min(values.length, nWindows - 1, nTaps - 1); k++) {
    const variance = Math.max(0, left) / ((nWindows - k) * (nTaps - k));
    if (values[k]! <= Math.max(least, variance * (Math.sqrt(nWindows) + Math.sqrt(nTaps)) ** 2)) break;
    left -= values[k]!;
  }
  return Math.max(1, k);
}

/** Arguments of `gatheredProduct` for A or A^H. */
interface Product {
  readonly rowAt: number;
  readonly nRows: number;
  readonly sumAt: number;
  readonly nSums: number;
}

function iterate(
  kernels: Kernels, toTaps: Product, toWindows: Product, nTrial: number, count: (values: Float64Array) => number,
): SignalSpace {
  const { arena, wasm } = kernels;
  const nPanels = Math.ceil(nTrial / panelColumns);
  const n = panelColumns * nPanels;
  const nTaps = toTaps.nRows;
  const nWindows = toTaps.nSums;
  const bytesOf = (rows: number) => nPanels * rows * panelRowBytes;
  const multiply = ({ rowAt, nRows, sumAt, nSums }: Product, x: number, out: number) =>
    wasm.gatheredProduct(rowAt, nRows, sumAt, nSums, 4, x, panelRowBytes * nSums, nPanels, out, panelRowBytes * nRows);
  return arena.withScratch(2 * bytesOf(nTaps) + 2 * bytesOf(nWindows), (taps) => {
    const spareTaps = taps + bytesOf(nTaps);
    const inWindows = spareTaps + bytesOf(nTaps);
    const spareWindows = inWindows + bytesOf(nWindows);
    writeTrialVectors(arena.f32(spareWindows, bytesOf(nWindows) / 4), nWindows, nTrial);
    multiply(toTaps, spareWindows, spareTaps);
    mix(kernels, { pointer: spareTaps, nRows: nTaps }, nPanels, orthonormaliser(gramOf(kernels, spareTaps, nPanels, nTaps), n), n, taps);
    multiply(toWindows, taps, spareWindows);
    mix(kernels, { pointer: spareWindows, nRows: nWindows }, nPanels, orthonormaliser(gramOf(kernels, spareWindows, nPanels, nWindows), n), n, inWindows);
    multiply(toTaps, inWindows, taps);
    const { values, vectors } = hermitianEigensystem(gramOf(kernels, taps, nPanels, nTaps), n);
    const nVectors = count(values);
    const kept = panelColumns * Math.ceil(nVectors / panelColumns);
    // Column k of the mixture: the eigenvector over its singular value.
    const mixture = new Float64Array(2 * n * kept);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < nVectors; k++) {
        const scale = 1 / Math.sqrt(values[k]!);
        mixture[2 * (i * kept + k)] = scale * vectors[2 * (k * n + i)]!;
        mixture[2 * (i * kept + k) + 1] = scale * vectors[2 * (k * n + i) + 1]!;
      }
    }
    const pointer = arena.allocate((kept / panelColumns) * nTaps * panelRowBytes);
    mix(kernels, { pointer: taps, nRows: nTaps }, nPanels, mixture, kept, pointer);
    return { pointer, nPanels: kept / panelColumns, nTaps, nVectors };
  });
}

/** Phases without pattern: exp(2 pi i frac(phi m^2)), equally distributed (Weyl). */
function writeTrialVectors(panels: Float32Array, nRows: number, nColumns: number): void {
  const golden = (Math.sqrt(5) - 1) / 2;
  panels.fill(0);
  for (let row = 0; row < nRows; row++) {
    for (let column = 0; column < nColumns; column++) {
      const angle = 2 * Math.PI * ((golden * (row * nColumns + column + 1) ** 2) % 1);
      const at = (Math.floor(column / panelColumns) * nRows + row) * 2 * panelColumns + (column % panelColumns);
      panels[at] = Math.cos(angle);
      panels[at + panelColumns] = Math.sin(angle);
    }
  }
}

/** X^H X, complex128 [n, n], whole lower triangle */
function gramOf({ arena, wasm }: Kernels, pointer: number, nPanels: number, nRows: number): Float64Array {
  const n = panelColumns * nPanels;
  return arena.withScratch(16 * n * n, (gram) => {
    wasm.panelGram(pointer, nPanels, nRows, gram);
    return arena.f64(gram, 2 * n * n).slice();
  });
}

/** L^-H, complex128 [n, n], for G = L L^H shifted a little; columns of zeros, the padding, stay so. */
function orthonormaliser(gram: Float64Array, n: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[2 * i * (n + 1)]!;
  // Row i: L, then L^-1, one after the other.
  const l = new Float64Array(2 * n * n);
  const inverse = new Float64Array(2 * n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let re = gram[2 * (i * n + j)]! + (i === j ? gramShift * trace : 0);
      let im = gram[2 * (i * n + j) + 1]!;
      for (let k = 0, a = 2 * i * n, b = 2 * j * n; k < j; k++, a += 2, b += 2) {
        re -= l[a]! * l[b]! + l[a + 1]! * l[b + 1]!;
        im -= l[a + 1]! * l[b]! - l[a]! * l[b + 1]!;
      }
      if (i === j) {
        l[2 * (i * n + i)] = Math.sqrt(Math.max(re, Number.MIN_VALUE));
      } else {
        const pivot = l[2 * (j * n + j)]!;
        l[2 * (i * n + j)] = re / pivot;
        l[2 * (i * n + j) + 1] = im / pivot;
      }
    }
    const pivot = l[2 * (i * n + i)]!;
    inverse[2 * (i * n + i)] = 1 / pivot;
    for (let k = 0; k < i; k++) {
      const lRe = l[2 * (i * n + k)]! / pivot;
      const lIm = l[2 * (i * n + k) + 1]! / pivot;
      for (let j = 0, from = 2 * k * n, to = 2 * i * n; j <= k; j++, from += 2, to += 2) {
        inverse[to] = inverse[to]! - (lRe * inverse[from]! - lIm * inverse[from + 1]!);
        inverse[to + 1] = inverse[to + 1]! - (lRe * inverse[from + 1]! + lIm * inverse[from]!);
      }
    }
  }
  const out = new Float64Array(2 * n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      out[2 * (i * n + j)] = inverse[2 * (j * n + i)]!;
      out[2 * (i * n + j) + 1] = -inverse[2 * (j * n + i) + 1]!;
    }
  }
  return out;
}

/** X M for M complex128 [8 nPanels, nColumns], to panels. */
function mix({ arena, wasm }: Kernels, x: Panels, nPanels: number, m: Float64Array, nColumns: number, out: number): void {
  const n = panelColumns * nPanels;
  const outPanels = nColumns / panelColumns;
  const panelBytes = x.nRows * panelRowBytes;
  arena.withScratch(8 * n * nColumns + 4 * (x.nRows + n), (matrix) => {
    const values = arena.f32(matrix, 2 * n * nColumns);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < nColumns; j++) {
        const at = (Math.floor(j / panelColumns) * n + i) * 2 * panelColumns + (j % panelColumns);
        values[at] = m[2 * (i * nColumns + j)]!;
        values[at + panelColumns] = m[2 * (i * nColumns + j) + 1]!;
      }
    }
    const rowAt = matrix + 8 * n * nColumns;
    const sumAt = rowAt + 4 * x.nRows;
    arena.i32(rowAt, x.nRows).set(Array.from({ length: x.nRows }, (_, row) => x.pointer + row * panelRowBytes));
    arena.i32(sumAt, n).set(Array.from({ length: n }, (_, i) => Math.floor(i / panelColumns) * panelBytes + 4 * (i % panelColumns)));
    wasm.gatheredProduct(rowAt, x.nRows, sumAt, n, panelImaginaryBytes, matrix, panelRowBytes * n, outPanels, out, panelBytes);
  });
}
