/** What can be wrong with a job as such; what its work meets has codes of its own. */
import { CodedError, errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import type { Reason } from '../spool/index.js';
import { FinalFailure } from './types.js';

export const JOB_ERRORS = {
  JOB_ERR_FAULT: {
    expected: 'work that ends, or fails with a code',
    action: 'report this; the job is tried again, and then given up until conus jobs retry',
  },
  JOB_ERR_CANCELLED: {
    expected: 'a job that goes on to its end',
    action: 'nothing, if it was meant; else have it done again where it came from',
  },
  JOB_ERR_UNKNOWN: {
    expected: 'jobs of the queue, by their ids or the first characters of them',
    action: 'conus jobs list tells the ids',
  },
  JOB_ERR_INVALID: {
    expected: 'a job with an id and a whole priority from 1 to 100, whose payload is JSON of at most 16 KiB',
    action: 'report this; nothing was added',
  },
  JOB_ERR_NO_QUEUE: {
    expected: 'the data folder of a service, or the configuration of a cluster',
    action: 'give the --data that conus serve was started with, or a --config with cluster.redisUrl',
  },
} as const satisfies ErrorTable;

export const jobError = errorsOf(JOB_ERRORS);

/** What is kept and told of a failure. Errors without a code may quote anything: only their kind is. */
export function reasonOf(error: unknown): Reason {
  const failure = error instanceof FinalFailure ? error.cause : error;
  if (failure instanceof CodedError) return { code: failure.code, message: `got ${failure.got}; expected ${failure.expected}; ${failure.action}` };
  const { code, got, expected, action } = jobError('JOB_ERR_FAULT', failure instanceof Error ? `a fault (${failure.name})` : 'a fault');
  return { code, message: `got ${got}; expected ${expected}; ${action}` };
}

export function cancelledReason(): Reason {
  return reasonOf(jobError('JOB_ERR_CANCELLED', 'the word of an operator'));
}
