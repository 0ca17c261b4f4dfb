/**
 * Noise of a CG-SENSE image, by pseudo-replicas: noise in place of data, reconstructed as the data were, again and
 * again; the mean square of the replicas is the variance, and where maps vary slowly so does it, so that neighbours
 * help. The reconstruction is linear, so any noise of the right variance serves: that of random signs (real and
 * imaginary part +-1) settles soonest.
 *
 * Robson PM, Grant AK, Madhuranthakam AJ, Lattanzi R, Sodickson DK, McKenzie CA. Magn Reson Med 2008;60:895-907.
 * doi:10.1002/mrm.21728. Signs: Hutchinson MF. Commun Stat Simul Comput 1989;18:1059-1076. doi:10.1080/03610918908812806
 */
import type { Kernels } from '../kernels/index.js';
import { solveSense } from './solve.js';
import type { SenseModel, SenseOptions } from './types.js';

/** With 25 neighbours, some 2 % of standard error. */
const nReplicas = 24;
const halfWindow = 2;

/**
 * @param noisePowers variance of the real part of a single readout's samples, a weight of the model
 * @returns standard deviation of the real part, float32 [nRows, nColumns]; 0 where the maps are
 */
export function senseNoise(kernels: Kernels, model: SenseModel, options: SenseOptions, noisePowers: ArrayLike<number>): Float32Array {
  const { arena } = kernels;
  const { nCoils, nRows, nColumns, weights } = model;
  const nPixels = nRows * nColumns;
  const each = nPixels / weights.length;
  const deviations = Float32Array.from(weights, (weight, i) => (weight > 0 ? Math.sqrt(noisePowers[i]! / weight) : 0));
  const energy = new Float32Array(nPixels);
  const signs = signSource();
  arena.withScratch(8 * (nCoils + 1) * nPixels, (data) => {
    const image = data + 8 * nCoils * nPixels;
    for (let replica = 0; replica < nReplicas; replica++) {
      const samples = arena.f32(data, 2 * nCoils * nPixels);
      for (let i = 0; i < nCoils * nPixels; i++) {
        const deviation = deviations[Math.floor((i % nPixels) / each)]!;
        samples[2 * i] = deviation * signs();
        samples[2 * i + 1] = deviation * signs();
      }
      solveSense(kernels, model, data, image, options);
      const pixels = arena.f32(image, 2 * nPixels);
      for (let i = 0; i < nPixels; i++) energy[i] = energy[i]! + (pixels[2 * i]! ** 2 + pixels[2 * i + 1]! ** 2) / (2 * nReplicas);
    }
  });
  return localMeans(energy, nRows, nColumns).map(Math.sqrt);
}

/** Means over the window of each pixel that is not zero, over its neighbours that are not. */
function localMeans(values: Float32Array, nRows: number, nColumns: number): Float32Array {
  return values.map((own, at) => {
    if (own === 0) return 0;
    const [row, column] = [Math.floor(at / nColumns), at % nColumns];
    let sum = 0;
    let count = 0;
    for (let r = Math.max(0, row - halfWindow); r <= Math.min(nRows - 1, row + halfWindow); r++) {
      for (let c = Math.max(0, column - halfWindow); c <= Math.min(nColumns - 1, column + halfWindow); c++) {
        const value = values[r * nColumns + c]!;
        if (value === 0) continue;
        sum += value;
        count++;
      }
    }
    return sum / count;
  });
}

/** +1 and -1 without order, the same every time: bits of a xorshift generator (Marsaglia 2003, doi 10.18637/jss.v008.i14). */
function signSource(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0x100 ? 1 : -1;
  };
}
