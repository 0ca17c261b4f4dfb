/** The driver of buckets before moto, which checks signatures, and knows multipart uploads and pages of lists. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { s3Section } from '../../src/config/storage.js';
import { S3Store } from '../../src/storage/index.js';
import { storageConformance } from '../src/storage/conformance.js';
import { startS3Server } from './s3Server.js';
import type { S3Server } from './s3Server.js';

let server: S3Server;
beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server.close());

const open = (settings: Record<string, unknown> = {}, credentials: NodeJS.ProcessEnv = server.credentials) =>
  S3Store.open(s3Section.parse({ bucket: server.bucket, endpoint: server.endpoint, prefix: 'conus/test/', partMebibytes: 5, ...settings }), credentials);

storageConformance('moto', { open: () => open(), largeBytes: 11 * 2 ** 20 });

it('reads lists of more than a page', async () => {
  const store = await open({ prefix: 'pages/' });
  const keys = Array.from({ length: 1005 }, (_, i) => `objects/${String(i).padStart(4, '0')}`);
  for (let i = 0; i < keys.length; i += 15) await Promise.all(keys.slice(i, i + 15).map((key) => store.put(key, new Uint8Array(1))));
  const listed: string[] = [];
  for await (const { key } of store.list('objects/')) listed.push(key);
  expect(listed.sort()).toEqual(keys);
});

it('is refused with a wrong secret, and without its bucket', async () => {
  const wrong = await open({}, { ...server.credentials, AWS_SECRET_ACCESS_KEY: 'wrong' });
  await expect(wrong.check()).rejects.toMatchObject({ code: 'STORAGE_ERR_DENIED' });
  await expect((await open({ bucket: 'not-there' })).check()).rejects.toMatchObject({ code: 'STORAGE_ERR_BUCKET' });
});
