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
import { sourceLine, type GrappaKernel, type SynthesisedLine } from '../grappa/index.js';
import type { Kernels } from '../kernels/index.js';

export interface NoiseMapInput {
  /** complex64 [nCoils, nRows, nColumns], sum_c |S_c|^2 = 1: what the image was combined with. */
  readonly maps: number;
  readonly nRows: number;
  readonly nColumns: number;
  /** Samples of the transform along the phase encoding, of which the central nRows are the image. */
  readonly paddedRows: number;
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

export interface NoiseMap {
  /** Standard deviation of the real part in the image's units, float32 [nRows, nColumns]. */
  readonly noise: Float32Array;
  /** float32 [nRows, nColumns] */
  readonly gFactor: Float32Array;
  /** N_lines / N_readouts */
  readonly netAcceleration: number;
}

export function computeNoiseMap(kernels: Kernels, input: NoiseMapInput): NoiseMap {
  const { nRows, nColumns, paddedRows, averages, linePowers, synthesised } = input;
  const nPixels = nRows * nColumns;
  let nReadouts = 0;
  let nLines = synthesised.length;
  let power = synthesised.reduce((sum, { line }) => sum + linePowers[line]!, 0);
  for (let line = 0; line < averages.length; line++) {
    nReadouts += averages[line]!;
    if (averages[line]! === 0) continue;
    nLines++;
    power += linePowers[line]!;
  }
  const { arena } = kernels;
  const noise = arena.withScratch(4 * nPixels, (out) => {
    const { kernel } = input;
    if (kernel === undefined) {
      // Normalised maps do not change the noise of whitened channels.
      arena.f32(out, nPixels).fill(Math.sqrt(measuredPower(input) / paddedRows));
    } else {
      grappaNoise(kernels, input, kernel, out);
    }
    return arena.f32(out, nPixels).slice();
  });
  const netAcceleration = nLines / nReadouts;
  const reference = Math.sqrt(power / paddedRows) * Math.sqrt(netAcceleration);
  return { noise, gFactor: noise.map((value) => value / reference), netAcceleration };
}

/** sum of weight / averages over the measured lines */
function measuredPower({ averages, linePowers }: NoiseMapInput): number {
  let sum = 0;
  for (let line = 0; line < averages.length; line++) if (averages[line]! > 0) sum += linePowers[line]! / averages[line]!;
  return sum;
}

function grappaNoise({ arena, wasm }: Kernels, input: NoiseMapInput, kernel: GrappaKernel, out: number): void {
  const { nRows, nColumns, paddedRows } = input;
  const { nCoils, acceleration, kernelPhase } = kernel;
  const nTerms = (acceleration - 1) * kernelPhase + 1;
  const pairBytes = 4 * nTerms * nTerms;
  const phaseBytes = 8 * nRows * nTerms;
  arena.withScratch(pairBytes + phaseBytes, (pairs) => {
    const phases = pairs + pairBytes;
    arena.f32(pairs, nTerms * nTerms).set(pairWeights(input, kernel, nTerms));
    const table = arena.f32(phases, 2 * nRows * nTerms);
    for (let row = 0; row < nRows; row++) {
      for (let term = 0; term < nTerms; term++) {
        const angle = (2 * Math.PI * distance(term, acceleration, kernelPhase) * (row - Math.floor(nRows / 2))) / paddedRows;
        table[2 * (row * nTerms + term)] = Math.cos(angle);
        table[2 * (row * nTerms + term) + 1] = Math.sin(angle);
      }
    }
    const nElements = 4 * nTerms * nCoils + 16 * Math.ceil(nCoils / 4) + nTerms;
    arena.withScratch(32 * nElements, (scratch) => {
      for (let block = 0; block < nColumns / 4; block++) {
        wasm.grappaNoise(
          input.maps, kernel.pointer, nCoils, nRows, nColumns, block, acceleration, kernelPhase, pairs, phases, out, scratch,
        );
      }
    });
  });
}

/** Index of the term (m, j); 0 is a line's own. */
function termIndex(offset: number, tap: number, kernelPhase: number): number {
  return 1 + (offset - 1) * kernelPhase + tap;
}

/** Lines from a source to the line it serves. */
function distance(term: number, acceleration: number, kernelPhase: number): number {
  if (term === 0) return 0;
  const offset = 1 + Math.floor((term - 1) / kernelPhase);
  const tap = (term - 1) % kernelPhase;
  return -sourceLine({ line: 0, offset, sources: 0 }, tap, acceleration, kernelPhase);
}

/** V[a, a] on the diagonal and 2 V[a, b] below it, [nTerms, nTerms]. */
function pairWeights(input: NoiseMapInput, kernel: GrappaKernel, nTerms: number): Float64Array {
  const { averages, linePowers, synthesised, paddedRows } = input;
  const { acceleration, kernelPhase } = kernel;
  const termsOfLine = Array.from(averages, () => [0]);
  for (const target of synthesised) {
    for (let tap = 0; tap < kernelPhase; tap++) {
      if (((target.sources >> tap) & 1) === 0) continue;
      termsOfLine[sourceLine(target, tap, acceleration, kernelPhase)]!.push(termIndex(target.offset, tap, kernelPhase));
    }
  }
  const weights = new Float64Array(nTerms * nTerms);
  termsOfLine.forEach((terms, line) => {
    if (averages[line] === 0) return;
    const power = linePowers[line]! / averages[line]! / paddedRows;
    for (const a of terms) {
      for (const b of terms) {
        if (b <= a) weights[a * nTerms + b] = weights[a * nTerms + b]! + (a === b ? power : 2 * power);
      }
    }
  });
  return weights;
}
