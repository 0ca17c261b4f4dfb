/** Why there is no record of how a series was reconstructed. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const RECORD_ERRORS = {
  CONUS_ERR_RECORD_NONE: {
    expected: 'a series that was reconstructed here from raw data, and whose record is still kept',
    action: 'look again when the scan is over; a series that came by DICOM or was computed has no such record',
  },
} as const satisfies ErrorTable;

export const recordError = errorsOf(RECORD_ERRORS);
