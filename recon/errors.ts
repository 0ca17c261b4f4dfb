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
} as const satisfies ErrorTable;

export type ReconErrorCode = keyof typeof RECON_ERRORS;

export const reconError = errorsOf(RECON_ERRORS);
