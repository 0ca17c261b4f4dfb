/** The maps that may go out beside the images of a slab: g-factor, noise, SNR, coil maps, point spread. */
import type { Kernels } from '../kernels/index.js';
import type { NoiseMap } from '../noise-map/index.js';
import type { PartialFourierMethod, SampledExtent } from '../partial-fourier/index.js';
import type { ReconImageKind, ReconParameters } from '../types.js';
import type { Calibration } from './calibrations.js';
import type { CartesianPlan } from './plan.js';
import { pointSpread } from './pointSpread.js';
import type { Slab } from './slab.js';
import { coilMapsBySlice, combinedImages, noiseOf, resynthesise, type ImageMaking } from './slabImage.js';

export interface SliceMap {
  readonly kind: Exclude<ReconImageKind, 'image'>;
  /** complex64 interleaved for the kinds of `complexKinds`, else float32; [nRows, nColumns] */
  readonly data: Float32Array;
  /** Of a coil map. */
  readonly coil?: number;
  /** Slice of a volume; 0 in 2D. */
  readonly slice: number;
}

export function wantsMaps({ gFactorMap, noiseMap, snrMap, coilMaps, psf }: ReconParameters): boolean {
  return gFactorMap || noiseMap || snrMap || coilMaps || psf;
}

export function wantsNoise({ gFactorMap, noiseMap, snrMap }: ReconParameters): boolean {
  return gFactorMap || noiseMap || snrMap;
}

export interface SliceMapsInput {
  readonly calibration: Calibration;
  readonly making: ImageMaking;
  /** complex64 interleaved [nRows, nColumns] a slice, made of the slab with `making` */
  readonly images: readonly Float32Array[];
  readonly partialFourier: PartialFourierMethod | 'none';
  readonly sampledColumns: SampledExtent;
  /** Where they are known already, by slice. */
  readonly noises: readonly Pick<NoiseMap, 'noise' | 'gFactor'>[] | undefined;
}

/** The maps that the parameters ask for, of images that were combined with coil maps. The point spread is that of 2D. */
export function sliceMaps(
  kernels: Kernels, plan: CartesianPlan, slab: Slab, { calibration, making, images, partialFourier, sampledColumns, noises }: SliceMapsInput,
): SliceMap[] {
  const { gFactorMap, noiseMap, snrMap, coilMaps, psf } = plan.parameters;
  const maps: SliceMap[] = [];
  if (gFactorMap || noiseMap || snrMap) {
    (noises ?? noiseOf(kernels, plan, slab, calibration.kernel, making, partialFourier)).forEach(({ noise, gFactor }, slice) => {
      if (gFactorMap) maps.push({ kind: 'gFactor', data: gFactor, slice });
      if (noiseMap) maps.push({ kind: 'noise', data: noise, slice });
      if (snrMap) maps.push({ kind: 'snr', data: signalToNoise(images[slice]!, noise), slice });
    });
  }
  if (coilMaps) {
    coilMapsBySlice(kernels, plan, making).forEach((ofCoils, slice) => {
      ofCoils.forEach((data, coil) => maps.push({ kind: 'coilMap', data, coil, slice }));
    });
  }
  if (psf && making.maps !== undefined && 'pointer' in making.maps) {
    const imageOf = (pointer: number) => {
      resynthesise(kernels, plan, slab, calibration, pointer);
      const { available, count, lines } = slab;
      return combinedImages(kernels, plan, { pointer, available, count, lines }, making).slices[0]!;
    };
    const input = { nCoils: making.nCoils, mapsPointer: making.maps.pointer, sampledColumns, image: images[0]!, imageOf };
    maps.push({ kind: 'psf', data: pointSpread(kernels, plan, slab, input), slice: 0 });
  }
  return maps;
}

/** |image| / noise; 0 where the noise is 0. */
function signalToNoise(image: Float32Array, noise: Float32Array): Float32Array {
  return noise.map((deviation, p) => (deviation > 0 ? Math.hypot(image[2 * p]!, image[2 * p + 1]!) / deviation : 0));
}
