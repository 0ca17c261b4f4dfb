/** Why a scan cannot be swept, or a sweep not be shown. */
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
  CONUS_ERR_SWEEP_DENOISER: {
    expected: 'a denoiser that is in order, for strengths above 0',
    action: 'see conus models check, or leave --strength out',
  },
  CONUS_ERR_SWEEP_UNKNOWN: {
    expected: 'the name of a sweep in the folder sweeps of the data folder',
    action: 'write one there: conus sweep IN -o DATA/sweeps/NAME.json; GET /api/sweeps lists them',
  },
  CONUS_ERR_SWEEP_FILE: {
    expected: 'a file that conus sweep -o NAME.json wrote, of at most 64 MiB',
    action: 'write it again with this version, or with fewer settings',
  },
} as const satisfies ErrorTable;

export const sweepError = errorsOf(SWEEP_ERRORS);
