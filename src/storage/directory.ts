/**
 * A directory that nodes share, by NFS or a volume. Bytes are written under a unique temporary name in the folder
 * where they belong, brought to the disk and renamed to their key, and the name is brought to the disk: renaming within
 * a folder is atomic on NFS, too, and no two writers ever write the same file. Names that begin with a dot are ours.
 */
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, opendir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { checkedKey, isKey } from './blobStore.js';
import type { Blob, BlobStore } from './blobStore.js';
import { storageError } from './errors.js';
import { probe } from './probe.js';

/** Of files that are being written. */
const partial = '.partial';
/** A file that nobody has written to for so long was left behind by a node that died. */
const ABANDONED_MS = 24 * 3_600_000;

export class DirectoryStore implements BlobStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = resolve(root);
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#place(key, async (temporary) => {
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
  }

  putFile(key: string, path: string): Promise<void> {
    return this.#place(key, (temporary) => copied(path, temporary));
  }

  get(key: string): Promise<Uint8Array> {
    return this.#told(key, () => readFile(this.#pathOf(key)));
  }

  async readInto(key: string, path: string): Promise<void> {
    try {
      await this.#told(key, () => copied(this.#pathOf(key), path));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  async has(key: string): Promise<boolean> {
    return (await this.size(key)) !== undefined;
  }

  size(key: string): Promise<number | undefined> {
    return this.#told(key, async () => (await absentAs(undefined, stat(this.#pathOf(key))))?.size);
  }

  remove(key: string): Promise<void> {
    return this.#told(key, () => rm(this.#pathOf(key), { force: true }));
  }

  async *list(prefix: string): AsyncIterable<Blob> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (folder !== '') checkedKey(folder.slice(0, -1));
    for await (const { key, path } of this.#files(folder)) {
      if (!key.startsWith(prefix) || !isKey(key)) continue;
      // Another node may have removed it since.
      const found = await this.#told(key, () => absentAs(undefined, stat(path)));
      if (found !== undefined) yield { key, nBytes: found.size, modifiedAt: found.mtimeMs };
    }
  }

  freeBytes(): Promise<number> {
    return this.#told('', async () => {
      const { bavail, bsize } = await statfs(this.#root);
      return bavail * bsize;
    });
  }

  async check(): Promise<void> {
    // The directory itself is not made: an empty folder where a share should be mounted must not be taken for it.
    const isFolder = await this.#told('', async () => (await stat(this.#root)).isDirectory());
    if (!isFolder) throw storageError('STORAGE_ERR_UNREACHABLE', `${this.#root}, which is no directory`);
    await probe(this);
    for await (const { path } of this.#files('', true)) {
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && found.mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { force: true });
    }
  }

  #pathOf(key: string): string {
    return join(this.#root, checkedKey(key));
  }

  #place(key: string, write: (temporary: string) => Promise<void>): Promise<void> {
    return this.#told(key, async () => {
      const path = this.#pathOf(key);
      const temporary = join(dirname(path), `.${basename(path)}-${randomUUID()}${partial}`);
      try {
        await this.#makeFolder(dirname(path));
        await write(temporary);
        await rename(temporary, path);
        await syncFolder(dirname(path));
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw error;
      }
    });
  }

  async #makeFolder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    // The names of new folders must last as well.
    for (let made = folder; ; made = dirname(made)) {
      await syncFolder(dirname(made));
      if (made === first) return;
    }
  }

  /** @param folder '' or like `objects/` @param ofWriters those that are being written in place of those that are whole */
  async *#files(folder: string, ofWriters = false): AsyncIterable<{ key: string; path: string }> {
    const entries = await this.#told(folder, () => absentAs(undefined, opendir(join(this.#root, folder))));
    if (entries === undefined) return;
    for await (const entry of entries) {
      const key = `${folder}${entry.name}`;
      if (entry.isDirectory() && isKey(key)) yield* this.#files(`${key}/`, ofWriters);
      else if (entry.isFile() && entry.name.endsWith(partial) === ofWriters) yield { key, path: join(this.#root, key) };
    }
  }

  async #told<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const where = what === '' ? this.#root : `${what} in ${this.#root}`;
      if (code === undefined || code.startsWith('STORAGE_')) throw cause;
      if (code === 'ENOENT' && what !== '') throw storageError('STORAGE_ERR_MISSING', where, { cause });
      if (code === 'ENOSPC' || code === 'EDQUOT') throw storageError('STORAGE_ERR_FULL', `${where} (${code})`, { cause });
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') throw storageError('STORAGE_ERR_DENIED', `${where} (${code})`, { cause });
      throw storageError('STORAGE_ERR_UNREACHABLE', `${where} (${code})`, { cause });
    }
  }
}

async function absentAs<Value, Absent>(absent: Absent, found: Promise<Value>): Promise<Value | Absent> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent;
    throw error;
  }
}

/** A copy whose bytes are on the disk, for the owner of the process only. */
async function copied(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const handle = await open(to, 'r+');
  try {
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
