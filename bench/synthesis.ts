/**
 * What a synthesis takes, as the service does it: STIR and fat-saturated T2w with their intervals, fat fractions and residuals from
 * 15 slices of 320 x 320 of a simulated pair between which the patient moved a little; numerics in one thread, which is kept from
 * run to run, the network in its process on two threads. Medians of five runs after a first one, which is told, too.
 *
 *   npm run build && npx tsx bench/synthesis.ts
 *
 * `whole`: from acquired volumes to encoded DICOM objects and MRD messages. The network and the numerics work at the same time,
 * so the stages beside it, each measured by itself, add up to more.
 */
import { pino } from 'pino';
import { ModelHost, readModels } from '../models/index.js';
import { registerRigid } from '../imaging/index.js';
import { commonGrid } from '../synth/index.js';
import { syntheticDicom, syntheticMrd, type SyntheticKind } from '../src/delivery/index.js';
import { performSynthesis, Synthesiser, usableModel, synthesisModel, type SourceSeries, type SynthesisJob } from '../src/synthesis/index.js';
import type { AcquiredSeries } from '../synth/index.js';
import { median, printTable } from './report.js';
import { clinicalPair, simulatedPair } from './simulatedPair.js';

const nRuns = 5;
const pair = simulatedPair();
const sourceOf = ({ volume, sequence }: AcquiredSeries): SourceSeries => ({
  images: { volume, known: sequence, fieldStrengthT: pair.fieldStrengthT, subject: {}, sources: [] }, variant: 'conventional',
});
const maps: readonly Exclude<SyntheticKind, 'image'>[] = ['low', 'high', 'fatFraction', 'pairResidual'];
const refocusingAngleDeg = 150;
const job: Omit<SynthesisJob, 'model'> = {
  sources: { t1w: sourceOf(pair.t1w), t2w: sourceOf(pair.t2w) },
  wanted: [
    { contrast: { contrast: 'stir', sequence: { trMs: 4500, teMs: 45, echoTrainLength: 11, echoSpacingMs: 9, refocusingAngleDeg } }, description: 'STIR', number: 1 },
    { contrast: { contrast: 't2fs', sequence: { trMs: 3500, teMs: 80, echoTrainLength: 15, echoSpacingMs: 10, refocusingAngleDeg } }, description: 'T2FS', number: 11 },
  ],
  maps, deliverRed: true, softwareVersion: 'bench',
};

const host = new ModelHost(await readModels(), { threads: 2 });
const synthesiser = new Synthesiser({ host, longestMs: 600_000, log: pino({ level: 'silent' }) });
const model = usableModel(synthesisModel(host.entries));
synthesiser.prepare();
await host.check(model.id);
const networkMs = () => host.health().models.find(({ id }) => id === model.id)!.totalRunMs;

async function timed<T>(run: () => T | Promise<T>): Promise<{ ms: number; cpuMs: number; result: T }> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  const result = await run();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000, result };
}

interface Measured {
  readonly wholeMs: number;
  readonly cpuMs: number;
  readonly networkMs: number;
}
const runs: Measured[] = [];
let firstMs = 0;
let mostBytes = 0;
const watching = setInterval(() => { mostBytes = Math.max(mostBytes, process.memoryUsage.rss() + host.health().residentBytes); }, 20);
for (let run = 0; run <= nRuns; run++) {
  const before = networkMs();
  const { ms, cpuMs } = await timed(() => synthesiser.perform(job));
  if (run === 0) firstMs = ms;
  else runs.push({ wholeMs: ms, cpuMs, networkMs: networkMs() - before });
}
clearInterval(watching);

const { volume: t1w } = pair.t1w;
const { volume: t2w } = pair.t2w;
const performed = await performSynthesis({ ...job, model }, (inputs) => host.run(model.id, inputs));
const stages: readonly (readonly [string, () => unknown])[] = [
  ['registration', () => registerRigid(t2w, t1w)],
  ['one grid: registration, resampling, what is left', () => commonGrid(t1w, t2w)],
  ['encoding: DICOM', () => performed.series.flat().map((series) => syntheticDicom(series, new Date()))],
  ['encoding: MRD', () => performed.series.flat().map(syntheticMrd)],
];
const rows: (readonly [string, number])[] = [
  ['whole', median(runs.map(({ wholeMs }) => wholeMs))],
  ['the first, in a thread that was started ahead', firstMs],
  ['network, busy', median(runs.map((run) => run.networkMs))],
  ['processor time beside the network', median(runs.map(({ cpuMs }) => cpuMs))],
];
for (const [name, run] of stages) {
  const times: number[] = [];
  for (let repeat = 0; repeat < nRuns; repeat++) times.push((await timed(run)).ms);
  rows.push([name, median(times)]);
}
host.close();
await synthesiser.close();

const { slices, matrix } = clinicalPair;
printTable(
  `synthesis of ${job.wanted.length} contrasts with ${maps.length} maps each, ${slices} x ${matrix} x ${matrix}; ${Math.round(mostBytes / 2 ** 20)} MiB resident at most, process and network`,
  ['stage', 'ms'], rows.map(([name, ms]) => [name, ms.toFixed(0)]),
);
