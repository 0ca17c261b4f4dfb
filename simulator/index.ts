export * from './errors.js';
export { Random } from './random.js';
export * from './anatomy/index.js';
export * from './spine/index.js';
export * from './phantom/raster.js';
export * from './phantom/shapes.js';
export * from './phantom/spine.js';
export { transformAt, transformOnLattice, type Lattice } from './phantom/transform.js';
export { loopSensitivity, torsoArray, type Loop } from './coils/array.js';
export {
  bodyCoilSensitivities,
  fitSensitivities,
  sensitivitiesAt,
  sensitivityMaps,
  type CoilSensitivities,
} from './coils/sensitivities.js';
export * from './phantom/ellipsoid.js';
export { phaseAxis, type PhaseAxis, type Sampling } from './scanner/encoding.js';
export { coilKspace, coilKspace3d } from './scanner/kspace.js';
export { variableDensityLines } from './scanner/lines.js';
export { slabProfile, slabProfileAt, type SlabProfile } from './scanner/slabProfile.js';
export { arrayCovariance, NoiseSource } from './scanner/noise.js';
export { defaultScanOptions, type EpiOptions, type ScanOptions } from './scanner/options.js';
export { referenceImage } from './scanner/reference.js';
export { SimulatedScan } from './scanner/scan.js';
export * from './ct/index.js';
