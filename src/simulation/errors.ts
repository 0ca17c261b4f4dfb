/** What can be wrong with a simulation that is asked for. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const SIMULATION_ERRORS = {
  CONUS_ERR_PICTURE: {
    expected: 'a readable picture: a 3D NIfTI volume (.nii, .nii.gz) or a PNG',
    action: 'check the path, or convert the picture; --pixel-mm gives a PNG its pixel size',
  },
  CONUS_ERR_SERIES: {
    expected: 'ids of series of the protocol',
    action: 'conus protocols show NAME lists them',
  },
  CONUS_ERR_SIMULATION: {
    expected: 'a simulation that its threads can finish',
    action: 'report this with the command that was given',
  },
} as const satisfies ErrorTable;

export const simulationError = errorsOf(SIMULATION_ERRORS);
