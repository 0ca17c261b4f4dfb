/**
 * What a scan of gridScan.ts allows: the image by SENSE with the true sensitivities, of all lines that were
 * acquired for it, column by column of the hybrid space,
 *
 *   x = argmin sum_(line, c) n_line |h_c(line) - (F S_c x)(line)|^2 + lambda |x|^2,
 *
 * solved directly. lambda is the noise's variance over the object's mean square; n_line counts averages; x
 * has the resolution that is encoded.
 * Pruessmann KP et al. Magn Reson Med 1999;42:952-962.
 */
import { hasFlag } from 'ismrmrd';
import { apply, transformMatrix, type GridScan } from './gridScan.js';

/** @returns magnitude times the root-sum-of-squares of the sensitivities, [partitions, rows, columns], slice 0, contrast 0, repetition 0 */
export function senseReference(scan: GridScan, replica = 0): Float32Array {
  const { options, paddedRows, paddedSlices, paddedColumns, nLines, nPartitions, nSamples, missing } = scan;
  const { nCoils, matrix, noiseStd } = options;
  const nRows = nLines * nPartitions;
  const sums = new Float64Array(2 * nCoils * nRows * nSamples);
  const counts = new Float64Array(nRows);
  for (const { header, samples } of scan.readouts(replica)) {
    const { slice, contrast, repetition, kspaceEncodeStep1, kspaceEncodeStep2 } = header.idx;
    if (slice + contrast + repetition > 0 || hasFlag(header.flags, 'noiseMeasurement')) continue;
    if (options.calibration === 'separate' && hasFlag(header.flags, 'parallelCalibration')) continue;
    const row = (kspaceEncodeStep2 + missing[2]) * nLines + kspaceEncodeStep1 + missing[1];
    counts[row] = counts[row]! + 1;
    const isReversed = hasFlag(header.flags, 'reverse');
    for (let coil = 0; coil < nCoils; coil++) {
      for (let s = 0; s < header.nSamples; s++) {
        const from = 2 * (coil * header.nSamples + (isReversed ? header.nSamples - 1 - s : s));
        const to = 2 * ((coil * nRows + row) * nSamples + missing[0] + s);
        sums[to] = sums[to]! + samples[from]!;
        sums[to + 1] = sums[to + 1]! + samples[from + 1]!;
      }
    }
  }
  const hybrid = apply(transformMatrix(nSamples, paddedColumns), nSamples, paddedColumns, sums, nCoils * nRows, 1, true);
  // Lines beyond the resolution of the image are no part of it.
  const isInImage = (row: number) => Math.abs((row % nLines) - Math.floor(nLines / 2)) <= paddedRows / 2;
  const measured = [...counts.keys()].filter((row) => counts[row]! > 0 && isInImage(row));

  const n = paddedRows * paddedSlices;
  const waves = measured.map((row) => waveOf(row, scan));
  const lambda = Math.max(1e-6, (2 * noiseStd ** 2) / 0.3);
  const pointSpread = new Float64Array(2 * n * (n + 1));
  fillPointSpread(pointSpread, waves, measured.map((row) => counts[row]!), n);
  const out = new Float32Array(matrix[0] * matrix[1] * matrix[2]);
  const first = (padded: number, kept: number) => Math.floor(padded / 2) - Math.floor(kept / 2);
  for (let c = 0; c < matrix[0]; c++) {
    const column = first(paddedColumns, matrix[0]) + c;
    const system = pointSpread.slice();
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) weigh(system, i, j, n, scan, column);
      const diagonal = 2 * (i * (n + 1) + i);
      system[diagonal] = system[diagonal]! + lambda;
    }
    fillRightSide(system, waves, measured, hybrid, n, scan, column);
    const x = solved(system, n, scan);
    for (let s = 0; s < matrix[2]; s++) {
      for (let r = 0; r < matrix[1]; r++) {
        const pixel = (first(paddedSlices, matrix[2]) + s) * paddedRows + first(paddedRows, matrix[1]) + r;
        out[(s * matrix[1] + r) * matrix[0] + c] = Math.hypot(x[2 * pixel]!, x[2 * pixel + 1]!) * Math.sqrt(energyOf(scan, pixel, column));
      }
    }
  }
  return out;
}

