/** The built service in a process of its own, and a client that times its sessions as a scanner sees them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { encodeMessage, MrdParser, type MrdMessage } from 'ismrmrd';

const readBytes = 2 ** 20;

export interface Piece {
  readonly bytes: Uint8Array;
  readonly isAcquisition: boolean;
}

export interface Timing {
  /** Last readout handed over -> last image received. */
  readonly latencyMs: number;
  readonly totalMs: number;
  readonly nImages: number;
}

export interface Service {
  readonly process: ChildProcess;
  readonly port: number;
}

export function pieceOf(message: MrdMessage): Piece {
  return { bytes: Buffer.concat(encodeMessage(message)), isAcquisition: message.kind === 'acquisition' };
}

/** Without options: the conventional series alone. */
export async function startService(options: readonly string[] = ['--denoise', '0']): Promise<Service> {
  const child = spawn(process.execPath, ['dist/src/main.js', 'serve', '--port', '0', '--json', '--log-level', 'error', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const piece of child.stdout) {
    text += String(piece);
    const port = /"port":\s*(\d+)/.exec(text)?.[1];
    if (port !== undefined) return { process: child, port: Number(port) };
  }
  throw new Error('the service did not start');
}

/** @param paceMs between readouts; undefined: as fast as the socket takes them */
export async function runSession(port: number, pieces: readonly Piece[], paceMs?: number): Promise<Timing> {
  const start = performance.now();
  let read: (chunk: Uint8Array) => void = () => undefined;
  // One place for what comes in: the client's own time is not the service's.
  const onread = { buffer: Buffer.alloc(readBytes), callback: (n: number, buffer: Uint8Array) => (read(buffer.subarray(0, n)), true) };
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
  let lastSentAt = 0;
  let lastImageAt = 0;
  let nImages = 0;
  const closed = new Promise<void>((resolve, reject) => {
    const parser = new MrdParser({
      image: () => {
        lastImageAt = performance.now();
        nImages++;
      },
      close: () => resolve(),
    });
    read = (chunk) => parser.write(chunk);
    socket.on('error', reject);
  });
  const lastAcquisition = pieces.findLastIndex(({ isAcquisition }) => isAcquisition);
  let due = performance.now();
  for (const [i, { bytes, isAcquisition }] of pieces.entries()) {
    if (!socket.write(bytes)) await new Promise((resolve) => socket.once('drain', resolve));
    if (i === lastAcquisition) lastSentAt = performance.now();
    if (paceMs === undefined || !isAcquisition || i === lastAcquisition) continue;
    due += paceMs;
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now() - 0.5)));
  }
  await closed;
  const end = performance.now();
  socket.end();
  return { latencyMs: lastImageAt - lastSentAt, totalMs: end - start, nImages };
}

/** The most memory that the service has had resident, MB; undefined where the system does not tell. */
export function peakResidentMb({ process: { pid } }: Service): number | undefined {
  try {
    const kB = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kB === undefined ? undefined : Number(kB) / 1e3;
  } catch {
    return undefined;
  }
}
