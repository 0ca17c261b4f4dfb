/**
 * How fast readouts are taken in: socket, parser, ring, whitening, readout FFT and summation of averages, from the first
 * line that is handed over to the image. 32 coils x 640 samples, 320 lines, many averages of one slice, so that the image
 * itself is a small part. Beside it the same readouts through the reconstruction on one thread, without a socket.
 *
 *   npm run build && npx tsx bench/ingest.ts
 */
import { hasFlag, serializeHeader, type Acquisition, type MrdMessage } from 'ismrmrd';
import {
  Arena, bindKernels, CartesianReconstruction, createSessionMemory, defaultReconParameters, planCartesian, runCalibration,
} from '../recon/index.js';
import { SimulatedScan } from '../simulator/index.js';
import { median, printTable } from './report.js';
import { pieceOf, runSession, startService } from './service.js';

const nAverages = 8;
const nRuns = 7;
const parameters = { combine: 'rss', coilCompression: 'off' } as const;
const scan = new SimulatedScan({ nCoils: 32, readoutOversampling: 2, parameters });
const averaged = new SimulatedScan({ nCoils: 32, readoutOversampling: 2, nAverages });

const messages = [...scan.messages()];
const acquisitions = messages.flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : []));
const noise = acquisitions.filter(({ header }) => hasFlag(header.flags, 'noiseMeasurement'));
const lines = acquisitions.filter(({ header }) => !hasFlag(header.flags, 'noiseMeasurement'));
/** The same samples for each average: their last line is not the slice's last but in the last one. */
const readouts: Acquisition[] = [
  ...noise,
  ...Array.from({ length: nAverages }, (_, average) =>
    lines.map((line) => ({ ...line, header: { ...line.header, idx: { ...line.header.idx, average } } })),
  ).flat(),
];
const megabytes = readouts.reduce((sum, { data }) => sum + data.byteLength, 0) / 1e6;

function withoutSocketMs(): number {
  const limitBytes = 2 ** 30;
  const memory = createSessionMemory(limitBytes);
  const arena = new Arena(memory, { startByte: 64, limitBytes });
  const { plan } = planCartesian(averaged.header, { ...defaultReconParameters, ...parameters });
  const reconstruction = new CartesianReconstruction(
    plan, bindKernels(memory, arena), { image: () => undefined, notice: () => undefined }, (job, done) => done(runCalibration(memory, job)),
  );
  const samples = arena.allocate(4 * lines[0]!.data.length);
  const start = performance.now();
  for (const { header, data } of readouts) {
    arena.f32(samples, data.length).set(data);
    reconstruction.push(header, samples);
  }
  reconstruction.finish(() => undefined);
  return performance.now() - start;
}

const pieces = messages.flatMap((message): MrdMessage[] => {
  if (message.kind === 'header') return [{ ...message, xml: serializeHeader(averaged.header) }];
  if (message.kind !== 'acquisition') return [message];
  return message.acquisition === acquisitions[0] ? readouts.map((acquisition) => ({ kind: 'acquisition', acquisition })) : [];
}).map(pieceOf);

const service = await startService();
try {
  const rows: (string | number)[][] = [];
  const row = (what: string, times: readonly number[]) => {
    const ms = median(times);
    rows.push([what, ms.toFixed(0), (megabytes / ms * 1e3).toFixed(0), (megabytes / Math.min(...times) * 1e3).toFixed(0)]);
  };
  const overSocket: number[] = [];
  for (let run = 0; run <= nRuns; run++) {
    const { totalMs, nImages } = await runSession(service.port, pieces);
    if (nImages !== 1) throw new Error(`${nImages} images instead of one`);
    // The first warms the service up.
    if (run > 0) overSocket.push(totalMs);
  }
  row('over TCP, whole session', overSocket);
  withoutSocketMs();
  row('one thread, no socket', Array.from({ length: nRuns }, withoutSocketMs));
  printTable(`ingest, 32 coils x 640 samples, whitened, ${megabytes.toFixed(0)} MB`, ['', 'ms', 'MB/s', 'best, MB/s'], rows);
} finally {
  service.process.kill();
}
