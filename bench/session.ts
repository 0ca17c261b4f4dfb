/**
 * A whole session over TCP as a scanner sees it: last readout handed over -> image received, with lines
 * paced as they are acquired, and the session as fast as the socket takes it. The service is the built
 * one in a process of its own. Beside it stands the time of the least that any reconstruction must do,
 * the inverse Fourier transform of all coils by Conus's own kernels, in the same run.
 *
 *   npm run build && npx tsx bench/session.ts [STREAM.mrd]
 *
 * Without a stream: the simulator's spine, 320 x 320, 16 coils, R = 2, 24 calibration lines, noise scan.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { pathToFileURL } from 'node:url';
import { encodeMessage, MrdParser, parseMessages, type MrdMessage } from 'ismrmrd';
import { Arena, bindKernels, createSessionMemory, fftColumns, fftLines, planFft } from '../recon/index.js';
import { SimulatedScan } from '../simulator/index.js';
import { median, printTable } from './report.js';

const paceMs = 2;
const nRuns = 9;

interface Piece {
  readonly bytes: Uint8Array;
  readonly isAcquisition: boolean;
}

interface Timing {
  readonly latencyMs: number;
  readonly totalMs: number;
  readonly nImages: number;
}

function pieceOf(message: MrdMessage): Piece {
  return { bytes: Buffer.concat(encodeMessage(message)), isAcquisition: message.kind === 'acquisition' };
}

async function startService(): Promise<{ process: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['dist/src/main.js', 'serve', '--port', '0', '--json', '--log-level', 'error'], {
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

async function runSession(port: number, pieces: readonly Piece[], pace: boolean): Promise<Timing> {
  const start = performance.now();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
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
    socket.on('data', (chunk) => parser.write(chunk));
    socket.on('error', reject);
  });
  const lastAcquisition = pieces.findLastIndex(({ isAcquisition }) => isAcquisition);
  let due = performance.now();
  for (const [i, { bytes, isAcquisition }] of pieces.entries()) {
    if (!socket.write(bytes)) await new Promise((resolve) => socket.once('drain', resolve));
    if (i === lastAcquisition) lastSentAt = performance.now();
    if (!pace || !isAcquisition || i === lastAcquisition) continue;
    due += paceMs;
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now() - 0.5)));
  }
  await closed;
  const end = performance.now();
  socket.end();
  return { latencyMs: lastImageAt - lastSentAt, totalMs: end - start, nImages };
}

function transformLimitMs(matrix: number, nCoils: number): number {
  const limitBytes = 2 ** 27;
  const memory = createSessionMemory(limitBytes);
  const arena = new Arena(memory, { startByte: 64, limitBytes });
  const kernels = bindKernels(memory, arena);
  const plan = planFft(kernels, matrix);
  const coilBytes = 8 * matrix * matrix;
  const data = arena.allocate(nCoils * coilBytes);
  arena.f32(data, (nCoils * coilBytes) / 4).fill(1e-3);
  const times: number[] = [];
  for (let run = 0; run < 20; run++) {
    const start = performance.now();
    for (let coil = 0; coil < nCoils; coil++) {
      fftLines(kernels, plan, data + coil * coilBytes, matrix, 'inverse');
      fftColumns(kernels, plan, data + coil * coilBytes, matrix, 'inverse');
    }
    times.push(performance.now() - start);
  }
  return median(times);
}

export async function benchSession(streamFile?: string): Promise<void> {
  const messages =
    streamFile === undefined
      ? [...new SimulatedScan({ acceleration: 2, readoutOversampling: 1 }).messages()]
      : parseMessages(readFileSync(streamFile));
  const pieces = messages.map(pieceOf);
  const megabytes = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6;
  const service = await startService();
  try {
    const rows: (string | number)[][] = [];
    const limitMs = transformLimitMs(320, 16);
    for (const pace of [true, false]) {
      await runSession(service.port, pieces, pace);
      const timings: Timing[] = [];
      for (let run = 0; run < nRuns; run++) timings.push(await runSession(service.port, pieces, pace));
      const latencyMs = median(timings.map((timing) => timing.latencyMs));
      const totalMs = median(timings.map((timing) => timing.totalMs));
      const best = Math.min(...timings.map((timing) => (pace ? timing.latencyMs : timing.totalMs)));
      rows.push([
        pace ? `lines paced at ${paceMs} ms` : 'as fast as the socket takes it',
        latencyMs.toFixed(1), totalMs.toFixed(0), best.toFixed(1), ((pace ? latencyMs : totalMs) / limitMs).toFixed(1), timings[0]!.nImages,
      ]);
    }
    printTable(
      `session over TCP, ${streamFile ?? 'simulated spine'}, ${megabytes.toFixed(1)} MB; limit: FFT of 320 x 320 x 16 in ${limitMs.toFixed(1)} ms`,
      ['session', 'last readout -> image, ms', 'whole, ms', 'best, ms', 'x limit', 'images'],
      rows,
    );
  } finally {
    service.process.kill();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchSession(process.argv[2]);
