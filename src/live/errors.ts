/** Why the live channel ends, or does not begin. The numbers are WebSocket close codes of our own (RFC 6455, 7.4.2). */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const LIVE_ERRORS = {
  CONUS_ERR_LIVE_MESSAGE: {
    expected: 'messages of docs/live-channel.md, in MessagePack',
    action: 'correct the client; the channel was closed with 4400',
  },
  CONUS_ERR_LIVE_SLOW: {
    expected: 'a client that reads',
    action: 'subscribe again, with smaller pictures or none; the channel was closed with 4408',
  },
  CONUS_ERR_LIVE_FULL: {
    expected: 'fewer clients at once than the channel takes',
    action: 'try again later; the channel was closed with 4429',
  },
} as const satisfies ErrorTable;

export const liveError = errorsOf(LIVE_ERRORS);

export const closeCodes = { message: 4400, slow: 4408, full: 4429, stopping: 1001 } as const;
