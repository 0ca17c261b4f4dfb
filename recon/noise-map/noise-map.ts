/**
 * Noise and g-factor of a GRAPPA image, exactly, from the weights it was made with.
 *
 * The image is a linear function of the measured lines. With whitened data (variance 1 in the real and
 * in the imaginary part of every channel), maps S and an orthonormal transform of N padded rows,
 *
 *   I(x, y) = sum_c conj(S_c) N^(-1/2) sum_line H[c, line, x] exp(2 pi i k_line (y - y0) / N),
 *
 * a measured line enters by itself and by every synthesised line that it is a source of; the term of
 * a line dy lines away has the phase exp(2 pi i dy (y - y0) / N) beside it:
 *
 *   a_line[c] = conj(S_c) + sum_((m, j) served) exp(2 pi i dy_(m j) (y - y0) / N) sum_t conj(S_t) h[m, t, (j, c)](x)
 *   variance(x, y) = 1/N sum_line 1/averages(line) sum_c |a_line[c]|^2
 *
 * In a volume, dy (y - y0) / N stands for the sum of it and of dz (z - z0) / N_z, and N for N N_z.
 *
 * Terms are few and lines are many, so the sum over lines is done once, on pairs of terms:
 * V[a, b] = 1/N sum of weight/averages over the lines that have both terms. The weight of a line is what
 * filters and partial Fourier make of its noise power.
 *
 * The g-factor is what is left of the noise when that of full sampling and the root of the net
 * acceleration are taken off:
 *
 *   g = noise / (sqrt(sum of weights / N) sqrt(R)),   R = N_lines / N_readouts
 *
 * with N_lines the lines that the image is made of, measured or synthesised, over which the sum runs, and
 * N_readouts the readouts that were averaged into them. Without calibration lines in the image R is the acceleration
 * and g is Breuer's; with them R is the net acceleration.
 *
 * Breuer FA et al. General formulation for quantitative g-factor calculation in GRAPPA reconstructions.
 * Magn Reson Med 2009;62:739-746. doi:10.1002/mrm.22066
 */
import { sourceLine, tapDistance, type GrappaKernel, type SynthesisedLine } from '../grappa/index.js';
import type { Kernels } from '../kernels/index.js';

/** How an image, or a volume of them, came from its lines. */
export interface NoiseSampling {
  /** Samples of the transform along the phase encoding, of which the central nRows are the image. */
  readonly paddedRows: number;
  /** Samples of the transform along the partitions; 1 where not given. */
  readonly paddedSlices?: number;
  /** Lines of a partition; all lines where not given. */
  readonly nLines?: number;
  /** Readouts averaged into each line of the slab; 0 where it was not measured. */
  readonly averages: ArrayLike<number>;
  /**
   * What the noise power of each line is multiplied by on its way into the image: zero-filling along the
   * readout, filters and partial Fourier, `meanSquareWeights`. Lines change it slowly: a synthesised line
   * hands its noise on with the weight of its sources.
   */
  readonly linePowers: ArrayLike<number>;
  /** Lines that `kernel` synthesised; none of them is measured. */
  readonly synthesised: readonly SynthesisedLine[];
  /** Needed where lines were synthesised. */
  readonly kernel: GrappaKernel | undefined;
}

export interface NoiseMapInput extends NoiseSampling {
  /** complex64 [nCoils, nRows, nColumns], sum_c |S_c|^2 = 1: what the image was combined with. */
  readonly maps: number;
  readonly nRows: number;
  readonly nColumns: number;
  /** Slice of a volume, from its centre: -2 is two before. 0 where not given. */
  readonly slice?: number;
  /** Of so many blocks of four columns one is computed, the columns between are interpolated: maps vary slowly. 1 where not given. */
  readonly blocksApart?: number;
}

export interface NoiseMap {
  /** Standard deviation of the real part in the image's units, float32 [nRows, nColumns]. */
  readonly noise: Float32Array;
  /** float32 [nRows, nColumns] */
  readonly gFactor: Float32Array;
  /** N_lines / N_readouts */
  readonly netAcceleration: number;
}

/** What all slices of a volume share. */
export interface NoiseStatisticsOfLines {
  /** 1/N sum of weight / averages over the measured lines */
  readonly measuredPower: number;
  /** Standard deviation that full sampling with the root of the net acceleration would leave. */
  readonly reference: number;
  readonly netAcceleration: number;
  /** V[a, a] on the diagonal and 2 V[a, b] below it, [nTerms, nTerms]; empty without a kernel. */
  readonly pairs: Float64Array;
}

export function lineStatistics(sampling: NoiseSampling): NoiseStatisticsOfLines {
  const { paddedRows, paddedSlices = 1, averages, linePowers, synthesised, kernel } = sampling;
  const n = paddedRows * paddedSlices;
  let nReadouts = 0;
  let nLines = synthesised.length;
  let measuredPower = 0;
  let power = synthesised.reduce((sum, { line }) => sum + linePowers[line]!, 0);
  for (let line = 0; line < averages.length; line++) {
    nReadouts += averages[line]!;
    if (averages[line]! === 0) continue;
    nLines++;
    power += linePowers[line]!;
    measuredPower += linePowers[line]! / averages[line]! / n;
  }
  const netAcceleration = nLines / nReadouts;
  return {
    measuredPower,
    reference: Math.sqrt((power / n) * netAcceleration),
    netAcceleration,
    pairs: kernel === undefined ? new Float64Array(0) : pairWeights(sampling, kernel),
  };
}

