/**
 * Raw data that are kept: recorded into the data folder while a scan runs, which waits for nothing else, and then left there
 * (this file) or brought to the store that nodes share (sharedRawShelf.ts). They count to the quota, and are cleaned away when
 * room is needed, the oldest first, once their session was acknowledged. Raw data of a session that was not stay.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Spool } from '../spool/index.js';

/** Where raw data are saved in a data directory; an absolute path, as the keeper compares it. */
export const rawFolderIn = (directory: string) => join(resolve(directory), 'raw');

/** Below this nothing is recorded. */
export const ROOM_BYTES = 64 * 2 ** 20;

/** Of a file that was not recorded to its end. */
export const partialRaw = '.partial';

/** Raw data as a file of this machine, as long as somebody needs it. */
export interface BorrowedRaw {
  readonly path: string;
  readonly nBytes: number;
  giveBack(): Promise<void>;
}

export interface RawShelf {
  /** Where they are recorded. */
  readonly folder: string;
  /** At the start: what is there. */
  recover(): Promise<void>;
  /**
   * Room for one more recording, where it would lie in the data folder; how large it will be nobody knows yet.
   * @throws CodedError SPOOL_ERR_FULL
   */
  makeRoom(folder: string): Promise<void>;
  /** @param path of a recording that is complete on the disk, or its final name @returns undefined for one elsewhere */
  sizeOf(path: string | undefined): Promise<{ readonly name: string; readonly nBytes: number } | undefined>;
  /** In the transaction that ends the session. @param mayGo when room is needed: everything that came of it is kept */
  add(name: string, nBytes: number, mayGo: boolean): void;
  /** After its session: a recording has its final name, and nobody writes to it any more. */
  recorded(path: string): void;
  /** @returns undefined where there are none of this name, or `elsewhere` where another node has still to bring them */
  borrow(name: string): Promise<BorrowedRaw | 'elsewhere' | undefined>;
  close(): Promise<void>;
}

/** Of recordings in the folder, as `sizeOf` of a shelf. */
export async function recordingIn(folder: string, path: string | undefined): Promise<{ readonly name: string; readonly nBytes: number } | undefined> {
  if (path === undefined || dirname(path) !== folder) return undefined;
  const name = basename(path);
  const found = await fileOf(folder, name);
  return found === undefined ? undefined : { name, nBytes: found.nBytes };
}

/** A recording of this name, be it complete or not. */
export async function fileOf(folder: string, name: string): Promise<{ readonly path: string; readonly nBytes: number } | undefined> {
  // A name is no way to other folders.
  if (basename(name) !== name) return undefined;
  for (const path of [join(folder, name), join(folder, `${name}${partialRaw}`)]) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) return { path, nBytes: found.size };
  }
  return undefined;
}

/** They stay where they were recorded. */
export class LocalRawShelf implements RawShelf {
  readonly folder: string;
  readonly #spool: Spool;

  constructor(spool: Spool) {
    this.#spool = spool;
    this.folder = rawFolderIn(spool.directory);
    spool.room.register('raw', { remove: (name, since) => this.#remove(name, since) });
  }

  async recover(): Promise<void> {
    for (const name of await readdir(this.folder).catch(() => [])) {
      const found = await stat(join(this.folder, name)).catch(() => undefined);
      if (found !== undefined) this.#spool.room.take(found.size);
    }
  }

  async makeRoom(folder: string): Promise<void> {
    if (resolve(folder) !== this.folder) return;
    await this.#spool.room.reserve(ROOM_BYTES);
    this.#spool.room.give(ROOM_BYTES);
  }

  sizeOf(path: string | undefined): Promise<{ readonly name: string; readonly nBytes: number } | undefined> {
    return recordingIn(this.folder, path);
  }

  add(name: string, nBytes: number, mayGo: boolean): void {
    this.#spool.room.take(nBytes);
    if (mayGo) this.#spool.room.mayGo('raw', name, nBytes, Date.now());
  }

  recorded(): void {
    // It is where it belongs.
  }

  async borrow(name: string): Promise<BorrowedRaw | undefined> {
    const found = await fileOf(this.folder, name);
    return found === undefined ? undefined : { ...found, giveBack: () => Promise.resolve() };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #remove(name: string, since: number): Promise<boolean> {
    if (!(await this.#spool.room.claim('raw', name, since))) return false;
    for (const file of [name, `${name}${partialRaw}`]) {
      const path = join(this.folder, file);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      await rm(path, { force: true });
      this.#spool.room.give(found.size);
    }
    return true;
  }
}
