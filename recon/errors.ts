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
  RECON_ERR_CALIBRATION_KERNEL: {
    expected: 'an acceleration of 2 or more, an odd number of readout taps, no more than columns, an even number of phase taps',
    action: 'correct kernelReadout and kernelPhase',
  },
  RECON_ERR_CALIBRATION_TOO_FEW_LINES: {
    expected: 'consecutive calibration lines for at least one kernel position, (kernelPhase - 1) R + 1',
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
} as const satisfies ErrorTable;

export type ReconErrorCode = keyof typeof RECON_ERRORS;

export const reconError = errorsOf(RECON_ERRORS);
