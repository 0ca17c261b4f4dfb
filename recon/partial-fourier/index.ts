import type { Kernels } from '../kernels/index.js';
import type { PartialFourierMethod } from './choose.js';
import type { SampledVolume } from './extent.js';
import { homodyne } from './homodyne.js';
import { transformVolume } from './phase.js';
import { pocs } from './pocs.js';
import { zeroFill } from './zeroFill.js';

export { choosePartialFourier, conjugateMisfit, type PartialFourierChoice, type PartialFourierMethod } from './choose.js';
export { fullExtent, isPartial, shorterSide, sides, type SampledExtent, type SampledVolume } from './extent.js';
export { kspaceWeights, meanSquareWeights } from './weights.js';
export { transformVolume };

/** @param pointer complex64 [nSlices, nRows, nColumns]: k-space, replaced by the image */
export function completeKspace(kernels: Kernels, method: PartialFourierMethod, volume: SampledVolume, pointer: number): void {
  switch (method) {
    case 'zeroFill':
      return zeroFill(kernels, volume, pointer);
    case 'homodyne':
      return homodyne(kernels, volume, pointer);
    case 'pocs':
      return pocs(kernels, volume, pointer);
  }
}
