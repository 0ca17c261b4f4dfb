/**
 * One TCP connection: bytes to the session and back, time-outs, and an end that loses nothing. A
 * socket that is destroyed with unread input resets the connection, and the client loses the answer
 * that it has not read yet; so what still comes in after the answer is read and dropped for a while.
 */
import type { Socket } from 'node:net';
import type { ParserLimits } from 'ismrmrd';
import type { ChoiceOptions } from '../chain/index.js';
import type { CtScanner } from '../denoising/index.js';
import type { Logger } from '../log.js';
import type { NoiseStore } from '../noise/index.js';
import { KeepingAnswer } from '../keeping/index.js';
import type { KeptSession, SessionKeeper } from '../keeping/index.js';
import { RawRecorder, rawWarning } from '../raw/index.js';
import { Session, WireAnswer } from '../session/index.js';
import type { Denoisers, Epilogue, Guide, OnlookerMapKind, Reconstructions, SessionObserver, SessionSummary } from '../session/index.js';
import { serverError } from './errors.js';
import { intoOneBuffer } from './oneBuffer.js';
import { SocketSink } from './socketSink.js';

export interface ConnectionOptions extends ChoiceOptions {
  readonly reconstructions: Reconstructions;
  readonly denoisers?: Denoisers;
  readonly ctScanners?: readonly CtScanner[];
  readonly limits?: Partial<ParserLimits>;
  /** Folder for raw data; none is saved where it is absent. */
  readonly saveRaw?: string;
  readonly noiseStore?: NoiseStore;
  /** Keeps the images of sessions for delivery; nobody does where it is absent. */
  readonly keeper?: SessionKeeper;
  /** Who looks on at the session of this id. */
  readonly observe?: (sessionId: string) => SessionObserver;
  /** Maps that they get, whatever clients ask for. */
  readonly onlookerMaps?: readonly OnlookerMapKind[];
  /** What exams say of a scan; nobody says anything where it is absent. */
  readonly guide?: Guide;
  /** What goes back after the images of the session of this id. */
  readonly epilogueOf?: (sessionId: string) => Epilogue;
  /** Longest silence between messages. */
  readonly idleTimeoutMs: number;
  /** Longest silence within a message, and longest time without a byte read by the client. */
  readonly stallTimeoutMs: number;
  /** After the answer: longest silence, and longest time in all, before the connection is cut. */
  readonly lingerSilenceMs: number;
  readonly lingerTotalMs: number;
  /** Answered bytes that may wait for the client before its input has to wait. */
  readonly answerQueueBytes: number;
}

export const defaultConnectionOptions = {
  idleTimeoutMs: 30 * 60_000,
  stallTimeoutMs: 120_000,
  lingerSilenceMs: 10_000,
  lingerTotalMs: 120_000,
  answerQueueBytes: 64 << 20,
} as const;

export class Connection {
  /** Resolves when the socket is closed. Never rejects. */
  readonly closed: Promise<SessionSummary>;
  readonly #socket: Socket;
  readonly #session: Session;
  readonly #options: ConnectionOptions;
  readonly #log: Logger;
  readonly #kept: KeptSession | undefined;
  #recorder: RawRecorder | undefined;
  /** When bytes came last, while more are awaited; undefined while the client has to wait for us. */
  #waitingSince: number | undefined;
  /** The answer is complete; only the client's end of the connection is awaited. */
  #isLingering = false;

