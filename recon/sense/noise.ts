/**
 * Noise of a CG-SENSE image, by pseudo-replicas: noise in place of data, reconstructed as the data were, again and
 * again; the mean square of the replicas is the variance, and where maps vary slowly so does it, so that neighbours
 * help.
 *
 * Robson PM, Grant AK, Madhuranthakam AJ, Lattanzi R, Sodickson DK, McKenzie CA. Magn Reson Med 2008;60:895-907.
 * doi:10.1002/mrm.21728
 */
import type { Kernels } from '../kernels/index.js';
import { localMeans, noiseOfSamples, type ReplicaSteps } from './replicas.js';
import { solveSense } from './solve.js';
import type { SenseModel, SenseOptions } from './types.js';

/** With 25 neighbours, some 2 % of standard error. */
const nReplicas = 24;
const halfWindow = 2;

/**
 * @param deviation standard deviation of the real part of a single readout's samples
 * @returns standard deviation of the real part, float32 [nRows, nColumns]; 0 where the maps are
 */
export function senseNoise(
  kernels: Kernels, model: SenseModel, options: SenseOptions, deviation: number, steps: ReplicaSteps,
): Float32Array {
  const { arena } = kernels;
  const { nSets = 1, nCoils, nRows, nColumns } = model;
  const nPixels = nRows * nColumns;
  const energy = new Float32Array(nPixels);
  const fillWithNoise = noiseOfSamples(model, deviation);
  arena.withScratch(8 * (nCoils + nSets) * nPixels, (data) => {
    const image = data + 8 * nCoils * nPixels;
    for (let replica = 0; replica < nReplicas; replica++) {
      fillWithNoise(arena.f32(data, 2 * nCoils * nPixels));
      steps.onSamples(data);
      solveSense(kernels, model, data, image, options);
      steps.onImage(image);
      const pixels = arena.f32(image, 2 * nPixels);
      for (let i = 0; i < nPixels; i++) energy[i] = energy[i]! + (pixels[2 * i]! ** 2 + pixels[2 * i + 1]! ** 2) / (2 * nReplicas);
    }
  });
  return localMeans(energy, nRows, nColumns, halfWindow).map(Math.sqrt);
}
