/**
 * What becomes of the images of a session beside the wire: they are made into DICOM instances as they
 * come, written to the object store in the background, and handed to the outbox in one transaction
 * before CLOSE acknowledges the session. So CLOSE without a warning means that nothing of it can be lost
 * any more; and of a session that was cut by the end of the process nothing is visible, because nobody
 * came to hold its objects.
 */
import { stat } from 'node:fs/promises';
import type { CodedError, MrdHeader } from 'ismrmrd';
import type { QualityLight, ReconImage, ReconImageKind, ReconNotice } from '../../recon/index.js';
import { DicomObjectMaker, markIncomplete } from '../delivery/index.js';
import type { DeliverySettings, DicomObject, DicomObjectOptions } from '../delivery/index.js';
import type { DeliverableSeries } from '../dicom/index.js';
import type { Logger } from '../log.js';
import { spoolWarning } from '../spool/index.js';
import type { Spool, StoredInstance, Table } from '../spool/index.js';
import type { BlobStore } from '../storage/index.js';
import { LocalRawShelf } from './rawShelf.js';
import type { RawShelf } from './rawShelf.js';
import { SharedRawShelf } from './sharedRawShelf.js';

export interface SessionRecord {
  readonly id: string;
  /** ms since 1970 */
  readonly openedAt: number;
  /** `acknowledged`: kept, and the client was told; `cut`: the process ended first. */
  readonly state: 'open' | 'acknowledged' | 'cut';
  readonly endedAt?: number;
  /** Why it ended, where that was an error. */
  readonly errorCode?: string;
  readonly nImages?: number;
  /** Of the outbox. */
  readonly jobs?: readonly string[];
  /** What was made, a DICOM series each. */
  readonly series?: readonly KeptSeries[];
  /** The run of the node that it is on; absent where that is alone. */
  readonly boot?: string;
  /** File of the raw data, in the data directory or wherever it was saved. */
  readonly raw?: string;
}

export interface KeptSeries {
  readonly seriesInstanceUid: string;
  readonly description: string;
  readonly output: ReconImageKind;
  /** Of the worst image, where images were judged. */
  readonly light?: QualityLight;
  readonly sopInstanceUids: readonly string[];
}

export interface SessionKeeperOptions {
  readonly spool: Spool;
  /** Names of the destinations that a series goes to. */
  readonly destinationsFor: (series: DeliverableSeries) => readonly string[];
  readonly log: Logger;
  /** That nodes share, to which raw data are brought; absent where they stay in the data folder. */
  readonly store?: BlobStore | undefined;
  /** This run of this node, where it is not alone. */
  readonly boot?: string | undefined;
  /** Resolves when what was told of a session has come into its exam. */
  readonly settled?: () => Promise<void>;
  /** What was done to images beyond their reconstruction. */
  readonly objects?: DicomObjectOptions;
  /** The exam of a session, as jobs of the outbox name it; the study where it is absent. */
  readonly examOf?: (sessionId: string) => string | undefined;
  /** The role of what a session scanned, in its exam. */
  readonly roleOf?: (sessionId: string) => string | undefined;
}

/** How many records of ended sessions are kept. */
const MOST_SESSIONS = 10_000;
/** How long it is known what was delivered where, so that what is sent again is counted as such, and what was cut. */
const REMEMBERED_MS = 90 * 24 * 3_600_000;

