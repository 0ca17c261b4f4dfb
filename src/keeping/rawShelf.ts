/**
 * Raw data in the data directory: counted to its quota, and cleaned away when room is needed, the oldest
 * first, once their session was acknowledged. Raw data of a session that was not stay.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Spool } from '../spool/index.js';

/** Where raw data are saved in a data directory; an absolute path, as the keeper compares it. */
export const rawFolderIn = (directory: string) => join(resolve(directory), 'raw');

/** Below this nothing is recorded. */
const ROOM_BYTES = 64 * 2 ** 20;

export class RawShelf {
  readonly folder: string;
  readonly #spool: Spool;

  constructor(spool: Spool) {
    this.#spool = spool;
    this.folder = rawFolderIn(spool.directory);
    spool.room.register('raw', { remove: (name, since) => this.#remove(name, since) });
  }

  /** Counts what is there. */
  async recover(): Promise<void> {
    for (const name of await readdir(this.folder).catch(() => [])) {
      const found = await stat(join(this.folder, name)).catch(() => undefined);
      if (found !== undefined) this.#spool.room.take(found.size);
    }
  }

  /**
   * Room for one more recording, where it would lie in the data folder; how large it will be nobody knows yet.
   * @throws CodedError SPOOL_ERR_FULL
   */
  async makeRoom(folder: string): Promise<void> {
    if (resolve(folder) !== this.folder) return;
    await this.#spool.room.reserve(ROOM_BYTES);
    this.#spool.room.give(ROOM_BYTES);
  }

  /** @param path of a recording that is complete on the disk, or its final name @returns undefined for one elsewhere */
  async sizeOf(path: string | undefined): Promise<{ name: string; nBytes: number } | undefined> {
    if (path === undefined || dirname(path) !== this.folder) return undefined;
    const name = basename(path);
    const found = (await stat(path).catch(() => undefined)) ?? (await stat(`${path}.partial`).catch(() => undefined));
    return found === undefined ? undefined : { name, nBytes: found.size };
  }

  /** In the transaction that ends the session. @param mayGo when room is needed: everything that came of it is kept */
  add(name: string, nBytes: number, mayGo: boolean): void {
    this.#spool.room.take(nBytes);
    if (mayGo) this.#spool.room.mayGo('raw', name, nBytes, Date.now());
  }

  async #remove(name: string, since: number): Promise<boolean> {
    if (!(await this.#spool.room.claim('raw', name, since))) return false;
    for (const file of [name, `${name}.partial`]) {
      const path = join(this.folder, file);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      await rm(path, { force: true });
      this.#spool.room.give(found.size);
    }
    return true;
  }
}
