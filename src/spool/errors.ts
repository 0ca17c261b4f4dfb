/** What can be wrong with a data directory and what is kept in it. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const SPOOL_ERRORS = {
  SPOOL_ERR_LOCKED: {
    expected: 'a data directory that no other server uses',
    action: 'stop the other server, or give this one a --data directory of its own',
  },
  SPOOL_ERR_SCHEMA: {
    expected: 'a data directory of this or an earlier version of Conus',
    action: 'start the version that wrote it, or give another --data directory; nothing in it was changed',
  },
  SPOOL_ERR_UNREADABLE: {
    expected: 'a data directory that can be read and written',
    action: 'check the path, the permissions and the disk; nothing in it was changed',
  },
  SPOOL_ERR_FULL: {
    expected: 'room within the quota and on the disk, after everything that was delivered has been cleaned away',
    action: 'see that the outbox empties (conus outbox list), free the disk, or raise the quota; images still go back to the scanner',
  },
  SPOOL_ERR_COMMIT: {
    expected: 'a disk that takes the records of the database',
    action: 'free the disk, or check it; nothing of the transaction was kept, and nobody was told that it was',
  },
  SPOOL_ERR_OBJECT_MISSING: {
    expected: 'an object whose file is in the data directory',
    action: 'restore the data directory; until then what needs the object is not delivered',
  },
  SPOOL_ERR_OBJECT_DAMAGED: {
    expected: 'an object whose bytes are those that were stored',
    action: 'check the disk and restore the data directory; a damaged object is never delivered',
  },
} as const satisfies ErrorTable;

export const SPOOL_WARNINGS = {
  CONUS_WARN_NOT_KEPT: {
    expected: 'room and permission to keep the images of the session for delivery',
    action: 'free the disk or raise the quota and send the scan again; the images went back to the scanner and will not reach any archive',
  },
} as const satisfies ErrorTable;

export const spoolError = errorsOf(SPOOL_ERRORS);
export const spoolWarning = noticesOf(SPOOL_WARNINGS);
