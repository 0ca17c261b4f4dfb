/**
 * A whole session over TCP as a scanner sees it: last readout handed over -> image received, with lines
 * paced as they are acquired, and the session as fast as the socket takes it. The service is the built
 * one in a process of its own. Beside it stands the time of the least that any reconstruction must do,
 * the inverse Fourier transform of all coils by Conus's own kernels, in the same run. Then 20 slices of it, and the most
 * memory that a service fresh from its start has resident for them.
 *
 *   npm run build && npx tsx bench/session.ts [STREAM.mrd]
 *
 * Without a stream: the simulator's spine, 320 x 320, 16 coils, R = 2, 24 calibration lines, noise scan.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { hasFlag, parseMessages, serializeHeader, type MrdMessage } from 'ismrmrd';
import { Arena, bindKernels, createSessionMemory, fftColumns, fftLines, planFft } from '../recon/index.js';
import { SimulatedScan } from '../simulator/index.js';
import { median, printTable } from './report.js';
import { peakResidentMb, pieceOf, runSession, startService, type Timing } from './service.js';

export const paceMs = 2;
const nRuns = 9;
const nSlices = 20;

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
      await runSession(service.port, pieces, pace ? paceMs : undefined);
      const timings: Timing[] = [];
      for (let run = 0; run < nRuns; run++) timings.push(await runSession(service.port, pieces, pace ? paceMs : undefined));
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

/** One slice measured again and again, its lines numbered as those of many. */
export function manySlices(): MrdMessage[] {
  const options = { acceleration: 2, readoutOversampling: 1 } as const;
  const xml = serializeHeader(new SimulatedScan({ ...options, nSlices }).header);
  const one = [...new SimulatedScan(options).messages()];
  const lines = one.filter((message) => message.kind === 'acquisition');
  const isNoise = ({ acquisition }: (typeof lines)[number]) => hasFlag(acquisition.header.flags, 'noiseMeasurement');
  const ofSlices = Array.from({ length: nSlices }, (_, slice) =>
    lines.filter((line) => !isNoise(line)).map(({ kind, acquisition }) => {
      const { header } = acquisition;
      return { kind, acquisition: { ...acquisition, header: { ...header, idx: { ...header.idx, slice } } } };
    }),
  );
  const opening = one.flatMap((message) =>
    message.kind === 'acquisition' || message.kind === 'close' ? [] : [message.kind === 'header' ? { ...message, xml } : message],
  );
  return [...opening, ...lines.filter(isNoise), ...ofSlices.flat(), { kind: 'close' }];
}

export async function benchManySlices(): Promise<void> {
  const pieces = manySlices().map(pieceOf);
  const megabytes = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6;
  const service = await startService();
  try {
    const idleMb = peakResidentMb(service);
    const timings = [await runSession(service.port, pieces)];
    const peakMb = peakResidentMb(service);
    for (let run = 1; run < nRuns; run++) timings.push(await runSession(service.port, pieces));
    const totals = timings.map(({ totalMs }) => totalMs);
    printTable(
      `${nSlices} slices of the simulated spine, ${megabytes.toFixed(1)} MB, as fast as the socket takes them`,
      ['whole, ms', 'best, ms', 'images', 'resident before, MB', 'peak after one session, MB', 'after all, MB'],
      [[median(totals).toFixed(0), Math.min(...totals).toFixed(0), timings[0]!.nImages, ...[idleMb, peakMb, peakResidentMb(service)].map((mb) => mb?.toFixed(0) ?? '')]],
    );
  } finally {
    service.process.kill();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await benchSession(process.argv[2]);
  if (process.argv[2] === undefined) await benchManySlices();
}
