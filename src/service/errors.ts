/** What can be wrong with a reconstruction of raw data that are kept. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const RETRO_ERRORS = {
  RETRO_ERR_RAW: {
    expected: 'raw data of this name in the data folder, or in the store that nodes share',
    action: 'give the name that the log tells when raw data are saved; what was cleaned away for room can no longer be reconstructed',
  },
  RETRO_ERR_REQUEST: {
    expected: 'the name of raw data, parameters by their names as conus recon --set takes them, and a chain or none',
    action: 'correct the request; conus explain tells which parameters there are',
  },
  RETRO_ERR_NOT_KEPT: {
    expected: 'room to keep the images that were made',
    action: 'see why images are not kept (SPOOL_ERR_FULL in the log); the reconstruction is tried again',
  },
} as const satisfies ErrorTable;

export const retroError = errorsOf(RETRO_ERRORS);
