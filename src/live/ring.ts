/** The latest changes, for clients that come back: bounded in number, without gaps. */
import type { ExamChange } from '../exams/index.js';

export class ChangeRing {
  readonly #capacity: number;
  /** A change is at its sequence number modulo the capacity. */
  readonly #changes: ExamChange[] = [];
  #latest: number;

  /** @param latest sequence number of the change before the first one that will be added */
  constructor(capacity: number, latest = 0) {
    this.#capacity = capacity;
    this.#latest = latest;
    this.#first = latest + 1;
  }

  #first: number;

  get latest(): number {
    return this.#latest;
  }

  add(change: ExamChange): void {
    this.#changes[change.sequence % this.#capacity] = change;
    this.#latest = change.sequence;
    this.#first = Math.max(this.#first, change.sequence - this.#capacity + 1);
  }

  /** Whether all changes after this one are kept. */
  reaches(sequence: number): boolean {
    return sequence >= this.#first - 1 && sequence <= this.#latest;
  }

  /** @returns undefined where it is not kept, or not yet there */
  at(sequence: number): ExamChange | undefined {
    return sequence >= this.#first && sequence <= this.#latest ? this.#changes[sequence % this.#capacity] : undefined;
  }
}
