/**
 * Where finished exams are offered to downstream stages, and their outcomes are taken. Every change of an offer is
 * kept before anybody is told of it: a server that dies goes on where it was. One offer's steps run one after the
 * other; offers do not wait for each other.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { CodedError } from 'ismrmrd';
import type { Logger } from '../log.js';
import { HANDOFF_VERSION, type Offer, type Outcome } from './contract.js';
import { handoffError } from './errors.js';
import { advance, isSettled, newOffer, type OfferEvent, type OfferLimits, type OfferRecord } from './offerState.js';
import { readOutcome } from './transports/folder.js';
import type { ExamForHandoff, Material, Transport } from './transport.js';

/** An offer with what it needs to be made again after a restart. */
export interface KeptOffer {
  readonly record: OfferRecord;
  readonly exam: ExamForHandoff;
  /** The run of a node that sees to it; absent where a node is alone. */
  readonly owner?: string;
}

export interface OfferStore {
  all(): Iterable<KeptOffer>;
  get(offerId: string): KeptOffer | undefined;
  /** Resolves when it is on disk. */
  put(offer: KeptOffer): Promise<void>;
}

export interface HandoffStage {
  readonly name: string;
  readonly transport: Transport;
  readonly limits: OfferLimits;
}

export interface DeskOptions {
  readonly stages: readonly HandoffStage[];
  readonly store: OfferStore;
  readonly material: Material;
  /** Keeps the results of an outcome; resolves when they are safe. The same results may come again. */
  readonly takeResults: (offer: KeptOffer, outcome: Outcome) => Promise<void>;
  readonly secret: Uint8Array;
  /** This run of this node, where several share the store: each sees to its own offers. */
  readonly boot?: string | undefined;
  readonly log: Logger;
  /** Between two looks for what is due and for outcomes that lie in folders. */
  readonly tickMs?: number;
  readonly nowMs?: () => number;
}

/** The bearer token of one offer: a keyed hash, so that no store holds it. */
export function tokenOfOffer(secret: Uint8Array, offerId: string): string {
  return createHmac('sha256', secret).update(`handoff ${offerId}`).digest('hex');
}

/** The same images offered to the same stage are the same offer. */
export function offerIdOf(stage: string, exam: ExamForHandoff): string {
  const instances = exam.series.flatMap((series) => series.instances.map(({ sopInstanceUid }) => sopInstanceUid)).sort();
  return createHash('sha256').update(JSON.stringify([stage, exam.studyInstanceUid, exam.tasks, instances])).digest('hex').slice(0, 32);
}

