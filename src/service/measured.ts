/** The queue of jobs and the store that nodes share, with what they do counted and timed. */
import type { JobQueue } from '../jobs/index.js';
import type { Metrics, StorageOperation } from '../metrics.js';
import type { BlobStore } from '../storage/index.js';

export function timedQueue(queue: JobQueue, metrics: Metrics): JobQueue {
  metrics.watchJobs(() => queue.stats());
  return {
    add: (job) => queue.add(job),
    list: (filter) => queue.list(filter),
    get: (id) => queue.get(id),
    stats: () => queue.stats(),
    retry: (ids) => queue.retry(ids),
    cancel: (ids) => queue.cancel(ids),
    drop: (ids) => queue.drop(ids),
    perform: (kind, performer, options) => queue.perform(kind, metrics.timed(kind, performer), options),
    start: () => queue.start(),
    trouble: () => queue.trouble(),
    close: () => queue.close(),
  };
}

export function measuredStore(store: BlobStore, metrics: Metrics): BlobStore {
  const timed = async <Result>(operation: StorageOperation, call: () => Promise<Result>, nBytesOf: (result: Result) => number | undefined = () => 0): Promise<Result> => {
    const startedAt = performance.now();
    try {
      const result = await call();
      metrics.storageCalled(operation, performance.now() - startedAt, nBytesOf(result));
      return result;
    } catch (error) {
      metrics.storageCalled(operation, performance.now() - startedAt, 0, (error as { code?: string }).code ?? 'unknown');
      throw error;
    }
  };
  return {
    put: (key, bytes) => timed('put', () => store.put(key, bytes), () => bytes.length),
    putFile: (key, path) => timed('put', () => store.putFile(key, path)),
    get: (key) => timed('get', () => store.get(key), (bytes) => bytes.length),
    readInto: (key, path) => timed('get', () => store.readInto(key, path)),
    has: (key) => timed('look', () => store.has(key)),
    size: (key) => timed('look', () => store.size(key)),
    remove: (key) => timed('remove', () => store.remove(key)),
    list: (prefix) => store.list(prefix),
    freeBytes: () => store.freeBytes(),
    check: () => timed('check', () => store.check()),
  };
}
