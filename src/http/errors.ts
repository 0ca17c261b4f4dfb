/** Why a request over HTTP or the live channel is not answered as asked. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const HTTP_ERRORS = {
  CONUS_ERR_HTTP_NOT_FOUND: {
    expected: 'a path that this service has',
    action: 'docs/exams.md lists the paths',
  },
  CONUS_ERR_HTTP_METHOD: {
    expected: 'GET or HEAD, or a path that takes the method',
    action: 'read with GET; docs/exams.md and docs/operations.md list what can be changed',
  },
  CONUS_ERR_HTTP_REQUEST: {
    expected: 'a request that HTTP and this path allow',
    action: 'correct it; docs/exams.md tells what each path takes',
  },
  CONUS_ERR_HTTP_HOST: {
    expected: 'a Host header that names this machine, or the address it was asked to listen on',
    action: 'use the address that conus serve prints; a name that leads here from elsewhere is refused',
  },
  CONUS_ERR_HTTP_INTERNAL: {
    expected: 'a request that can be answered',
    action: 'report this with the log of the service',
  },
} as const satisfies ErrorTable;

export const httpError = errorsOf(HTTP_ERRORS);
