/**
 * What denoising takes, as a scanner sees it: last readout handed over -> last image, which is then a denoised one, for a
 * slice whose lines are paced as they are acquired, and for 20 slices that come as fast as the socket takes them, with one and with
 * two threads for the network; the same scans without denoising stand beside them, in the same run.
 *
 *   npm run build && npx tsx bench/denoise.ts
 *
 * Simulated spine, 320 x 320, 16 coils, R = 2. How long the network takes by itself: `conus models bench mr-denoiser --batch 1,2,4`.
 */
import { SimulatedScan } from '../simulator/index.js';
import { median, printTable } from './report.js';
import { pieceOf, runSession, startService, type Piece, type Timing } from './service.js';
import { manySlices, paceMs } from './session.js';

const nRuns = 5;
const settings: readonly { readonly name: string; readonly options: readonly string[] }[] = [
  { name: 'conventional', options: ['--denoise', '0'] },
  { name: 'denoised, 1 thread', options: ['--denoise', '75', '--set', 'onRed=deliver', '--model-threads', '1'] },
  { name: 'denoised, 2 threads', options: ['--denoise', '75', '--set', 'onRed=deliver', '--model-threads', '2'] },
];

async function timings(port: number, pieces: readonly Piece[], pace: number | undefined): Promise<readonly (string | number)[]> {
  await runSession(port, pieces, pace);
  const runs: Timing[] = [];
  for (let run = 0; run < nRuns; run++) runs.push(await runSession(port, pieces, pace));
  return [median(runs.map(({ latencyMs }) => latencyMs)).toFixed(0), median(runs.map(({ totalMs }) => totalMs)).toFixed(0), runs[0]!.nImages];
}

const oneSlice = [...new SimulatedScan({ acceleration: 2, readoutOversampling: 1 }).messages()].map(pieceOf);
const twentySlices = manySlices().map(pieceOf);
const rows: (string | number)[][] = [];
for (const { name, options } of settings) {
  const service = await startService(options);
  try {
    rows.push([`1 slice, lines every ${paceMs} ms`, name, ...(await timings(service.port, oneSlice, paceMs))]);
    rows.push(['20 slices at once', name, ...(await timings(service.port, twentySlices, undefined))]);
  } finally {
    service.process.kill();
  }
}
printTable('denoising, simulated spine 320 x 320, 16 coils, R = 2', ['scan', 'series', 'last readout -> last image, ms', 'whole, ms', 'images'], rows);
