/**
 * How long a simulated series takes, and how fast its stream can be played:
 *
 *   npx tsx bench/simulate.ts [threads]
 *
 * The series: 15 sagittal T2w slices of 320 x 320, 16 coils, R = 2 with 24 calibration lines, of the whole anatomy.
 * The stream goes over TCP to a client on loopback that throws it away; beside it the same bytes in one
 * buffer, which is what loopback can do.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { loadUnresolvedProtocol } from '../src/protocols/index.js';
import { paced, SimulatedExam } from '../src/simulation/index.js';
import { drawPatient } from '../simulator/index.js';
import { median, printTable } from './report.js';

const threads = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
const protocol = await loadUnresolvedProtocol('lumbar-fast');
const standard = protocol.series.find(({ id }) => id === 'sag-t2w')!;
const series = {
  ...standard,
  averages: 1,
  acceleration: { factor: 2, calibration: 'embedded' as const, calibrationLines: 24 },
  geometry: { ...standard.geometry, matrix: { readout: 320, phase: 320 }, phaseResolution: 1, phaseOversampling: 0 },
};
const record = drawPatient({ seed: 7, region: protocol.region }, protocol.fieldStrengthT);

const seconds: number[] = [];
let stream: Uint8Array[] = [];
let rates: number[] = [];
const copies: number[] = [];
for (let run = 0; run < 3; run++) {
  const startedAt = performance.now();
  const exam = new SimulatedExam({ protocol: { ...protocol, series: [series] }, subject: { kind: 'patient', record }, scan: { seed: 7 }, ct: {} }, threads);
  const simulated = await exam.simulate(series.id);
  seconds.push((performance.now() - startedAt) / 1000);
  await exam.close();
  if (run > 0) continue;
  rates = [];
  for (let play = 0; play < 5; play++) rates.push(await played(() => paced(simulated.timed(), undefined)));
  stream = [];
  for (const { parts } of simulated.timed()) stream.push(...parts);
  const whole = Buffer.concat(stream);
  for (let play = 0; play < 5; play++) copies.push(await played(() => [whole]));
}
printTable('15 slices of 320 x 320, 16 coils, R = 2, sagittal T2w', ['what', 'median'], [
  ['simulated, threads and anatomy included', `${median(seconds).toFixed(1)} s`],
  ['stream', `${(stream.reduce((sum, { length }) => sum + length, 0) / 1e6).toFixed(0)} MB`],
  ['streamed over TCP once simulated', `${median(rates).toFixed(0)} MB/s`],
  ['the same bytes in one write', `${median(copies).toFixed(0)} MB/s`],
]);

/** MB/s */
async function played(pieces: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
  const server = createServer({ noDelay: true }, (socket: Socket) => socket.resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ host: '127.0.0.1', port: (server.address() as { port: number }).port, noDelay: true });
  await once(socket, 'connect');
  let nBytes = 0;
  const startedAt = performance.now();
  for await (const piece of pieces()) {
    nBytes += piece.length;
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'finish');
  const rate = nBytes / 1e6 / ((performance.now() - startedAt) / 1000);
  socket.destroy();
  server.close();
  return rate;
}
