/**
 * The book of exams: a state machine without clocks, files or sockets. Events go in, numbered changes and jobs come
 * out. Which exam a source belongs to:
 *
 *   1. the exam of its StudyInstanceUID;
 *   2. else one that knows its measurement, or that it depends on, or that depends on it;
 *   3. else one of the same patient within the time window.
 *
 * 2 and 3 never bring together two studies, two patients, or what lies further apart than the window: numbers of
 * measurements repeat. A source that belongs to two exams makes them one: the older keeps its id. So there is one
 * exam a study, whatever comes first.
 */
import type { ExamEvent } from './events.js';
import type { SourceFacts } from './facts.js';
import { ordersFor } from './orders.js';
import type { ScanOrders } from './orders.js';
import {
  emptyExam, failureOf, inOrder, lastActivityOf, merged, openedAtOf, receivedSeriesId, seriesIdOf, withDelivery, withAnalysis, withJob, withReading,
  withReceivedComplete, withSessionEvent, withSettings, withSource, withSynthesised,
} from './record.js';
import type { ExamRecord, JobRecord } from './record.js';
import type { ExamChange, ExamView } from './schema.js';
import { derive } from './view.js';
import type { ExamRules, ReadyJob } from './view.js';

export interface BookOptions extends ExamRules {
  /** How far apart series of one exam may be that no study holds together. */
  readonly windowMs: number;
  /** A new opaque id. */
  readonly newId: () => string;
  /** Exams that are over and kept in memory; the oldest of more are left out, to be recalled by `recall`. */
  readonly maxFinished: number;
  /** An exam that is not in memory any more. */
  readonly recall?: {
    exam(id: string): ExamRecord | undefined;
    ofStudy(studyInstanceUid: string): ExamRecord | undefined;
  };
}

export interface Job extends ReadyJob {
  readonly examId: string;
}

export interface Outcome {
  readonly changes: readonly ExamChange[];
  readonly jobs: readonly Job[];
  /** Ids of exams whose record changed, to be kept; records of merged exams are to be removed. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

interface Entry {
  record: ExamRecord;
  view: ExamView;
}

type Unnumbered = ExamChange extends infer Change ? (Change extends ExamChange ? Omit<Change, 'sequence' | 'at'> : never) : never;

interface Collected {
  readonly changes: ExamChange[];
  readonly jobs: Job[];
  readonly changed: Set<string>;
  readonly removed: Set<string>;
}

export class ExamBook {
  readonly #options: BookOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #ofStudy = new Map<string, string>();
  readonly #ofSession = new Map<string, { readonly examId: string; readonly seriesId: string }>();
  readonly #ofReceived = new Map<string, string>();
  #now: number;
  #sequence = 0;

  /** @param records of exams to go on with; `now` the time up to which they were told */
  constructor(options: BookOptions, records: Iterable<ExamRecord> = [], now = 0) {
    this.#options = options;
    this.#now = now;
    for (const record of records) this.#hold(record, derive(record, options, now).view);
  }

