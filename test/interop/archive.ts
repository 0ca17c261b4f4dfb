/** An archive that can be away: dcmtk's storescp, which writes a file an instance. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export const ARCHIVE_TITLE = 'ARCHIVE';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export class Archive {
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess | undefined;
  /** Instances that reached it, those that it had already as well. */
  nReceived = 0;

  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    mkdirSync(folder, { recursive: true });
  }

  get destination(): string {
    return `dicom://${ARCHIVE_TITLE}@127.0.0.1:${this.#port}`;
  }

  /** @throws where storescp is not installed */
  async comes(): Promise<void> {
    const child = spawn('storescp', ['-v', '-aet', ARCHIVE_TITLE, '-dhl', '-od', this.#folder, String(this.#port)], { stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child, 'spawn').catch((cause: unknown) => {
      throw new Error('storescp cannot be run; .ci/run installs what the interop suite needs', { cause });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        this.nReceived += data.toString().split('Received Store Request').length - 1;
      });
    }
    this.#process = child;
    while (!(await answers(this.#port))) {
      if (child.exitCode !== null) throw new Error(`storescp ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** At once, in the middle of whatever it does. */
  async goes(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  }

  /** Every file that it holds. */
  files(): Uint8Array[] {
    return readdirSync(this.#folder).map((name) => readFileSync(join(this.#folder, name)));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