/**
 * The normal equations of a column for the lines that are encoded, x = E^H u: E A E^H u = E b. Complex [m, m + 1],
 * the right side last.
 */
function encodedSystem(system: Float64Array, n: number, encoding: Float64Array, m: number): Float64Array {
  const left = apply(encoding, m, n, system, 1, n + 1);
  const out = new Float64Array(2 * m * (m + 1));
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < m; k++) {
      let [re, im] = [0, 0];
      for (let j = 0; j < n; j++) {
        const [x, y] = [left[2 * (i * (n + 1) + j)]!, left[2 * (i * (n + 1) + j) + 1]!];
        const [er, ei] = [encoding[2 * (k * n + j)]!, -encoding[2 * (k * n + j) + 1]!];
        re += x * er - y * ei;
        im += x * ei + y * er;
      }
      out[2 * (i * (m + 1) + k)] = re;
      out[2 * (i * (m + 1) + k) + 1] = im;
    }
    out.set(left.subarray(2 * (i * (n + 1) + n), 2 * (i * (n + 1) + n) + 2), 2 * (i * (m + 1) + m));
  }
  return out;
}

/** Solves a column: complex [n]. */
function solved(system: Float64Array, n: number, { nLines, paddedRows, paddedSlices }: GridScan): Float64Array {
  if (nLines >= paddedRows || paddedSlices > 1) {
    solve(system, n);
    return lastColumn(system, n);
  }
  const encoding = transformMatrix(nLines, n);
  const encoded = encodedSystem(system, n, encoding, nLines);
  solve(encoded, nLines);
  return apply(encoding, nLines, n, lastColumn(encoded, nLines), 1, 1, true);
}

function lastColumn(system: Float64Array, n: number): Float64Array {
  const x = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) x.set(system.subarray(2 * (i * (n + 1) + n), 2 * (i * (n + 1) + n) + 2), 2 * i);
  return x;
}

/** exp(2 pi i k r) / sqrt(N) of a line at every pixel of a column, complex [n]. */
function waveOf(row: number, { nLines, nPartitions, paddedRows, paddedSlices }: GridScan): Float64Array {
  const line = (row % nLines) - Math.floor(nLines / 2);
  const partition = Math.floor(row / nLines) - Math.floor(nPartitions / 2);
  const wave = new Float64Array(2 * paddedRows * paddedSlices);
  for (let pixel = 0; pixel < wave.length / 2; pixel++) {
    const y = (pixel % paddedRows) - Math.floor(paddedRows / 2);
    const z = Math.floor(pixel / paddedRows) - Math.floor(paddedSlices / 2);
    const angle = 2 * Math.PI * ((line * y) / paddedRows + (partition * z) / paddedSlices);
    wave[2 * pixel] = Math.cos(angle) / Math.sqrt(paddedRows * paddedSlices);
    wave[2 * pixel + 1] = Math.sin(angle) / Math.sqrt(paddedRows * paddedSlices);
  }
  return wave;
}

function fillPointSpread(system: Float64Array, waves: readonly Float64Array[], weights: readonly number[], n: number): void {
  waves.forEach((wave, w) => {
    for (let i = 0; i < n; i++) {
      const [ar, ai] = [weights[w]! * wave[2 * i]!, weights[w]! * wave[2 * i + 1]!];
      for (let j = 0; j < n; j++) {
        const at = 2 * (i * (n + 1) + j);
        system[at] = system[at]! + ar * wave[2 * j]! + ai * wave[2 * j + 1]!;
        system[at + 1] = system[at + 1]! + ai * wave[2 * j]! - ar * wave[2 * j + 1]!;
      }
    }
  });
}

