/** What can happen to raw data on their way to the disk. */
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const RAW_WARNINGS = {
  CONUS_WARN_RAW_NOT_SAVED: {
    expected: 'room and permission to save the raw data of the session',
    action: 'free the disk or correct the folder of --save-raw; the session goes on without being saved',
  },
} as const satisfies ErrorTable;

export const rawWarning = noticesOf(RAW_WARNINGS);
