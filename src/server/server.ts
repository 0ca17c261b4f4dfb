/** The MRD service on TCP: many sessions at once, none of which can hurt another. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { doorError } from '../doors/index.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import { Connection } from './connection.js';
import type { ConnectionOptions } from './connection.js';
import { serverError } from './errors.js';

export interface ServerOptions extends ConnectionOptions {
  readonly maxSessions: number;
  /** Whether a session may come from an address; from all where it is absent. */
  readonly admits?: (remoteAddress: string) => boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class MrdServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #nSessions = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    // allowHalfOpen: a client may end its side and still wait for its images.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      // Refused sessions are answered, too; beyond this many, connections are not.
      if (this.#connections.size < 2 * options.maxSessions + 16) void this.#serve(socket);
      else socket.destroy();
    });
  }

  /** @param port 0 takes any free port. @throws the system's error where it cannot listen */
  async listen(port: number, host: string): Promise<Address> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#server.on('error', (error: NodeJS.ErrnoException) => this.#options.log.error({ code: error.code }, 'listening failed'));
    const address = this.#server.address() as AddressInfo;
    return { host: address.address, port: address.port };
  }

  /** Takes no more connections, and waits for the open ones, which end with an error after the grace. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const error = serverError('CONUS_ERR_SHUTDOWN', 'a server that stops');
    const failAll = () => this.#connections.forEach((connection) => connection.fail(error));
    const cutAll = () => this.#connections.forEach((connection) => connection.destroy());
    const timers = [setTimeout(failAll, graceMs), setTimeout(cutAll, graceMs + this.#options.lingerSilenceMs)];
    await closed;
    // A connection whose socket is closed may still be saving its raw data.
    await Promise.all([...this.#connections].map((connection) => connection.closed));
    for (const timer of timers) clearTimeout(timer);
  }

  async #serve(socket: Socket): Promise<void> {
    const { metrics, maxSessions } = this.#options;
    const id = randomBytes(6).toString('hex');
    const log = this.#options.log.child({ session: id });
    const refusal = this.#refusalOf(socket, maxSessions);
    this.#nSessions++;
    metrics.sessionOpened();
    log.info('session opened');
    const connection = new Connection(socket, id, this.#options, log, refusal);
    this.#connections.add(connection);
    const summary = await connection.closed;
    this.#connections.delete(connection);
    this.#nSessions--;
    metrics.sessionClosed(summary);
    const { error, ...facts } = summary;
    const level = facts.outcome === 'completed' ? 'info' : 'warn';
    log[level](facts, 'session closed');
    // Only a fault of our own has a stack worth keeping; others may quote what a client sent.
    if (facts.errorCode === 'CONUS_ERR_INTERNAL') log.error({ stack: error?.stack }, 'internal error');
  }

  #refusalOf({ remoteAddress }: Socket, maxSessions: number): Error | undefined {
    if (this.#options.admits?.(remoteAddress ?? '') === false) return doorError('CONUS_ERR_DOOR_MRD', 'another address');
    return this.#nSessions < maxSessions ? undefined : serverError('CONUS_ERR_BUSY', `session ${maxSessions + 1} of at most ${maxSessions}`);
  }
}
