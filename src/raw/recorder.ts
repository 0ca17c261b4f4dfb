/**
 * Raw data as they came in, byte for byte, before anything has looked at them. A file is called
 * `<time>-<session>.mrd.partial` while it grows and `<time>-<session>.mrd` once it is complete and on
 * the disk; after a crash the partial file holds what had come, and `conus recon` replays either.
 */
import { mkdir, open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that wait for the disk before the sender has to wait. */
const QUEUE_BYTES = 16 << 20;

export class RawRecorder {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #onFailure: (error: Error) => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;

  /**
   * @param path the final name of the file that `handle` writes as `<path>.partial`
   * @param onFailure called once when the data can no longer be saved; later bytes are dropped
   */
  constructor(handle: FileHandle, path: string, onFailure: (error: Error) => void) {
    this.#handle = handle;
    this.path = path;
    this.#onFailure = onFailure;
  }

  /** @throws the system's error where the folder or the file cannot be made */
  static async open(folder: string, sessionId: string, onFailure: (error: Error) => void): Promise<RawRecorder> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const time = new Date().toISOString().replaceAll(/[-:]/g, '');
    const path = join(folder, `${time}-${sessionId}.mrd`);
    // Raw data are patient data: for the owner of the process only.
    const handle = await open(`${path}.partial`, 'wx', 0o600);
    // The name must last as well as the bytes do.
    const directory = await open(folder, 'r');
    await directory.sync().finally(() => directory.close());
    return new RawRecorder(handle, path, onFailure);
  }

  /**
   * Takes bytes to be appended; `chunk` must not be changed afterwards.
   * @returns undefined when more may follow at once, else a promise for when the disk has caught up
   */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return undefined;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#writing ??= this.#writeAll();
    return this.#waitingBytes > QUEUE_BYTES ? this.#writing : undefined;
  }

  /** Waits until the disk holds what was written so far; a failure was told by `onFailure`. */
  async flushed(): Promise<void> {
    await this.#writing;
    if (this.#failure === undefined) await this.#handle.sync().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Waits for the disk and gives the file its final name.
   * @returns the path, or undefined when the data are not all there
   */
  async close(): Promise<string | undefined> {
    await this.#writing;
    try {
      if (this.#failure !== undefined) return undefined;
      await this.#handle.sync();
      await rename(`${this.path}.partial`, this.path);
      return this.path;
    } catch (error) {
      this.#fail(error);
      return undefined;
    } finally {
      await this.#handle.close();
    }
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        await this.#append(batch);
        this.#waitingBytes -= batch.reduce((sum, { length }) => sum + length, 0);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#writing = undefined;
    }
  }

  /** A disk that fills up may take a part of what it is given. */
  async #append(batch: readonly Uint8Array[]): Promise<void> {
    const bytes = batch.length === 1 ? batch[0]! : Buffer.concat(batch);
    for (let offset = 0; offset < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, offset);
      offset += bytesWritten;
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#onFailure(this.#failure);
  }
}
