/** Gathers what is asked for at one time under one key, and hands it on together. */
export class Batches<Item> {
  readonly #open = new Map<string, Item[]>();
  readonly #handOn: (batch: readonly Item[]) => void;

  constructor(handOn: (batch: readonly Item[]) => void) {
    this.#handOn = handOn;
  }

  add(key: string, item: Item): void {
    const open = this.#open.get(key);
    if (open !== undefined) {
      open.push(item);
      return;
    }
    const batch = [item];
    this.#open.set(key, batch);
    // After the others that the same event asked for.
    setTimeout(() => {
      this.#open.delete(key);
      this.#handOn(batch);
    });
  }
}
