/**
 * One readout of all coils from the lattice of an object's components:
 *
 *   R(i, j) = e^{-i 2π k·d} Σ_p w_p F_p(i, j)                      a few rows j, all columns i
 *   s_c(k)  = Σ_m a_c,m R(k - m/L)                                 49 terms a coil (coils/sensitivities.ts)
 *
 * The components are combined first, with the weights that this readout has, in the few rows that its
 * coil sums need; so their number costs little, and only acquired lines cost anything. d is where the
 * object has moved under the coils, which stay.
 */
import type { Kernels } from '../../recon/index.js';
import type { CoilSensitivities } from '../coils/sensitivities.js';
import { phaseOf, samplesOf, type Sampling } from './encoding.js';
import type { SampledLattice } from './lattice.js';

/** Transforms of two real images as the parts of a complex one (gridTransform.ts), or of a complex image. */
export interface LatticeComponent {
  /** complex64 interleaved [2 halfV + 1, 2 halfU + 1] */
  readonly values: Float32Array;
  /** Whether the parts are two images with weights of their own. */
  readonly isPair: boolean;
}

/** Complex, [re, im]; the second one of a pair is 0 where it is left out. */
export interface ComponentWeights {
  readonly first: readonly [number, number];
  readonly second?: readonly [number, number];
}

const bytesOfFloat = 4;

export class CoilSum {
  readonly #kernels: Kernels;
  readonly #lattice: SampledLattice;
  readonly #nRows: number;
  readonly #nShifts: number;
  readonly #width: number;
  readonly #nSamples: number;
  readonly #nCoils: number;
  readonly #firstV: number;
  readonly #combined: Float32Array;
  /** Floats of a row's real parts: one run for every parity of the lattice's columns, each padded. */
  readonly #rowFloats: number;
  readonly #runFloats: number;
  readonly #paddedSamples: number;
  readonly #pointers: { readonly rows: number; readonly starts: number; readonly factors: number; readonly out: number };

