/** A session's bytes onto a socket; a client that does not read is waited for once the queue is full. */
import type { Socket } from 'node:net';
import type { ByteSink } from '../session/index.js';

export class SocketSink implements ByteSink {
  readonly #socket: Socket;
  readonly #queueLimitBytes: number;

  constructor(socket: Socket, queueLimitBytes: number) {
    this.#socket = socket;
    this.#queueLimitBytes = queueLimitBytes;
  }

  write(parts: readonly Uint8Array[]): void {
    if (!this.#socket.writable) return;
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }

  ready(): Promise<void> | undefined {
    if (!this.#socket.writable || this.#socket.writableLength <= this.#queueLimitBytes) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done).off('close', done);
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }
}
