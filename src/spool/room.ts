/**
 * How much a data directory may hold, or the store that nodes share. What was delivered stays until its room is
 * needed, and then goes oldest first; what was not delivered never goes. Beside the quota a reserve stays free on the
 * disk, because even taking a record out of the database needs new pages before it frees old ones.
 *
 * What a node itself takes and gives it counts at once. Where others take as well, what is there is counted again now and
 * then, and before anything is cleaned away or refused.
 */
import { EventEmitter } from 'node:events';
import { spoolError } from './errors.js';
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

export interface RoomOptions extends QuotaOptions {
  /** Bytes that the disk, or the store, still takes. */
  readonly freeBytes: () => Promise<number>;
}

/** What a shelf does for the room that it takes. */
export interface ShelfKeeper {
  /** Takes a thing off the shelf and off the disk, unless somebody wants it again: then false. */
  readonly remove: (name: string, since: number) => Promise<boolean>;
  /** Bytes on it; absent where nobody else puts something there. */
  readonly count?: () => Promise<number>;
}

/** What others put meanwhile may go beyond the quota. */
const COUNT_EVERY_MS = 60_000;
/** A store that is full is not counted for each request. */
const COUNT_AGAIN_MS = 2000;

interface RoomEvents {
  /** Room was refused for the first time since there was some. */
  full: [RoomState];
  /** There is room again. */
  room: [RoomState];
}

export class Room extends EventEmitter<RoomEvents> {
  readonly #options: RoomOptions;
  /** [when it was delivered, shelf, name] -> bytes */
  readonly #cleanable: Table<number>;
  readonly #shelves = new Map<Shelf, ShelfKeeper>();
  #usedBytes = 0;
  #isFull = false;
  #cleaning: Promise<unknown> = Promise.resolve();
  #countedAt = -Infinity;

  constructor(options: RoomOptions, cleanable: Table<number>) {
    super();
    this.#options = options;
    this.#cleanable = cleanable;
  }

  get state(): RoomState {
    return { usedBytes: this.#usedBytes, quotaBytes: this.#options.quotaBytes, isFull: this.#isFull };
  }

  register(shelf: Shelf, keeper: ShelfKeeper): void {
    this.#shelves.set(shelf, keeper);
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
    await this.#count(COUNT_EVERY_MS);
    if ((await this.#lacking(nBytes)) > 0) {
      // One at a time, so that two do not clean for one another's room twice.
      const cleaned = this.#cleaning.then(async () => {
        await this.#count(COUNT_AGAIN_MS);
        await this.#clean(await this.#lacking(nBytes));
      });
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
    const { quotaBytes, reserveBytes, freeBytes } = this.#options;
    const free = await freeBytes();
    return Math.max(this.#usedBytes + nBytes - quotaBytes, nBytes + reserveBytes - free);
  }

  /** Where others take room as well. @param ageMs of the last count, that is new enough */
  async #count(ageMs: number): Promise<void> {
    const counts = [...this.#shelves.values()].map(({ count }) => count).filter((count) => count !== undefined);
    if (counts.length === 0 || performance.now() - this.#countedAt < ageMs) return;
    this.#countedAt = performance.now();
    const before = this.#usedBytes;
    let counted = 0;
    for (const count of counts) counted += await count();
    // What was taken and given while it was counted.
    this.#usedBytes += counted - before;
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
      if ((await this.#shelves.get(candidate.shelf)?.remove(candidate.name, candidate.since)) === true) cleaned += candidate.nBytes;
    }
  }

  #becomes(isFull: boolean): void {
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.emit(isFull ? 'full' : 'room', this.state);
  }
}
