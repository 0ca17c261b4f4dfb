/** A live channel on loopback, and clients of it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Doors } from '../../../src/doors/index.js';
import { applyChange } from '../../../src/exams/index.js';
import type { ExamKeeper, ExamsById } from '../../../src/exams/index.js';
import { decodeServerMessage, encodeMessage, LIVE_PATH, LIVE_PROTOCOL, LiveChannel } from '../../../src/live/index.js';
import type { ClientMessage, LiveOptions, ServerMessage } from '../../../src/live/index.js';
import { createLog } from '../../../src/log.js';
import { kept } from '../exams/kept.js';

export const cleanUps: (() => Promise<unknown>)[] = [];

export async function cleanUp(): Promise<void> {
  for (const one of cleanUps.splice(0).reverse()) await one();
}

export async function serving(options: Partial<LiveOptions> = {}) {
  const { keeper } = kept();
  const live = new LiveChannel({ exams: keeper, doors: await Doors.open(), log: createLog('silent', { write: () => undefined }), ...options });
  const server = createServer();
  live.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(async () => {
    await live.close();
    server.close();
    server.closeAllConnections();
  });
  return { keeper, live, port: (server.address() as AddressInfo).port };
}

export const stateOf = ({ book }: ExamKeeper): ExamsById => new Map(book.exams.map((exam) => [exam.id, exam]));

/** What a page or another program does with the channel. */
export class Client {
  readonly messages: ServerMessage[] = [];
  readonly socket: WebSocket;
  exams: ExamsById = new Map();
  sequence = 0;
  /** Changes that did not follow the one before. */
  nGaps = 0;

  constructor(port: number, headers: Record<string, string> = {}, path = LIVE_PATH) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, LIVE_PROTOCOL, { headers });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data: Buffer) => this.#take(decodeServerMessage(data)));
    cleanUps.push(() => Promise.resolve(this.socket.terminate()));
  }

  #take(message: ServerMessage): void {
    this.messages.push(message);
    if (message.kind === 'reset') {
      this.exams = new Map(message.exams.map((exam) => [exam.id, exam]));
      this.sequence = message.sequence;
    }
    if (message.kind === 'change') {
      if (message.change.sequence !== this.sequence + 1) this.nGaps++;
      this.sequence = message.change.sequence;
      this.exams = applyChange(this.exams, message.change);
    }
  }

  async saying(message: ClientMessage): Promise<this> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open');
    this.socket.send(encodeMessage(message));
    return this;
  }

  async upTo(sequence: number): Promise<void> {
    while (this.sequence < sequence) await sleep(5);
  }

  async hearing(kind: ServerMessage['kind']): Promise<void> {
    while (!this.kinds().includes(kind)) await sleep(5);
  }

  kinds(): string[] {
    return this.messages.map(({ kind }) => kind);
  }
}
