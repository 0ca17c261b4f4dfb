/** Why a protocol cannot be had, and what its numbers say that protocols/ cannot know. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const PROTOCOL_FILE_ERRORS = {
  PROTOCOL_ERR_UNKNOWN: {
    expected: 'the name of a protocol of this program, or the path of a .json file',
    action: 'conus protocols list tells the names',
  },
  PROTOCOL_ERR_FILE: {
    expected: 'a file that can be read and holds JSON',
    action: 'check the path, the permissions and the commas',
  },
  PROTOCOL_ERR_NAME: {
    expected: 'the name of the protocol as the name of its file, and a basedOn that names a protocol',
    action: 'rename one of the two, or put the other protocol beside this one',
  },
  PROTOCOL_ERR_CHAIN: {
    expected: 'a chain and parameters that this program has',
    action: 'correct it; docs/cli.md lists every chain and parameter',
  },
} as const satisfies ErrorTable;

export const PROTOCOL_FILE_WARNINGS = {
  PROTOCOL_WARN_FAT_NULL: {
    expected: 'an inversion time within 20 ms of the null of fat',
    action: 'write "auto", or say in the notes why fat is to be seen',
  },
} as const satisfies ErrorTable;

export const protocolFileError = errorsOf(PROTOCOL_FILE_ERRORS);
