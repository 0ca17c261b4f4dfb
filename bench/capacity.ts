/**
 * How many nodes scanners need: a simulation of days of scanners before a cluster (bench/capacity), with the times of
 * bench/stageTimes.json and the scan times of the protocol lumbar-fast. What is told are tables, and two plots.
 *
 *   npx tsx bench/capacity.ts [--plots docs]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { examTimingOf } from '../protocols/index.js';
import { Random } from '../simulator/index.js';
import { loadProtocol } from '../src/protocols/index.js';
import { chart } from '../src/report/chart.js';
import type { Curve } from '../src/report/chart.js';
import { Calendar } from './capacity/calendar.js';
import { Cluster } from './capacity/cluster.js';
import type { NodeOptions } from './capacity/cluster.js';
import { enterDay } from './capacity/scanners.js';
import type { ExamPlan, ExamTimes } from './capacity/scanners.js';
import { printTable } from './report.js';
import { readStageTimes } from './stageTimesFile.js';
import type { StageTimes } from './stageTimesFile.js';

const HOUR_S = 3600;
const warmUpS = HOUR_S;
const endS = 9 * HOUR_S;
const seeds = [1, 2, 3];
/** Longest time from the last line to the delivered STIR of 99 of 100 exams that a site would call good: the scan that follows is not over. */
const goodS = 60;

const stages = readStageTimes();
const plan = await planOf('lumbar-fast');

export interface Setting {
  readonly nNodes: number;
  readonly cores: number;
  readonly nScanners: number;
  /** One node dies at this time, and is back later. */
  readonly killAtS?: number;
  readonly backAfterS?: number;
  /** Faster or slower processors: work is so many times what was measured. */
  readonly work?: number;
}

interface Result {
  readonly utilisation: number;
  /** Last line to what is told, s; of exams that never had it, what they had waited at the end. */
  readonly toImages: readonly number[];
  readonly toStir: readonly number[];
  readonly toAnalysis: readonly number[];
  readonly waitingSyntheses: { readonly mean: number; readonly most: number };
  readonly waitingAnalyses: { readonly mean: number; readonly most: number };
  readonly nSentAgain: number;
  readonly nNotDone: number;
  readonly nExams: number;
}

async function planOf(name: string): Promise<ExamPlan> {
  const protocol = await loadProtocol(name);
  const timing = examTimingOf(protocol);
  return {
    series: timing.series.map(({ id, totalMs, imagingMs }) => ({ id, beforeS: (totalMs - imagingMs) / 1000, scanS: imagingMs / 1000 })),
    synthesisFrom: protocol.synthesise[0]!.fromSeries,
  };
}

function simulated({ nNodes, cores, nScanners, killAtS, backAfterS = 600, work = 1 }: Setting): Result {
  const node: NodeOptions = { cores, mostSessions: 16, concurrency: { synthesise: 2, analyse: 2, deliver: 64 } };
  const exams: ExamTimes[] = [];
  const samples: { readonly syntheses: number; readonly analyses: number }[] = [];
  let workedS = 0;
  for (const seed of seeds) {
    const calendar = new Calendar();
    const cluster = new Cluster({ nodes: Array.from({ length: nNodes }, () => node), lanes: { archive: 2 }, missedAfterS: 30 }, calendar, new Random(seed + 1000));
    const options = { plan, stages: scaled(work), nScanners, everyS: 900, lateS: 120, modelThreads: 2, archiveS: 1, networkMegabytesPerS: 100 };
    const day = enterDay(options, cluster, calendar, new Random(seed), endS);
    for (let atS = warmUpS; atS < endS; atS += 5) calendar.enter(atS, () => samples.push({ syntheses: cluster.nWaiting('synthesise'), analyses: cluster.nWaiting('analyse') }));
    if (killAtS !== undefined) {
      calendar.enter(killAtS, () => cluster.kill(cluster.nodes[0]!));
      calendar.enter(killAtS + backAfterS, () => cluster.revive(cluster.nodes[0]!));
    }
    calendar.runUntil(endS);
    workedS += cluster.nodes.reduce((sum, { workedS: worked }) => sum + worked, 0);
    exams.push(...day.filter(({ lastLineS }) => lastLineS >= warmUpS && lastLineS < endS - 900));
  }
  const since = (exam: ExamTimes, at: number) => (Number.isNaN(at) ? endS : at) - exam.lastLineS;
  const tell = (of: (sample: (typeof samples)[number]) => number) => ({ mean: samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length, most: Math.max(...samples.map(of)) });
  return {
    utilisation: workedS / (seeds.length * endS * nNodes * node.cores),
    toImages: exams.map((exam) => since(exam, exam.imagesS)),
    toStir: exams.map((exam) => since(exam, exam.stirDeliveredS)),
    toAnalysis: exams.map((exam) => since(exam, exam.analysedS)),
    waitingSyntheses: tell(({ syntheses }) => syntheses),
    waitingAnalyses: tell(({ analyses }) => analyses),
    nSentAgain: exams.filter(({ isSentAgain }) => isSentAgain).length,
    nNotDone: exams.filter(({ analysedS, stirDeliveredS }) => Number.isNaN(analysedS) || Number.isNaN(stirDeliveredS)).length,
    nExams: exams.length,
  };
}

