/** What can be wrong with a delivery as such; what a receiver answers is in the codes of its sender. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const OUTBOX_ERRORS = {
  OUTBOX_ERR_SENDER: {
    expected: 'a sender that tells what became of each instance',
    action: 'report this; the job is tried again',
  },
  OUTBOX_ERR_UNKNOWN_JOB: {
    expected: 'jobs of the outbox, by their ids or the first characters of them',
    action: 'conus outbox list tells the ids',
  },
  OUTBOX_ERR_NO_DATA: {
    expected: 'the data directory of a service',
    action: 'give the --data that conus serve was started with',
  },
} as const satisfies ErrorTable;

export const outboxError = errorsOf(OUTBOX_ERRORS);