/** @param statistics of `input`, where several slices share them */
export function computeNoiseMap(kernels: Kernels, input: NoiseMapInput, statistics = lineStatistics(input)): NoiseMap {
  const { nRows, nColumns, kernel } = input;
  const nPixels = nRows * nColumns;
  const { arena } = kernels;
  const noise = arena.withScratch(4 * nPixels, (out) => {
    // Normalised maps do not change the noise of whitened channels.
    if (kernel === undefined) arena.f32(out, nPixels).fill(Math.sqrt(statistics.measuredPower));
    else grappaNoise(kernels, input, kernel, statistics.pairs, out);
    return arena.f32(out, nPixels).slice();
  });
  const { reference, netAcceleration } = statistics;
  return { noise, gFactor: noise.map((value) => value / reference), netAcceleration };
}

function grappaNoise({ arena, wasm }: Kernels, input: NoiseMapInput, kernel: GrappaKernel, pairs: Float64Array, out: number): void {
  const { nRows, nColumns, paddedRows, paddedSlices = 1, slice = 0, blocksApart = 1 } = input;
  const { nCoils } = kernel;
  const { nOffsets, nTaps, nTerms } = termsOf(kernel);
  const pairBytes = 4 * nTerms * nTerms;
  const phaseBytes = 8 * nRows * nTerms;
  arena.withScratch(pairBytes + phaseBytes, (pairPointer) => {
    const phases = pairPointer + pairBytes;
    arena.f32(pairPointer, nTerms * nTerms).set(pairs);
    const table = arena.f32(phases, 2 * nRows * nTerms);
    const distances = Array.from({ length: nTerms }, (_, term) => distance(term, kernel));
    for (let row = 0; row < nRows; row++) {
      distances.forEach(({ lines, partitions }, term) => {
        const angle = 2 * Math.PI * ((lines * (row - Math.floor(nRows / 2))) / paddedRows + (partitions * slice) / paddedSlices);
        table[2 * (row * nTerms + term)] = Math.cos(angle);
        table[2 * (row * nTerms + term) + 1] = Math.sin(angle);
      });
    }
    const nElements = 4 * nTerms * nCoils + 16 * Math.ceil(nCoils / 4) + nTerms;
    arena.withScratch(32 * nElements, (scratch) => {
      const nBlocks = Math.ceil(nColumns / 4);
      for (let block = 0; block < nBlocks; block++) {
        if (!isComputed(block, nBlocks, blocksApart)) continue;
        wasm.grappaNoise(
          input.maps, kernel.pointer, nCoils, nRows, nColumns, block, nOffsets, nTaps, pairPointer, phases, out, scratch,
        );
      }
    });
  });
  if (blocksApart > 1) interpolateColumns(arena.f32(out, nRows * nColumns), nRows, nColumns, blocksApart);
}

/** The first and last ones are, so that there is a column on either side of those that are not. */
function isComputed(block: number, nBlocks: number, blocksApart: number): boolean {
  return block % blocksApart === 0 || block === nBlocks - 1;
}

function interpolateColumns(map: Float32Array, nRows: number, nColumns: number, blocksApart: number): void {
  const nBlocks = Math.ceil(nColumns / 4);
  for (let block = 0; block + 1 < nBlocks; block = nextComputed(block, nBlocks, blocksApart)) {
    const before = 4 * block + 3;
    const after = 4 * nextComputed(block, nBlocks, blocksApart);
    for (let row = 0; row < nRows; row++) {
      const from = map[row * nColumns + before]!;
      const slope = (map[row * nColumns + after]! - from) / (after - before);
      for (let column = before + 1; column < after; column++) map[row * nColumns + column] = from + slope * (column - before);
    }
  }
}

function nextComputed(block: number, nBlocks: number, blocksApart: number): number {
  return Math.min(nBlocks - 1, (Math.floor(block / blocksApart) + 1) * blocksApart);
}

/** Terms (m, j) of a kernel, and a line's own, which is the first. */
function termsOf({ acceleration, sliceAcceleration, kernelPhase, kernelSlice }: GrappaKernel): { nOffsets: number; nTaps: number; nTerms: number } {
  const nOffsets = acceleration * sliceAcceleration;
  const nTaps = kernelPhase * kernelSlice;
  return { nOffsets, nTaps, nTerms: (nOffsets - 1) * nTaps + 1 };
}

/** Lines and partitions from a source to the line that it serves. */
function distance(term: number, kernel: GrappaKernel): { lines: number; partitions: number } {
  if (term === 0) return { lines: 0, partitions: 0 };
  const { nTaps } = termsOf(kernel);
  const { lines, partitions } = tapDistance(1 + Math.floor((term - 1) / nTaps), (term - 1) % nTaps, kernel);
  return { lines: -lines, partitions: -partitions };
}

function pairWeights({ averages, linePowers, synthesised, paddedRows, paddedSlices = 1, nLines }: NoiseSampling, kernel: GrappaKernel): Float64Array {
  const { nTaps, nTerms } = termsOf(kernel);
  const termsOfLine = Array.from(averages, () => [0]);
  for (const target of synthesised) {
    for (let tap = 0; tap < nTaps; tap++) {
      if (((target.sources >> tap) & 1) === 0) continue;
      termsOfLine[sourceLine(target, tap, kernel, nLines)]!.push(1 + (target.offset - 1) * nTaps + tap);
    }
  }
  const weights = new Float64Array(nTerms * nTerms);
  termsOfLine.forEach((terms, line) => {
    if (averages[line] === 0) return;
    const power = linePowers[line]! / averages[line]! / (paddedRows * paddedSlices);
    for (const a of terms) {
      for (const b of terms) {
        if (b <= a) weights[a * nTerms + b] = weights[a * nTerms + b]! + (a === b ? power : 2 * power);
      }
    }
  });
  return weights;
}
