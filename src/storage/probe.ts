/** Whether a store does what it has to. */
import { randomUUID } from 'node:crypto';
import type { BlobStore } from './blobStore.js';
import { storageError } from './errors.js';

/** @throws CodedError STORAGE_ERR_* of what failed */
export async function probe(store: Omit<BlobStore, 'check'>): Promise<void> {
  const key = `probe/${randomUUID()}`;
  const bytes = new TextEncoder().encode(key);
  await store.put(key, bytes);
  try {
    const found = await store.get(key);
    if (Buffer.compare(found, bytes) !== 0) throw storageError('STORAGE_ERR_DAMAGED', 'other bytes than were put a moment ago');
    const keys: string[] = [];
    for await (const blob of store.list(key)) keys.push(blob.key);
    if (!keys.includes(key)) throw storageError('STORAGE_ERR_MISSING', 'a list without what was put a moment ago');
  } finally {
    await store.remove(key);
  }
}
