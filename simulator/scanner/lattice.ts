/**
 * The lattice of k-space on which an object's transform is needed, so that every shift of a coil's
 * series (coils/sensitivities.ts) falls on it: the period L of the series is a whole multiple of the
 * encoded field of view, and the step is 1/L.
 */
import type { CoilSensitivities } from '../coils/sensitivities.js';
import { partitionsOf, phaseOf, samplesOf, type Sampling } from './encoding.js';

/** The body beyond the period of the sensitivities would be seen as if it lay a period further. */
const margin = 1.4;

/** A whole multiple of `unitMm`, at least `fewest` of them, that holds the body with a margin. */
export const periodOf = (unitMm: number, bodyMm: number, fewest: number): number =>
  unitMm * Math.max(fewest, Math.ceil((margin * bodyMm) / unitMm));

/** Where the transform of an object is needed: k = (i stepU, j stepV, l stepW), each index from -half to half. */
export interface SampledLattice {
  /** Cycles/mm. */
  readonly stepU: number;
  readonly stepV: number;
  readonly stepW: number;
  readonly halfU: number;
  readonly halfV: number;
  readonly halfW: number;
  /** Steps of the lattice between neighbouring samples, lines and partitions. */
  readonly sampleSteps: number;
  readonly lineSteps: number;
  readonly partitionSteps: number;
}

export function latticeOf(coils: Pick<CoilSensitivities, 'nHarmonics' | 'nHarmonicsV' | 'periodMm' | 'across'>, sampling: Sampling): SampledLattice {
  const { nHarmonics, nHarmonicsV = nHarmonics, periodMm, across } = coils;
  const { fovMm, readoutOversampling } = sampling;
  const [phase, partitions] = [phaseOf(sampling), partitionsOf(sampling)];
  const periodW = across?.periodMm ?? 2 * partitions.encodedFovMm;
  const sampleSteps = Math.round(periodMm[0] / (fovMm[0] * readoutOversampling));
  const lineSteps = Math.round(periodMm[1] / phase.encodedFovMm);
  const partitionSteps = Math.round(periodW / partitions.encodedFovMm);
  return {
    stepU: 1 / periodMm[0],
    stepV: 1 / periodMm[1],
    stepW: 1 / periodW,
    sampleSteps,
    lineSteps,
    partitionSteps,
    halfU: Math.ceil(samplesOf(sampling) / 2) * sampleSteps + nHarmonics,
    halfV: Math.ceil(phase.nLines / 2) * lineSteps + nHarmonicsV,
    halfW: Math.floor(partitions.nLines / 2) * partitionSteps + (across?.nHarmonics ?? 0),
  };
}

/** 1 / (Δu Δv Δw sqrt(N)) of the encoded matrix. */
export function scaleOf(sampling: Sampling): number {
  const { matrix, fovMm } = sampling;
  const [phase, partitions] = [phaseOf(sampling), partitionsOf(sampling)];
  const nSamples = samplesOf(sampling);
  const pixels = (matrix[0] * phase.nLines) / (fovMm[0] * phase.encodedFovMm);
  const across = sampling.partitions === undefined ? 1 : partitions.nLines / partitions.encodedFovMm;
  return (pixels * across) / Math.sqrt(nSamples * phase.nLines * partitions.nLines);
}
