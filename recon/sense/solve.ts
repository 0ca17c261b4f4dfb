/**
 * CG-SENSE: the image u that minimises
 *
 *   |E u - W^(1/2) d|^2 + damping |u|^2,   by conjugate gradients on (E^H E + damping) u = E^H W^(1/2) d
 *
 * from zero; few iterations regularise as the damping does. Where whole lines are sampled the columns are
 * solved one by one (columns.ts), else the image as a whole.
 *
 * Pruessmann KP et al. Magn Reson Med 2001;46:638-651. doi:10.1002/mrm.1241
 */
import type { Kernels } from '../kernels/index.js';
import { ColumnEquations, solveColumns } from './columns.js';
import { SenseOperator } from './operator.js';
import { samplesLines, type NormalEquations, type SenseModel, type SenseOptions } from './types.js';

/** The normal equations of a model, in the fastest way that its sampling allows; to be released. */
export function normalEquations(kernels: Kernels, model: SenseModel): NormalEquations {
  return samplesLines(model) ? new ColumnEquations(kernels, model) : new SenseOperator(kernels, model);
}

/**
 * @param data address of complex64 [nCoils, nRows, nColumns]: hybrid where whole lines are sampled, else k-space
 * @param image address of complex64 [nSets, nRows, nColumns]
 */
export function solveSense(kernels: Kernels, model: SenseModel, data: number, image: number, options: SenseOptions): void {
  if (samplesLines(model)) {
    solveColumns(kernels, model, data, image, options);
    return;
  }
  const equations = new SenseOperator(kernels, model);
  try {
    kernels.arena.withScratch(8 * equations.nSets * model.nRows * model.nColumns, (b) => {
      equations.rightSide(data, b);
      solveNormal(kernels, equations, b, image, options);
    });
  } finally {
    equations.release();
  }
}

/** (E^H E + damping) x = b by conjugate gradients from zero, the image as a whole. */
export function solveNormal(
  { arena, wasm }: Kernels, equations: NormalEquations, b: number, x: number,
  { damping, nIterations, tolerance = 0 }: SenseOptions,
): void {
  const n = equations.nSets * equations.nRows * equations.nColumns;
  arena.withScratch(3 * 8 * n, (residual) => {
    const direction = residual + 8 * n;
    const image = direction + 8 * n;
    arena.u8(x, 8 * n).fill(0);
    const right = arena.f32(b, 2 * n);
    arena.f32(residual, 2 * n).set(right);
    arena.f32(direction, 2 * n).set(right);
    let energy = wasm.realProduct(residual, residual, n);
    const enough = energy * tolerance ** 2;
    for (let i = 0; i < nIterations && energy > enough; i++) {
      equations.normal(direction, image);
      wasm.addScaled(damping, direction, 1, image, n);
      const alpha = energy / wasm.realProduct(direction, image, n);
      wasm.addScaled(alpha, direction, 1, x, n);
      wasm.addScaled(-alpha, image, 1, residual, n);
      const next = wasm.realProduct(residual, residual, n);
      wasm.addScaled(1, residual, next / energy, direction, n);
      energy = next;
    }
  });
}
