/** Debian's redis-server on the loopback, as docs/cluster.md wants it: every write is on the disk before it is acknowledged, and nothing is evicted. */
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { freePort } from '../archive.js';
import { Daemon } from './daemon.js';

export class Redis {
  readonly #folder: string;
  readonly #port: number;
  #daemon: Daemon | undefined;

  static async start(folder: string): Promise<Redis> {
    mkdirSync(folder, { recursive: true });
    const redis = new Redis(folder, await freePort());
    await redis.comes();
    return redis;
  }

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** On the data that it had. */
  async comes(): Promise<void> {
    const options = {
      port: this.#port, bind: '127.0.0.1', dir: this.#folder, save: '', appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction', 'tcp-keepalive': 10,
    };
    const daemon = await Daemon.start('redis-server', Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]));
    this.#daemon = daemon;
    await daemon.until(async () => (await pong(this.#port)) || undefined);
  }

  /** @param signal SIGKILL: in the middle of whatever it does */
  async goes(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#daemon?.end(signal);
    this.#daemon = undefined;
  }
}

/** Whether it has read its data and answers. */
function pong(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}
