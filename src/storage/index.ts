export type { Blob, BlobStore } from './blobStore.js';
export { DirectoryStore } from './directory.js';
export { STORAGE_ERRORS, storageError } from './errors.js';
export { openStorage } from './open.js';
export { S3Store } from './s3.js';
export { SharedObjectStore } from './sharedObjects.js';
export type { SharedObjectOptions } from './sharedObjects.js';
