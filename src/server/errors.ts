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
  CONUS_ERR_LISTEN: {
    expected: 'a free port on an address of this machine',
    action: 'choose another --port or --host, or stop what listens there',
  },
} as const satisfies ErrorTable;

export const serverError = errorsOf(SERVER_ERRORS);

/** Listens, and says what is wrong where that cannot be done. @throws CodedError CONUS_ERR_LISTEN (as a rejection) */
export async function listening<Result>({ host, port }: { readonly host: string; readonly port: number }, listen: () => Promise<Result>): Promise<Result> {
  try {
    return await listen();
  } catch (cause) {
    throw serverError('CONUS_ERR_LISTEN', `${host}:${port} (${(cause as Error).message})`, { cause });
  }
}
