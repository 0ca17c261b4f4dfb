/**
 * What a 3D scan has beside a 2D one: the transform along the partitions, and coil maps that are made slice
 * by slice when they are needed, because those of a whole volume would take as much memory as its k-space.
 */
import { coilImages, planSlab } from '../fft/index.js';
import { estimateCoilMaps } from '../coil-maps/index.js';
import { estimateEspiritMaps } from '../espirit/index.js';
import type { Kernels } from '../kernels/index.js';
import type { MapLines } from './calibrations.js';
import { coilMapEstimator, slabCoilBytes, type CartesianPlan } from './plan.js';

/**
 * Transforms a slab along its partitions in place: [coil, partition, line, column] becomes
 * [coil, slice, line, column] with combinedSlices slices; sampled lines of k-space stay lines.
 */
export function transformPartitions(kernels: Kernels, plan: CartesianPlan, pointer: number, nCoils: number): void {
  const { nPartitions, combinedSlices, paddedSlices, nLines, nColumns } = plan;
  const columns = nLines * nColumns;
  const shape = { nCoils: 1, nLines: nPartitions, nColumns: columns, centreLine: Math.floor(nPartitions / 2) };
  const along = planSlab(kernels, { ...shape, paddedRows: paddedSlices, nRows: combinedSlices });
  const nBytes = 8 * combinedSlices * columns;
  kernels.arena.withScratch(nBytes, (slices) => {
    for (let coil = 0; coil < nCoils; coil++) {
      const at = pointer + coil * slabCoilBytes(plan);
      coilImages(kernels, along, at, slices);
      new Uint8Array(kernels.memory.buffer).copyWithin(at, slices, slices + nBytes);
    }
  });
}

/**
 * Coil maps of one slice of a volume.
 * @param slice from the centre
 * @returns complex64 [nCoils, combinedRows, nColumns], the caller's
 * @throws CodedError of the estimators, RECON_ERR_COIL_MAPS_NO_SIGNAL for one
 */
export function coilMapsOfSlice(kernels: Kernels, plan: CartesianPlan, lines: MapLines, nCoils: number, slice: number): number {
  const { nLines, nPartitions, firstLine, firstPartition } = lines;
  const { nColumns, paddedRows, combinedRows, paddedSlices } = plan;
  const planeFloats = 2 * nLines * nColumns;
  return kernels.arena.withScratch(4 * nCoils * planeFloats, (plane) => {
    const from = kernels.arena.f32(lines.pointer, nCoils * nPartitions * planeFloats);
    const to = kernels.arena.f32(plane, nCoils * planeFloats).fill(0);
    for (let partition = 0; partition < nPartitions; partition++) {
      const angle = (2 * Math.PI * (firstPartition + partition) * slice) / paddedSlices;
      const re = Math.cos(angle) / Math.sqrt(paddedSlices);
      const im = Math.sin(angle) / Math.sqrt(paddedSlices);
      for (let coil = 0; coil < nCoils; coil++) {
        let source = (coil * nPartitions + partition) * planeFloats;
        for (let at = coil * planeFloats; at < (coil + 1) * planeFloats; at += 2, source += 2) {
          to[at] = to[at]! + re * from[source]! - im * from[source + 1]!;
          to[at + 1] = to[at + 1]! + re * from[source + 1]! + im * from[source]!;
        }
      }
    }
    const calibration = { calibration: plane, nCoils, nCalibrationLines: nLines, nColumns, firstLine, paddedRows, nRows: combinedRows };
    const estimator = coilMapEstimator(plan.parameters, plan.iterative);
    return estimator === 'espirit' ? estimateEspiritMaps(kernels, calibration, 0) : estimateCoilMaps(kernels, calibration, estimator);
  });
}

/**
 * Turns a slice, its maps and its image, so that it goes on from the slice before: the phase of each slice's
 * maps is their own choice, and k-space along the slices needs one that is smooth. Pixels count by their energy,
 * because maps where there is no signal say nothing.
 * @param before @param maps complex64 [nCoils, n]
 * @param image complex64 [n]
 */
export function alignSlice(before: Float32Array, maps: Float32Array, image: Float32Array): void {
  let re = 0;
  let im = 0;
  for (let start = 0; start < maps.length; start += image.length) {
    for (let at = 0; at < image.length; at += 2) {
      const weight = image[at]! * image[at]! + image[at + 1]! * image[at + 1]!;
      const i = start + at;
      re += weight * (before[i]! * maps[i]! + before[i + 1]! * maps[i + 1]!);
      im += weight * (before[i]! * maps[i + 1]! - before[i + 1]! * maps[i]!);
    }
  }
  const magnitude = Math.hypot(re, im);
  if (magnitude === 0) return;
  turn(maps, re / magnitude, -im / magnitude);
  turn(image, re / magnitude, im / magnitude);
}

/** values *= c + i s */
function turn(values: Float32Array, c: number, s: number): void {
  for (let at = 0; at < values.length; at += 2) {
    const [x, y] = [values[at]!, values[at + 1]!];
    values[at] = c * x - s * y;
    values[at + 1] = c * y + s * x;
  }
}
