/** The live channel: WebSocket clients on the HTTP server's port, at /api/live. */
import { randomBytes } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { CodedError } from 'ismrmrd';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Doors } from '../doors/index.js';
import type { ExamKeeper } from '../exams/index.js';
import { httpError, isOwnHost } from '../http/index.js';
import type { Logger } from '../log.js';
import { closeCodes, liveError } from './errors.js';
import { ChangeRing } from './ring.js';
import { defaultLimits, Subscriber } from './subscriber.js';
import type { SubscriberLimits } from './subscriber.js';
import { decodeClientMessage, encodeMessage } from './wire.js';

export const LIVE_PATH = '/api/live';
/** Subprotocol; a client may offer others beside it, as doors read tokens from there. */
export const LIVE_PROTOCOL = 'conus.live.v1';

export interface LiveOptions {
  readonly exams: ExamKeeper;
  /** Token, origin and rate. */
  readonly doors: Pick<Doors, 'authorise' | 'hostNames'>;
  readonly log: Logger;
  /** The address that is listened on; the Host header may name it. */
  readonly host?: string;
  /** Changes that are kept for clients that come back. */
  readonly ringCapacity?: number;
  readonly maxClients?: number;
  readonly heartbeatMs?: number;
  readonly limits?: SubscriberLimits;
}

/** Subscriptions and pings are short. */
const maxMessageBytes = 4096;

export class LiveChannel {
  readonly name = 'live channel';
  /** Of this run. */
  readonly epoch = randomBytes(9).toString('base64url');
  readonly #options: LiveOptions;
  readonly #ring: ChangeRing;
  readonly #sockets: WebSocketServer;
  readonly #subscribers = new Map<WebSocket, Subscriber>();
  /** Clients that have not answered the last heartbeat. */
  readonly #silent = new Set<WebSocket>();
  readonly #hostNames: ReadonlySet<string>;
  readonly #endListening: () => void;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(options: LiveOptions) {
    const { exams, ringCapacity = 4096, heartbeatMs = 15_000 } = options;
    this.#options = options;
    this.#hostNames = new Set([...options.doors.hostNames, ...(options.host === undefined ? [] : [options.host])]);
    this.#ring = new ChangeRing(ringCapacity, exams.book.sequence);
    this.#sockets = new WebSocketServer({
      noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false, handleProtocols: (offered) => (offered.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false),
    });
    this.#endListening = exams.listen({
      changes: (changes) => {
        for (const change of changes) this.#ring.add(change);
        for (const subscriber of this.#subscribers.values()) subscriber.pump();
      },
      picture: (picture, place) => {
        for (const subscriber of this.#subscribers.values()) subscriber.picture(picture, place);
      },
    });
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs).unref();
  }

  get nClients(): number {
    return this.#sockets.clients.size;
  }

  get latestSequence(): number {
    return this.#ring.latest;
  }

  /** Takes upgrades of this server from now on. */
  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#endListening();
    for (const client of this.#sockets.clients) {
      client.close(closeCodes.stopping, 'the service stops');
      // One that does not answer must not keep the service.
      setTimeout(() => client.terminate(), 1000).unref();
    }
    return new Promise((resolve) => this.#sockets.close(() => resolve()));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      const [status, { code, message }] = refusal;
      const body = JSON.stringify({ error: { code, message } });
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#welcome(client));
  }

  #refusal({ url, headers, socket }: IncomingMessage): [status: number, error: CodedError] | undefined {
    if (url?.split('?')[0] !== LIVE_PATH) return [404, httpError('CONUS_ERR_HTTP_NOT_FOUND', 'another path')];
    if (!isOwnHost(headers.host, this.#hostNames)) return [403, httpError('CONUS_ERR_HTTP_HOST', 'another name')];
    const admission = this.#options.doors.authorise({ headers, remoteAddress: socket.remoteAddress ?? '', door: 'live' });
    if (!admission.isAdmitted) return [admission.status, admission.error];
    if (this.nClients >= (this.#options.maxClients ?? 64)) return [503, liveError('CONUS_ERR_LIVE_FULL', `${this.nClients} clients`)];
    return undefined;
  }

  #welcome(client: WebSocket): void {
    const { heartbeatMs = 15_000 } = this.#options;
    client.on('error', () => client.terminate());
    client.on('pong', () => this.#silent.delete(client));
    client.on('close', () => {
      this.#subscribers.delete(client);
      this.#silent.delete(client);
    });
    client.on('message', (data: Buffer, isBinary) => this.#read(client, data, isBinary));
    client.send(encodeMessage({ kind: 'welcome', epoch: this.epoch, sequence: this.#ring.latest, heartbeatMs }));
  }

  #read(client: WebSocket, data: Buffer, isBinary: boolean): void {
    try {
      if (!isBinary) throw liveError('CONUS_ERR_LIVE_MESSAGE', 'text');
      const message = decodeClientMessage(data);
      if (message.kind === 'ping') {
        client.send(encodeMessage({ kind: 'pong', id: message.id ?? 0 }));
        return;
      }
      const { exams, limits = defaultLimits } = this.#options;
      const { epoch, since, pictures = 'none', examIds, pixels = 'uint8' } = message;
      const subscription = { kind: 'subscribe' as const, epoch, since, pictures, examIds, pixels };
      const subscriber = new Subscriber(
        {
          get bufferedAmount() {
            return client.bufferedAmount;
          },
          send: (bytes, taken) => client.send(bytes, { binary: true }, (error) => (error instanceof Error ? undefined : taken())),
        },
        this.#ring, () => exams.book.exams, subscription, epoch === this.epoch, limits,
      );
      this.#subscribers.set(client, subscriber);
      subscriber.pump();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      client.close(closeCodes.message, error.code);
    }
  }

  /** A client that did not answer since the last one does not read: its socket is full or its machine is gone. */
  #beat(): void {
    for (const client of this.#sockets.clients) {
      if (this.#silent.has(client)) {
        this.#options.log.info({ code: 'CONUS_ERR_LIVE_SLOW', waitingBytes: client.bufferedAmount }, 'a live client does not read');
        client.close(closeCodes.slow, 'CONUS_ERR_LIVE_SLOW');
        setTimeout(() => client.terminate(), 1000).unref();
        continue;
      }
      this.#silent.add(client);
      client.ping();
    }
  }
}
