/** Why a door does not open: at the start of the service, and to whoever knocks. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const DOOR_ERRORS = {
  CONUS_ERR_DOOR_UNGUARDED: {
    expected:
      'an address on loopback; outside of it, for HTTP and the live channel a token or required client certificates, for DICOM TLS and known AE titles, for MRD the addresses that may connect',
    action: 'listen on 127.0.0.1, or set doors.tokenFile, doors.tls and dicom, or doors.mrdAllow (SECURITY.md)',
  },
  CONUS_ERR_DOOR_TOKEN_FILE: {
    expected: 'a readable file with a token a line, each of 32 characters or more, without spaces',
    action: 'write one, e.g. with openssl rand -hex 32, readable by the service only',
  },
  CONUS_ERR_DOOR_TLS: {
    expected: 'PEM files of a private key, its certificate and, for client certificates, their authority',
    action: 'check doors.tls: that the files can be read and the certificate is that of the key',
  },
  CONUS_ERR_DOOR_ADDRESS: {
    expected: 'IPv4 or IPv6 addresses, or ranges such as 10.1.0.0/16',
    action: 'correct the list',
  },
  CONUS_ERR_DOOR_MRD: {
    expected: 'a client on this machine, or at an address of doors.mrdAllow',
    action: 'add the address of the scanner to doors.mrdAllow',
  },
  CONUS_ERR_DOOR_DENIED: {
    expected: 'Authorization: Bearer with a token of this service',
    action: 'send the token that the service printed at its start, or one of its token file',
  },
  CONUS_ERR_DOOR_ORIGIN: {
    expected: 'a page of this service, or of an origin that it was told of',
    action: 'open the page that the service serves, or add its origin to doors.origins and its name to doors.hostNames',
  },
  CONUS_ERR_DOOR_RATE: {
    expected: 'fewer requests of one client',
    action: 'wait a second and try again more slowly, or raise doors.requestsPerSecond',
  },
} as const satisfies ErrorTable;

export const doorError = errorsOf(DOOR_ERRORS);
