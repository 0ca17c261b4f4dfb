/** How far a long command is, on one line of a terminal that is overwritten. */
import type { CliIo } from './io.js';

const INTERVAL_MS = 200;

export class Progress {
  readonly #io: CliIo;
  #shownAt = -Infinity;

  constructor(io: CliIo) {
    this.#io = io;
  }

  /** @param text computed only when it is shown */
  update(text: () => string): void {
    if (!this.#io.showsProgress) return;
    const now = performance.now();
    if (now - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = now;
    this.#io.stderr.write(`\r\x1b[K${text()}`);
  }

  end(): void {
    if (this.#shownAt > -Infinity) this.#io.stderr.write('\r\x1b[K');
  }
}
