/** What can be wrong with what a command is given. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const CLI_ERRORS = {
  CONUS_ERR_INPUT: {
    expected: 'an input of a kind that the command takes (its --help lists them) and that can be read: an MRD stream, an ISMRMRD .h5 file, - for stdin; images as DICOM or NIfTI',
    action: 'check the path and the permissions',
  },
  CONUS_ERR_OUTPUT: {
    expected: 'an output that can be written',
    action: 'check the path, the permissions and the room on the disk',
  },
  CONUS_ERR_CONNECTION: {
    expected: 'an MRD server that answers to the end, with CLOSE',
    action: 'check address and port, and the log of the server',
  },
  CONUS_ERR_RAW_FOLDER: {
    expected: 'a folder for raw data',
    action: 'name one with --save-raw, or give a --data folder',
  },
  CONUS_ERR_NO_DATA_FOLDER: {
    expected: 'a data folder, in which images are kept until they are delivered',
    action: 'give --data with --deliver-to',
  },
  CONUS_ERR_WORKER_ALONE: {
    expected: 'a configuration that names what nodes share',
    action: 'set cluster.redisUrl and a storage; a node that is alone does its jobs within conus serve',
  },
  CONUS_ERR_IMAGE_FILE: {
    expected: 'images in .mrd, .h5 or grey .png',
    action: 'check the file; conus inspect tells what a .mrd or .h5 holds',
  },
  CONUS_ERR_SIMULATION_OUTPUT: {
    expected: 'a server (--to), a folder, or .mrd, .h5 or - for a single series',
    action: 'give --to or --output; choose one series with --series, or write to a folder',
  },
  CONUS_ERR_EXAM_SOURCE: {
    expected: 'a service that answers (--url), or the data folder of one (--data)',
    action: 'give one of the two; a service tells its HTTP address when it starts, and CONUS_TOKEN holds its token',
  },
  CONUS_ERR_NOT_COMPARABLE: {
    expected: 'as many images of the same size in both, and a mask of that size',
    action: 'choose the series with --series, or compare other files',
  },
} as const satisfies ErrorTable;

export const CLI_WARNINGS = {
  CONUS_WARN_IMAGES_NOT_WRITTEN: {
    expected: 'images that were reconstructed here, for an output other than .mrd',
    action: 'write to .mrd, which holds images as they came',
  },
} as const satisfies ErrorTable;

export const cliError = errorsOf(CLI_ERRORS);
export const cliWarning = noticesOf(CLI_WARNINGS);
