/** The parts that see that nothing is lost: the keeper of what sessions make, and the driver of the outbox. */
import { basename } from 'node:path';
import type { DeliveryState, ExamKeeper } from '../exams/index.js';
import { rerunnable, SessionKeeper } from '../keeping/index.js';
import type { DeliverableSeries } from '../dicom/index.js';
import { jobPriority } from '../jobs/index.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import { OutboxDriver } from '../outbox/index.js';
import type { Destination, OutboxPolicy, Sender } from '../outbox/index.js';
import type { EndedDelivery, OutboxJob, Spool } from '../spool/index.js';
import type { Data } from './data.js';
import type { ServicePart } from './parts.js';

export interface DeliveryOptions {
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly destinationsFor: (series: DeliverableSeries) => readonly string[];
  readonly policy: OutboxPolicy;
  /** Enhanced MR Image objects in place of classic ones. */
  readonly enhanced?: boolean;
}

/** How old an end must be that nobody has said to be told, before it is told again. */
const UNTOLD_MS = 10_000;

export async function startDelivery(
  { spool, queue, caughtUp, store, cluster }: Pick<Data, 'spool' | 'queue' | 'caughtUp' | 'store' | 'cluster'>, { destinations, destinationsFor, policy, enhanced }: DeliveryOptions, exams: ExamKeeper | undefined, log: Logger, metrics: Metrics,
): Promise<{ part: ServicePart; keeper: SessionKeeper }> {
  const keeper = new SessionKeeper({
    spool, destinationsFor, log, objects: { enhanced }, store, boot: cluster?.boot,
    ...(exams !== undefined && { examOf: (sessionId) => placeOf(exams, sessionId), roleOf: (sessionId) => roleOf(exams, sessionId), settled: () => exams.settled() }),
  });
  const stopTelling = exams === undefined ? () => undefined : tellExams(spool, exams);
  for (const record of await keeper.recover()) {
    // Where nodes share a store, raw data are there or on their way.
    const raw = store === undefined ? await rerunnable(record) : record.raw;
    log.warn(
      { session: record.id, ...(raw !== undefined && { raw: basename(raw) }) },
      raw === undefined ? 'a session was cut and is not acknowledged' : 'a session was cut and is not acknowledged; conus jobs add reconstruct can still reconstruct its raw data',
    );
  }
  const driver = new OutboxDriver({
    spool, queue, caughtUp, destinations: counted(destinations, metrics), policy, log, priorityOf: (job) => priorityOf(job, exams),
  });
  driver.start();
  metrics.watchSpool(spool, () => keeper.nNotKept);
  return {
    keeper,
    part: {
      name: 'outbox',
      trouble: () => (driver.unknownDestinations.length > 0 ? 'jobs wait for a destination that the configuration does not name' : undefined),
      close: async () => {
        stopTelling();
        await driver.stop();
        await keeper.close();
      },
    },
  };
}

/** Counts what destinations do not take. */
function counted(destinations: ReadonlyMap<string, Destination>, metrics: Metrics): ReadonlyMap<string, Destination> {
  return new Map([...destinations].map(([name, destination]) => {
    const sender: Sender = {
      send: async (instances, signal) => {
        const results = await destination.sender.send(instances, signal);
        for (const result of results) if (result.outcome === 'failed') metrics.notDelivered(name, result.code);
        return results;
      },
    };
    return [name, { ...destination, sender }];
  }));
}

function priorityOf({ examId }: OutboxJob, exams: ExamKeeper | undefined): number {
  const exam = exams?.book.exam(examId.split('/', 1)[0]!);
  return jobPriority(exam?.state === 'active' ? 'onTheTable' : 'finished', exam?.priority?.level);
}

/** What jobs of the outbox call an exam: with the series, so that what becomes of a job is told of the right one. */
function placeOf(exams: ExamKeeper, sessionId: string): string | undefined {
  const place = exams.book.ofSession(sessionId);
  return place === undefined ? undefined : `${place.examId}/${place.seriesId}`;
}

function roleOf({ book }: ExamKeeper, sessionId: string): string | undefined {
  const place = book.ofSession(sessionId);
  return place === undefined ? undefined : book.roleAt(place);
}

/** What a process was cut before it told is told by the next one, or by another node. @returns what ends it */
function tellExams({ outbox }: Spool, exams: ExamKeeper): () => void {
  const tell = ({ id: jobId, examId: place, destination, lastError }: EndedDelivery['job'], state: DeliveryState, at: number) => {
    const [examId, seriesId] = place.split('/');
    if (examId === undefined || seriesId === undefined) return;
    const why = state === 'delivered' ? undefined : lastError;
    exams.apply({ kind: 'delivered', at, examId, seriesId, jobId, destination, state, ...(why !== undefined && { code: why.code, text: why.message }) });
  };
  const tellEnd = (job: EndedDelivery['job'], state: EndedDelivery['state'], at = Date.now()) => {
    tell(job, state, at);
    void exams.settled().then(() => outbox.told(job.id));
  };
  const queued = (job: OutboxJob) => tell(job, 'queued', Date.now());
  outbox.on('added', queued).on('failed', queued).on('delivered', (job) => tellEnd(job, 'delivered')).on('dead', (job) => tellEnd(job, 'dead'));
  const timer = setInterval(() => {
    const before = Date.now() - UNTOLD_MS;
    for (const { job, state, at } of outbox.ended()) if (at < before) tellEnd(job, state, at);
  }, UNTOLD_MS).unref();
  return () => clearInterval(timer);
}
