/**
 * The book of exams in the service: with a clock, kept in a table, its jobs given to whoever does them. Changes are
 * kept as they happen, but for the progress of a scan, which is kept once a second: a crash costs a count, no state.
 *
 * Where nodes share their exams, what happens is told to all of them in one order, and each has the same book: what
 * follows from an event is the same everywhere. Who told an event keeps the record and gives the jobs; what is not given
 * because he is no more, the others give a little later.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from 'ismrmrd';
import type { Protocol } from '../../protocols/index.js';
import type { Logger } from '../log.js';
import type { SessionObserver } from '../session/index.js';
import { ExamBook } from './book.js';
import { wallClockMs } from './clock.js';
import type { BookOptions, Job } from './book.js';
import { examError } from './errors.js';
import type { ExamEvent, OutputKind } from './events.js';
import type { SourceFacts } from './facts.js';
import { sessionFeed } from './feed.js';
import type { ScanOrders } from './orders.js';
import { PictureStore } from './pictures.js';
import type { ExamPicture, PicturePlace } from './pictures.js';
import { chooseProtocol } from './protocolChoice.js';
import { lastActivityOf } from './record.js';
import type { ExamRecord, RunRecord } from './record.js';
import type { ExamChange, ExamView, SettingsRequest } from './schema.js';
import { changesAsked, strengthLimits } from './settings.js';
import type { StrengthLimits } from './settings.js';
import type { RecordTable } from './table.js';
import type { JobRequest } from './wanted.js';

export interface KeeperOptions extends Omit<BookOptions, 'newId' | 'recall'> {
  readonly table: RecordTable<ExamRecord>;
  /** Ids of exams by study and by former id. */
  readonly index: RecordTable<string>;
  /** Whether the tables outlive the process: then exams that are over may leave memory. */
  readonly isDurable: boolean;
  /** Resolves when everything that was put is on the disk. */
  readonly flushed: () => Promise<void>;
  /** Absent where this node is alone. */
  readonly shared?: SharedExams;
  readonly pictureBytes: number;
  /** Strength of denoising that the command line fixes for every scan. */
  readonly fixedDenoisePercent?: number;
  readonly log: Logger;
  readonly now?: () => number;
  readonly tickMs?: number;
}

/** Greater for what was told later. */
export type Place = readonly [number, number];

/** What nodes have in common that keep the same exams. */
export interface SharedExams {
  /** Resolves when it was heard here. */
  tell(message: unknown): Promise<void>;
  /** Whether nobody could be told anything for longer than anybody waits. */
  readonly isAway: () => boolean;
  hear(hearer: (told: { readonly message: unknown; readonly isOwn: boolean; readonly place: Place }) => void): void;
  /** May run its work several times. */
  transaction(work: () => void): Promise<void>;
  /** By exam, the place of the event that its record was kept after. */
  readonly places: RecordTable<Place>;
}

/** An event as it is told: an exam that begins with it has this id on every node. */
interface Told {
  readonly event: ExamEvent;
  readonly newExamId: string;
}

/** Is given a job that an exam wants done, sometimes again. Nobody waits for it; `tellJob` says how it goes on. */
export type JobTaker = (job: Job) => void;

/** Does what a protocol wants. Resolves when it is done. The same job may be asked for again after a restart. */
export type JobHandler = (job: Job) => Promise<void>;

export interface ExamListener {
  /** @param isOwn whether it happened on this node */
  changes?(changes: readonly ExamChange[], isOwn: boolean): void;
  picture?(picture: ExamPicture, place: PicturePlace): void;
}

/** Kinds of events that are told often, and kept a little later. */
const frequent: ReadonlySet<ExamEvent['kind']> = new Set<ExamEvent['kind']>(['readoutProgress', 'seriesImage', 'dicomReceived']);
const keepDelayMs = 1000;
/** After which a job that nobody has done is given again, by whatever node. */
const giveAgainAfterMs = 15_000;

const lookForAwayMs = 200;

const newExamId = () => randomBytes(9).toString('hex');

