/**
 * Raw data of nodes that share a store. A scan is recorded on the node that takes it and is acknowledged once its bytes are on
 * that node's disk and its images are with everybody: gigabytes of raw data must not stand between a scanner and its
 * CLOSE, nor between images and their durability. After the session the file is brought to the store, as `raw/<name>`, with
 * as many attempts as it takes, and then removed from the node. What a crash left on the node is brought at its next start.
 */
import { link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { backOffMs } from '../jobs/index.js';
import type { Logger } from '../log.js';
import { diskFiles, spoolError } from '../spool/index.js';
import type { Spool, Table } from '../spool/index.js';
import type { BlobStore } from '../storage/index.js';
import { fileOf, partialRaw, rawFolderIn, recordingIn, ROOM_BYTES } from './rawShelf.js';
import type { BorrowedRaw, RawShelf } from './rawShelf.js';

interface RawRecord {
  readonly nBytes: number;
  /** Everything that came of it is kept. */
  readonly mayGo: boolean;
  /** When it was in the store; absent while a node has it. */
  readonly storedAt?: number;
  /** It is about to be removed. */
  readonly isLeaving?: boolean;
}

/** The name of raw data that are in the store; undefined for such that are not, or not yet. */
export function storedRaw(spool: Pick<Spool, 'table'>, path: string | undefined): string | undefined {
  const name = path === undefined ? '' : basename(path);
  const found = spool.table<RawRecord>(TABLE).get(name);
  return found?.storedAt === undefined || found.isLeaving === true ? undefined : name;
}

const TABLE = 'raw';
const PAUSES = { firstDelayMs: 1000, longestDelayMs: 300_000 };

const keyOf = (name: string) => `raw/${name}`;

export class SharedRawShelf implements RawShelf {
  readonly folder: string;
  readonly #spool: Spool;
  readonly #store: BlobStore;
  readonly #log: Logger;
  readonly #records: Table<RawRecord>;
  readonly #toBring: string[] = [];
  readonly #closing = new AbortController();
  #bringing: Promise<void> | undefined;
  #nBorrowed = 0;

  constructor(spool: Spool, store: BlobStore, log: Logger) {
    this.#spool = spool;
    this.#store = store;
    this.#log = log;
    this.folder = rawFolderIn(spool.directory);
    this.#records = spool.table(TABLE);
    spool.room.register('raw', { remove: (name, since) => this.#remove(name, since), count: () => Promise.resolve(this.#nBytes()) });
  }

  async recover(): Promise<void> {
    await rm(this.#borrowedFolder, { recursive: true, force: true });
    for (const name of await readdir(this.folder).catch(() => [])) {
      if (!name.includes('.mrd')) continue;
      // Nobody is recording yet: this is all that will come of it.
      const whole = name.endsWith(partialRaw) ? name.slice(0, -partialRaw.length) : name;
      if (whole !== name) await rename(join(this.folder, name), join(this.folder, whole));
      this.recorded(join(this.folder, whole));
    }
    for (const { key, value } of [...this.#records.range()]) if (value.isLeaving === true) await this.#removeStored(key as string, value).catch(() => undefined);
  }

  async makeRoom(folder: string): Promise<void> {
    if (resolve(folder) !== this.folder) return;
    const free = await diskFiles.freeBytes(this.#spool.directory);
    if (free < ROOM_BYTES) throw spoolError('SPOOL_ERR_FULL', `${free} bytes on the disk of this node`);
  }

  sizeOf(path: string | undefined): Promise<{ readonly name: string; readonly nBytes: number } | undefined> {
    return recordingIn(this.folder, path);
  }

  add(name: string, nBytes: number, mayGo: boolean): void {
    // A session may be told of as ended after its raw data were brought.
    const found = this.#records.get(name);
    this.#records.put(name, { ...(found ?? { nBytes }), mayGo });
    if (mayGo && found?.storedAt !== undefined) this.#spool.room.mayGo('raw', name, found.nBytes, found.storedAt);
  }

  recorded(path: string): void {
    if (dirname(path) !== this.folder) return;
    this.#toBring.push(basename(path));
    this.#bringing ??= this.#bringAll().finally(() => (this.#bringing = undefined));
  }

  async borrow(name: string): Promise<BorrowedRaw | 'elsewhere' | undefined> {
    const here = await fileOf(this.folder, name);
    if (here?.path.endsWith(partialRaw) === true) return 'elsewhere';
    const record = this.#records.get(name);
    if (here === undefined && record !== undefined && record.storedAt === undefined) return 'elsewhere';
    if (here === undefined && (record === undefined || record.isLeaving === true)) return undefined;
    await mkdir(this.#borrowedFolder, { recursive: true, mode: 0o700 });
    const path = join(this.#borrowedFolder, `${this.#nBorrowed++}.mrd`);
    // What is here may be brought and removed at any time.
    const isLinked = here !== undefined && (await link(here.path, path).then(() => true, () => false));
    if (!isLinked) await this.#store.readInto(keyOf(name), path);
    return { path, nBytes: (await stat(path)).size, giveBack: () => rm(path, { force: true }) };
  }

  /** What was not brought is at the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#bringing;
  }

  get #borrowedFolder(): string {
    return join(this.#spool.directory, 'borrowed');
  }

  #nBytes(): number {
    return [...this.#records.range()].reduce((sum, { value }) => sum + (value.storedAt === undefined ? 0 : value.nBytes), 0);
  }

  /** Never rejects. */
  async #bringAll(): Promise<void> {
    for (let attempt = 1; this.#toBring.length > 0 && !this.#closing.signal.aborted; ) {
      const name = this.#toBring[0]!;
      try {
        await this.#bring(name);
        this.#toBring.shift();
        attempt = 1;
      } catch (error) {
        this.#log.warn({ raw: name, code: (error as { readonly code?: string }).code ?? 'unknown' }, 'raw data stay on this node until they can be brought to the store');
        await delay(backOffMs(attempt++, PAUSES, Math.random()), undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
  }

  async #bring(name: string): Promise<void> {
    const path = join(this.folder, name);
    const nBytes = (await stat(path).catch(() => undefined))?.size;
    if (nBytes === undefined) return;
    if (nBytes === 0) return rm(path, { force: true });
    // Where this node ended between the two it is there already.
    if ((await this.#store.size(keyOf(name))) === nBytes) this.#spool.room.take(nBytes);
    else {
      await this.#spool.room.reserve(nBytes);
      try {
        await this.#store.putFile(keyOf(name), path);
      } catch (error) {
        this.#spool.room.give(nBytes);
        throw error;
      }
    }
    await this.#spool.transaction(() => {
      const found = this.#records.get(name);
      if (found?.storedAt !== undefined) return;
      const storedAt = Date.now();
      this.#records.put(name, { mayGo: false, ...found, nBytes, storedAt });
      if (found?.mayGo === true) this.#spool.room.mayGo('raw', name, nBytes, storedAt);
    });
    await rm(path, { force: true });
    this.#log.info({ raw: name, bytes: nBytes }, 'raw data are in the store');
  }

  async #remove(name: string, since: number): Promise<boolean> {
    const record = await this.#spool.transaction(() => {
      const found = this.#records.get(name);
      this.#spool.room.mustStay('raw', name, since);
      if (found?.mayGo !== true || found.storedAt === undefined) return undefined;
      const leaving: RawRecord = { ...found, isLeaving: true };
      this.#records.put(name, leaving);
      return leaving;
    });
    if (record === undefined) return false;
    // What the store does not remove now is removed at a start.
    return this.#removeStored(name, record).then(() => true, () => false);
  }

  async #removeStored(name: string, { nBytes }: RawRecord): Promise<void> {
    await this.#store.remove(keyOf(name));
    this.#records.remove(name);
    this.#spool.room.give(nBytes);
  }
}
