/** Why something that was asked of the running service is not done. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const OPERATIONS_ERRORS = {
  CONUS_ERR_JOB_STATE: {
    expected: 'a delivery or job that waits or was given up to be tried again, one that was given up to be dropped, a job that was not given up to be cancelled',
    action: 'look at the outbox or the queue again; what runs, or waits, is not dropped here (conus outbox drop, conus jobs drop)',
  },
  CONUS_ERR_DESTINATION_UNKNOWN: {
    expected: 'a destination of the configuration or the command line',
    action: 'GET /api/operations lists them',
  },
  CONUS_ERR_MODEL_CARD: {
    expected: 'a model with a card.md in its folder',
    action: 'GET /api/operations lists the models; ask whoever made the model for its card',
  },
} as const satisfies ErrorTable;

export const operationsError = errorsOf(OPERATIONS_ERRORS);
