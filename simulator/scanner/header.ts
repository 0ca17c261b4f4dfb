/** The MRD header of a simulated scan. */
import type { MrdHeader } from 'ismrmrd';
import type { ScanOptions } from './options.js';

export function scanHeader(options: ScanOptions, coilNames: readonly string[]): MrdHeader {
  const { matrix, fovMm, nSlices, nAverages, acceleration, calibration, readoutOversampling } = options;
  const z = options.sliceThicknessMm;
  return {
    studyInformation: { studyDescription: 'Simulated lumbar spine', bodyPartExamined: 'LSPINE' },
    measurementInformation: {
      measurementID: `simulated_${options.seed}`,
      patientPosition: 'HFS',
      protocolName: 't2_tse_sag_simulated',
      measurementDependency: [],
    },
    acquisitionSystemInformation: {
      systemVendor: 'Conus',
      systemModel: 'scanner simulator',
      systemFieldStrength_T: 1.5,
      relativeReceiverNoiseBandwidth: options.relativeReceiverNoiseBandwidth,
      receiverChannels: options.nCoils,
      coilLabel: coilNames.map((coilName, coilNumber) => ({ coilNumber, coilName })),
    },
    experimentalConditions: { H1resonanceFrequency_Hz: 63_866_000 },
    encoding: [
      {
        encodedSpace: {
          matrixSize: { x: matrix[0] * readoutOversampling, y: matrix[1], z: 1 },
          fieldOfView_mm: { x: fovMm[0] * readoutOversampling, y: fovMm[1], z },
        },
        reconSpace: {
          matrixSize: { x: matrix[0], y: matrix[1], z: 1 },
          fieldOfView_mm: { x: fovMm[0], y: fovMm[1], z },
        },
        encodingLimits: {
          kspace_encoding_step_1: { minimum: 0, maximum: matrix[1] - 1, center: Math.floor(matrix[1] / 2) },
          kspace_encoding_step_2: { minimum: 0, maximum: 0, center: 0 },
          average: { minimum: 0, maximum: nAverages - 1, center: 0 },
          slice: { minimum: 0, maximum: nSlices - 1, center: 0 },
        },
        trajectory: 'cartesian',
        ...(acceleration > 1 && {
          parallelImaging: {
            accelerationFactor: { kspace_encoding_step_1: acceleration, kspace_encoding_step_2: 1 },
            calibrationMode: calibration === 'none' ? 'other' : calibration,
          },
        }),
      },
    ],
    sequenceParameters: {
      TR: [3500],
      TE: [100],
      TI: [],
      flipAngle_deg: [150],
      sequence_type: 'TurboSpinEcho',
      echo_spacing: [],
      diffusion: [],
    },
    waveformInformation: [],
  };
}
