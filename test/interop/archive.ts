/** An archive that can be away: dcmtk's storescp, which writes a file an instance. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import dcmjs from 'dcmjs';

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
  /** How often each instance reached it, by its UID. */
  readonly arrivals = new Map<string, number>();

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
      createInterface({ input: stream }).on('line', (line) => {
        // Files are named by modality and UID.
        const uid = /storing DICOM file: .*\/[A-Za-z]+\.([\d.]+)$/.exec(line)?.[1];
        if (uid !== undefined) this.arrivals.set(uid, (this.arrivals.get(uid) ?? 0) + 1);
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

  /** Instances that reached it, those that it had already as well. */
  get nReceived(): number {
    return [...this.arrivals.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Every file that it holds. */
  files(): Uint8Array[] {
    return readdirSync(this.#folder).map((name) => readFileSync(join(this.#folder, name)));
  }
}

export interface Archived {
  readonly sopInstanceUid: string;
  readonly seriesDescription: string;
  /** A hash. */
  readonly pixels: string;
}

export function archived(file: Uint8Array): Archived {
  const { dict } = dcmjs.data.DicomMessage.readFile(new Uint8Array(file).buffer);
  const valueOf = (tag: string) => dict[tag]?.Value[0];
  return {
    sopInstanceUid: String(valueOf('00080018')), seriesDescription: String(valueOf('0008103E')), pixels: hashOf(new Uint8Array(valueOf('7FE00010') as ArrayBuffer)),
  };
}

export const hashOf = (pixels: ArrayBufferView): string => createHash('sha256').update(Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength)).digest('hex');

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