/** On processors that take so many times as long. */
function scaled(work: number): StageTimes {
  return JSON.parse(JSON.stringify(stages), (key, value: unknown) => (/cpuS$/i.test(key) ? (value as number) * work : value)) as StageTimes;
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

/** More and more scanners before nodes of four cores, until they are too many. */
function upToItsEnd(nNodes: number): { readonly nScanners: number; readonly result: Result }[] {
  const at: { readonly nScanners: number; readonly result: Result }[] = [];
  for (let aNode = 6; aNode <= 54; aNode += 4) {
    const result = simulated({ nNodes, cores: 4, nScanners: nNodes * aNode });
    at.push({ nScanners: nNodes * aNode, result });
    if (verdict(result) === 'no') break;
  }
  return at;
}

const seconds = (value: number) => value.toFixed(value < 100 ? 1 : 0);
const headings = ['cores busy', 'syntheses waiting, mean (most)', 'analyses waiting, mean (most)', 'images 99 %, s', 'STIR 50 %, s', 'STIR 99 %, s', 'STIR most, s', 'analysis 99 %, s', 'holds'];
const told = (result: Result) => [
  `${Math.round(100 * result.utilisation)} %`, `${result.waitingSyntheses.mean.toFixed(1)} (${result.waitingSyntheses.most})`, `${result.waitingAnalyses.mean.toFixed(1)} (${result.waitingAnalyses.most})`,
  seconds(percentile(result.toImages, 99)), seconds(percentile(result.toStir, 50)), seconds(percentile(result.toStir, 99)), seconds(Math.max(...result.toStir)), seconds(percentile(result.toAnalysis, 99)), verdict(result),
];

/** Queues that grow to the end are no delay but a failure. */
function verdict(result: Result): string {
  if (percentile(result.toAnalysis, 99) > 1800 || result.nNotDone > 0.02 * result.nExams) return 'no';
  return percentile(result.toStir, 99) <= goodS ? 'yes' : 'slowly';
}

const { values: { plots } } = parseArgs({ options: { plots: { type: 'string' } } });

const cpuOf = stages.series.reduce((sum, { unpaced, paced, denoising }) => sum + Math.max(paced.cpuS, unpaced.cpuS) + denoising.cpuS + stages.keeping.cpuS, 0)
  + stages.synthesis.cpuS + stages.analysis.cpuS + 4 * stages.delivery.cpuS;
console.log(`one exam: ${cpuOf.toFixed(0)} core seconds; ${plan.series.map(({ id, scanS, beforeS }) => `${id} ${beforeS.toFixed(0)} + ${scanS.toFixed(0)} s`).join(', ')}`);
console.log(`100 scanners, one exam each 15 min: ${((100 * cpuOf) / 900).toFixed(1)} cores busy on average`);

printTable('one scanner, one node', ['cores', ...headings], [2, 4].map((cores) => [cores, ...told(simulated({ nNodes: 1, cores, nScanners: 1 }))]));

const sizes = [{ cores: 2, numbers: [3, 4, 5, 6, 8, 10] }, { cores: 4, numbers: [2, 3, 4, 5, 6] }, { cores: 8, numbers: [1, 2, 3, 4] }]
  .map(({ cores, numbers }) => ({ cores, at: numbers.map((nNodes) => ({ nNodes, result: simulated({ nNodes, cores, nScanners: 100 }) })) }));
for (const { cores, at } of sizes) printTable(`100 scanners, nodes of ${cores} cores`, ['nodes', ...headings], at.map(({ nNodes, result }) => [nNodes, ...told(result)]));

const curves = [1, 2, 3, 4].map((nNodes) => ({ nNodes, at: upToItsEnd(nNodes) }));
printTable('nodes of 4 cores: the most scanners that hold, and where it breaks', ['nodes', 'holds up to', 'a node', 'breaks at', 'cores busy there'], curves.map(({ nNodes, at }) => {
  const holds = at.filter(({ result }) => verdict(result) === 'yes').at(-1);
  const breaks = at.find(({ result }) => verdict(result) === 'no');
  return [nNodes, holds?.nScanners ?? 'none', ((holds?.nScanners ?? 0) / nNodes).toFixed(0), breaks?.nScanners ?? 'beyond', breaks === undefined ? '' : `${Math.round(100 * breaks.result.utilisation)} %`];
}));

const killed = { killAtS: 4 * HOUR_S, nScanners: 100 };
printTable(
  '100 scanners: one node dies, is missed after 30 s and back after 10 min', ['nodes', ...headings, 'sent again', 'not done'],
  [{ nNodes: 3, cores: 4 }, { nNodes: 4, cores: 4 }, { nNodes: 5, cores: 4 }, { nNodes: 6, cores: 4 }, { nNodes: 3, cores: 8 }].map((setting) => {
    const result = simulated({ ...setting, ...killed });
    return [`${setting.nNodes} x ${setting.cores} cores`, ...told(result), result.nSentAgain, result.nNotDone];
  }),
);
printTable('100 scanners, 5 nodes of 4 cores: processors that are slower or faster', ['work', ...headings], [0.5, 0.75, 1, 1.5, 2].map((work) => [`${work} x`, ...told(simulated({ nNodes: 5, cores: 4, nScanners: 100, work }))]));

if (plots !== undefined) {
  const longestS = 150;
  /** @param labelled its first point or its last: where there is room */
  const curve = (name: string, hue: number, labelled: 0 | -1, at: readonly { readonly x: number; readonly result: Result }[]): Curve => {
    const points = at.map(({ x, result }) => ({ x, y: percentile(result.toStir, 99) })).filter(({ y }) => y <= longestS).map((point) => ({ ...point, title: `${name}: ${seconds(point.y)} s` }));
    return { hue, points: points.map((point) => (point === points.at(labelled) ? { ...point, label: name } : point)) };
  };
  draw(join(plots, 'capacity-scanners.svg'), {
    title: 'Last line to delivered STIR, 99 %, nodes of 4 cores', xLabel: 'scanners, one exam each 15 min', yLabel: 's',
    curves: curves.map(({ nNodes, at }, hue) => curve(`${nNodes} node${nNodes > 1 ? 's' : ''}`, hue, -1, at.map(({ nScanners, result }) => ({ x: nScanners, result })))),
    yIncludes: [0], xIncludes: [0, 250], limit: { y: goodS, label: `${goodS} s` },
  });
  draw(join(plots, 'capacity-nodes.svg'), {
    title: 'Last line to delivered STIR, 99 %, 100 scanners', xLabel: 'nodes', yLabel: 's',
    curves: sizes.map(({ cores, at }, hue) => curve(`${cores} cores`, hue, 0, at.map(({ nNodes, result }) => ({ x: nNodes, result })))),
    yIncludes: [0], xIncludes: [0, 12], limit: { y: goodS, label: `${goodS} s` },
  });
}

/** A picture that stands alone. */
function draw(path: string, what: Parameters<typeof chart>[0]): void {
  const style = '<style>text { font: 12px sans-serif; fill: #1d2733 } .soft { fill: #5b6b7a; font-size: 11px }</style><rect width="100%" height="100%" fill="#ffffff"/>';
  const svg = chart(what).text.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" width="690" height="450" ').replace(/>/, `>${style}`);
  writeFileSync(path, `${svg}\n`);
}