  /**
   * @param accepted a paused socket, the connection's from now on
   * @param refusal an error that ends the session before it begins
   */
  constructor(accepted: Socket, id: string, options: ConnectionOptions, log: Logger, refusal?: Error) {
    const socket = intoOneBuffer(accepted, (bytes) => this.#take(bytes));
    this.#socket = socket;
    this.#options = options;
    this.#log = log;
    this.#kept = options.keeper?.open(id);
    const wire = new WireAnswer(new SocketSink(socket, options.answerQueueBytes));
    this.#session = new Session({
      ...options,
      id,
      answer: this.#kept === undefined ? wire : new KeepingAnswer(wire, this.#kept, async () => this.#recorder?.flushed()),
      savesRaw: options.saveRaw !== undefined,
      ...(options.observe !== undefined && { observer: options.observe(id) }),
      ...(options.epilogueOf !== undefined && { epilogue: options.epilogueOf(id) }),
    });
    if (refusal !== undefined) this.#session.fail(refusal);
    this.closed = this.#run(id);
  }

  /** Ends the session with an error, answered like any other. */
  fail(error: Error): void {
    this.#session.fail(error);
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #run(id: string): Promise<SessionSummary> {
    const socket = this.#socket;
    const gone = new Promise<void>((resolve) => {
      socket.once('close', () => {
        this.#session.abort(serverError('CONUS_ERR_CONNECTION_LOST', 'a connection that broke'));
        resolve();
      });
    });
    // The reading loop meets the same error; without a listener it would end the process.
    socket.on('error', (error: NodeJS.ErrnoException) => this.#log.debug({ code: error.code }, 'socket error'));
    socket.on('timeout', () => this.#silence());
    socket.setTimeout(Math.min(this.#options.stallTimeoutMs, this.#options.idleTimeoutMs));
    if (this.#options.saveRaw !== undefined && this.#session.takesInput) await this.#startRecording(this.#options.saveRaw, id);

    const reading = Promise.race([this.#read(), gone]);
    const summary = await this.#session.closed;
    this.#linger();
    await reading;
    const path = await this.#recorder?.close();
    if (path !== undefined) {
      this.#log.info({ bytes: socket.bytesRead }, 'raw data saved');
      this.#options.keeper?.raw.recorded(path);
    }
    await gone;
    return summary;
  }

  async #startRecording(folder: string, id: string): Promise<void> {
    const onFailure = (error: NodeJS.ErrnoException) => {
      this.#log.error({ code: error.code }, 'raw data cannot be saved');
      this.#session.remark(rawWarning('CONUS_WARN_RAW_NOT_SAVED', `raw data are not saved (${error.code ?? error.name})`));
    };
    try {
      await this.#options.keeper?.raw.makeRoom(folder);
      this.#recorder = await RawRecorder.open(folder, id, onFailure);
      this.#kept?.savesRaw(this.#recorder.path);
    } catch (error) {
      onFailure(error as NodeJS.ErrnoException);
    }
  }

  /** Everything that comes in until the client ends its side or the connection breaks. */
  async #read(): Promise<void> {
    const ended = new Promise((resolve) => this.#socket.once('end', resolve));
    this.#waitingSince = performance.now();
    this.#socket.resume();
    await ended;
    this.#waitingSince = undefined;
    await this.#session.end();
  }

  /** @returns whether more may follow at once; else the socket is resumed later, and keeps `bytes` as they are until then */
  #take(bytes: Uint8Array): boolean {
    const disk = this.#recorder?.write(Buffer.from(bytes));
    const room = this.#session.write(bytes);
    if (disk === undefined && room === undefined) {
      this.#waitingSince = performance.now();
      return true;
    }
    this.#waitingSince = undefined;
    void Promise.all([disk, room]).then(() => {
      this.#waitingSince = performance.now();
      this.#socket.resume();
    });
    return false;
  }

  /** No byte went either way for as long as the socket's time-out. */
  #silence(): void {
    const { stallTimeoutMs, idleTimeoutMs } = this.#options;
    if (this.#isLingering) {
      this.#socket.destroy();
      return;
    }
    if (this.#socket.writableLength > 0) {
      this.#session.abort(serverError('CONUS_ERR_SLOW_READER', `no byte read for ${stallTimeoutMs / 1000} s`));
      this.#socket.destroy();
      return;
    }
    if (this.#waitingSince !== undefined) {
      const silentMs = performance.now() - this.#waitingSince;
      // Timers may fire a little early; a silence of all but the time-out is one.
      const exceeds = (limitMs: number) => silentMs >= limitMs - 5;
      if (this.#session.isMidMessage && exceeds(stallTimeoutMs)) {
        this.#session.fail(serverError('CONUS_ERR_STALLED', `nothing within a message for ${stallTimeoutMs / 1000} s`));
      } else if (exceeds(idleTimeoutMs)) {
        this.#session.fail(serverError('CONUS_ERR_IDLE', `nothing for ${idleTimeoutMs / 1000} s`));
      }
    }
    this.#socket.setTimeout(Math.min(stallTimeoutMs, idleTimeoutMs));
  }

  /** Ends our side, and gives the client time to read the answer and to end its own. */
  #linger(): void {
    const { stallTimeoutMs, lingerSilenceMs, lingerTotalMs } = this.#options;
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#isLingering = true;
    socket.setTimeout(stallTimeoutMs);
    socket.end(() => {
      const total = setTimeout(() => socket.destroy(), lingerTotalMs);
      socket.once('close', () => clearTimeout(total));
      socket.setTimeout(lingerSilenceMs);
    });
  }
}
