/** What a scan takes, told from its header before it starts. */
import { calibrationBlockBytes } from './calibration.js';
import { Compression, expectedVirtualCoils } from './compression.js';
import { iterativeScratchBytes } from './iterative.js';
import { needsKernel, needsCoilMaps, type CartesianPlan } from './plan.js';

/** Calibration lines that are reckoned with; the header does not tell. */
const usualCalibrationLines = 24;

/**
 * The least that a scan takes, bytes: one slab of k-space, its calibration and, where coils are
 * compressed, half the readouts of a slice that wait for its central lines.
 */
export function leastScanBytes(plan: CartesianPlan): number {
  const nChannels = plan.nCoilsAnnounced ?? 1;
  const compresses = Compression.isWanted(plan, nChannels);
  const nCoils = compresses ? expectedVirtualCoils(plan, nChannels) : nChannels;
  const waitingBytes = compresses ? (nChannels * plan.paddedColumns * 8 * plan.nLines) / plan.acceleration / 2 : 0;
  const slabBytes = nCoils * plan.nLines * plan.nColumns * 8;
  const nCalibrationLines = Math.min(usualCalibrationLines, plan.nLines);
  const kinds = [
    ...(needsCoilMaps(plan) ? (['coilMaps'] as const) : []),
    ...(needsKernel(plan) ? (['grappa'] as const) : []),
  ];
  const blockBytes = kinds.map((kind) => calibrationBlockBytes(kind, plan, nCoils, nCalibrationLines));
  return waitingBytes + slabBytes + iterativeScratchBytes(plan, nCoils) + blockBytes.reduce((sum, bytes) => sum + bytes, 0);
}
