/** Why a scan cannot be swept. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const SWEEP_ERRORS = {
  CONUS_ERR_SWEEP_DATA: {
    expected: 'raw data of a Cartesian 2D scan in a file, fully sampled or regularly undersampled along the phase encoding',
    action: 'acquire fully sampled data, or reconstruct these with conus recon',
  },
  CONUS_ERR_SWEEP_ACCELERATION: {
    expected: "factors that are the data's own acceleration or multiples of it, at most 8",
    action: 'leave the factor out of --R: lines that were not acquired cannot be had',
  },
  CONUS_ERR_SWEEP_CALIBRATION: {
    expected: 'as many neighbouring lines about the k-space centre in the data as --acs asks for',
    action: 'ask for fewer calibration lines',
  },
} as const satisfies ErrorTable;

export const sweepError = errorsOf(SWEEP_ERRORS);
