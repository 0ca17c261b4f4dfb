/** What happens when, in the time of a simulation: a binary heap; what is due at the same time happens in the order in which it was entered. */
interface Entry {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

export class Calendar {
  readonly #heap: Entry[] = [];
  #order = 0;
  #now = 0;

  /** s */
  get now(): number {
    return this.#now;
  }

  /** @param at not before now */
  enter(at: number, happen: () => void): void {
    const entry = { at: Math.max(at, this.#now), order: this.#order++, happen };
    let index = this.#heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, this.#heap[parent]!)) break;
      this.#heap[index] = this.#heap[parent]!;
      index = parent;
    }
    this.#heap[index] = entry;
  }

  /** Everything up to a time. */
  runUntil(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#removeFirst();
      this.#now = next.at;
      next.happen();
    }
    this.#now = end;
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (!isBefore(this.#heap[child]!, last)) break;
      this.#heap[index] = this.#heap[child]!;
      index = child;
    }
    this.#heap[index] = last;
  }
}

const isBefore = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);
