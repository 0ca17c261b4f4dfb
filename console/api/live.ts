/**
 * The live channel, as the page sees it: one WebSocket that is opened again and again, a place in the row of changes
 * that never has a gap, and pictures of the exams that are looked at.
 *
 *   connecting -> welcome -> subscribe (with the place that was reached) -> changes | reset -> … -> lost -> connecting
 *
 * A change whose number is not the next one means that something was missed: the place is given up, and a reset says
 * everything anew. A connection on which nothing is heard for two heartbeats is as good as closed.
 */
import { Packr } from 'msgpackr';
import type { ExamChange, ExamView, PictureMessage, ServerMessage } from './types.js';

const PROTOCOL = 'conus.live.v1';
const shortestPauseMs = 250;
const longestPauseMs = 8000;

/** As the service writes: see the remark on typed arrays in its page of the live channel. */
const packr = new Packr({ moreTypes: true, useRecords: false, variableMapSize: true });

export type ConnectionState = 'connecting' | 'live' | 'lost';

export interface LiveEvents {
  state(state: ConnectionState): void;
  reset(exams: readonly ExamView[]): void;
  change(change: ExamChange): void;
  picture(picture: PictureMessage): void;
}

/** What happened on the channel since the page was opened. */
export interface LiveCounts {
  nConnections: number;
  nResets: number;
  nChanges: number;
  /** Changes that did not follow the one before. */
  nGaps: number;
  nPictures: number;
  nPicturesLost: number;
  sequence: number;
}

/** What is used of a WebSocket. */
export type Socket = Pick<WebSocket, 'send' | 'close' | 'readyState' | 'binaryType' | 'onopen' | 'onmessage' | 'onclose'>;

export interface LiveOptions {
  readonly url: string;
  readonly token: () => string | undefined;
  /** Asked after a connection that was never welcome: whether another one has a chance. A socket does not tell why it was refused. */
  readonly isAdmitted?: () => Promise<boolean>;
  readonly open?: (url: string, protocols: string[]) => Socket;
}

const OPEN = 1;

export class LiveClient {
  readonly counts: LiveCounts = { nConnections: 0, nResets: 0, nChanges: 0, nGaps: 0, nPictures: 0, nPicturesLost: 0, sequence: 0 };
  readonly #options: LiveOptions;
  readonly #events: LiveEvents;
  #socket: Socket | undefined;
  #epoch: string | undefined;
  /** The last change that the page has; undefined where everything is to be said anew. */
  #place: number | undefined;
  #isWelcome = false;
  #pictureExams: readonly string[] = [];
  #pauseMs = shortestPauseMs;
  #heartbeatMs = 15_000;
  #heardAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  constructor(options: LiveOptions, events: LiveEvents) {
    this.#options = options;
    this.#events = events;
  }

  connect(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#events.state('connecting');
    const token = this.#options.token();
    const protocols = token === undefined ? [PROTOCOL] : [PROTOCOL, `bearer.${token}`];
    const socket = (this.#options.open ?? openSocket)(this.#options.url, protocols);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#isWelcome = false;
    this.#heardAt = Date.now();
    socket.onmessage = ({ data }: MessageEvent) => this.#heard(socket, new Uint8Array(data as ArrayBuffer));
    socket.onclose = () => this.#closed(socket);
    clearInterval(this.#watch);
    this.#watch = setInterval(() => this.#check(socket), 1000);
  }

  /** Pictures of these exams, and of no other ones, from now on. */
  watchPictures(examIds: readonly string[]): void {
    if (examIds.join() === this.#pictureExams.join()) return;
    this.#pictureExams = [...examIds];
    if (this.#isWelcome) this.#subscribe();
  }

  /** At once, e.g. with another token. */
  reconnect(): void {
    this.#pauseMs = shortestPauseMs;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#socket?.close();
  }

  #subscribe(): void {
    const since = this.#place === undefined || this.#epoch === undefined ? {} : { epoch: this.#epoch, since: this.#place };
    const pictures = this.#pictureExams.length === 0 ? { pictures: 'none' } : { pictures: 'slices', pixels: 'float32', examIds: this.#pictureExams };
    this.#send({ kind: 'subscribe', ...since, ...pictures });
  }

  #send(message: Record<string, unknown>): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(packr.pack(message) as Uint8Array<ArrayBuffer>);
  }

  #heard(socket: Socket, bytes: Uint8Array): void {
    if (socket !== this.#socket) return;
    this.#heardAt = Date.now();
    const message = packr.unpack(bytes) as ServerMessage;
    switch (message.kind) {
      case 'welcome':
        this.counts.nConnections++;
        this.#isWelcome = true;
        this.#heartbeatMs = message.heartbeatMs;
        this.#pauseMs = shortestPauseMs;
        // Numbers of another run of the service mean nothing in this one.
        if (message.epoch !== this.#epoch) this.#place = undefined;
        this.#epoch = message.epoch;
        this.#subscribe();
        this.#events.state('live');
        return;
      case 'reset':
        this.counts.nResets++;
        this.#reached(message.sequence);
        this.#events.reset(message.exams);
        return;
      case 'change':
        return this.#changed(message.change);
      case 'picture':
        this.counts.nPictures++;
        return this.#events.picture(message);
      case 'lost':
        this.counts.nPicturesLost += message.nPictures;
        return;
      case 'pong':
        return;
    }
  }

  #changed(change: ExamChange): void {
    if (this.#place !== undefined && change.sequence <= this.#place) return;
    if (change.sequence !== (this.#place ?? NaN) + 1) {
      this.counts.nGaps++;
      this.#place = undefined;
      this.#subscribe();
      return;
    }
    this.counts.nChanges++;
    this.#reached(change.sequence);
    this.#events.change(change);
  }

  #reached(sequence: number): void {
    this.#place = sequence;
    this.counts.sequence = sequence;
  }

  #check(socket: Socket): void {
    if (socket !== this.#socket) return;
    const silentMs = Date.now() - this.#heardAt;
    if (silentMs > 2 * this.#heartbeatMs) {
      socket.close();
      this.#closed(socket);
    } else if (silentMs > this.#heartbeatMs) {
      this.#send({ kind: 'ping', id: 0 });
    }
  }

  #closed(socket: Socket): void {
    if (socket !== this.#socket || this.#isClosed) return;
    const wasWelcome = this.#isWelcome;
    this.#socket = undefined;
    this.#isWelcome = false;
    clearInterval(this.#watch);
    this.#events.state('lost');
    const { isAdmitted } = this.#options;
    if (wasWelcome || isAdmitted === undefined) this.#tryLater();
    else void isAdmitted().then((isSo) => (isSo && this.#socket === undefined ? this.#tryLater() : undefined));
  }

  #tryLater(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), this.#pauseMs);
    this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs);
  }
}

function openSocket(url: string, protocols: string[]): Socket {
  return new WebSocket(url, protocols);
}
