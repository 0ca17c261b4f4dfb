/** What can be wrong with the store that nodes share. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const STORAGE_ERRORS = {
  STORAGE_ERR_MISSING: {
    expected: 'something under this key of the shared store',
    action: 'check that every node has the same storage section, and that nothing but Conus removes from the store',
  },
  STORAGE_ERR_KEY: {
    expected: 'a key of letters, digits, ".", "_" and "-" in parts that begin with a letter or digit, joined by "/"',
    action: 'nothing was read or written; report it, as Conus makes such keys only',
  },
  STORAGE_ERR_DAMAGED: {
    expected: 'the bytes that were stored, all of them',
    action: 'check the store and restore it; what is damaged is never delivered',
  },
  STORAGE_ERR_FULL: {
    expected: 'room in the shared store',
    action: 'make room there, raise its quota, or lower spool.quotaMebibytes so that what was delivered is cleaned away before',
  },
  STORAGE_ERR_DENIED: {
    expected: 'permission to read, write, list and remove in the shared store',
    action: 'check the credentials and rights that the message names, the region, and that the clock of this machine is right',
  },
  STORAGE_ERR_CREDENTIALS: {
    expected: 'an access key and its secret, in the files of storage.s3 or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    action: 'set accessKeyIdFile and secretAccessKeyFile, or the variables, and see that the files can be read',
  },
  STORAGE_ERR_BUCKET: {
    expected: 'a bucket that is there',
    action: 'make the bucket (Conus makes none), or correct storage.s3.bucket, endpoint and region',
  },
  STORAGE_ERR_UNREACHABLE: {
    expected: 'a shared store that answers',
    action: 'check the path or address of the storage section, the network and the store; it is tried again with the next use',
  },
} as const satisfies ErrorTable;

export const storageError = errorsOf(STORAGE_ERRORS);
