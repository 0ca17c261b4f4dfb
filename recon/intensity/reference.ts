/**
 * The correction that a reference scan tells. The same few central lines are acquired with the array, a, and with the
 * body coil, b. Their images of low resolution, root sums of squares over the channels, are but for noise
 *
 *   |a| = |rho| |S|,   |b| = |rho| |B|   =>   |B| / |S| = exp(z),   z a smooth field through ln(|b| / |a|)
 *
 * so that exp(z) times an image |rho| |S| is what the body coil would have received. a is whitened as the image is: S is then
 * the sensitivity that the combined image has. Weights are the body coil's energy, up to 1 where there is tissue.
 *
 * The quotient of array and body coil, smoothed and extrapolated: Pruessmann KP, Weiger M, Scheidegger MB, Boesiger P.
 * Magn Reson Med 1999;42:952-962. doi:10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S
 */
import { fftColumns, fftLines, planFft } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import { gridOf, smoothField, weightedMean, type FieldGrid } from './field.js';

/** Lines on either side of the centre that are of use: sensitivities are smooth. */
const mostHalfRows = 16;
/** Sensitivities of elements of a few centimetres' size, at the depth of tissue, have no shorter waves. */
const shortestWaveMm = 40;

/** What is kept of reference readouts: samples to either side of the centre, along lines and readouts, of like resolution. */
export interface ReferenceExtent {
  readonly halfRows: number;
  readonly halfColumns: number;
}

/** @param fieldMm the encoded field of view, [along the phase encoding, along the readout] */
export function referenceExtent([rowsMm, columnsMm]: readonly [number, number]): ReferenceExtent {
  return { halfRows: mostHalfRows, halfColumns: Math.ceil((mostHalfRows * columnsMm) / rowsMm) };
}

/** The central samples of the reference lines of one slice and one coil set, summed over repeated readouts. */
export class ReferenceLines {
  readonly nChannels: number;
  readonly extent: ReferenceExtent;
  /** By line from the k-space centre: complex64 [nChannels, 2 halfColumns + 1]. */
  readonly #lines = new Map<number, { readonly samples: Float32Array; count: number }>();

  constructor(nChannels: number, extent: ReferenceExtent) {
    this.nChannels = nChannels;
    this.extent = extent;
  }

