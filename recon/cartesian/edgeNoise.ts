/** The noise of a scan without a noise measurement, from the edge of its k-space. */
import type { Kernels } from '../kernels/index.js';
import { slabCoilBytes, type CartesianPlan } from './plan.js';
import type { Slab } from './slab.js';

/** Outermost lines that are looked at. */
const nOuterLines = 8;

/** Standard deviation of the real part of a sample, of the outermost measured lines, where there is little but noise. */
export function edgeDeviation(
  { arena }: Kernels, plan: CartesianPlan, slab: Pick<Slab, 'pointer' | 'available' | 'count'>, nCoils: number,
): number {
  const { nLines, nPartitions, nColumns } = plan;
  const distance = (row: number) =>
    Math.hypot(((row % nLines) - Math.floor(nLines / 2)) / nLines, (Math.floor(row / nLines) - Math.floor(nPartitions / 2)) / nPartitions);
  const measured = [...slab.available.keys()].filter((row) => slab.available[row] === 1);
  const outer = measured.sort((a, b) => distance(b) - distance(a)).slice(0, nOuterLines);
  const energies = new Float32Array(outer.length * nCoils * nColumns);
  let at = 0;
  for (const row of outer) {
    for (let coil = 0; coil < nCoils; coil++) {
      const line = arena.f32(slab.pointer + coil * slabCoilBytes(plan) + 8 * row * nColumns, 2 * nColumns);
      for (let k = 0; k < nColumns; k++) energies[at++] = slab.count[row]! * (line[2 * k]! ** 2 + line[2 * k + 1]! ** 2);
    }
  }
  // |n|^2 of complex Gaussian noise has the median 2 ln 2 sigma^2.
  return Math.sqrt((energies.sort()[energies.length >> 1] ?? 0) / (2 * Math.LN2));
}
