import { errorsOf, type ErrorTable } from 'ismrmrd';

/** Every error of the reconstruction. */
export const RECON_ERRORS = {
  RECON_ERR_NOISE_NO_SAMPLES: {
    expected: 'at least one noise readout',
    action: 'check that noise readouts carry samples',
  },
  RECON_ERR_NOISE_COIL: {
    expected: 'noise of its own in every channel',
    action: 'check this coil element and its channel, or leave it out of the scan',
  },
  RECON_ERR_NOISE_RECORD: {
    expected: 'a noise measurement as Conus stores it',
    action: 'delete the file; the measurement is stored again when it is sent again',
  },
  RECON_ERR_CALIBRATION_KERNEL: {
    expected: 'an acceleration of 2 or more, an odd number of readout taps, no more than columns, an even number of taps up to 16 along each accelerated axis, 30 in all',
    action: 'correct kernelReadout, kernelPhase and kernelSlice',
  },
  RECON_ERR_CALIBRATION_TOO_FEW_LINES: {
    expected: 'consecutive calibration lines for at least one kernel position, (kernelPhase - 1) R + 1, and as many partitions in 3D',
    action: 'acquire more calibration lines or set a smaller kernelPhase',
  },
  RECON_ERR_CALIBRATION_SINGULAR: {
    expected: 'calibration lines with signal, finite numbers and a positive regularization',
    action: 'check the calibration readouts for zeros and broken samples',
  },
  RECON_ERR_COIL_MAPS_NO_SIGNAL: {
    expected: 'calibration lines with signal and finite numbers',
    action: 'check the calibration readouts for zeros and broken samples',
  },
  RECON_ERR_MEMORY_LIMIT: {
    expected: 'a request that fits in the memory of the session',
    action: 'raise the memory limit, or reconstruct fewer coils or slices at a time',
  },
  RECON_ERR_MEMORY_RELEASE: {
    expected: 'an address that was allocated and not yet released',
    action: 'report this as a defect',
  },
  RECON_ERR_FFT_LENGTH: {
    expected: 'a positive whole length of at most 1048576',
    action: 'check the matrix sizes in the header',
  },
  RECON_ERR_FFT_SHAPE: {
    expected: 'positive whole sizes, an image no larger than its padded matrix and a whitener that fits the coils',
    action: 'check the matrix sizes, the number of channels and the centre sample in the header',
  },
  RECON_ERR_NO_ENCODING: {
    expected: 'a header with an encoding element',
    action: 'send the header of the measurement that the readouts belong to',
  },
  RECON_ERR_TRAJECTORY: {
    expected: 'a Cartesian trajectory, or an echo-planar one that samples between the ramps of its gradient',
    action: 'use the chain savedataonly or null for other trajectories',
  },
  RECON_ERR_3D: {
    expected: 'partitions only where encodedSpace.matrixSize.z is above 1',
    action: 'correct encodedSpace and kspace_encoding_step_2 in the header',
  },
  RECON_ERR_MATRIX: {
    expected: 'a whole number of samples from 1 to 4096 along each axis',
    action: 'correct the matrix in the header',
  },
  RECON_ERR_FOV: {
    expected: 'positive fields of view in mm, the reconstructed one no larger than the encoded one',
    action: 'correct the field of view in the header',
  },
  RECON_ERR_ACCELERATION: {
    expected: 'a whole acceleration factor from 1 to 8',
    action: 'correct accelerationFactor in the header',
  },
  RECON_ERR_LIMITS: {
    expected: 'minimum <= centre <= maximum, all lines within the encoded matrix placed about the centre',
    action: 'correct encodingLimits in the header',
  },
  RECON_ERR_COIL_COUNT: {
    expected: 'the same number of channels in every readout of a scan',
    action: 'check the sender; a scan cannot change its coils',
  },
  RECON_ERR_LINE: {
    expected: 'line and partition counters within the encoded matrix about the centre of the header',
    action: 'check encodingLimits and the counters of the readouts',
  },
  RECON_ERR_NOT_FINITE: {
    expected: 'finite samples',
    action: 'check the sender; NaN and infinity spread over the whole image',
  },
  RECON_ERR_READOUT_SIZE: {
    expected: 'a readout of at most 8 MiB of samples',
    action: 'check the number of samples and channels in the readout headers',
  },
  RECON_ERR_MEMORY_BUSY: {
    expected: 'room in the memory of the machine beside the scans that run',
    action: 'send the scan again when others have ended, or run the service on a machine with more memory',
  },
  RECON_ERR_SELF_TEST: {
    expected: 'the known image of the test scan that runs at the start',
    action: 'do not use this machine: its processor or its Node.js computes wrongly',
  },
  RECON_ERR_INTERNAL: {
    expected: 'reconstruction to run to its end',
    action: 'report this with the log; the raw data that were saved can be reconstructed again',
  },
} as const satisfies ErrorTable;

export type ReconErrorCode = keyof typeof RECON_ERRORS;

export const reconError = errorsOf(RECON_ERRORS);