  /** Lines on either side of the centre, the fewer of both; 0 without the centre. */
  get halfRows(): number {
    let half = 0;
    while (half < this.extent.halfRows && this.#lines.has(-half - 1) && (this.#lines.has(half + 1) || this.#lines.has(half))) half++;
    return this.#lines.has(0) ? half : 0;
  }

  /** @param line from the k-space centre @param samples complex64 [nChannels, nSamples] */
  add(line: number, samples: Float32Array, centreSample: number, isReversed: boolean): void {
    const { halfRows, halfColumns } = this.extent;
    if (Math.abs(line) > halfRows) return;
    const width = 2 * halfColumns + 1;
    const nSamples = samples.length / 2 / this.nChannels;
    const known = this.#lines.get(line);
    const kept = known ?? { samples: new Float32Array(2 * this.nChannels * width), count: 0 };
    if (known === undefined) this.#lines.set(line, kept);
    kept.count++;
    for (let channel = 0; channel < this.nChannels; channel++) {
      for (let k = -halfColumns; k <= halfColumns; k++) {
        const at = centreSample + (isReversed ? -k : k);
        if (at < 0 || at >= nSamples) continue;
        const to = 2 * (channel * width + k + halfColumns);
        const from = 2 * (channel * nSamples + at);
        kept.samples[to] = kept.samples[to]! + samples[from]!;
        kept.samples[to + 1] = kept.samples[to + 1]! + samples[from + 1]!;
      }
    }
  }

  /** Mean over the readouts of a line; undefined where it did not come. */
  at(line: number): { readonly samples: Float32Array; readonly scale: number } | undefined {
    const known = this.#lines.get(line);
    return known === undefined ? undefined : { samples: known.samples, scale: 1 / known.count };
  }
}

export interface ReferenceField {
  /** ln(|B| / |S|) [rows, columns] */
  readonly field: Float64Array;
  readonly grid: FieldGrid;
  /** Mean where there is tissue. */
  readonly mean: number;
}

/**
 * @param mixing of the array's channels, complex64 [nOutputs, nChannels]; undefined: as they are
 * @returns undefined where the lines say nothing: not both coils' centres, or no signal
 */
export function ratioField(
  kernels: Kernels, array: ReferenceLines, body: ReferenceLines, mixing: Float32Array | undefined, fieldMm: readonly [number, number],
): ReferenceField | undefined {
  const halfRows = Math.min(array.halfRows, body.halfRows);
  if (halfRows < 2) return undefined;
  const halfColumns = Math.min(array.extent.halfColumns, Math.ceil((halfRows * fieldMm[1]) / fieldMm[0]));
  // Finer than the resolution, whose elements are 1 / (2 halfRows) of the field of view.
  const grid = gridOf(fieldMm, fieldMm[0] / (3 * halfRows));
  const extent = { halfRows, halfColumns };
  const a = lowResolutionEnergy(kernels, array, extent, grid, mixing);
  const b = lowResolutionEnergy(kernels, body, extent, grid);
  const meanEnergy = b.reduce((sum, value) => sum + value, 0) / b.length;
  if (!(meanEnergy > 0)) return undefined;
  const weights = b.map((value, p) => (a[p]! > 0 ? Math.min(1, value / meanEnergy) : 0));
  const logRatio = b.map((value, p) => (weights[p]! > 0 ? 0.5 * Math.log(value / a[p]!) : 0));
  const field = smoothField(logRatio, weights, grid, shortestWaveMm);
  return { field, grid, mean: weightedMean(field, weights) };
}

/** sum_c |m_c|^2 on the grid, of Hann-weighted k-space, [rows, columns] */
function lowResolutionEnergy(
  kernels: Kernels, lines: ReferenceLines, { halfRows, halfColumns }: ReferenceExtent, { rows, columns }: FieldGrid, mixing?: Float32Array,
): Float64Array {
  const { nChannels, extent } = lines;
  const nOutputs = mixing === undefined ? nChannels : mixing.length / 2 / nChannels;
  const width = 2 * extent.halfColumns + 1;
  const energy = new Float64Array(rows * columns);
  const [alongColumns, alongRows] = [planFft(kernels, columns), planFft(kernels, rows)];
  kernels.arena.withScratch(8 * rows * columns, (pointer) => {
    for (let output = 0; output < nOutputs; output++) {
      const image = kernels.arena.f32(pointer, 2 * rows * columns).fill(0);
      for (let line = -halfRows; line <= halfRows; line++) {
        const stored = lines.at(line);
        if (stored === undefined) continue;
        for (let k = -halfColumns; k <= halfColumns; k++) {
          const weight = stored.scale * hann(line, halfRows) * hann(k, halfColumns);
          const to = 2 * ((rows / 2 + line) * columns + columns / 2 + k);
          for (let channel = 0; channel < nChannels; channel++) {
            const from = 2 * (channel * width + k + extent.halfColumns);
            const [x, y] = [stored.samples[from]!, stored.samples[from + 1]!];
            const at = 2 * (output * nChannels + channel);
            const [re, im] = mixing === undefined ? [channel === output ? 1 : 0, 0] : [mixing[at]!, mixing[at + 1]!];
            image[to] = image[to]! + weight * (re * x - im * y);
            image[to + 1] = image[to + 1]! + weight * (re * y + im * x);
          }
        }
      }
      fftLines(kernels, alongColumns, pointer, rows, 'inverse');
      fftColumns(kernels, alongRows, pointer, columns, 'inverse');
      for (let p = 0; p < energy.length; p++) energy[p] = energy[p]! + image[2 * p]! ** 2 + image[2 * p + 1]! ** 2;
    }
  });
  return energy;
}

/** Positive for |k| <= half. */
function hann(k: number, half: number): number {
  return 0.5 * (1 + Math.cos((Math.PI * k) / (half + 1)));
}
