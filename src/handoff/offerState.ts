/**
 * One offer from the exam to its outcome, as a pure state machine: (record, event) -> record.
 *
 *   waiting --sent--> offered --accepted--> accepted --done--> done
 *      ^                 |  \--refused--> refused        \--failed--> failed
 *      +--busy, no answer+                 accepted --no outcome in time--> waiting (the same offer again)
 *                                          attempts used up --> failed
 *
 * Stages answer late, twice, wrong or never. An outcome is taken whenever it comes, also before the answer that it
 * implies and after the offer was given up (then it is marked late); the first one stands, the same one again
 * changes nothing, another one is a conflict.
 */
import { createHash } from 'node:crypto';
import type { CodedError } from 'ismrmrd';
import type { OfferAnswer, Outcome } from './contract.js';
import { handoffError } from './errors.js';

export interface OfferLimits {
  readonly answerTimeoutMs: number;
  readonly outcomeTimeoutMs: number;
  /** Offers of one exam to one stage, the first included. */
  readonly mostAttempts: number;
  /** Pause after the first attempt without an answer; doubled with each further one. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** A stage that is busy for ever is given up after this. */
  readonly longestWaitMs: number;
}

export const defaultOfferLimits: OfferLimits = {
  answerTimeoutMs: 30_000,
  outcomeTimeoutMs: 15 * 60_000,
  mostAttempts: 8,
  firstPauseMs: 2_000,
  longestPauseMs: 5 * 60_000,
  longestWaitMs: 24 * 3_600_000,
};

export type OfferState = 'waiting' | 'offered' | 'accepted' | 'done' | 'failed' | 'refused';

/** What is kept of an offer; times in ms since the epoch. */
export interface OfferRecord {
  readonly offerId: string;
  readonly stage: string;
  readonly examId: string;
  readonly state: OfferState;
  readonly attempts: number;
  readonly createdAtMs: number;
  /** Of waiting offers: when they are due. Of offered and accepted ones: when patience ends. */
  readonly dueAtMs: number;
  /** Code and text of what went wrong last. */
  readonly lastError?: { readonly code: string; readonly message: string };
  /** The stage's own words. They may hold anything, a patient's name too: they go into no log and no error text. */
  readonly stageReason?: string;
  /** SHA-256 of the outcome that was taken. */
  readonly outcomeSha256?: string;
  readonly outcomeIsLate?: boolean;
  /** The same outcome, sent again. */
  readonly nDuplicates: number;
}

export type OfferEvent =
  | { readonly kind: 'sent' }
  | { readonly kind: 'answered'; readonly answer: OfferAnswer }
  /** No answer, or none that can be read. */
  | { readonly kind: 'notAnswered'; readonly error: CodedError }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'tick' };

export function newOffer(offerId: string, stage: string, examId: string, nowMs: number): OfferRecord {
  return { offerId, stage, examId, state: 'waiting', attempts: 0, createdAtMs: nowMs, dueAtMs: nowMs, nDuplicates: 0 };
}

export const isSettled = ({ state }: OfferRecord): boolean => state === 'done' || state === 'failed' || state === 'refused';

/** The same outcome has the same digest, however its JSON is laid out. */
export function digestOf(outcome: Outcome): string {
  return createHash('sha256').update(canonicalJson(outcome)).digest('hex');
}

/** @throws CodedError HANDOFF_ERR_CONFLICT where another outcome was taken before; the record stays as it was */
export function advance(record: OfferRecord, event: OfferEvent, limits: OfferLimits, nowMs: number): OfferRecord {
  switch (event.kind) {
    case 'sent':
      if (record.state !== 'waiting') return record;
      return { ...record, state: 'offered', attempts: record.attempts + 1, dueAtMs: nowMs + limits.answerTimeoutMs };
    case 'answered':
      return record.state === 'offered' ? answered(record, event.answer, limits, nowMs) : record;
    case 'notAnswered':
      return record.state === 'offered' ? again(record, event.error, limits, nowMs) : record;
    case 'outcome':
      return concluded(record, event.outcome);
    case 'tick':
      return isSettled(record) || record.state === 'waiting' || nowMs < record.dueAtMs ? record : outOfPatience(record, limits, nowMs);
  }
}

function answered(record: OfferRecord, answer: OfferAnswer, limits: OfferLimits, nowMs: number): OfferRecord {
  switch (answer.answer) {
    case 'accepted':
      return { ...record, state: 'accepted', dueAtMs: nowMs + limits.outcomeTimeoutMs };
    case 'busy': {
      // A busy stage is alive: that is no failed attempt, and it says itself when to come back.
      const pauseMs = answer.retryAfterS === undefined ? limits.firstPauseMs : 1000 * answer.retryAfterS;
      const dueAtMs = nowMs + Math.max(pauseMs, limits.firstPauseMs);
      if (dueAtMs - record.createdAtMs > limits.longestWaitMs) {
        return { ...record, state: 'failed', lastError: shown(handoffError('HANDOFF_ERR_NO_ANSWER', 'a stage that stayed busy')) };
      }
      return { ...record, state: 'waiting', attempts: record.attempts - 1, dueAtMs };
    }
    case 'refused':
      return { ...record, state: 'refused', stageReason: answer.reason, lastError: shown(handoffError('HANDOFF_ERR_STAGE_REFUSED', 'a refusal')) };
  }
}

function concluded(record: OfferRecord, outcome: Outcome): OfferRecord {
  const outcomeSha256 = digestOf(outcome);
  if (record.outcomeSha256 === outcomeSha256) return { ...record, nDuplicates: record.nDuplicates + 1 };
  if (record.outcomeSha256 !== undefined) throw handoffError('HANDOFF_ERR_CONFLICT', `another outcome for offer ${record.offerId}`);
  const taken: OfferRecord = { ...record, outcomeSha256, outcomeIsLate: isSettled(record) };
  return outcome.outcome === 'done'
    ? { ...taken, state: 'done' }
    : { ...taken, state: 'failed', stageReason: outcome.reason, lastError: shown(handoffError('HANDOFF_ERR_STAGE_FAILED', 'a failure')) };
}

function outOfPatience(record: OfferRecord, limits: OfferLimits, nowMs: number): OfferRecord {
  const code = record.state === 'accepted' ? 'HANDOFF_ERR_NO_OUTCOME' : 'HANDOFF_ERR_NO_ANSWER';
  return again(record, handoffError(code, `nothing from stage ${record.stage}`), limits, nowMs);
}

function again(record: OfferRecord, error: CodedError, limits: OfferLimits, nowMs: number): OfferRecord {
  const lastError = shown(error);
  if (record.attempts >= limits.mostAttempts) return { ...record, state: 'failed', lastError };
  const pauseMs = Math.min(limits.longestPauseMs, limits.firstPauseMs * 2 ** (record.attempts - 1));
  return { ...record, state: 'waiting', lastError, dueAtMs: nowMs + pauseMs };
}

function shown({ code, message }: CodedError): { readonly code: string; readonly message: string } {
  return { code, message };
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
