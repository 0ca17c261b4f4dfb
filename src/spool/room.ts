/**
 * How much a data directory may hold. What was delivered stays until its room is needed, and then
 * goes oldest first; what was not delivered never goes. Beside the quota a reserve stays free on the
 * disk, because even taking a record out of the database needs new pages before it frees old ones.
 */
import { EventEmitter } from 'node:events';
import { spoolError } from './errors.js';
import type { Files } from './files.js';
import type { Table } from './table.js';

export interface QuotaOptions {
  /** Most bytes of objects and raw data together. */
  readonly quotaBytes: number;
  /** Bytes of the disk that are left free. */
  readonly reserveBytes: number;
}

export const defaultQuota: QuotaOptions = { quotaBytes: 64 * 2 ** 30, reserveBytes: 2 ** 30 };

/** What may go: since when, and what kind of thing it is. */
export type Shelf = 'object' | 'raw';

export interface RoomState {
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** The last request for room was refused. */
  readonly isFull: boolean;
}

interface RoomEvents {
  /** Room was refused for the first time since there was some. */
  full: [RoomState];
  /** There is room again. */
  room: [RoomState];
}

export class Room extends EventEmitter<RoomEvents> {
  readonly #folder: string;
  readonly #files: Files;
  readonly #options: QuotaOptions;
  /** [when it was delivered, shelf, name] -> bytes */
  readonly #cleanable: Table<number>;
  readonly #removers = new Map<Shelf, (name: string, since: number) => Promise<boolean>>();
  #usedBytes = 0;
  #isFull = false;
  #cleaning: Promise<unknown> = Promise.resolve();

  constructor(folder: string, files: Files, options: QuotaOptions, cleanable: Table<number>) {
    super();
    this.#folder = folder;
    this.#files = files;
    this.#options = options;
    this.#cleanable = cleanable;
  }

  get state(): RoomState {
    return { usedBytes: this.#usedBytes, quotaBytes: this.#options.quotaBytes, isFull: this.#isFull };
  }

  /** @param remove takes a thing off its shelf and off the disk, unless somebody wants it again: then false */
  register(shelf: Shelf, remove: (name: string, since: number) => Promise<boolean>): void {
    this.#removers.set(shelf, remove);
  }

  /** Bytes that are there, or are promised. */
  take(nBytes: number): void {
    this.#usedBytes += nBytes;
  }

  give(nBytes: number): void {
    this.#usedBytes -= nBytes;
  }

  /**
   * Takes room for something to be written, after cleaning where that is needed.
   * @throws CodedError SPOOL_ERR_FULL
   */
  async reserve(nBytes: number): Promise<void> {
    const lacking = await this.#lacking(nBytes);
    if (lacking > 0) {
      // One at a time, so that two do not clean for one another's room twice.
      const cleaned = this.#cleaning.then(async () => this.#clean(await this.#lacking(nBytes)));
      this.#cleaning = cleaned.catch(() => undefined);
      await cleaned;
      const stillLacking = await this.#lacking(nBytes);
      if (stillLacking > 0) {
        this.#becomes(true);
        throw spoolError('SPOOL_ERR_FULL', `${nBytes} bytes, ${stillLacking} more than there is room for`);
      }
    }
    this.#becomes(false);
    this.take(nBytes);
  }

  /** The disk itself said that it is full, whatever the quota says. */
  diskIsFull(): void {
    this.#becomes(true);
  }

  /** In a transaction: something was delivered and may go when room is needed. */
  mayGo(shelf: Shelf, name: string, nBytes: number, since: number): void {
    this.#cleanable.put([since, shelf, name], nBytes);
  }

  /** In a transaction: it is wanted again. */
  mustStay(shelf: Shelf, name: string, since: number): void {
    this.#cleanable.remove([since, shelf, name]);
  }

  /** Whether a thing may still go, which it then does: nobody else will be told so. */
  claim(shelf: Shelf, name: string, since: number): Promise<boolean> {
    return this.#cleanable.transaction(() => {
      const mayGo = this.#cleanable.get([since, shelf, name]) !== undefined;
      this.#cleanable.remove([since, shelf, name]);
      return mayGo;
    });
  }

  async #lacking(nBytes: number): Promise<number> {
    const { quotaBytes, reserveBytes } = this.#options;
    const free = await this.#files.freeBytes(this.#folder);
    return Math.max(this.#usedBytes + nBytes - quotaBytes, nBytes + reserveBytes - free);
  }

  async #clean(nBytes: number): Promise<void> {
    let cleaned = 0;
    if (nBytes <= 0) return;
    const candidates: { shelf: Shelf; name: string; since: number; nBytes: number }[] = [];
    let sum = 0;
    for (const { key, value } of this.#cleanable.range()) {
      const [since, shelf, name] = key as [number, Shelf, string];
      candidates.push({ shelf, name, since, nBytes: value });
      sum += value;
      // Some may be wanted again by now.
      if (sum > 2 * nBytes + 2 ** 24) break;
    }
    for (const candidate of candidates) {
      if (cleaned >= nBytes) return;
      if ((await this.#removers.get(candidate.shelf)?.(candidate.name, candidate.since)) === true) cleaned += candidate.nBytes;
    }
  }

  #becomes(isFull: boolean): void {
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.emit(isFull ? 'full' : 'room', this.state);
  }
}