  /** Of the latest change. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Exams in memory, the latest first. */
  get exams(): ExamView[] {
    return [...this.#entries.values()].map(({ view }) => view).sort((a, b) => b.openedAt - a.openedAt || (a.id < b.id ? -1 : 1));
  }

  /** By its id or a former one. */
  exam(id: string): ExamView | undefined {
    const entry = this.#entryOf(id);
    if (entry !== undefined) return entry.view;
    const recalled = this.#options.recall?.exam(id);
    return recalled === undefined ? undefined : derive(recalled, this.#options, this.#now).view;
  }

  /** By its id or a former one. */
  record(id: string): ExamRecord | undefined {
    return this.#entryOf(id)?.record ?? this.#options.recall?.exam(id);
  }

  /** Where the images of a session belong. */
  ofSession(sessionId: string): { readonly examId: string; readonly seriesId: string } | undefined {
    return this.#ofSession.get(sessionId);
  }

  /** In its exam, where the rules of the protocol tell it. */
  roleAt({ examId, seriesId }: { readonly examId: string; readonly seriesId: string }): string | undefined {
    return this.exam(examId)?.series.find(({ id }) => id === seriesId)?.role;
  }

  ofReceived(seriesInstanceUid: string): { readonly examId: string; readonly seriesId: string } | undefined {
    const examId = this.#ofReceived.get(seriesInstanceUid);
    return examId === undefined ? undefined : { examId, seriesId: receivedSeriesId(seriesInstanceUid) };
  }

  /** What holds for a scan that begins now, by what its header tells. Changes nothing. */
  ordersFor(facts: SourceFacts, at: number): ScanOrders {
    const source = { kind: 'sessionOpened', at, sessionId: '', facts } as const;
    const [first, ...others] = this.#examsOf(facts, at).sort(byAge);
    const exam = withSource(others.reduce(merged, first ?? emptyExam('')), source);
    return ordersFor(exam, seriesIdOf(source.sessionId, facts), this.#options);
  }

  /** Sessions that have not ended: after a restart, those that never will. */
  get openSessions(): string[] {
    return [...this.#entries.values()].flatMap(({ record }) =>
      Object.values(record.series).flatMap(({ runs }) => Object.values(runs).flatMap(({ sessionId, endedAt }) => (endedAt === undefined ? [sessionId] : []))),
    );
  }

  /** Jobs that were offered or begun and not finished: after a restart, to be offered again. */
  get unfinishedJobs(): Job[] {
    return this.#records().flatMap((record) => this.#jobsOf(record, ({ state }) => state === 'offered' || state === 'running'));
  }

  /** Of an exam, by its id or a former one: jobs that were offered and are not done, those that failed as well. */
  undoneJobs(examId: string): Job[] {
    const record = this.record(examId);
    return record === undefined ? [] : this.#jobsOf(record, ({ state }) => state !== 'done' && state !== 'notAvailable');
  }

  #jobsOf(record: ExamRecord, isMeant: (job: JobRecord) => boolean): Job[] {
    const meant = new Set(Object.entries(record.jobs).flatMap(([id, job]) => (isMeant(job) ? [id] : [])));
    if (meant.size === 0) return [];
    const jobs = Object.fromEntries(Object.entries(record.jobs).filter(([id]) => !meant.has(id)));
    const { ready } = derive({ ...record, jobs }, this.#options, this.#now);
    return ready.filter(({ id }) => meant.has(id)).map((job) => ({ ...job, examId: record.id }));
  }

  apply(event: ExamEvent): Outcome {
    const collected: Collected = { changes: [], jobs: [], changed: new Set(), removed: new Set() };
    this.#now = Math.max(this.#now, event.at);
    switch (event.kind) {
      case 'tick':
        for (const { record, view } of [...this.#entries.values()]) if (view.state === 'active') this.#put(record, collected);
        this.#leaveOutOldest(collected);
        break;
      case 'sessionOpened':
      case 'dicomReceived':
        this.#put(withSource(this.#examFor(event.facts, event.at, this.#examKnowing(event), collected), event), collected);
        break;
      case 'dicomSeriesComplete':
        this.#change(this.#ofReceived.get(event.seriesInstanceUid), (record) => withReceivedComplete(record, receivedSeriesId(event.seriesInstanceUid), event.at), collected);
        break;
      case 'delivered':
        this.#change(event.examId, (record) => withDelivery(record, event), collected);
        break;
      case 'synthesised':
        this.#change(event.examId, (record) => withSynthesised(record, event), collected);
        break;
      case 'analysed':
        this.#change(event.examId, (record) => withAnalysis(record, event), collected);
        break;
      case 'read':
        this.#change(event.examId, (record) => withReading(record, event), collected);
        break;
      case 'settingsChanged':
        this.#change(event.examId, (record) => withSettings(record, event.changes), collected);
        break;
      case 'jobChanged':
        this.#change(event.examId, (record) => withJob(record, event.jobId, { state: event.state, at: event.at, ...failureOf(event) }), collected);
        break;
      case 'readoutProgress':
      case 'inputEnded':
      case 'seriesImage':
      case 'seriesEnded':
      case 'sessionFailed': {
        const place = this.#ofSession.get(event.sessionId);
        this.#change(place?.examId, (record) => withSessionEvent(record, place?.seriesId ?? '', event), collected);
      }
    }
    return { changes: collected.changes, jobs: collected.jobs, changed: [...collected.changed], removed: [...collected.removed] };
  }

  #entryOf(id: string): Entry | undefined {
    return this.#entries.get(id) ?? [...this.#entries.values()].find(({ record }) => record.formerIds.includes(id));
  }

  #change(id: string | undefined, how: (record: ExamRecord) => ExamRecord, collected: Collected): void {
    if (id === undefined) return;
    const record = this.record(id);
    if (record === undefined) return;
    const next = how(record);
    if (next !== record) this.#put(next, collected);
  }

  /** A source that was heard before stays where it is. */
  #examKnowing(event: Extract<ExamEvent, { kind: 'sessionOpened' | 'dicomReceived' }>): string | undefined {
    return event.kind === 'sessionOpened' ? this.#ofSession.get(event.sessionId)?.examId : this.#ofReceived.get(event.seriesInstanceUid);
  }

  #examFor(facts: SourceFacts, at: number, known: string | undefined, collected: Collected): ExamRecord {
    const found = known === undefined ? this.#examsOf(facts, at) : this.#records().filter(({ id }) => id === known);
    const [first, ...others] = found.sort(byAge);
    if (first === undefined) return emptyExam(this.#options.newId());
    return others.reduce((into, other) => {
      this.#forget(other, into.id, collected);
      return merged(into, other);
    }, first);
  }

  #records(): ExamRecord[] {
    return [...this.#entries.values()].map(({ record }) => record);
  }

  /** Every exam that these facts belong to; of different studies none but their own. */
  #examsOf(facts: SourceFacts, at: number): ExamRecord[] {
    const { studyInstanceUid: study } = facts;
    const ofStudy = study === undefined ? undefined : this.#recordOfStudy(study);
    const near = this.#records().filter((record) => record !== ofStudy && isNear(record, at, this.#options.windowMs) && !conflict(record, facts));
    const linked = near.filter((record) => sharesMeasurement(record, facts));
    const samePatient = near.filter((record) => isSamePatient(record, facts));
    // Without a study of its own a source joins one exam of its patient; with one, only what has no study yet.
    const found = new Set(ofStudy === undefined ? [] : [ofStudy]);
    for (const record of [...linked, ...samePatient]) {
      if (study === undefined || studyOf(record) === undefined) found.add(record);
    }
    return oneStudyOf([...found], ofStudy);
  }

  #recordOfStudy(study: string): ExamRecord | undefined {
    const id = this.#ofStudy.get(study);
    const found = (id === undefined ? undefined : this.#entries.get(id)?.record) ?? this.#options.recall?.ofStudy(study);
    // Another node may have kept more of it than was heard here.
    return found === undefined ? undefined : (this.#entryOf(found.id)?.record ?? found);
  }

  #put(record: ExamRecord, collected: Collected): void {
    const before = this.#entries.get(record.id);
    const derived = derive(record, this.#options, this.#now);
    const { ready } = derived;
    let next = record;
    for (const job of ready) {
      const isNotice = job.request.kind === 'notify';
      next = withJob(next, job.id, { state: isNotice ? 'done' : 'offered', at: this.#now } satisfies JobRecord);
      if (!isNotice) collected.jobs.push({ ...job, examId: record.id });
    }
    const view = ready.length === 0 ? derived.view : derive(next, this.#options, this.#now).view;
    this.#hold(next, view);
    for (const change of changesBetween(before?.view, view)) this.#tell(change, collected);
    for (const { request } of ready) if (request.kind === 'notify') this.#tell({ kind: 'notify', examId: record.id, message: request.message }, collected);
    if (before?.record !== next) collected.changed.add(record.id);
    collected.removed.delete(record.id);
  }

  #tell(change: Unnumbered, collected: Collected): void {
    collected.changes.push({ ...change, sequence: ++this.#sequence, at: this.#now } as ExamChange);
  }

  #hold(record: ExamRecord, view: ExamView): void {
    this.#entries.set(record.id, { record, view });
    for (const [seriesId, series] of Object.entries(record.series)) {
      if (series.facts.studyInstanceUid !== undefined) this.#ofStudy.set(series.facts.studyInstanceUid, record.id);
      for (const sessionId of Object.keys(series.runs)) this.#ofSession.set(sessionId, { examId: record.id, seriesId });
      if (series.received !== undefined) this.#ofReceived.set(series.received.seriesInstanceUid, record.id);
    }
  }

  #forget(record: ExamRecord, into: string | undefined, collected: Collected): void {
    if (!this.#entries.delete(record.id)) return;
    for (const { facts, runs, received } of Object.values(record.series)) {
      if (facts.studyInstanceUid !== undefined) this.#ofStudy.delete(facts.studyInstanceUid);
      for (const sessionId of Object.keys(runs)) this.#ofSession.delete(sessionId);
      if (received !== undefined) this.#ofReceived.delete(received.seriesInstanceUid);
    }
    if (into !== undefined) collected.removed.add(record.id);
    collected.changed.delete(record.id);
    this.#tell({ kind: 'gone', examId: record.id, ...(into !== undefined && { into }) }, collected);
  }

  /** Exams that are over, the oldest first, as far as there are too many; none that the next source may belong to. */
  #leaveOutOldest(collected: Collected): void {
    const finished = [...this.#entries.values()].filter(({ record, view }) => view.state !== 'active' && !isNear(record, this.#now, this.#options.windowMs));
    const tooMany = finished.length - this.#options.maxFinished;
    if (tooMany <= 0) return;
    finished.sort((a, b) => a.view.lastActivityAt - b.view.lastActivityAt);
    for (const { record } of finished.slice(0, tooMany)) this.#forget(record, undefined, collected);
  }
}

const byAge = (a: ExamRecord, b: ExamRecord) => openedAtOf(a) - openedAtOf(b) || (a.id < b.id ? -1 : 1);

function studyOf(record: ExamRecord): string | undefined {
  return inOrder(record).find(({ facts }) => facts.studyInstanceUid !== undefined)?.facts.studyInstanceUid;
}

/** Two exams with studies of their own stay two; a source without one joins the latest of them. */
function oneStudyOf(found: readonly ExamRecord[], ofStudy: ExamRecord | undefined): ExamRecord[] {
  const others = found.filter((record) => record !== ofStudy && studyOf(record) !== undefined);
  if (ofStudy !== undefined || others.length <= 1) return [...found];
  const latest = others.reduce((a, b) => (lastActivityOf(b) > lastActivityOf(a) ? b : a));
  return found.filter((record) => record === latest || studyOf(record) === undefined);
}

function isNear(record: ExamRecord, at: number, windowMs: number): boolean {
  return at >= openedAtOf(record) - windowMs && at <= lastActivityOf(record) + windowMs;
}

function patientKeys({ patient }: SourceFacts): { readonly id: string | undefined; readonly name: string | undefined } {
  const name = patient.name === undefined ? undefined : `${patient.name.trim().toLowerCase()} ${patient.birthDate ?? ''}`;
  return { id: patient.id?.trim(), name };
}

/** Whether the facts tell of another patient than the exam does. */
function conflict(record: ExamRecord, facts: SourceFacts): boolean {
  const own = patientKeys(facts);
  return Object.values(record.series).some((series) => {
    const theirs = patientKeys(series.facts);
    if (own.id !== undefined && theirs.id !== undefined) return own.id !== theirs.id;
    return own.name !== undefined && theirs.name !== undefined && own.name !== theirs.name;
  });
}

function isSamePatient(record: ExamRecord, facts: SourceFacts): boolean {
  const own = patientKeys(facts);
  return Object.values(record.series).some((series) => {
    const theirs = patientKeys(series.facts);
    return own.id !== undefined && theirs.id !== undefined ? own.id === theirs.id : own.name !== undefined && own.name === theirs.name;
  });
}

function sharesMeasurement(record: ExamRecord, { measurementId, dependsOn = [] }: SourceFacts): boolean {
  const own = new Set([...(measurementId === undefined ? [] : [measurementId]), ...dependsOn]);
  return Object.values(record.series).some(({ facts }) =>
    [...(facts.measurementId === undefined ? [] : [facts.measurementId]), ...(facts.dependsOn ?? [])].some((id) => own.has(id)),
  );
}

/** What turns one view into the other, for whoever had the first. */
function changesBetween(before: ExamView | undefined, after: ExamView): Unnumbered[] {
  const { series, promises, actions } = after;
  const exam = headOf(after);
  const examId = after.id;
  const changes: Unnumbered[] = [];
  if (before === undefined || !isEqual(headOf(before), exam)) changes.push({ kind: 'exam', examId, exam });
  for (const one of series) {
    if (!isEqual(before?.series.find(({ id }) => id === one.id), one)) changes.push({ kind: 'series', examId, series: one });
  }
  if (!isEqual(before?.promises ?? [], promises)) changes.push({ kind: 'promises', examId, promises });
  if (!isEqual(before?.actions ?? [], actions)) changes.push({ kind: 'actions', examId, actions });
  return changes;
}

function headOf(exam: ExamView): Omit<ExamView, 'series' | 'promises' | 'actions'> {
  const { id, formerIds, openedAt, lastActivityAt, patient, study, protocol, protocolCandidates, remarks, settings, analyses, priority, reading, state } = exam;
  return { id, formerIds, openedAt, lastActivityAt, patient, study, ...(protocol !== undefined && { protocol }), protocolCandidates, remarks, settings, analyses, ...(priority !== undefined && { priority }), ...(reading !== undefined && { reading }), state };
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