  /** @param silent coils that receive nothing */
  constructor(
    kernels: Kernels,
    coils: CoilSensitivities,
    lattice: SampledLattice,
    sampling: Sampling,
    silent: readonly number[] = [],
  ) {
    const { nCoils, nHarmonics, nHarmonicsV = nHarmonics, coefficients } = coils;
    const nShifts = 2 * nHarmonics + 1;
    const nRows = 2 * nHarmonicsV + 1;
    const nTerms = nRows * nShifts;
    this.#kernels = kernels;
    this.#lattice = lattice;
    this.#nRows = nRows;
    this.#nShifts = nShifts;
    this.#width = 2 * lattice.halfU + 1;
    this.#nSamples = samplesOf(sampling);
    this.#nCoils = nCoils;
    this.#firstV = lattice.halfV - Math.floor(phaseOf(sampling).nLines / 2) * lattice.lineSteps;
    this.#combined = new Float32Array(2 * this.#width);
    this.#paddedSamples = 4 * Math.ceil(this.#nSamples / 4);
    const steps = lattice.sampleSteps;
    // A run is read four samples at a time, past its end.
    this.#runFloats = Math.ceil(this.#width / steps) + 4;
    this.#rowFloats = steps * this.#runFloats;

    const { arena } = kernels;
    const nGroups = Math.ceil(nCoils / 4);
    this.#pointers = {
      rows: arena.allocate(2 * bytesOfFloat * nRows * this.#rowFloats),
      starts: arena.allocate(bytesOfFloat * nShifts),
      factors: arena.allocate(32 * nGroups * nTerms),
      out: arena.allocate(8 * bytesOfFloat * nGroups * this.#paddedSamples),
    };
    arena.f32(this.#pointers.rows, 2 * nRows * this.#rowFloats).fill(0);
    const firstU = lattice.halfU - Math.floor(this.#nSamples / 2) * steps;
    const starts = arena.i32(this.#pointers.starts, nShifts);
    for (let shift = 0; shift < nShifts; shift++) {
      const column = firstU - (shift - nHarmonics);
      starts[shift] = bytesOfFloat * ((column % steps) * this.#runFloats + Math.floor(column / steps));
    }
    const factors = arena.f32(this.#pointers.factors, 8 * nGroups * nTerms).fill(0);
    for (let coil = 0; coil < nCoils; coil++) {
      if (silent.includes(coil)) continue;
      for (let term = 0; term < nTerms; term++) {
        const to = 8 * (Math.floor(coil / 4) * nTerms + term) + (coil % 4);
        factors[to] = coefficients[2 * (coil * nTerms + term)]!;
        factors[to + 4] = coefficients[2 * (coil * nTerms + term) + 1]!;
      }
    }
  }

  /** Bytes that it takes. */
  static nBytes(coils: CoilSensitivities, lattice: SampledLattice, sampling: Sampling): number {
    const { nCoils, nHarmonics, nHarmonicsV = nHarmonics } = coils;
    const [nShifts, nRows] = [2 * nHarmonics + 1, 2 * nHarmonicsV + 1];
    const rows = 8 * nRows * (2 * lattice.halfU + 1 + 8 * lattice.sampleSteps);
    return rows + 32 * Math.ceil(nCoils / 4) * (nShifts * nRows + samplesOf(sampling) + 4) + 4096;
  }

  /**
   * Adds the readout of one line to complex64 interleaved [nCoils, nSamples].
   * @param line of the whole k-space
   * @param movedMm by which the object has moved along the readout and the phase encoding
   * @param sampleWeights complex interleaved [nSamples]: what each sample is multiplied by
   */
  addLine(
    readout: Float32Array,
    line: number,
    components: readonly LatticeComponent[],
    weights: readonly ComponentWeights[],
    movedMm: readonly [number, number] = [0, 0],
    sampleWeights?: Float32Array,
  ): void {
    const { arena, wasm } = this.#kernels;
    const { rows, starts, factors, out } = this.#pointers;
    const nRows = this.#nRows;
    const half = (nRows - 1) / 2;
    const planar = arena.f32(rows, 2 * nRows * this.#rowFloats);
    for (let row = 0; row < nRows; row++) {
      this.#combine(this.#firstV + line * this.#lattice.lineSteps - (row - half), components, weights, movedMm);
      this.#spread(planar.subarray(2 * row * this.#rowFloats, 2 * (row + 1) * this.#rowFloats));
    }
    const rowBytes = 2 * bytesOfFloat * this.#rowFloats;
    wasm.shiftedSums(
      rows, nRows, rowBytes, rowBytes / 2, starts, this.#nShifts, factors, this.#nCoils, this.#paddedSamples, out,
    );
    const sums = arena.f32(out, 2 * this.#nCoils * this.#paddedSamples);
    for (let coil = 0; coil < this.#nCoils; coil++) {
      const from = 2 * coil * this.#paddedSamples;
      const to = 2 * coil * this.#nSamples;
      for (let sample = 0; sample < this.#nSamples; sample++) {
        const re = sums[from + sample]!;
        const im = sums[from + this.#paddedSamples + sample]!;
        if (sampleWeights === undefined) {
          readout[to + 2 * sample]! += re;
          readout[to + 2 * sample + 1]! += im;
        } else {
          const wRe = sampleWeights[2 * sample]!;
          const wIm = sampleWeights[2 * sample + 1]!;
          readout[to + 2 * sample]! += wRe * re - wIm * im;
          readout[to + 2 * sample + 1]! += wRe * im + wIm * re;
        }
      }
    }
  }

  /** One row of the lattice, all components together, moved: into #combined. */
  #combine(
    latticeRow: number,
    components: readonly LatticeComponent[],
    weights: readonly ComponentWeights[],
    [movedU, movedV]: readonly [number, number],
  ): void {
    const combined = this.#combined.fill(0);
    const width = this.#width;
    const { halfV, halfU, stepU, stepV } = this.#lattice;
    components.forEach(({ values, isPair }, index) => {
      const { first, second = [0, 0] } = weights[index]!;
      const row = 2 * latticeRow * width;
      if (!isPair) {
        const [wRe, wIm] = first;
        for (let at = 0; at < 2 * width; at += 2) {
          const re = values[row + at]!;
          const im = values[row + at + 1]!;
          combined[at]! += wRe * re - wIm * im;
          combined[at + 1]! += wRe * im + wIm * re;
        }
        return;
      }
      // w_a A + w_b B = (w_a - i w_b)/2 Z(k) + (w_a + i w_b)/2 conj Z(-k)
      const [alphaRe, alphaIm] = [(first[0] + second[1]) / 2, (first[1] - second[0]) / 2];
      const [betaRe, betaIm] = [(first[0] - second[1]) / 2, (first[1] + second[0]) / 2];
      let mirror = 2 * ((2 * halfV - latticeRow + 1) * width - 1);
      for (let at = 0; at < 2 * width; at += 2, mirror -= 2) {
        const re = values[row + at]!;
        const im = values[row + at + 1]!;
        const mirrorRe = values[mirror]!;
        const mirrorIm = values[mirror + 1]!;
        combined[at]! += alphaRe * re - alphaIm * im + betaRe * mirrorRe + betaIm * mirrorIm;
        combined[at + 1]! += alphaRe * im + alphaIm * re + betaIm * mirrorRe - betaRe * mirrorIm;
      }
    });
    if (movedU === 0 && movedV === 0) return;
    const offset = -2 * Math.PI * ((latticeRow - halfV) * stepV * movedV - halfU * stepU * movedU);
    const angle = -2 * Math.PI * stepU * movedU;
    for (let column = 0; column < width; column++) {
      const cos = Math.cos(offset + column * angle);
      const sin = Math.sin(offset + column * angle);
      const re = combined[2 * column]!;
      const im = combined[2 * column + 1]!;
      combined[2 * column] = re * cos - im * sin;
      combined[2 * column + 1] = re * sin + im * cos;
    }
  }

  /** #combined as planar runs, one for every parity of the columns. */
  #spread(planar: Float32Array): void {
    const steps = this.#lattice.sampleSteps;
    const combined = this.#combined;
    const imaginary = this.#rowFloats;
    for (let parity = 0; parity < steps; parity++) {
      let to = parity * this.#runFloats;
      for (let column = parity; column < this.#width; column += steps, to++) {
        planar[to] = combined[2 * column]!;
        planar[to + imaginary] = combined[2 * column + 1]!;
      }
    }
  }
}
