/** Where records are kept: a table of the data directory, or memory where there is none. */

export interface RecordTable<T> {
  get(key: string): T | undefined;
  put(key: string, value: T): void;
  remove(key: string): void;
  range(): Iterable<{ readonly value: T }>;
}

export class MemoryTable<T> implements RecordTable<T> {
  readonly #values = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  put(key: string, value: T): void {
    this.#values.set(key, value);
  }

  remove(key: string): void {
    this.#values.delete(key);
  }

  *range(): Iterable<{ readonly value: T }> {
    for (const value of this.#values.values()) yield { value };
  }
}