export class SessionKeeper {
  readonly raw: RawShelf;
  readonly #options: SessionKeeperOptions;
  readonly #sessions: Table<SessionRecord>;
  /** SOP instance UID -> the instance as it was first kept. */
  readonly #instances: Table<StoredInstance>;
  readonly #open = new Set<KeptSession>();
  #nNotKept = 0;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#sessions = options.spool.table('sessions');
    this.#instances = options.spool.table('instances');
    this.raw = options.store === undefined ? new LocalRawShelf(options.spool) : new SharedRawShelf(options.spool, options.store, options.log);
  }

  /** Sessions whose images, or some of them, could not be kept, since the start. */
  get nNotKept(): number {
    return this.#nNotKept;
  }

  /**
   * At the start: sessions that the end of the last process cut, which their clients know to be unacknowledged. Those on
   * other nodes go on.
   */
  async recover(): Promise<SessionRecord[]> {
    await this.raw.recover();
    return this.#options.spool.transaction(() => {
      const records = [...this.#sessions.range()].map(({ value }) => value);
      const cut = this.#options.boot === undefined ? this.#cut(records) : [];
      const ended = records.filter(({ state }) => state === 'acknowledged').sort((a, b) => b.openedAt - a.openedAt);
      const forgotten = records.filter(({ state, openedAt }) => state === 'cut' && openedAt < Date.now() - REMEMBERED_MS);
      for (const { id } of [...ended.slice(MOST_SESSIONS), ...forgotten]) this.#sessions.remove(id);
      for (const { key, value } of [...this.#instances.range()]) if (!this.#options.spool.objects.has(value.ref)) this.#instances.remove(key);
      this.#options.spool.outbox.forgetDeliveries(Date.now() - REMEMBERED_MS);
      return cut;
    });
  }

  /** Sessions that the end of another node cut. */
  takeOver(boot: string): Promise<SessionRecord[]> {
    return this.#options.spool.transaction(() => this.#cut([...this.#sessions.range()].map(({ value }) => value).filter((record) => record.boot === boot)));
  }

  /** In a transaction. */
  #cut(records: readonly SessionRecord[]): SessionRecord[] {
    const cut = records.filter(({ state }) => state === 'open').map((record): SessionRecord => ({ ...record, state: 'cut', endedAt: Date.now() }));
    for (const record of cut) this.#sessions.put(record.id, record);
    return cut;
  }

  open(id: string): KeptSession {
    const { boot } = this.#options;
    const record: SessionRecord = { id, openedAt: Date.now(), state: 'open', ...(boot !== undefined && { boot }) };
    this.#sessions.put(id, record);
    const session = new KeptSession(record, this.#options, this.#sessions, this.#instances, this.raw);
    this.#open.add(session);
    void session.ended.then((isKept) => {
      this.#open.delete(session);
      if (!isKept) this.#nNotKept++;
    });
    return session;
  }

  /** Waits for what sessions that ended still write. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].filter(({ isEnding }) => isEnding).map(({ ended }) => ended));
    await this.raw.close();
  }

  session(id: string): SessionRecord | undefined {
    return this.#sessions.get(id);
  }

  /** Where an instance lies, as long as it has not been cleaned away. */
  instance(sopInstanceUid: string): StoredInstance | undefined {
    return this.#instances.get(sopInstanceUid);
  }

  sessions(): SessionRecord[] {
    return [...this.#sessions.range()].map(({ value }) => value).sort((a, b) => a.openedAt - b.openedAt);
  }
}

/** An instance in the object store that nobody holds yet. */
interface Pending {
  readonly description: string;
  readonly output: ReconImageKind;
  readonly stored: StoredInstance;
}

export class KeptSession {
  #record: SessionRecord;
  readonly #options: SessionKeeperOptions;
  readonly #sessions: Table<SessionRecord>;
  readonly #instances: Table<StoredInstance>;
  readonly #rawShelf: RawShelf;
  #maker: DicomObjectMaker | undefined;
  #working: Promise<void> = Promise.resolve();
  readonly #pending: Pending[] = [];
  readonly #lights = new Map<ReconImageKind, QualityLight>();
  #nFailed = 0;
  #failure: unknown;
  #ending: Promise<readonly ReconNotice[]> | undefined;
  #resolveEnded: (isKept: boolean) => void = () => undefined;
  /** Resolves when nothing is written any more; whether all of it is kept. */
  readonly ended = new Promise<boolean>((resolve) => {
    this.#resolveEnded = resolve;
  });

  constructor(
    record: SessionRecord, options: SessionKeeperOptions, sessions: Table<SessionRecord>, instances: Table<StoredInstance>,
    rawShelf: RawShelf,
  ) {
    this.#record = record;
    this.#options = options;
    this.#sessions = sessions;
    this.#instances = instances;
    this.#rawShelf = rawShelf;
  }

  /** Where the raw data go: after a crash they can be reconstructed again. */
  savesRaw(path: string): void {
    this.#record = { ...this.#record, raw: path };
    this.#sessions.put(this.#record.id, this.#record);
  }

  begin(header: MrdHeader, settings: DeliverySettings): void {
    this.#maker = new DicomObjectMaker(header, settings, this.#options.objects);
  }

  /** Takes an image; its pixels must not change any more. Nothing waits for it before the end. */
  image(image: ReconImage): void {
    const maker = this.#maker;
    if (maker === undefined || this.#ending !== undefined) return;
    this.#judge(image);
    this.#working = this.#working.then(async () => {
      try {
        // The wire comes first: whatever is ready to be sent is sent before this image is encoded.
        await new Promise((resolve) => setImmediate(resolve));
        const object = maker.make(image);
        if (object !== undefined) await this.#store(factsOf(object), object);
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /**
   * Brings everything to the disk and into the outbox, once; never rejects.
   * @param error why the session ended, where that was an error: what is complete is delivered, marked so
   * @returns what the client must be told
   */
  end(error?: CodedError): Promise<readonly ReconNotice[]> {
    this.#ending ??= this.#end(error).finally(() => this.#resolveEnded(this.#nFailed === 0));
    return this.#ending;
  }

  /** As if it had never been: nothing of it is kept or delivered. Once, in place of `end`; never rejects. */
  forget(): Promise<unknown> {
    this.#ending ??= this.#forget().finally(() => this.#resolveEnded(true));
    return this.#ending;
  }

  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  async #forget(): Promise<readonly ReconNotice[]> {
    await this.#working;
    this.#sessions.remove(this.#record.id);
    // What is not let go of now is so when this process has ended.
    await this.#options.spool.objects.discard(this.#pending.map(({ stored }) => stored.ref)).catch(() => undefined);
    return [];
  }

  async #end(error: CodedError | undefined): Promise<readonly ReconNotice[]> {
    await this.#working;
    try {
      for (const object of this.#maker?.end() ?? []) await this.#store(factsOf(object), object);
    } catch (failure) {
      this.#fail(failure);
    }
    if (this.#pending.length === 0 && this.#nFailed === 0 && this.#record.raw === undefined) {
      // A question, a refusal, a probe: nothing that has to be known afterwards.
      this.#sessions.remove(this.#record.id);
      return [];
    }
    const isIncomplete = error !== undefined || this.#nFailed > 0;
    try {
      if (isIncomplete) await this.#markAll();
      const raw = await this.#rawShelf.sizeOf(this.#record.raw);
      await this.#options.settled?.();
      await this.#options.spool.transaction(() => this.#commit(error, isIncomplete, raw));
    } catch (failure) {
      this.#nFailed += this.#pending.length;
      this.#failure ??= failure;
      await this.#options.spool.objects.discard(this.#pending.map(({ stored }) => stored.ref)).catch(() => undefined);
      if (this.#pending.length === 0) this.#nFailed++;
    }
    if (this.#nFailed === 0) return [];
    const code = this.#failureCode;
    this.#options.log.error({ session: this.#record.id, images: this.#nFailed, code }, 'images are not kept for delivery');
    return [spoolWarning('CONUS_WARN_NOT_KEPT', `${this.#nFailed} images are not kept for delivery (${code})`)];
  }

  /** In a transaction. */
  #commit(error: CodedError | undefined, isIncomplete: boolean, raw: { name: string; nBytes: number } | undefined): void {
    const { spool, destinationsFor, examOf, roleOf } = this.#options;
    const role = roleOf?.(this.#record.id);
    const holder = `session/${this.#record.id}`;
    for (const { stored } of this.#pending) {
      spool.objects.hold(stored.ref, holder);
      this.#instances.put(stored.sopInstanceUid, stored);
    }
    const jobs: string[] = [];
    for (const series of seriesOf(this.#pending)) {
      const { description, stored } = series[0]!;
      const examId = examOf?.(this.#record.id) ?? stored.studyInstanceUid;
      for (const destination of destinationsFor({ description, modality: 'MR', sopClassUid: stored.sopClassUid, ...(role !== undefined && { role }) })) {
        jobs.push(spool.outbox.add({ destination, examId, isIncomplete, instances: series.map((pending) => pending.stored) }));
      }
    }
    // Jobs hold what they deliver; the rest may be cleaned away when its room is needed.
    for (const { stored } of this.#pending) spool.objects.release(stored.ref, holder);
    if (raw !== undefined) this.#rawShelf.add(raw.name, raw.nBytes, this.#nFailed === 0);
    const errorCode = error?.code ?? (this.#nFailed > 0 ? this.#failureCode : undefined);
    this.#sessions.put(this.#record.id, {
      ...this.#record, state: 'acknowledged', endedAt: Date.now(), nImages: this.#pending.length, jobs,
      series: seriesOf(this.#pending).map((images) => keptSeries(images, this.#lights)),
      ...(errorCode !== undefined && { errorCode }),
    });
  }

  async #store(facts: Omit<Pending, 'stored'>, object: Pick<DicomObject, 'instance' | 'bytes'>): Promise<void> {
    const { spool } = this.#options;
    // The same image again, of a session that was sent twice: the receiver may have the first one already.
    const known = this.#instances.get(object.instance.sopInstanceUid);
    const bytes = known !== undefined && spool.objects.has(known.ref) ? await spool.objects.read(known.ref).catch(() => object.bytes) : object.bytes;
    const ref = await spool.objects.put(bytes);
    this.#pending.push({ ...facts, stored: { ...object.instance, ref, nBytes: bytes.length } });
  }

  /** Objects of an incomplete session in place of what was stored before anybody knew. */
  async #markAll(): Promise<void> {
    const { objects } = this.#options.spool;
    for (const { stored, ...facts } of this.#pending.splice(0)) {
      try {
        const bytes = await objects.read(stored.ref);
        await objects.discard([stored.ref]);
        await this.#store(facts, markIncomplete({ instance: stored, bytes }));
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  get #failureCode(): string {
    return (this.#failure as { readonly code?: string } | undefined)?.code ?? 'unknown';
  }

  /** A series is as good as its worst image. */
  #judge({ kind, denoising }: ReconImage): void {
    const known = this.#lights.get(kind);
    if (denoising !== undefined && severity[denoising.light] >= severity[known ?? 'green']) this.#lights.set(kind, denoising.light);
  }

  #fail(error: unknown): void {
    this.#nFailed++;
    this.#failure ??= error;
  }
}

function seriesOf(pending: readonly Pending[]): Pending[][] {
  const series = new Map<string, Map<string, Pending>>();
  for (const entry of pending) {
    const { seriesInstanceUid, sopInstanceUid } = entry.stored;
    const instances = series.get(seriesInstanceUid) ?? new Map<string, Pending>();
    series.set(seriesInstanceUid, instances.set(sopInstanceUid, entry));
  }
  return [...series.values()].map((instances) => [...instances.values()]);
}

const severity: Readonly<Record<QualityLight, number>> = { green: 0, amber: 1, red: 2 };

const factsOf = ({ seriesDescription, output }: DicomObject): Omit<Pending, 'stored'> => ({ description: seriesDescription, output });

function keptSeries(images: readonly Pending[], lights: ReadonlyMap<ReconImageKind, QualityLight>): KeptSeries {
  const { description, output, stored } = images[0]!;
  const light = lights.get(output);
  return {
    seriesInstanceUid: stored.seriesInstanceUid, description, output, ...(light !== undefined && { light }),
    sopInstanceUids: images.map((image) => image.stored.sopInstanceUid),
  };
}

/** Whether the raw data of a session that was cut can still be reconstructed, and from which file. */
export async function rerunnable({ raw }: SessionRecord): Promise<string | undefined> {
  if (raw === undefined) return undefined;
  for (const path of [raw, `${raw}.partial`]) {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && found.size > 0) return path;
  }
  return undefined;
}
