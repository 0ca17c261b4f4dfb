/** The store that the configuration names. */
import type { StorageConfig } from '../config/storage.js';
import type { BlobStore } from './blobStore.js';
import { DirectoryStore } from './directory.js';
import { S3Store } from './s3.js';

/**
 * Tried before anybody relies on it; undefined where none is configured.
 * @throws CodedError STORAGE_ERR_*
 */
export async function openStorage({ directory, s3 }: StorageConfig, environment: NodeJS.ProcessEnv = process.env): Promise<BlobStore | undefined> {
  const store = directory !== undefined ? new DirectoryStore(directory) : s3 !== undefined ? await S3Store.open(s3, environment) : undefined;
  await store?.check();
  return store;
}
