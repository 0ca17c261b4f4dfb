/** Bytes under keys, in a store that several nodes share. */
import { storageError } from './errors.js';

export interface Blob {
  readonly key: string;
  readonly nBytes: number;
  /** ms since 1970, by the clock of the store */
  readonly modifiedAt: number;
}

/**
 * Keys are like `objects/ab12…` or `raw/2026….mrd`. Every method may be called from many nodes at once; of two puts
 * under one key either is there as a whole.
 * @throws CodedError STORAGE_ERR_KEY, STORAGE_ERR_DENIED, STORAGE_ERR_BUCKET, STORAGE_ERR_UNREACHABLE (each method)
 */
export interface BlobStore {
  /** Resolves when the bytes last; before that there are all of them under the key or none. @throws STORAGE_ERR_FULL */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The same for a file of any size, which is never in memory as a whole. */
  putFile(key: string, path: string): Promise<void>;
  /** @throws STORAGE_ERR_MISSING, STORAGE_ERR_DAMAGED */
  get(key: string): Promise<Uint8Array>;
  /** Into a new local file, for its owner only, which is not there after an error. @throws STORAGE_ERR_MISSING, STORAGE_ERR_DAMAGED */
  readInto(key: string, path: string): Promise<void>;
  has(key: string): Promise<boolean>;
  /** Bytes; undefined where nothing is under the key. */
  size(key: string): Promise<number | undefined>;
  /** Removing what is not there is no error. */
  remove(key: string): Promise<void>;
  /** Everything whose key begins so, in no order. */
  list(prefix: string): AsyncIterable<Blob>;
  /** Bytes that may still be put; Infinity where nobody knows. */
  freeBytes(): Promise<number>;
  /** Puts, gets, lists and removes a probe, so that a node does not start with a store that it cannot use. */
  check(): Promise<void>;
}

/** No part begins with a dot: there is no way up, and what begins so is the driver's own. */
const keyPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const LONGEST_KEY = 512;

export const isKey = (text: string) => text.length <= LONGEST_KEY && keyPattern.test(text);

/** @throws CodedError STORAGE_ERR_KEY */
export function checkedKey(key: string): string {
  if (!isKey(key)) throw storageError('STORAGE_ERR_KEY', JSON.stringify(key.slice(0, 80)));
  return key;
}
