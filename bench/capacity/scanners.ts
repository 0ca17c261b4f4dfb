/**
 * A day of scanners before a cluster: each begins an exam of one protocol every so often, its series come one after the
 * other, and what Conus does with them goes its way:
 *
 *   scan        its session is open from its first line; what reconstruction can do meanwhile is done meanwhile
 *   last line   reconstruction, denoising, keeping; then CLOSE, and deliveries of its series
 *   both CLOSE  of the series that the synthesis is made from: the synthesis, then its delivery
 *   all there   the analysis, then its delivery
 *
 * Nothing of the reconstruction of an image is taken to be done before the last line, although some of it is: what is
 * planned is the slower of the two. A session that is lost with its node is sent again from its beginning, as fast as the
 * network takes it, when the scan is over.
 */
import type { Random } from '../../simulator/index.js';
import { jobPriority } from '../../src/jobs/index.js';
import type { StageTimes } from '../stageTimesFile.js';
import type { Calendar } from './calendar.js';
import type { Cluster, Node, Run, Stage } from './cluster.js';

/** Of one exam, in the order in which its series are scanned. */
export interface ExamPlan {
  readonly series: readonly {
    readonly id: string;
    /** From the end of the one before to its first line. */
    readonly beforeS: number;
    readonly scanS: number;
  }[];
  /** Series that the synthesis is made from. */
  readonly synthesisFrom: readonly string[];
}

export interface DayOptions {
  readonly plan: ExamPlan;
  readonly stages: StageTimes;
  readonly nScanners: number;
  /** From the begin of an exam to that of the next. */
  readonly everyS: number;
  /** Exams begin so much later than planned, from none to this, evenly. */
  readonly lateS: number;
  /** Threads of a run of a model. */
  readonly modelThreads: number;
  /** What an archive takes for a series, s. */
  readonly archiveS: number;
  /** Of a session that is sent again. */
  readonly networkMegabytesPerS: number;
}

/** When an exam had what. */
export interface ExamTimes {
  readonly beginS: number;
  /** Of the last series that the synthesis needs: its last line. */
  lastLineS: number;
  /** Of that series: CLOSE. */
  imagesS: number;
  synthesisedS: number;
  stirDeliveredS: number;
  analysedS: number;
  isSentAgain: boolean;
}

/** Enters exams until a time into the calendar; every exam that begins is in the list that comes back. */
export function enterDay(options: DayOptions, cluster: Cluster, calendar: Calendar, random: Random, untilS: number): readonly ExamTimes[] {
  const exams: ExamTimes[] = [];
  for (let scanner = 0; scanner < options.nScanners; scanner++) {
    const phaseS = options.everyS * random.uniform();
    for (let beginS = phaseS; beginS < untilS; beginS += options.everyS) {
      const exam: ExamTimes = { beginS: beginS + options.lateS * random.uniform(), lastLineS: NaN, imagesS: NaN, synthesisedS: NaN, stirDeliveredS: NaN, analysedS: NaN, isSentAgain: false };
      exams.push(exam);
      enterExam(exam, options, cluster, calendar);
    }
  }
  return exams;
}

function enterExam(exam: ExamTimes, options: DayOptions, cluster: Cluster, calendar: Calendar): void {
  const { plan, stages } = options;
  const isClosed = new Set<string>();
  let isSynthesised = false;
  const deliver = (nSeries: number, priority: number, done: () => void) => {
    const work: Stage[] = [{ cpuS: (nSeries * stages.delivery.cpuS) / 2, mostCores: 1 }, { waitS: nSeries * options.archiveS }];
    cluster.add({ kind: 'deliver', lane: 'archive', priority, stages: work, done });
  };
  const completed = () => {
    if (!isSynthesised || isClosed.size < plan.series.length) return;
    cluster.add({
      kind: 'analyse', priority: jobPriority('finished'), model: 'structures', stages: withModel(stages.analysis, options.modelThreads),
      done: () => {
        exam.analysedS = calendar.now;
        deliver(1, jobPriority('finished'), () => undefined);
      },
    });
  };
  const closed = (id: string) => {
    isClosed.add(id);
    // The conventional series and the denoised one.
    deliver(2, jobPriority('onTheTable'), () => undefined);
    if (plan.synthesisFrom.includes(id) && plan.synthesisFrom.every((one) => isClosed.has(one))) {
      exam.imagesS = calendar.now;
      cluster.add({
        kind: 'synthesise', priority: jobPriority('onTheTable'), model: 'maps', stages: withModel(stages.synthesis, options.modelThreads),
        done: () => {
          exam.synthesisedS = calendar.now;
          isSynthesised = true;
          deliver(1, jobPriority('onTheTable'), () => {
            exam.stirDeliveredS = calendar.now;
          });
          completed();
        },
      });
    }
    completed();
  };

  let atS = exam.beginS;
  for (const { id, beforeS, scanS } of plan.series) {
    const firstLineS = atS + beforeS;
    const lastLineS = firstLineS + scanS;
    atS = lastLineS;
    if (plan.synthesisFrom.includes(id)) exam.lastLineS = lastLineS;
    calendar.enter(firstLineS, () => scan(id, lastLineS));
  }

  function scan(id: string, lastLineS: number, isAgain = false): void {
    const measured = stages.series.find((series) => series.id === id)!;
    const scanningCores = Math.max(0, measured.paced.cpuS - measured.unpaced.cpuS) / Math.max(1, lastLineS - calendar.now);
    cluster.openSession(
      (node, run, close) => {
        const isLive = !isAgain && calendar.now < lastLineS;
        if (isLive) node.scanning(scanningCores);
        const before: Stage = { waitS: isAgain ? measured.megabytes / options.networkMegabytesPerS : Math.max(0, lastLineS - calendar.now) };
        node.through([before], run, () => {
          if (isLive) node.scanning(-scanningCores);
          reconstruct(node, run, close, id);
        });
      },
      () => {
        exam.isSentAgain = true;
        calendar.enter(Math.max(calendar.now, lastLineS), () => scan(id, lastLineS, true));
      },
    );
  }

  function reconstruct(node: Node, run: Run, close: () => void, id: string): void {
    const { unpaced, denoising } = stages.series.find((series) => series.id === id)!;
    const { cores } = node.options;
    const work: Stage[] = [
      { cpuS: unpaced.cpuS + Math.max(0, denoising.cpuS - denoising.modelsCpuS), mostCores: cores },
      { cpuS: denoising.modelsCpuS, mostCores: options.modelThreads, usesModels: true },
      { cpuS: stages.keeping.cpuS, mostCores: 1 },
    ];
    node.through(work, run, () => {
      close();
      closed(id);
    });
  }
}

/** Work on one thread, and in the process of the models. */
function withModel({ cpuS, modelsCpuS }: StageTimes['synthesis'], modelThreads: number): Stage[] {
  const alone = { cpuS: Math.max(0, cpuS - modelsCpuS) / 2, mostCores: 1 };
  return [alone, { cpuS: modelsCpuS, mostCores: modelThreads, usesModels: true }, alone];
}
