/** What a scan takes, told from its header before it starts. */
import { calibrationBlockBytes } from './calibration.js';
import { Compression, expectedVirtualCoils, mostWaitingBytes } from './compression.js';
import { iterativeScratchBytes } from './iterative.js';
import { needsCoilMaps, needsKernel, slabCoilBytes, type CartesianPlan } from './plan.js';

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
  const nReadouts = (plan.nLines * plan.nPartitions) / plan.acceleration / plan.sliceAcceleration;
  const waitingBytes = compresses ? Math.min(mostWaitingBytes, (nChannels * plan.paddedColumns * 8 * nReadouts) / 2) : 0;
  // A volume's images and one coil's slices stand beside its slab.
  const volumeBytes = plan.nPartitions > 1 ? slabCoilBytes(plan) + plan.combinedSlices * plan.combinedRows * plan.nColumns * 8 : 0;
  const slabBytes = nCoils * slabCoilBytes(plan) + volumeBytes;
  const nCalibrationLines = Math.min(usualCalibrationLines, plan.nLines);
  const nCalibrationPartitions = Math.min(usualCalibrationLines, plan.nPartitions);
  const shape = { nCoils, nCalibrationLines, nCalibrationPartitions, firstLine: -Math.floor(nCalibrationLines / 2) };
  const kinds = [
    ...(needsCoilMaps(plan) ? (['coilMaps'] as const) : []),
    ...(needsKernel(plan) ? (['grappa'] as const) : []),
  ];
  const blockBytes = kinds.map((kind) => calibrationBlockBytes(kind, plan, shape));
  return waitingBytes + slabBytes + iterativeScratchBytes(plan, nCoils) + blockBytes.reduce((sum, bytes) => sum + bytes, 0);
}
