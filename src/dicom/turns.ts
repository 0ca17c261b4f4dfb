/** At most so many at once; the others wait for their turn, first come, first served. */
export class Turns {
  #nFree: number;
  readonly #waiting: (() => void)[] = [];

  constructor(nAtOnce: number) {
    this.#nFree = nAtOnce;
  }

  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#nFree > 0) this.#nFree--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#nFree++;
      else next();
    }
  }
}
