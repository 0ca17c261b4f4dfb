/** What every store holds, whichever driver. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Blob, BlobStore } from '../../../src/storage/index.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function listed(store: BlobStore, prefix: string): Promise<Blob[]> {
  const blobs: Blob[] = [];
  for await (const blob of store.list(prefix)) blobs.push(blob);
  return blobs.sort((a, b) => (a.key < b.key ? -1 : 1));
}

export interface StoresUnderTest {
  /** Another client of the same store, as another node has it. */
  readonly open: () => Promise<BlobStore>;
  /** Of a file that goes in more than one piece, where the driver makes pieces. */
  readonly largeBytes: number;
}

export function storageConformance(name: string, { open, largeBytes }: StoresUnderTest): void {
  describe(name, () => {
    let store: BlobStore;
    let other: BlobStore;
    let folder: string;
    beforeAll(async () => {
      [store, other] = [await open(), await open()];
      folder = mkdtempSync(join(tmpdir(), 'conus-blobs-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('gives every node what one has put', async () => {
      await store.put('objects/a', bytesOf('one'));
      expect(Buffer.from(await other.get('objects/a')).toString()).toBe('one');
      expect([await other.size('objects/a'), await other.has('objects/a')]).toEqual([3, true]);
      await other.put('objects/a', bytesOf('another'));
      expect(Buffer.from(await store.get('objects/a')).toString()).toBe('another');
    });

    it('holds nothing at all as well as something', async () => {
      await store.put('objects/empty', new Uint8Array());
      expect([await store.size('objects/empty'), (await store.get('objects/empty')).length]).toEqual([0, 0]);
      await store.readInto('objects/empty', join(folder, 'empty'));
      expect((await stat(join(folder, 'empty'))).size).toBe(0);
    });

    it('says that something is not there', async () => {
      expect([await store.size('objects/none'), await store.has('objects/none')]).toEqual([undefined, false]);
      await expect(store.get('objects/none')).rejects.toMatchObject({ code: 'STORAGE_ERR_MISSING' });
      const path = join(folder, 'none');
      await expect(store.readInto('objects/none', path)).rejects.toMatchObject({ code: 'STORAGE_ERR_MISSING' });
      expect(existsSync(path)).toBe(false);
    });

    it('removes, also what is not there', async () => {
      await store.put('objects/gone', bytesOf('x'));
      await store.remove('objects/gone');
      await other.remove('objects/gone');
      expect(await store.has('objects/gone')).toBe(false);
    });

    it('takes files of any size and gives them back', async () => {
      for (const nBytes of [0, 1, largeBytes]) {
        const [from, to] = [join(folder, 'from'), join(folder, 'to')];
        const bytes = randomBytes(nBytes);
        writeFileSync(from, bytes);
        await store.putFile('raw/file.mrd', from);
        expect(await other.size('raw/file.mrd')).toBe(nBytes);
        await other.readInto('raw/file.mrd', to);
        expect((await readFile(to)).equals(bytes)).toBe(true);
        expect((await stat(to)).mode & 0o777).toBe(0o600);
        expect(createHash('sha256').update(await other.get('raw/file.mrd')).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
      }
    });

    it('lists what begins so, each with its size', async () => {
      const before = Date.now();
      for (const key of ['list/ab1', 'list/ab2', 'list/b', 'list2/ab', 'list/deeper/ab.mrd']) await store.put(key, bytesOf(key));
      expect((await listed(other, 'list/ab')).map(({ key, nBytes }) => [key, nBytes])).toEqual([['list/ab1', 8], ['list/ab2', 8]]);
      expect((await listed(other, 'list/')).map(({ key }) => key)).toEqual(['list/ab1', 'list/ab2', 'list/b', 'list/deeper/ab.mrd']);
      expect(await listed(other, 'nothing/')).toEqual([]);
      for (const { modifiedAt } of await listed(other, 'list/')) expect(Math.abs(modifiedAt - before)).toBeLessThan(600_000);
    });

    it.each(['', '/etc/passwd', '../up', 'a/../../up', 'a//b', 'a/', '.hidden', 'a/.partial', 'a\\b', 'a b', 'ä', 'x'.repeat(600), 'a\0b'])('refuses the key %j', async (key) => {
      const refused = { code: 'STORAGE_ERR_KEY' };
      await expect((async () => store.put(key, bytesOf('x')))()).rejects.toMatchObject(refused);
      await expect((async () => store.get(key))()).rejects.toMatchObject(refused);
      await expect((async () => store.remove(key))()).rejects.toMatchObject(refused);
    });

    it('has all of one put or all of another under a key that many put at once, and nothing else', async () => {
      const writers = Array.from({ length: 8 }, (_, i) => new Uint8Array(200_000).fill(i));
      const puts = Promise.all(writers.map((bytes, i) => (i % 2 === 0 ? store : other).put('objects/raced', bytes)));
      const whole = (bytes: Uint8Array) => bytes.length === 200_000 && bytes.every((value) => value === bytes[0]);
      for (let i = 0; i < 5; i++) {
        const found = await store.get('objects/raced').catch((error: { code: string }) => error.code);
        expect(typeof found === 'string' ? found === 'STORAGE_ERR_MISSING' : whole(found)).toBe(true);
      }
      await puts;
      expect(whole(await store.get('objects/raced'))).toBe(true);
      expect((await listed(store, 'objects/raced')).map(({ key }) => key)).toEqual(['objects/raced']);
    });

    it('checks itself and leaves nothing behind', async () => {
      await store.check();
      expect(await listed(store, 'probe/')).toEqual([]);
      expect(await store.freeBytes()).toBeGreaterThan(0);
    });
  });
}
