/** The one place that owns the Fourier transform, and the two passes of Cartesian reconstruction fused with it. */
export { fftPlanBytes, planFft, releaseFft, MAX_FFT_LENGTH, type FftDirection, type FftPlan } from './plan.js';
export { fftColumns, fftLines } from './transform.js';
export {
  planReadout,
  releaseReadout,
  transformReadout,
  type ReadoutOptions,
  type ReadoutPlan,
  type ReadoutShape,
} from './readout.js';
export {
  coilImages,
  combineRss,
  combineSlice,
  planSlab,
  type ColumnRange,
  type SlabPlan,
  type SlabShape,
} from './combine.js';
