/**
 * Bytes by their SHA-256. A file is written under a temporary name, its bytes are brought to the
 * disk, it is renamed to its hash, and the name is brought to the disk: under a hash there are all of
 * the bytes or none. An object counts from the moment that somebody holds it; what nobody came to
 * hold before a crash is removed at the next start. What was held and no longer is may be cleaned away
 * when room is needed (room.ts).
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { spoolError } from './errors.js';
import type { Files } from './files.js';
import type { Room } from './room.js';
import type { Table } from './table.js';

interface ObjectRecord {
  readonly nBytes: number;
  readonly holders: readonly string[];
  /** When the last holder let go. */
  readonly releasedAt?: number;
}

export interface ObjectStore {
  /**
   * Keeps bytes; resolves when the disk holds them. They last only when somebody holds them.
   * @returns their reference, the SHA-256 in hexadecimal
   * @throws CodedError SPOOL_ERR_FULL, or the system's error
   */
  put(bytes: Uint8Array): Promise<string>;
  /** Best in a transaction with the record that refers to the object. Holding twice is holding once. */
  hold(ref: string, holder: string): void;
  /** An object that nobody holds any more may be cleaned away. */
  release(ref: string, holder: string): void;
  /** What was put and will not be held after all. */
  discard(refs: readonly string[]): Promise<void>;
  /** @throws CodedError SPOOL_ERR_OBJECT_MISSING, SPOOL_ERR_OBJECT_DAMAGED */
  read(ref: string): Promise<Uint8Array>;
  /** Whether somebody holds it, or held it and it has not been cleaned away. */
  has(ref: string): boolean;
  holders(ref: string): readonly string[];
}

/** Of files that are being written; no SHA-256 ends like this. */
const partial = '.partial';

export class FileObjectStore implements ObjectStore {
  readonly #folder: string;
  readonly #files: Files;
  readonly #room: Room;
  readonly #records: Table<ObjectRecord>;
  /** Of objects that were put and are not held yet, how often: they must not be cleaned away meanwhile. */
  readonly #awaiting = new Map<string, { readonly nBytes: number; readonly nPuts: number }>();
  /** Files that are being written or removed. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(folder: string, files: Files, room: Room, records: Table<ObjectRecord>) {
    this.#folder = folder;
    this.#files = files;
    this.#room = room;
    this.#records = records;
    room.register('object', { remove: (ref) => this.#clean(ref) });
  }

  /** Makes the folder and removes what a crash left behind. Only the owner of the data directory may do that. */
  async recover(): Promise<void> {
    await this.#files.makeFolder(this.#folder);
    for (const name of await this.#files.list(this.#folder)) {
      if (name.endsWith(partial) || this.#records.get(name) === undefined) await this.#files.remove(join(this.#folder, name));
    }
    for (const { value } of this.#records.range()) this.#room.take(value.nBytes);
  }

  async put(bytes: Uint8Array): Promise<string> {
    const ref = createHash('sha256').update(bytes).digest('hex');
    for (let busy = this.#busy.get(ref); busy !== undefined; busy = this.#busy.get(ref)) await busy.catch(() => undefined);
    const isThere = this.#awaiting.has(ref) || this.has(ref);
    if (!isThere) await this.#exclusively(ref, () => this.#write(ref, bytes));
    this.#awaiting.set(ref, { nBytes: bytes.length, nPuts: (this.#awaiting.get(ref)?.nPuts ?? 0) + 1 });
    return ref;
  }

  hold(ref: string, holder: string): void {
    const record = this.#records.get(ref);
    const nBytes = record?.nBytes ?? this.#awaiting.get(ref)?.nBytes;
    if (nBytes === undefined) throw spoolError('SPOOL_ERR_OBJECT_MISSING', `object ${ref}, which was never put`);
    if (record?.releasedAt !== undefined) this.#room.mustStay('object', ref, record.releasedAt);
    this.#records.put(ref, { nBytes, holders: [...new Set([...(record?.holders ?? []), holder])] });
    this.#noLongerAwaits(ref);
  }

  release(ref: string, holder: string): void {
    const record = this.#records.get(ref);
    if (record === undefined || !record.holders.includes(holder)) return;
    const holders = record.holders.filter((other) => other !== holder);
    if (holders.length > 0) {
      this.#records.put(ref, { ...record, holders });
      return;
    }
    const releasedAt = Date.now();
    this.#records.put(ref, { nBytes: record.nBytes, holders, releasedAt });
    this.#room.mayGo('object', ref, record.nBytes, releasedAt);
  }

  async discard(refs: readonly string[]): Promise<void> {
    for (const ref of refs) {
      const nBytes = this.#awaiting.get(ref)?.nBytes;
      this.#noLongerAwaits(ref);
      if (nBytes === undefined || this.#awaiting.has(ref) || this.has(ref)) continue;
      await this.#exclusively(ref, async () => {
        await this.#files.remove(this.#pathOf(ref));
        this.#room.give(nBytes);
      });
    }
  }

  async read(ref: string): Promise<Uint8Array> {
    let bytes;
    try {
      bytes = await this.#files.read(this.#pathOf(ref));
    } catch (cause) {
      throw spoolError('SPOOL_ERR_OBJECT_MISSING', `object ${ref} (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`, { cause });
    }
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== ref) throw spoolError('SPOOL_ERR_OBJECT_DAMAGED', `object ${ref} with hash ${found}`);
    return bytes;
  }

  has(ref: string): boolean {
    return this.#records.get(ref) !== undefined;
  }

  holders(ref: string): readonly string[] {
    return this.#records.get(ref)?.holders ?? [];
  }

  #noLongerAwaits(ref: string): void {
    const awaiting = this.#awaiting.get(ref);
    if (awaiting === undefined) return;
    if (awaiting.nPuts > 1) this.#awaiting.set(ref, { ...awaiting, nPuts: awaiting.nPuts - 1 });
    else this.#awaiting.delete(ref);
  }

  #pathOf(ref: string): string {
    return join(this.#folder, ref);
  }

  async #write(ref: string, bytes: Uint8Array): Promise<void> {
    await this.#room.reserve(bytes.length);
    const temporary = `${this.#pathOf(ref)}${partial}`;
    try {
      await this.#files.write(temporary, bytes);
      await this.#files.rename(temporary, this.#pathOf(ref));
      await this.#files.syncFolder(this.#folder);
    } catch (error) {
      this.#room.give(bytes.length);
      await this.#files.remove(temporary).catch(() => undefined);
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      this.#room.diskIsFull();
      throw spoolError('SPOOL_ERR_FULL', `${bytes.length} bytes on a full disk`, { cause: error });
    }
  }

  /** @returns false where somebody holds it again, or is about to */
  async #clean(ref: string): Promise<boolean> {
    if (this.#awaiting.has(ref) || this.#busy.has(ref)) return false;
    return this.#exclusively(ref, async () => {
      // The record first: a file without a record is removed at the next start, a record without a file would be a loss.
      const record = await this.#records.transaction(() => {
        const found = this.#records.get(ref);
        if (found?.releasedAt === undefined || found.holders.length > 0) return undefined;
        this.#room.mustStay('object', ref, found.releasedAt);
        this.#records.remove(ref);
        return found;
      });
      if (record === undefined) return false;
      await this.#files.remove(this.#pathOf(ref));
      this.#room.give(record.nBytes);
      return true;
    });
  }

  async #exclusively<Result>(ref: string, work: () => Promise<Result>): Promise<Result> {
    const working = work();
    this.#busy.set(ref, working);
    try {
      return await working;
    } finally {
      this.#busy.delete(ref);
    }
  }
}
