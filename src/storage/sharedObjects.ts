/**
 * Objects by their SHA-256 in a store that nodes share, whose records they share as well: several put, hold, release and
 * clean at once. What holds at every moment: under the key that a record names are its bytes; and what somebody holds, or
 * has put and is about to hold, has a record.
 *
 *   writing:   a key of its own for every write, among the loose ones -> bytes -> record with a pin, no longer loose
 *   removing:  record away, key loose -> bytes away -> no longer loose
 *
 * Each arrow is one transaction or one call of the store. As no key is ever written twice, one that is removed late takes
 * nothing from whoever has written the same bytes since. A pin is what was put and not held yet; those of a node that died,
 * and the keys that it was writing, are given up by any other (`releasePins`). One that was only taken for dead still comes to
 * hold what it put, unless its room was needed, and finds that what it was writing was given up, and writes again.
 */
import { createHash, randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { spoolError } from '../spool/index.js';
import type { ObjectStore, Records, Room, Table } from '../spool/index.js';
import type { BlobStore } from './blobStore.js';

interface SharedObject {
  readonly nBytes: number;
  /** In the store. */
  readonly key: string;
  readonly holders: readonly string[];
  /** `<boot>/<number>` of every put that is not held yet. */
  readonly pins: readonly string[];
  /** When the last holder let go. */
  readonly releasedAt?: number;
}

/** Bytes that may be in the store, and that no object has. */
interface Loose {
  readonly nBytes: number;
  /** The boot that writes them; absent where they are to be removed, by anybody. */
  readonly writer?: string;
}

export interface SharedObjectOptions {
  readonly records: Records;
  readonly store: BlobStore;
  readonly room: Room;
  /** Of this run of this node; no other ever has the same. */
  readonly boot: string;
}

/** Records in one transaction where many are looked through. */
const BATCH = 100;

export class SharedObjectStore implements ObjectStore {
  readonly #records: Records;
  readonly #store: BlobStore;
  readonly #room: Room;
  readonly #boot: string;
  readonly #objects: Table<SharedObject>;
  /** By their key in the store. */
  readonly #loose: Table<Loose>;
  #nPuts = 0;
  /** By their hash. */
  readonly #writing = new Map<string, Promise<unknown>>();

  constructor({ records, store, room, boot }: SharedObjectOptions) {
    this.#records = records;
    this.#store = store;
    this.#room = room;
    this.#boot = boot;
    this.#objects = records.table('objects');
    this.#loose = records.table('objects.loose');
    room.register('object', { remove: (ref, since) => this.#clean(ref, since), count: () => this.#count() });
  }

  async put(bytes: Uint8Array): Promise<string> {
    const ref = createHash('sha256').update(bytes).digest('hex');
    const pin = `${this.#boot}/${this.#nPuts++}`;
    for (;;) {
      // The same bytes twice at once from one node go to the store once.
      for (let writing = this.#writing.get(ref); writing !== undefined; writing = this.#writing.get(ref)) await writing.catch(() => undefined);
      if (this.#objects.get(ref) !== undefined && (await this.#records.transaction(() => this.#pin(ref, pin)))) return ref;
      if (this.#writing.has(ref)) continue;
      const writing = this.#write(ref, bytes, pin);
      this.#writing.set(ref, writing);
      const isKept = await writing.finally(() => this.#writing.delete(ref));
      if (isKept) return ref;
    }
  }

  hold(ref: string, holder: string): void {
    const found = this.#objects.get(ref);
    if (found === undefined) throw spoolError('SPOOL_ERR_OBJECT_MISSING', `object ${ref}, which was never put`);
    if (found.releasedAt !== undefined) this.#room.mustStay('object', ref, found.releasedAt);
    const { nBytes, key, holders } = found;
    // Whoever put it holds it now. The jobs that it gives to the outbox hold it as well, and have put nothing; nor has one that
    // held it before, or its pin stays until this boot ends, which costs room and nothing else.
    const hasPut = !holders.includes(holder) && (holders.length === 0 || !isJob(holder));
    const pins = hasPut ? this.#withoutOwn(found.pins) : found.pins;
    this.#objects.put(ref, { nBytes, key, pins, holders: [...new Set([...holders, holder])] });
  }

  release(ref: string, holder: string): void {
    const found = this.#objects.get(ref);
    if (found === undefined || !found.holders.includes(holder)) return;
    const holders = found.holders.filter((other) => other !== holder);
    if (holders.length > 0) {
      this.#objects.put(ref, { ...found, holders });
      return;
    }
    const releasedAt = Date.now();
    this.#objects.put(ref, { ...found, holders, releasedAt });
    this.#room.mayGo('object', ref, found.nBytes, releasedAt);
  }

  async discard(refs: readonly string[]): Promise<void> {
    const loose = await this.#records.transaction(() => refs.flatMap((ref) => {
      const found = this.#unpin(ref, (pins) => this.#withoutOwn(pins));
      return found === undefined ? [] : [this.#forget(ref, found)];
    }));
    for (const { key, nBytes } of loose) await this.#removeLoose(key, nBytes);
  }

  async read(ref: string): Promise<Uint8Array> {
    const bytes = await this.#get(ref);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== ref) throw spoolError('SPOOL_ERR_OBJECT_DAMAGED', `object ${ref} with hash ${found}`);
    return bytes;
  }

  has(ref: string): boolean {
    const found = this.#objects.get(ref);
    return found !== undefined && (found.holders.length > 0 || found.releasedAt !== undefined);
  }

  holders(ref: string): readonly string[] {
    return this.#objects.get(ref)?.holders ?? [];
  }

  /**
   * Gives up what a boot has put and not held, which may then be cleaned away, and what it was writing: after its end, whoever
   * finds it out, and however often.
   * @throws CodedError STORAGE_ERR_*; what was not removed then is with the next call, of any boot
   */
  async releasePins(boot: string): Promise<void> {
    const others = (pins: readonly string[]) => pins.filter((pin) => !isOf(boot, pin));
    const pinned = [...this.#objects.range()].filter(({ value }) => value.pins.some((pin) => isOf(boot, pin))).map(({ key }) => key as string);
    for (let i = 0; i < pinned.length; i += BATCH) {
      await this.#records.transaction(() => {
        for (const ref of pinned.slice(i, i + BATCH)) {
          const found = this.#unpin(ref, others);
          if (found === undefined) continue;
          // Not at once: a boot that was only taken for dead still comes to hold it.
          const releasedAt = Date.now();
          this.#objects.put(ref, { ...found, pins: [], releasedAt });
          this.#room.mayGo('object', ref, found.nBytes, releasedAt);
        }
      });
    }
    const written = [...this.#loose.range()].filter(({ value }) => value.writer === boot).map(({ key }) => key);
    if (written.length > 0) await this.#records.transaction(() => {
      for (const key of written) {
        const { nBytes, writer } = this.#loose.get(key) ?? {};
        if (nBytes !== undefined && writer === boot) this.#loose.put(key, { nBytes });
      }
    });
    for (const { key, value } of [...this.#loose.range()]) if (value.writer === undefined) await this.#removeLoose(key as string, value.nBytes);
  }

  /** @returns whether the object is there and pinned; not where this boot was taken for dead meanwhile */
  async #write(ref: string, bytes: Uint8Array, pin: string): Promise<boolean> {
    const nBytes = bytes.length;
    await this.#room.reserve(nBytes);
    const key = `objects/${ref}-${randomUUID()}`;
    try {
      await this.#records.transaction(() => this.#loose.put(key, { nBytes, writer: this.#boot }));
      await this.#store.put(key, bytes);
      const outcome = await this.#records.transaction(() => {
        if (this.#loose.get(key)?.writer !== this.#boot) return 'givenUp';
        if (this.#pin(ref, pin)) {
          this.#loose.put(key, { nBytes });
          return 'superfluous';
        }
        this.#objects.put(ref, { nBytes, key, holders: [], pins: [pin] });
        this.#loose.remove(key);
        return 'kept';
      });
      if (outcome === 'kept') return true;
      // Whoever gave it up may have removed it before it was there.
      await this.#removeLoose(key, nBytes).catch(() => undefined);
      return outcome === 'superfluous';
    } catch (error) {
      await this.#giveUp(ref, key, nBytes).catch(() => undefined);
      if ((error as { readonly code?: string }).code !== 'STORAGE_ERR_FULL') throw error;
      this.#room.diskIsFull();
      throw spoolError('SPOOL_ERR_FULL', `${nBytes} bytes for a store that is full`, { cause: error });
    }
  }

  /** After an error, which may have come after the write was kept. */
  async #giveUp(ref: string, key: string, nBytes: number): Promise<void> {
    const isLoose = await this.#records.transaction(() => {
      const isKept = this.#objects.get(ref)?.key === key;
      if (!isKept) this.#loose.put(key, { nBytes });
      return !isKept;
    });
    if (isLoose) await this.#removeLoose(key, nBytes);
  }

  /** In a transaction. @returns whether there is such an object */
  #pin(ref: string, pin: string): boolean {
    const found = this.#objects.get(ref);
    if (found === undefined) return false;
    if (!found.pins.includes(pin)) this.#objects.put(ref, { ...found, pins: [...found.pins, pin] });
    return true;
  }

  /** In a transaction. @returns an object that nobody holds, held or is about to, for the caller to put away */
  #unpin(ref: string, left: (pins: readonly string[]) => readonly string[]): SharedObject | undefined {
    const found = this.#objects.get(ref);
    if (found === undefined) return undefined;
    const pins = left(found.pins);
    if (pins.length === found.pins.length) return undefined;
    if (pins.length === 0 && found.holders.length === 0 && found.releasedAt === undefined) return found;
    this.#objects.put(ref, { ...found, pins });
    return undefined;
  }

  /** In a transaction. */
  #forget(ref: string, { key, nBytes }: SharedObject): { readonly key: string; readonly nBytes: number } {
    this.#objects.remove(ref);
    this.#loose.put(key, { nBytes });
    return { key, nBytes };
  }

  /** One pin of this boot less: which of them makes no difference. */
  #withoutOwn(pins: readonly string[]): readonly string[] {
    const own = pins.find((pin) => isOf(this.#boot, pin));
    return own === undefined ? pins : pins.filter((pin) => pin !== own);
  }

  /** @returns false where somebody holds it again, or is about to */
  async #clean(ref: string, since: number): Promise<boolean> {
    const loose = await this.#records.transaction(() => {
      const found = this.#objects.get(ref);
      if (found?.releasedAt !== since || found.holders.length > 0) {
        this.#room.mustStay('object', ref, since);
        return undefined;
      }
      if (found.pins.length > 0) return undefined;
      this.#room.mustStay('object', ref, since);
      return this.#forget(ref, found);
    });
    if (loose === undefined) return false;
    // Where the store does not answer its key stays loose, and is counted until it is removed.
    return this.#removeLoose(loose.key, loose.nBytes).then(() => true, () => false);
  }

  async #removeLoose(key: string, nBytes: number): Promise<void> {
    await this.#store.remove(key);
    this.#loose.remove(key);
    this.#room.give(nBytes);
  }

  async #get(ref: string): Promise<Uint8Array> {
    for (;;) {
      const key = this.#objects.get(ref)?.key;
      if (key === undefined) throw spoolError('SPOOL_ERR_OBJECT_MISSING', `object ${ref}, of which there is no record`);
      try {
        return await this.#store.get(key);
      } catch (cause) {
        const { code } = cause as { readonly code?: string };
        // Cleaned away and put again since.
        if (code === 'STORAGE_ERR_MISSING' && this.#objects.get(ref)?.key !== key) continue;
        if (code === 'STORAGE_ERR_MISSING') throw spoolError('SPOOL_ERR_OBJECT_MISSING', `object ${ref} without its bytes`, { cause });
        if (code === 'STORAGE_ERR_DAMAGED') throw spoolError('SPOOL_ERR_OBJECT_DAMAGED', `object ${ref}`, { cause });
        throw cause;
      }
    }
  }

  async #count(): Promise<number> {
    let nBytes = 0;
    for (const { value } of this.#loose.range()) nBytes += value.nBytes;
    // There may be many: a part of them at a time.
    for (const digit of '0123456789abcdef') {
      for (const { value } of this.#objects.range(digit)) nBytes += value.nBytes;
      await turn();
    }
    return nBytes;
  }
}

/** Of the outbox. */
const isJob = (holder: string) => holder.startsWith('job/');

const isOf = (boot: string, pin: string) => pin.startsWith(`${boot}/`);