function sensitivity(scan: GridScan, coil: number, pixel: number, column: number): [number, number] {
  const at = 2 * ((coil * scan.paddedSlices * scan.paddedRows + pixel) * scan.paddedColumns + column);
  return [scan.sensitivities[at]!, scan.sensitivities[at + 1]!];
}

function energyOf(scan: GridScan, pixel: number, column: number): number {
  let energy = 0;
  for (let coil = 0; coil < scan.options.nCoils; coil++) {
    const [re, im] = sensitivity(scan, coil, pixel, column);
    energy += re * re + im * im;
  }
  return energy;
}

/** system[i, j] *= sum_c conj(S_c(i)) S_c(j) */
function weigh(system: Float64Array, i: number, j: number, n: number, scan: GridScan, column: number): void {
  let [re, im] = [0, 0];
  for (let coil = 0; coil < scan.options.nCoils; coil++) {
    const [ar, ai] = sensitivity(scan, coil, i, column);
    const [br, bi] = sensitivity(scan, coil, j, column);
    re += ar * br + ai * bi;
    im += ar * bi - ai * br;
  }
  const at = 2 * (i * (n + 1) + j);
  const [x, y] = [system[at]!, system[at + 1]!];
  system[at] = x * re - y * im;
  system[at + 1] = x * im + y * re;
}

function fillRightSide(
  system: Float64Array, waves: readonly Float64Array[], measured: readonly number[], hybrid: Float64Array, n: number, scan: GridScan, column: number,
): void {
  const nRows = scan.nLines * scan.nPartitions;
  for (let coil = 0; coil < scan.options.nCoils; coil++) {
    const image = new Float64Array(2 * n);
    waves.forEach((wave, w) => {
      const at = 2 * ((coil * nRows + measured[w]!) * scan.paddedColumns + column);
      const [hr, hi] = [hybrid[at]!, hybrid[at + 1]!];
      for (let i = 0; i < n; i++) {
        image[2 * i] = image[2 * i]! + wave[2 * i]! * hr - wave[2 * i + 1]! * hi;
        image[2 * i + 1] = image[2 * i + 1]! + wave[2 * i]! * hi + wave[2 * i + 1]! * hr;
      }
    });
    for (let i = 0; i < n; i++) {
      const [sr, si] = sensitivity(scan, coil, i, column);
      const at = 2 * (i * (n + 1) + n);
      system[at] = system[at]! + sr * image[2 * i]! + si * image[2 * i + 1]!;
      system[at + 1] = system[at + 1]! + sr * image[2 * i + 1]! - si * image[2 * i]!;
    }
  }
}

/** Gaussian elimination of complex [n, n + 1]: the last column becomes the solution. Positive definite: no pivoting. */
function solve(system: Float64Array, n: number): void {
  const width = n + 1;
  for (let k = 0; k < n; k++) {
    const pivot = system[2 * (k * width + k)]!;
    for (let i = k + 1; i < n; i++) {
      const at = 2 * (i * width + k);
      const [fr, fi] = [system[at]! / pivot, system[at + 1]! / pivot];
      if (fr === 0 && fi === 0) continue;
      for (let j = k; j < width; j++) {
        const [to, from] = [2 * (i * width + j), 2 * (k * width + j)];
        system[to] = system[to]! - fr * system[from]! + fi * system[from + 1]!;
        system[to + 1] = system[to + 1]! - fr * system[from + 1]! - fi * system[from]!;
      }
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    const right = 2 * (k * width + n);
    for (let j = k + 1; j < n; j++) {
      const [at, x] = [2 * (k * width + j), 2 * (j * width + n)];
      system[right] = system[right]! - system[at]! * system[x]! + system[at + 1]! * system[x + 1]!;
      system[right + 1] = system[right + 1]! - system[at]! * system[x + 1]! - system[at + 1]! * system[x]!;
    }
    const pivot = system[2 * (k * width + k)]!;
    system[right] = system[right]! / pivot;
    system[right + 1] = system[right + 1]! / pivot;
  }
}
