import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { s3Section, storageSection } from '../../../src/config/storage.js';
import { DirectoryStore, openStorage, S3Store } from '../../../src/storage/index.js';
import { storageConformance } from './conformance.js';
import { S3StandIn } from './s3StandIn.js';
import type { Mishap } from './s3StandIn.js';

const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
const folders: string[] = [];
const newFolder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'conus-store-')));
  return folders.at(-1)!;
};
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const shared = newFolder();
storageConformance('a directory', { open: () => Promise.resolve(new DirectoryStore(shared)), largeBytes: 3_000_000 });

const standIn = new S3StandIn();
let endpoint: string;
beforeAll(async () => {
  endpoint = await standIn.listen();
});
afterAll(() => standIn.close());

const PART_BYTES = 5 * 2 ** 20;
const bucket = (settings: Record<string, unknown> = {}) => S3Store.open(s3Section.parse({ bucket: 'bucket', endpoint, prefix: 'conus/', partMebibytes: 5, attempts: 4, timeoutS: 0.5, ...settings }), keys);

storageConformance('a bucket', { open: () => bucket(), largeBytes: 2 * PART_BYTES + 12_345 });

describe('a bucket that fails', () => {
  beforeEach(() => {
    standIn.mishapOf = () => undefined;
    standIn.requests.length = 0;
  });
  const onceEach = (mishap: Mishap, matches: (request: string) => boolean = () => true) => {
    const seen = new Set<string>();
    standIn.mishapOf = (request) => {
      if (!matches(request) || seen.has(request)) return undefined;
      seen.add(request);
      return mishap;
    };
  };

  it.each<Mishap>(['status500', 'cut', 'lost', 'truncated', 'silent'])('at each request once (%s) is used as if nothing had been', async (mishap) => {
    const store = await bucket();
    const [from, to] = [join(newFolder(), 'from'), join(newFolder(), 'to')];
    const bytes = randomBytes(PART_BYTES + 1000);
    writeFileSync(from, bytes);
    // Time-outs allow for the bytes, so that only requests with few of them are quick to run into theirs.
    onceEach(mishap, mishap === 'silent' ? (request) => !/^GET|partNumber/.test(request) : undefined);
    await store.put('objects/small', bytes.subarray(0, 1000));
    expect(bytes.subarray(0, 1000).equals(await store.get('objects/small'))).toBe(true);
    await store.putFile('raw/large', from);
    await store.readInto('raw/large', to);
    expect((await readFile(to)).equals(bytes)).toBe(true);
    const listed: string[] = [];
    for await (const { key } of store.list('raw/l')) listed.push(key);
    expect(listed).toEqual(['raw/large']);
    await store.remove('raw/large');
    expect(await store.size('raw/large')).toBeUndefined();
    // Beginning an upload is the one request that leaves something when its answer is lost: an upload without parts.
    expect(standIn.uploads.size).toBe(mishap === 'lost' ? 1 : 0);
    standIn.uploads.clear();
  });

  it('to take the bytes as they were sent gets them again', async () => {
    const store = await bucket();
    onceEach('changed', (request) => request.startsWith('PUT'));
    await store.put('objects/whole', randomBytes(100));
    expect(standIn.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(2);
    expect((await store.get('objects/whole')).some((value) => value !== 0)).toBe(true);
  });

  it('for good is told after as many attempts as it may have, with the status', async () => {
    const store = await bucket({ attempts: 3 });
    standIn.mishapOf = () => 'status500';
    await expect(store.put('objects/never', randomBytes(10))).rejects.toMatchObject({ code: 'STORAGE_ERR_UNREACHABLE', got: expect.stringContaining('500 InternalError') as string });
    expect(standIn.requests).toHaveLength(3);
    standIn.mishapOf = () => 'silent';
    await expect((await bucket({ attempts: 1, timeoutS: 0.05 })).size('objects/never')).rejects.toMatchObject({ code: 'STORAGE_ERR_UNREACHABLE', got: expect.stringContaining('in time') as string });
  });

  it.each([['denied', 'STORAGE_ERR_DENIED'], ['full', 'STORAGE_ERR_FULL']] as const)('because it is %s is asked once', async (mishap, code) => {
    const store = await bucket();
    standIn.mishapOf = () => mishap;
    await expect(store.put('objects/never', randomBytes(10))).rejects.toMatchObject({ code });
    expect(standIn.requests).toHaveLength(1);
  });

  it('in the middle of a file leaves no part of it', async () => {
    const store = await bucket({ attempts: 1 });
    const from = join(newFolder(), 'from');
    writeFileSync(from, randomBytes(PART_BYTES + 1));
    standIn.mishapOf = (request) => (request.includes('partNumber=2') ? 'status500' : undefined);
    await expect(store.putFile('raw/half', from)).rejects.toMatchObject({ code: 'STORAGE_ERR_UNREACHABLE' });
    expect([await store.has('raw/half'), standIn.uploads.size]).toEqual([false, 0]);
  });

  it('to keep bytes as they were is found out', async () => {
    const store = await bucket();
    await store.put('objects/rotten', randomBytes(100));
    const stored = standIn.objects.get('conus/objects/rotten')!;
    standIn.objects.set('conus/objects/rotten', { ...stored, bytes: Buffer.alloc(100) });
    await expect(store.get('objects/rotten')).rejects.toMatchObject({ code: 'STORAGE_ERR_DAMAGED' });
    const path = join(newFolder(), 'rotten');
    await expect(store.readInto('objects/rotten', path)).rejects.toMatchObject({ code: 'STORAGE_ERR_DAMAGED' });
    expect(existsSync(path)).toBe(false);
  });

  it('lists only what is ours', async () => {
    const store = await bucket();
    standIn.objects.set('conus/.foreign', { bytes: Buffer.alloc(1), sha256: undefined, etag: '"x"' });
    standIn.objects.set('foreign/a', { bytes: Buffer.alloc(1), sha256: undefined, etag: '"x"' });
    const listed: string[] = [];
    for await (const { key } of store.list('')) listed.push(key);
    expect(listed.filter((key) => key.includes('foreign'))).toEqual([]);
  });
});

describe('the section storage', () => {
  it('opens what it names, after a check', async () => {
    expect(await openStorage(storageSection.parse({}))).toBeUndefined();
    const folder = newFolder();
    expect(await openStorage(storageSection.parse({ directory: folder }))).toBeInstanceOf(DirectoryStore);
    const store = await openStorage(storageSection.parse({ s3: { bucket: 'bucket', endpoint } }), keys);
    expect(store).toBeInstanceOf(S3Store);
  });

  it('takes keys from files, which win over the environment', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'id'), 'key\n');
    writeFileSync(join(folder, 'secret'), 'secret\n');
    const s3 = { bucket: 'bucket', endpoint, accessKeyIdFile: join(folder, 'id'), secretAccessKeyFile: join(folder, 'secret') };
    await openStorage(storageSection.parse({ s3 }), { AWS_ACCESS_KEY_ID: 'other', AWS_SECRET_ACCESS_KEY: 'other' });
    await expect(openStorage(storageSection.parse({ s3: { ...s3, accessKeyIdFile: join(folder, 'none') } }), keys)).rejects.toMatchObject({ code: 'STORAGE_ERR_CREDENTIALS' });
    await expect(openStorage(storageSection.parse({ s3: { bucket: 'bucket', endpoint } }), {})).rejects.toMatchObject({ code: 'STORAGE_ERR_CREDENTIALS' });
  });

  it.each<[Record<string, unknown> & { readonly s3?: Record<string, unknown> }, string]>([
    [{ directory: join(shared, 'objects', 'none') }, 'STORAGE_ERR_UNREACHABLE'],
    [{ s3: { bucket: 'another' } }, 'STORAGE_ERR_BUCKET'],
    [{ s3: { bucket: 'bucket', endpoint: 'http://127.0.0.1:9', attempts: 1 } }, 'STORAGE_ERR_UNREACHABLE'],
  ])('%j does not start', async (settings, code) => {
    const section = settings.s3 === undefined ? settings : { s3: { endpoint, ...settings.s3 } };
    await expect(openStorage(storageSection.parse(section), keys)).rejects.toMatchObject({ code });
  });

  it('refuses two stores', () => {
    expect(storageSection.safeParse({ directory: '/a', s3: { bucket: 'bucket' } }).success).toBe(false);
    expect(storageSection.safeParse({ s3: { bucket: 'bucket', prefix: '../' } }).success).toBe(false);
    expect(storageSection.safeParse({ s3: { bucket: 'bucket', endpoint: 'file:///etc' } }).success).toBe(false);
  });
});

describe('a directory', () => {
  it('removes what writers left behind long ago, and nothing that is being written', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'objects'));
    const [old, young] = ['.a-1.partial', '.b-2.partial'].map((name) => join(folder, 'objects', name));
    for (const path of [old!, young!]) writeFileSync(path, 'half');
    const longAgo = Date.now() / 1000 - 2 * 86_400;
    utimesSync(old!, longAgo, longAgo);
    await new DirectoryStore(folder).check();
    expect([existsSync(old!), existsSync(young!)]).toEqual([false, true]);
  });

  it.skipIf(process.getuid?.() === 0)('that cannot be written says so', async () => {
    const folder = newFolder();
    chmodSync(folder, 0o500);
    await expect(new DirectoryStore(folder).check()).rejects.toMatchObject({ code: 'STORAGE_ERR_DENIED' });
  });

  it('holds nothing half when a file that is put is not there', async () => {
    const folder = newFolder();
    await expect(new DirectoryStore(folder).putFile('raw/a', join(folder, 'none'))).rejects.toThrow();
    expect(readdirSync(join(folder, 'raw'))).toEqual([]);
  });
});
