/**
 * The book of exams in the service: with a clock, kept in a table, its jobs given to whoever does them. Changes are
 * kept as they happen, but for the progress of a scan, which is kept once a second: a crash costs a count, no state.
 */
import { randomBytes } from 'node:crypto';
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
  readonly pictureBytes: number;
  /** Strength of denoising that the command line fixes for every scan. */
  readonly fixedDenoisePercent?: number;
  readonly log: Logger;
  readonly now?: () => number;
  readonly tickMs?: number;
}

/** Does what a protocol wants. Resolves when it is done. The same job may be asked for again after a restart. */
export type JobHandler = (job: Job) => Promise<void>;

export interface ExamListener {
  changes?(changes: readonly ExamChange[]): void;
  picture?(picture: ExamPicture, place: PicturePlace): void;
}

/** Kinds of events that are told often, and kept a little later. */
const frequent: ReadonlySet<ExamEvent['kind']> = new Set<ExamEvent['kind']>(['readoutProgress', 'seriesImage', 'dicomReceived']);
const keepDelayMs = 1000;

export class ExamKeeper {
  readonly name = 'exams';
  readonly book: ExamBook;
  readonly #options: KeeperOptions;
  readonly #pictures: PictureStore;
  readonly #handlers = new Map<JobRequest['kind'], JobHandler>();
  readonly #listeners = new Set<ExamListener>();
  readonly #dirty = new Set<string>();
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
        newId: () => randomBytes(9).toString('hex'),
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
    const { code, got, expected, action } = examError('CONUS_ERR_EXAM_RESTARTED', 'a scan that ran when the service ended');
    const text = `got ${got}; expected ${expected}; ${action}`;
    for (const sessionId of this.book.openSessions) {
      this.apply({ kind: 'sessionFailed', at: this.#now(), sessionId, code, text, remarks: [] });
    }
    for (const job of this.book.unfinishedJobs) this.#run(job);
    this.#tickTimer = setInterval(() => this.apply({ kind: 'tick', at: this.#now() }), this.#options.tickMs ?? 5000).unref();
  }

  handle(kind: JobRequest['kind'], handler: JobHandler): void {
    this.#handlers.set(kind, handler);
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

  apply(event: ExamEvent): void {
    const { changes, jobs, changed, removed } = this.book.apply(event);
    for (const id of removed) this.#options.table.remove(id);
    for (const id of changed) this.#dirty.add(id);
    if (!this.#options.isDurable) for (const change of changes) if (change.kind === 'gone') this.#options.table.remove(change.examId);
    if (!frequent.has(event.kind)) this.#keep();
    else this.#keepTimer ??= setTimeout(() => this.#keep(), keepDelayMs).unref();
    if (changes.length > 0) for (const listener of this.#listeners) listener.changes?.(changes);
    for (const change of changes) if (change.kind === 'notify') this.#options.log.info({ exam: change.examId, message: change.message }, 'as the protocol asked');
    for (const job of jobs) this.#run(job);
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
  changeSettings(examId: string, request: SettingsRequest): ExamView {
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
    const place = this.book.ofSession(sessionId);
    if (place === undefined) return;
    this.#pictures.put(sessionId, picture);
    this.showPicture(picture, { ...place, at: (this.#options.now ?? wallClockMs)() });
  }

  #keep(): void {
    clearTimeout(this.#keepTimer);
    this.#keepTimer = undefined;
    const { table, index, flushed, log } = this.#options;
    for (const id of this.#dirty) {
      const record = this.book.record(id);
      if (record === undefined) continue;
      table.put(record.id, record);
      for (const { facts } of Object.values(record.series)) if (facts.studyInstanceUid !== undefined) index.put(`study ${facts.studyInstanceUid}`, record.id);
      for (const former of record.formerIds) index.put(`former ${former}`, record.id);
    }
    if (this.#dirty.size === 0) return;
    this.#dirty.clear();
    flushed().then(
      () => (this.#trouble = undefined),
      (error: unknown) => {
        this.#trouble = 'exams cannot be kept';
        log.error({ code: (error as { code?: string }).code }, this.#trouble);
      },
    );
  }

  #run(job: Job): void {
    const handler = this.#handlers.get(job.request.kind);
    const tell = (state: 'running' | 'done' | 'failed' | 'notAvailable', why?: CodedError) => {
      // What the end of the service cut is offered again by the next one.
      if (this.#isClosed) return;
      this.apply({ kind: 'jobChanged', at: this.#now(), examId: job.examId, jobId: job.id, state, ...(why !== undefined && { code: why.code, text: `got ${why.got}; expected ${why.expected}; ${why.action}` }) });
    };
    // After the event that asked for it.
    setImmediate(() => {
      if (handler === undefined) return tell('notAvailable', examError('CONUS_ERR_EXAM_NO_HANDLER', `nobody here to ${job.request.kind}`));
      tell('running');
      handler(job).then(
        () => tell('done'),
        (error: unknown) => {
          this.#options.log.warn({ exam: job.examId, job: job.id, code: error instanceof CodedError ? error.code : undefined }, 'an action of an exam failed');
          tell('failed', error instanceof CodedError ? error : examError('CONUS_ERR_EXAM_ACTION', `a fault while it should ${job.request.kind}`));
        },
      );
    });
  }
}

/** The exams that were heard of last. */
function latest(table: RecordTable<ExamRecord>, count: number): ExamRecord[] {
  const records = [...table.range()].map(({ value }) => value);
  return records.sort((a, b) => lastActivityOf(b) - lastActivityOf(a)).slice(0, count);
}
