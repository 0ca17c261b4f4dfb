/** What is wrong with the configuration of the service. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const CONFIG_ERRORS = {
  CONUS_ERR_CONFIG_FILE: {
    expected: 'a readable JSON file with one object',
    action: 'check the path and the syntax; conus config schema prints what the file may hold',
  },
  CONUS_ERR_CONFIG_KEY: {
    expected: 'keys that the configuration has',
    action: 'correct the key or leave it out; docs/configuration.md lists all of them',
  },
  CONUS_ERR_CONFIG_VALUE: {
    expected: 'values as docs/configuration.md gives them',
    action: 'correct the value; conus config check FILE tells everything that is wrong',
  },
} as const satisfies ErrorTable;

export const configError = errorsOf(CONFIG_ERRORS);