export class ExamKeeper {
  readonly name = 'exams';
  readonly book: ExamBook;
  readonly #options: KeeperOptions;
  readonly #pictures: PictureStore;
  readonly #takers = new Map<JobRequest['kind'], JobTaker>();
  readonly #listeners = new Set<ExamListener>();
  readonly #dirty = new Set<string>();
  readonly #places = new Map<string, Place>();
  #newExamId = '';
  /** Of what was told last. */
  #told: Promise<void> = Promise.resolve();
  readonly #now: () => number;
  #keepTimer: NodeJS.Timeout | undefined;
  #tickTimer: NodeJS.Timeout | undefined;
  #trouble: string | undefined;
  #isClosed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#pictures = new PictureStore(options.pictureBytes);
    const { table, index } = options;
    this.book = new ExamBook(
      {
        ...options,
        newId: () => this.#newExamId,
        recall: {
          exam: (id) => table.get(id) ?? table.get(index.get(`former ${id}`) ?? ''),
          ofStudy: (uid) => table.get(index.get(`study ${uid}`) ?? ''),
        },
      },
      latest(table, options.maxFinished),
      this.#now(),
    );
  }

  /** Ends what a former run left open, offers what it left undone, and goes on by itself from then. Handlers come before. */
  start(): void {
    const { shared } = this.#options;
    if (shared !== undefined) shared.hear(({ message, isOwn, place }) => this.#heard(message as Told, isOwn, place));
    else this.#goOn();
    this.#tickTimer = setInterval(() => {
      this.apply({ kind: 'tick', at: this.#now() });
      if (shared !== undefined) this.#giveAgain();
    }, this.#options.tickMs ?? 5000).unref();
  }

  /** Nobody else can have scans or jobs that were underway. */
  #goOn(): void {
    const why = told(examError('CONUS_ERR_EXAM_RESTARTED', 'a scan that ran when the service ended'));
    for (const sessionId of this.book.openSessions) {
      this.apply({ kind: 'sessionFailed', at: this.#now(), sessionId, ...why, remarks: [] });
    }
    for (const job of this.book.unfinishedJobs) this.#give(job);
  }

  /** Ends scans of a node that is no more, as far as they came, and sees that what it told last is kept. */
  takeOver(isItsSession: (sessionId: string) => boolean, wasAcknowledged: (sessionId: string) => boolean = () => false): Promise<void> {
    const why = told(examError('CONUS_ERR_EXAM_NODE_GONE', 'a scan that ran on a node which is no more'));
    for (const sessionId of this.book.openSessions.filter(isItsSession)) {
      this.apply(wasAcknowledged(sessionId) ? { kind: 'seriesEnded', at: this.#now(), sessionId, remarks: [] } : { kind: 'sessionFailed', at: this.#now(), sessionId, ...why, remarks: [] });
    }
    for (const { id, state } of this.book.exams) if (state === 'active') this.#dirty.add(id);
    this.#keep();
    return this.settled();
  }

  take(kind: JobRequest['kind'], taker: JobTaker): void {
    this.#takers.set(kind, taker);
  }

  /** Does jobs here and now. */
  handle(kind: JobRequest['kind'], handler: JobHandler): void {
    this.take(kind, (job) => {
      this.tellJob(job, 'running');
      handler(job).then(
        () => this.tellJob(job, 'done'),
        (error: unknown) => this.tellJob(job, 'failed', failureOfJob(job, error)),
      );
    });
  }

  tellJob({ examId, id }: Pick<Job, 'examId' | 'id'>, state: 'running' | 'done' | 'failed' | 'notAvailable', why?: { readonly code: string; readonly text: string }): void {
    // What the end of the service cut is offered again by the next one.
    if (this.#isClosed) return;
    if (state === 'failed') this.#options.log.warn({ exam: examId, job: id, code: why?.code }, 'an action of an exam failed');
    this.apply({ kind: 'jobChanged', at: this.#now(), examId, jobId: id, state, ...why });
  }

  /** @returns what ends it */
  listen(listener: ExamListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  observe(sessionId: string): SessionObserver {
    return sessionFeed(sessionId, {
      apply: (event) => this.apply(event),
      picture: (picture) => this.#keepPicture(sessionId, picture),
      now: this.#now,
    });
  }

  /** Where this node is alone, what follows from it is there when this returns; else once `settled` resolves. */
  apply(event: ExamEvent): void {
    const { shared, log } = this.#options;
    const message: Told = { event, newExamId: newExamId() };
    if (shared === undefined) {
      this.#heard(message, true);
      return;
    }
    this.#told = shared.tell(message).catch((error: unknown) => {
      log.error({ code: (error as { code?: string }).code, event: event.kind }, 'what happens to an exam could not be told');
    });
  }

  /** Resolves when everything that was applied here has come into the book; where nobody can be told, whoever waits goes on without. */
  async settled(): Promise<void> {
    const { shared } = this.#options;
    if (shared === undefined) return;
    let isHeard = false;
    const told = this.#told.then(() => (isHeard = true));
    while (!isHeard && !shared.isAway()) await Promise.race([told, sleep(lookForAwayMs, undefined, { ref: false })]);
  }

  #heard({ event, newExamId: id }: Told, isOwn: boolean, place?: Place): void {
    this.#newExamId = id;
    const { changes, jobs, changed, removed } = this.book.apply(event);
    if (place !== undefined) for (const examId of [...changed, ...removed]) this.#places.set(examId, place);
    if (isOwn) {
      if (place === undefined) for (const examId of removed) this.#options.table.remove(examId);
      else for (const examId of removed) this.#dirty.add(examId);
      for (const examId of changed) this.#dirty.add(examId);
      if (!this.#options.isDurable) for (const change of changes) if (change.kind === 'gone') this.#options.table.remove(change.examId);
      if (!frequent.has(event.kind)) this.#keep();
      else this.#keepTimer ??= setTimeout(() => this.#keep(), keepDelayMs).unref();
    }
    if (changes.length > 0) for (const listener of this.#listeners) listener.changes?.(changes, isOwn);
    if (!isOwn) return;
    for (const change of changes) if (change.kind === 'notify') this.#options.log.info({ exam: change.examId, message: change.message }, 'as the protocol asked');
    for (const job of jobs) this.#give(job);
  }

  /** @throws CodedError CONUS_ERR_EXAM_UNKNOWN */
  exam(id: string): ExamView {
    const exam = this.book.exam(id);
    if (exam === undefined) throw examError('CONUS_ERR_EXAM_UNKNOWN', 'another id');
    return exam;
  }

  /** Of an exam, by which its series are told. @throws CodedError CONUS_ERR_EXAM_PROTOCOL where none was chosen */
  protocolOf({ protocol }: Pick<ExamView, 'protocol'>): Protocol {
    const found = this.#options.protocols.find(({ name }) => name === protocol?.name);
    if (found === undefined) throw examError('CONUS_ERR_EXAM_PROTOCOL', 'an exam without a protocol');
    return found;
  }

  get protocols(): readonly Protocol[] {
    return this.#options.protocols;
  }

  /** What the operator may choose where an exam is of this protocol, or of none. */
  strengthLimits(protocol: Protocol | undefined): StrengthLimits {
    return strengthLimits(protocol, this.#options.fixedDenoisePercent);
  }

  /**
   * What the operator changes: it holds for scans and syntheses that have not begun.
   * @throws CodedError CONUS_ERR_EXAM_UNKNOWN, CONUS_ERR_SETTING_*
   */
  async changeSettings(examId: string, request: SettingsRequest): Promise<ExamView> {
    const { protocols, protocol: fixed } = this.#options;
    const record = this.book.record(examId);
    if (record === undefined) throw examError('CONUS_ERR_EXAM_UNKNOWN', 'another id');
    const changes = changesAsked(request, record, {
      protocols,
      protocolOf: (changed) => chooseProtocol(changed, protocols, fixed).protocol,
      limitsOf: (protocol) => this.strengthLimits(protocol),
    }, this.#now());
    if (changes.length > 0) {
      this.apply({ kind: 'settingsChanged', at: changes[0]!.at, examId: record.id, changes });
      await this.settled();
      this.#options.log.info({ exam: record.id, changed: changes.map(({ what }) => what) }, 'settings changed');
    }
    return this.exam(record.id);
  }

  /** What holds for a scan that begins now. */
  ordersFor(facts: SourceFacts): ScanOrders {
    return this.book.ordersFor(facts, this.#now());
  }

  /**
   * Pictures of a scan that are in memory, of the latest session that has some, and how many images of each output that made.
   * @param attempt of this session only, 1 the first
   * @throws CodedError CONUS_ERR_EXAM_UNKNOWN, CONUS_ERR_SERIES_UNKNOWN
   */
  recentPictures(examId: string, seriesId: string, attempt?: number): { readonly pictures: readonly ExamPicture[]; readonly nMade: (output: string) => number } {
    const runs = this.#runsOf(examId, seriesId);
    for (const { sessionId, outputs } of attempt === undefined ? runs : [runs.at(-attempt) ?? []].flat()) {
      const pictures = this.#pictures.ofSession(sessionId);
      if (pictures.length > 0) return { pictures, nMade: (output) => outputs[output as OutputKind]?.nImages ?? 0 };
    }
    return { pictures: [], nMade: () => 0 };
  }

  /** A picture that no session made is told to whoever looks on. */
  showPicture(picture: ExamPicture, place: PicturePlace): void {
    for (const listener of this.#listeners) listener.picture?.(picture, place);
  }

  /** Sessions that sent the series, the latest first. @throws CodedError CONUS_ERR_EXAM_UNKNOWN, CONUS_ERR_SERIES_UNKNOWN */
  sessionsOf(examId: string, seriesId: string): string[] {
    return this.#runsOf(examId, seriesId).map(({ sessionId }) => sessionId);
  }

  /** Of the pictures in memory. */
  get pictureBytes(): number {
    return this.#pictures.nBytes;
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  async close(): Promise<void> {
    clearInterval(this.#tickTimer);
    this.#isClosed = true;
    this.#keep();
    await this.#options.flushed();
  }

  #runsOf(examId: string, seriesId: string): RunRecord[] {
    if (!this.exam(examId).series.some(({ id }) => id === seriesId)) throw examError('CONUS_ERR_SERIES_UNKNOWN', 'another id');
    const runs = this.book.record(examId)?.series[seriesId]?.runs ?? {};
    return Object.values(runs).sort((a, b) => b.openedAt - a.openedAt);
  }

  #keepPicture(sessionId: string, picture: ExamPicture): void {
    this.#pictures.put(sessionId, picture);
    const show = () => {
      const place = this.book.ofSession(sessionId);
      if (place !== undefined) this.showPicture(picture, { ...place, at: (this.#options.now ?? wallClockMs)() });
    };
    if (this.book.ofSession(sessionId) !== undefined) show();
    // Its begin may still be on its way to everybody.
    else if (this.#options.shared !== undefined) void this.settled().then(show);
  }

  #keep(): void {
    clearTimeout(this.#keepTimer);
    this.#keepTimer = undefined;
    const { shared, flushed, log } = this.#options;
    if (this.#dirty.size === 0) return;
    const ids = [...this.#dirty];
    this.#dirty.clear();
    const kept = shared === undefined ? (ids.forEach((id) => this.#put(id)), flushed()) : shared.transaction(() => ids.forEach((id) => this.#putIfLater(id, shared)));
    kept.then(
      () => (this.#trouble = undefined),
      (error: unknown) => {
        this.#trouble = 'exams cannot be kept';
        // With the next change.
        for (const id of ids) this.#dirty.add(id);
        log.error({ code: (error as { code?: string }).code }, this.#trouble);
      },
    );
  }

  #put(id: string): void {
    const { table, index } = this.#options;
    const record = this.book.record(id);
    if (record === undefined) return;
    table.put(record.id, record);
    for (const { facts } of Object.values(record.series)) if (facts.studyInstanceUid !== undefined) index.put(`study ${facts.studyInstanceUid}`, record.id);
    for (const former of record.formerIds) index.put(`former ${former}`, record.id);
  }

  /** In a transaction: unless another node has heard more of it and kept that. */
  #putIfLater(id: string, { places }: SharedExams): void {
    const place = this.#places.get(id);
    const kept = places.get(id);
    if (place === undefined || (kept !== undefined && isLater(kept, place))) return;
    // Of one that turned out to be another the place stays: who has not heard so far keeps it no more.
    places.put(id, place);
    if (this.book.record(id)?.id === id) this.#put(id);
    else this.#options.table.remove(id);
  }

  #give(job: Job): void {
    const taker = this.#takers.get(job.request.kind);
    // After the event that asked for it.
    setImmediate(() => {
      if (taker === undefined) this.tellJob(job, 'notAvailable', told(examError('CONUS_ERR_EXAM_NO_HANDLER', `nobody here to ${job.request.kind}`)));
      else taker(job);
    });
  }

  #giveAgain(): void {
    const before = this.#now() - giveAgainAfterMs;
    for (const job of this.book.unfinishedJobs) {
      const known = this.book.record(job.examId)?.jobs[job.id];
      if (known !== undefined && known.at < before) this.#give(job);
    }
  }
}

/** What an exam is told of an action that failed. */
export function failureOfJob({ request: { kind } }: Pick<Job, 'request'>, error: unknown): { readonly code: string; readonly text: string } {
  return told(error instanceof CodedError ? error : examError('CONUS_ERR_EXAM_ACTION', `a fault while it should ${kind}`));
}

const told = ({ code, got, expected, action }: CodedError) => ({ code, text: `got ${got}; expected ${expected}; ${action}` });

const isLater = (a: Place, b: Place) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

/** The exams that were heard of last. */
function latest(table: RecordTable<ExamRecord>, count: number): ExamRecord[] {
  const records = [...table.range()].map(({ value }) => value);
  return records.sort((a, b) => lastActivityOf(b) - lastActivityOf(a)).slice(0, count);
}
