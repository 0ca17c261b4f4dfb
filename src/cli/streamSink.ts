/** A session's bytes into a stream: stdout or a file. */
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ByteSink } from '../session/index.js';

export class StreamSink implements ByteSink {
  readonly #stream: Writable;
  #failure: Error | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#failure = error;
    });
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.#failure !== undefined) return;
    for (const part of parts) this.#stream.write(part);
  }

  ready(): Promise<void> | undefined {
    if (!this.#stream.writableNeedDrain || this.#failure !== undefined) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        this.#stream.off('drain', done).off('close', done);
        resolve();
      };
      this.#stream.on('drain', done).on('close', done);
    });
  }

  /** Why nothing more can be written. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Everything is written, and the stream ended. @throws the system's error where it could not be */
  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const done = finished(this.#stream, { readable: false });
    this.#stream.end();
    await done;
  }
}
