/**
 * Coil maps by local principal vectors: in a window about p the covariance of the coil images
 *
 *   C(p) = sum_q m(q) m(q)^H   has the principal eigenvector   S(p) / |S(p)|
 *
 * up to a phase, which a virtual coil gives: v^H S is made real and positive, with v the principal
 * eigenvector of all pixels together, whose coil sees what a smooth body coil would. (Where v^H S goes
 * through zero the phase has to jump; v has the most energy, so that is at the rim of the body.)
 *
 * Walsh DO, Gmitro AF, Marcellin MW. Adaptive reconstruction of phased array MR imagery. Magn Reson Med
 * 2000;43:682-690. doi:10.1002/(SICI)1522-2594(200005)43:5<682::AID-MRM10>3.0.CO;2-G
 * The phase: Inati SJ, Hansen MS, Kellman P. Proc ISMRM 2014:4407; Buehrer M et al. Magn Reson Med
 * 2007;57:1131-1139. doi:10.1002/mrm.21237
 */
import type { Kernels } from '../kernels/index.js';
import type { MapGrid } from './grid.js';

/** Half the side of the window, in points of the coarse grid: two and a half resolution elements wide. */
const halfWindow = 2;
/** With a second eigenvalue of half the first, what is left of it is 1e-4. */
const nPowerIterations = 12;

/**
 * @param images address of complex64 [gridRows, gridColumns, nCoils], of mean square 1
 * @param vectors address of the same shape; of norm 1
 */
export function walshVectors({ arena, wasm }: Kernels, { gridRows, gridColumns, nCoils }: MapGrid, images: number, vectors: number): void {
  const nPoints = gridRows * gridColumns;
  arena.withScratch(vectorBytes({ gridRows, gridColumns, nCoils }), (virtual) => {
    const scratch = virtual + 8 * nCoils;
    for (let row = 0; row < gridRows; row++) {
      wasm.localPrincipalVectors(
        images, gridRows, gridColumns, nCoils, row, halfWindow, nPowerIterations, vectors, scratch,
      );
    }
    wasm.globalPrincipalVector(images, nPoints, nCoils, nPowerIterations, virtual, scratch);
    wasm.alignPhases(vectors, nPoints, nCoils, virtual);
  });
}

/** What `walshVectors` takes beside images and vectors. */
export function vectorBytes({ gridColumns, nCoils }: MapGrid): number {
  return 8 * ((gridColumns + 1) * nCoils * nCoils + 3 * nCoils);
}
