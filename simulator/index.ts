export * from './errors.js';
export { Random } from './random.js';
export * from './anatomy/index.js';
export * from './spine/index.js';
export * from './truth/index.js';
export * from './pathology/index.js';
export * from './phantom/raster.js';
export * from './phantom/shapes.js';
export * from './phantom/spine.js';
export { transformAt, transformOnLattice, type Lattice } from './phantom/transform.js';
export { loopSensitivity, torsoArray, type Loop } from './coils/array.js';
export { elementSensitivity, spineArray, type ArrayElement } from './coils/spineArray.js';
export {
  bodyCoilSensitivities,
  fitFields,
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
export { echoOrder, type EchoPlace } from './scanner/echoOrder.js';
export { decayTolerance, expandDecay, type Curves } from './scanner/decay.js';
export { CoilSum, type ComponentWeights, type LatticeComponent } from './scanner/coilSum.js';
export { GridTransform } from './scanner/gridTransform.js';
export { latticeOf, scaleOf, type SampledLattice } from './scanner/lattice.js';
export { anatomyObject, type ScannedObject } from './scanner/object.js';
export { imageObject, pictureTissue } from './scanner/imageObject.js';
export { paintGrid, paintSlice, sliceProfile, type PaintGrid, type ProfilePlane, type SlicePlane } from './scanner/paintedSlice.js';
export { susceptibilityField, uniformField, type FieldMap } from './scanner/field.js';
export { intoPatient, motionOf, type Motion, type MotionKind, type MotionState, type Pose } from './scanner/motion.js';
export { defaultPulsation, pulsationOf, type Pulsation, type PulsationOptions } from './scanner/pulsation.js';
export { perfectTransmit, transmitField, transmitReachMm, type TransmitField } from './scanner/transmit.js';
export { saturationGain } from './scanner/saturation.js';
export { tickMs } from './scanner/acquisition.js';
export { seriesOrder, type SeriesOrder, type SeriesReadout } from './scanner/seriesOrder.js';
export { defaultSeriesScanOptions, referenceNoise, SeriesScan, seriesScan, type SeriesScanOptions } from './scanner/seriesScan.js';
export { arrayCovariance, NoiseSource } from './scanner/noise.js';
export { defaultScanOptions, type EpiOptions, type ScanOptions } from './scanner/options.js';
export { referenceImage } from './scanner/reference.js';
export { SimulatedScan } from './scanner/scan.js';
export * from './ct/index.js';
export * from './patient.js';
