/** The maps that may go out beside a slice image: g-factor, noise, SNR, coil maps, point spread. */
import type { Kernels } from '../kernels/index.js';
import type { PartialFourierMethod, SampledExtent } from '../partial-fourier/index.js';
import type { ReconImageKind, ReconParameters } from '../types.js';
import type { Calibration } from './calibrations.js';
import type { CartesianPlan } from './plan.js';
import { pointSpread } from './pointSpread.js';
import type { Slab } from './slab.js';
import { coilMap, combinedImage, noiseOf, resynthesise, type ImageMaking } from './slabImage.js';

export interface SliceMap {
  readonly kind: Exclude<ReconImageKind, 'image'>;
  /** complex64 interleaved for the kinds of `complexKinds`, else float32; [nRows, nColumns] */
  readonly data: Float32Array;
  /** Of a coil map. */
  readonly coil?: number;
}

export function wantsMaps({ gFactorMap, noiseMap, snrMap, coilMaps, psf }: ReconParameters): boolean {
  return gFactorMap || noiseMap || snrMap || coilMaps || psf;
}

export interface SliceMapsInput {
  readonly calibration: Calibration;
  readonly making: ImageMaking;
  /** complex64 interleaved [nRows, nColumns], made of the slab with `making` */
  readonly image: Float32Array;
  readonly partialFourier: PartialFourierMethod | 'none';
  readonly sampledColumns: SampledExtent;
}

/** The maps that the parameters ask for, of an image that was combined with coil maps. */
export function sliceMaps(
  kernels: Kernels, plan: CartesianPlan, slab: Slab, { calibration, making, image, partialFourier, sampledColumns }: SliceMapsInput,
): SliceMap[] {
  const { gFactorMap, noiseMap, snrMap, coilMaps, psf } = plan.parameters;
  const maps: SliceMap[] = [];
  // What a compressed-sensing image has for noise depends on what it shows.
  if ((gFactorMap || noiseMap || snrMap) && plan.iterative !== 'l1') {
    const { noise, gFactor } = noiseOf(kernels, plan, slab, calibration, making, partialFourier);
    if (gFactorMap) maps.push({ kind: 'gFactor', data: gFactor });
    if (noiseMap) maps.push({ kind: 'noise', data: noise });
    if (snrMap) maps.push({ kind: 'snr', data: signalToNoise(image, noise) });
  }
  if (coilMaps) {
    for (let coil = 0; coil < making.nCoils; coil++) maps.push({ kind: 'coilMap', data: coilMap(kernels, plan, making, coil), coil });
  }
  if (psf) {
    const imageOf = (pointer: number) => {
      resynthesise(kernels, plan, slab, calibration, pointer);
      const { available, count, firstRow, lastRow } = slab;
      return combinedImage(kernels, plan, { pointer, available, count, firstRow, lastRow }, making).data;
    };
    const { nCoils, mapsPointer } = making;
    maps.push({ kind: 'psf', data: pointSpread(kernels, plan, slab, { nCoils, mapsPointer, sampledColumns, image, imageOf }) });
  }
  return maps;
}

/** |image| / noise; 0 where the noise is 0. */
function signalToNoise(image: Float32Array, noise: Float32Array): Float32Array {
  return noise.map((deviation, p) => (deviation > 0 ? Math.hypot(image[2 * p]!, image[2 * p + 1]!) / deviation : 0));
}
