/** Why the server itself ends a session. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const SERVER_ERRORS = {
  CONUS_ERR_BUSY: {
    expected: 'fewer sessions at once than the server takes',
    action: 'try again when another session has ended, or raise --max-sessions',
  },
  CONUS_ERR_STALLED: {
    expected: 'the rest of a message that has begun',
    action: 'check the client and the network; what was complete was used',
  },
  CONUS_ERR_IDLE: {
    expected: 'a message within the idle time-out',
    action: 'send CLOSE when the data are complete, or raise --idle-timeout',
  },
  CONUS_ERR_SLOW_READER: {
    expected: 'a client that reads its images',
    action: 'read the answers while sending, or raise --stall-timeout',
  },
  CONUS_ERR_CONNECTION_LOST: {
    expected: 'a connection that lasts to the answering CLOSE',
    action: 'check the client and the network; saved raw data can be replayed with conus recon',
  },
  CONUS_ERR_SHUTDOWN: {
    expected: 'a server that stays up to the end of the session',
    action: 'send the session again when the server is back',
  },
} as const satisfies ErrorTable;

export const serverError = errorsOf(SERVER_ERRORS);
