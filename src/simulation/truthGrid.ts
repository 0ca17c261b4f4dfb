/** The voxel grids of a simulated series: one a stack of parallel, evenly spaced slices. */
import type { ImageGeometry } from '../../imaging/index.js';
import type { SeriesScan } from '../../simulator/index.js';

/** In the order of the slices; a series along discs has one grid a disc. */
export function seriesGrids(scan: SeriesScan): ImageGeometry[] {
  const { count, thicknessMm, gapMm } = scan.series.geometry.slices;
  const { matrix, fovMm } = scan.sampling;
  return Array.from({ length: scan.nSlices / count }, (_, block) => {
    const { centreMm, readDirection, phaseDirection, sliceDirection } = scan.slicePlane(block * count + Math.floor(count / 2));
    return {
      centreMm,
      rowDirection: readDirection,
      columnDirection: phaseDirection,
      sliceDirection,
      fovMm: [fovMm[0], fovMm[1], count * (thicknessMm + gapMm)],
      matrixSize: [matrix[0], matrix[1], count],
    };
  });
}
