/** Where records are kept: those of the latest scans, in the data folder where there is one. */
import type { ReconstructionRecord } from './schema.js';

/** A table of the data folder, as far as it is known here. */
export interface KeptTable<T> {
  get(key: string | readonly (string | number)[]): T | undefined;
  put(key: string | readonly (string | number)[], value: T): void;
  remove(key: string | readonly (string | number)[]): void;
  range(): Iterable<{ readonly key: string | readonly (string | number)[]; readonly value: T }>;
}

export interface RecordTables {
  readonly records: KeptTable<ReconstructionRecord>;
  /** Keys [startedAt, session], so that the oldest is known without a look at its record. */
  readonly order: KeptTable<true>;
}

/** A record has some 20 kB. */
const limits = { kept: 4000, inMemory: 200 } as const;

export class RecordShelf {
  /** The oldest first. Without a data folder there are no others; with one, reads need not wait for the disk. */
  readonly #latest = new Map<string, ReconstructionRecord>();
  readonly #tables: RecordTables | undefined;
  readonly #order: [number, string][];
  readonly #mostKept: number;
  readonly #mostInMemory: number;

  constructor(tables?: RecordTables, { kept, inMemory }: { readonly kept?: number; readonly inMemory?: number } = {}) {
    this.#tables = tables;
    this.#mostKept = kept ?? limits.kept;
    this.#mostInMemory = inMemory ?? limits.inMemory;
    this.#order = [...(tables?.order.range() ?? [])].map(({ key }) => [Number(key[0]), String(key[1])]);
  }

  put(sessionId: string, record: ReconstructionRecord): void {
    const isNew = this.get(sessionId) === undefined;
    this.#latest.delete(sessionId);
    this.#latest.set(sessionId, record);
    for (const [oldest] of this.#latest) {
      if (this.#latest.size <= this.#mostInMemory) break;
      this.#latest.delete(oldest);
    }
    if (this.#tables === undefined) return;
    this.#tables.records.put(sessionId, record);
    if (isNew) this.#order.push([record.startedAt, sessionId]);
    if (isNew) this.#tables.order.put([record.startedAt, sessionId], true);
    while (this.#order.length > this.#mostKept) {
      const oldest = this.#order.shift()!;
      this.#tables.order.remove(oldest);
      this.#tables.records.remove(oldest[1]);
    }
  }

  get(sessionId: string): ReconstructionRecord | undefined {
    return this.#latest.get(sessionId) ?? this.#tables?.records.get(sessionId);
  }
}