export class HandoffDesk {
  readonly #options: DeskOptions;
  readonly #stages: ReadonlyMap<string, HandoffStage>;
  readonly #nowMs: () => number;
  /** The last step of each offer that is being worked on. */
  readonly #steps = new Map<string, Promise<unknown>>();
  readonly #waiting = new Map<string, ((offer: KeptOffer) => void)[]>();
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#stages = new Map(options.stages.map((stage) => [stage.name, stage]));
    this.#nowMs = options.nowMs ?? Date.now;
  }

  /** Takes up what a former run left, and goes on by itself from then. */
  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), this.#options.tickMs ?? 1_000);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#ending.abort();
    await Promise.allSettled(this.#steps.values());
  }

  /** Resolves with the offer when nothing more is awaited of it. */
  settled(offerId: string): Promise<KeptOffer> {
    return new Promise((resolve) => {
      const offer = this.#options.store.get(offerId);
      if (offer !== undefined && isSettled(offer.record)) resolve(offer);
      else this.#waiting.set(offerId, [...(this.#waiting.get(offerId) ?? []), resolve]);
    });
  }

  /**
   * Offers an exam to a stage; the same exam again changes nothing, but that this node sees to it from now on. Resolves
   * when the offer is kept, not when it is answered.
   */
  async offer(stageName: string, exam: ExamForHandoff): Promise<string> {
    const offerId = offerIdOf(stageName, exam);
    await this.#step(offerId, async () => {
      const known = this.#options.store.get(offerId);
      if (known === undefined) await this.#keep(this.#owned({ record: newOffer(offerId, stageName, exam.examId, this.#nowMs()), exam }));
      else if (!this.#isOwn(known)) await this.#adopt(known);
    });
    void this.#makeOffer(offerId);
    return offerId;
  }

  /** Sees to the open offers of a node that is no more, but for those to `but`. */
  async adopt(boot: string, but?: string): Promise<void> {
    const left = [...this.#options.store.all()].filter(({ owner, record }) => owner === boot && record.stage !== but);
    for (const offer of left) await this.#step(offer.record.offerId, () => this.#adopt(offer));
  }

  /** Everything that is due, once. Resolves when it was done; never rejects. */
  async tick(): Promise<void> {
    // Whose outcome another node took.
    for (const offerId of this.#waiting.keys()) this.#tell(this.#options.store.get(offerId));
    const open = [...this.#options.store.all()].filter((offer) => !isSettled(offer.record) && this.#isOwn(offer));
    await Promise.all(
      open.map(async ({ record: { offerId } }) => {
        await this.#apply(offerId, { kind: 'tick' });
        await this.#lookForOutcome(offerId);
        await this.#makeOffer(offerId);
      }),
    );
  }

  /** @throws CodedError HANDOFF_ERR_UNKNOWN_OFFER, HANDOFF_ERR_TOKEN */
  authorise(offerId: string, token: string | undefined): KeptOffer {
    const offer = this.#options.store.get(offerId);
    const wanted = Buffer.from(tokenOfOffer(this.#options.secret, offerId));
    const given = Buffer.from(token ?? '');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw handoffError('HANDOFF_ERR_TOKEN', 'no or another token');
    if (offer === undefined) throw handoffError('HANDOFF_ERR_UNKNOWN_OFFER', 'an id without an offer');
    return offer;
  }

  /**
   * An outcome that a stage sent. When this resolves, its results are safe.
   * @throws CodedError HANDOFF_ERR_UNKNOWN_OFFER, HANDOFF_ERR_TOKEN, HANDOFF_ERR_OUTCOME, HANDOFF_ERR_CONFLICT
   */
  async outcome(offerId: string, token: string | undefined, text: string): Promise<OfferRecord> {
    this.authorise(offerId, token);
    const outcome = readOutcome(text);
    if (outcome.offerId !== offerId) throw handoffError('HANDOFF_ERR_OUTCOME', 'an outcome of another offer');
    return this.#take(offerId, outcome);
  }

  /** A stage that is a DICOM node sent results by itself: its open offers of the study are done. */
  async resultsReceived(stageName: string, studyInstanceUid: string): Promise<void> {
    const open = [...this.#options.store.all()].filter(
      ({ record, exam }) => record.stage === stageName && exam.studyInstanceUid === studyInstanceUid && !isSettled(record),
    );
    for (const { record: { offerId } } of open) await this.#take(offerId, { version: HANDOFF_VERSION, offerId, outcome: 'done', results: [] });
  }

  async #take(offerId: string, outcome: Outcome): Promise<OfferRecord> {
    return this.#step(offerId, async () => {
      const offer = this.#options.store.get(offerId);
      if (offer === undefined) throw handoffError('HANDOFF_ERR_UNKNOWN_OFFER', 'an id without an offer');
      const { transport, limits } = this.#stage(offer.record.stage) ?? { transport: undefined, limits: undefined };
      const record = advance(offer.record, { kind: 'outcome', outcome }, limits ?? neverAgain, this.#nowMs());
      if (record.nDuplicates === offer.record.nDuplicates) await this.#options.takeResults(offer, outcome);
      await this.#keep({ ...offer, record });
      await transport?.settled?.(offerId);
      return record;
    });
  }

  async #lookForOutcome(offerId: string): Promise<void> {
    const offer = this.#options.store.get(offerId);
    const transport = offer === undefined || !this.#isOwn(offer) ? undefined : this.#stage(offer.record.stage)?.transport;
    if (offer?.record.state !== 'accepted' || transport?.outcome === undefined) return;
    try {
      const outcome = await transport.outcome(offerId);
      if (outcome === undefined) return;
      if (outcome.offerId !== offerId) throw handoffError('HANDOFF_ERR_OUTCOME', 'an outcome of another offer');
      await this.#take(offerId, outcome);
    } catch (error) {
      this.#options.log.warn({ offerId, code: codeOf(error) }, 'an outcome could not be taken');
    }
  }

  /** Makes an offer that is due. Never rejects. */
  async #makeOffer(offerId: string): Promise<void> {
    const { store, material, log } = this.#options;
    const due = store.get(offerId);
    const stage = due === undefined ? undefined : this.#stage(due.record.stage);
    // A stage that the configuration no longer has keeps its offers until it is back.
    if (due === undefined || stage === undefined || !this.#isOwn(due) || this.#ending.signal.aborted) return;
    if (due.record.state !== 'waiting' || due.record.dueAtMs > this.#nowMs()) return;
    // Of several that find it due at once, one makes it.
    const sent = await this.#apply(offerId, { kind: 'sent' });
    if (sent === undefined) return;
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(stage.limits.answerTimeoutMs)]);
    try {
      const answer = await stage.transport.offer(this.#messageOf(sent, stage), sent.exam, material, signal);
      await this.#apply(offerId, { kind: 'answered', answer });
    } catch (error) {
      // The offer is repeated after a restart: it was made, and nobody heard the answer.
      if (this.#ending.signal.aborted) return;
      const coded = error instanceof CodedError ? error : handoffError('HANDOFF_ERR_NO_ANSWER', systemCodeOf(error), { cause: error });
      log.warn({ offerId, stage: stage.name, code: coded.code, attempt: sent.record.attempts }, 'an offer was not answered');
      await this.#apply(offerId, { kind: 'notAnswered', error: coded });
    }
  }

  #messageOf({ record, exam }: KeptOffer, { transport, limits }: HandoffStage): Offer {
    const at = (ms: number) => new Date(ms).toISOString();
    const callback = transport.callback(record.offerId);
    return {
      version: HANDOFF_VERSION,
      offerId: record.offerId,
      attempt: record.attempts,
      examId: exam.examId,
      studyInstanceUid: exam.studyInstanceUid,
      ...(exam.protocol === undefined ? {} : { protocol: exam.protocol }),
      ...(exam.bodyPart === undefined ? {} : { bodyPart: exam.bodyPart }),
      tasks: [...exam.tasks],
      series: exam.series.map((series) => {
        const { seriesInstanceUid, role, scan, description, modality, synthetic, denoised, qualityLight } = series;
        const light = qualityLight === undefined ? {} : { qualityLight };
        return { seriesInstanceUid, role, ...(scan === undefined ? {} : { scan }), description, modality, synthetic, denoised, ...light, ...transport.locations(record.offerId, series) };
      }),
      answerBy: at(record.dueAtMs),
      outcomeBy: at(this.#nowMs() + limits.outcomeTimeoutMs),
      ...(callback === undefined ? {} : { callback }),
    };
  }

  #stage(name: string): HandoffStage | undefined {
    return this.#stages.get(name);
  }

  /** @returns the offer as it became; undefined where the event changed nothing */
  async #apply(offerId: string, event: OfferEvent): Promise<KeptOffer | undefined> {
    return this.#step(offerId, async () => {
      const offer = this.#options.store.get(offerId);
      const stage = offer === undefined ? undefined : this.#stage(offer.record.stage);
      if (offer === undefined || stage === undefined || !this.#isOwn(offer)) return undefined;
      const record = advance(offer.record, event, stage.limits, this.#nowMs());
      if (record === offer.record) return undefined;
      await this.#keep({ ...offer, record });
      if (isSettled(record)) await stage.transport.settled?.(offerId);
      return { ...offer, record };
    });
  }

  async #keep(offer: KeptOffer): Promise<void> {
    await this.#options.store.put(offer);
    this.#tell(offer);
  }

  /** Whoever waits for an offer, once it is settled. */
  #tell(offer: KeptOffer | undefined): void {
    if (offer === undefined || !isSettled(offer.record)) return;
    const { offerId } = offer.record;
    const waiting = this.#waiting.get(offerId) ?? [];
    this.#waiting.delete(offerId);
    for (const tell of waiting) tell(offer);
  }

  #isOwn({ owner }: KeptOffer): boolean {
    return owner === this.#options.boot;
  }

  #owned(offer: Omit<KeptOffer, 'owner'>): KeptOffer {
    const { boot } = this.#options;
    return { ...offer, ...(boot !== undefined && { owner: boot }) };
  }

  /** What its former owner heard of the stage is not known: it is made again, which changes nothing for a stage that has it. */
  async #adopt({ record, exam }: KeptOffer): Promise<void> {
    if (isSettled(record)) return;
    await this.#keep(this.#owned({ record: { ...record, state: 'waiting', dueAtMs: this.#nowMs() }, exam }));
  }

  /** Runs after the steps of this offer that were asked for before. */
  #step<Value>(offerId: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#steps.get(offerId) ?? Promise.resolve();
    const step = before.then(work, work);
    this.#steps.set(offerId, step);
    const forget = () => {
      if (this.#steps.get(offerId) === step) this.#steps.delete(offerId);
    };
    step.then(forget, forget);
    return step;
  }
}

/** Of a stage that is gone from the configuration: what it still sends is taken, and nothing is offered. */
const neverAgain: OfferLimits = { answerTimeoutMs: 0, outcomeTimeoutMs: 0, mostAttempts: 0, firstPauseMs: 0, longestPauseMs: 0, longestWaitMs: 0 };

const codeOf = (error: unknown): string => (error instanceof CodedError ? error.code : systemCodeOf(error));

/** `ECONNREFUSED`, `TimeoutError`: names of the system, without texts that a stage could have written. */
function systemCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown failure';
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return (error as NodeJS.ErrnoException).code?.toString() ?? cause?.code ?? error.name;
}
