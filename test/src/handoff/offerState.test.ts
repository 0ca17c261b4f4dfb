import fc from 'fast-check';
import { CodedError } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { advance, defaultOfferLimits, digestOf, isSettled, newOffer } from '../../../src/handoff/index.js';
import type { OfferEvent, OfferLimits, OfferRecord, Outcome } from '../../../src/handoff/index.js';

const limits: OfferLimits = { ...defaultOfferLimits, answerTimeoutMs: 10, outcomeTimeoutMs: 100, mostAttempts: 3, firstPauseMs: 4, longestPauseMs: 50, longestWaitMs: 10_000 };
const offerId = '0'.repeat(32);
const done = (value: number): Outcome => ({ version: 1, offerId, outcome: 'done', results: [{ kind: 'json', name: 'x', value }] });
const failed: Outcome = { version: 1, offerId, outcome: 'failed', reason: 'DOE^JANE could not be read' };
const silence = new CodedError('HANDOFF_ERR_NO_ANSWER', 'nothing', { expected: 'x', action: 'y' });
const play = (events: readonly (readonly [number, OfferEvent])[]): OfferRecord =>
  events.reduce((record, [nowMs, event]) => advance(record, event, limits, nowMs), newOffer(offerId, 'stage', 'exam', 0));

const outcomeCode = (record: OfferRecord, outcome: Outcome) => {
  try {
    return advance(record, { kind: 'outcome', outcome }, limits, 0).state;
  } catch (error) {
    return (error as CodedError).code;
  }
};

describe('one offer', () => {
  it('goes from offer to outcome', () => {
    const record = play([[0, { kind: 'sent' }], [1, { kind: 'answered', answer: { answer: 'accepted' } }], [2, { kind: 'outcome', outcome: done(1) }]]);
    expect(record).toMatchObject({ state: 'done', attempts: 1, outcomeIsLate: false, nDuplicates: 0 });
  });

  it('is repeated with growing pauses while nobody answers, then fails with the reason', () => {
    let record = newOffer(offerId, 'stage', 'exam', 0);
    const pauses: number[] = [];
    for (let nowMs = 0; record.state === 'waiting'; nowMs = record.dueAtMs) {
      record = advance(record, { kind: 'sent' }, limits, nowMs);
      record = advance(record, { kind: 'notAnswered', error: silence }, limits, nowMs);
      if (record.state === 'waiting') pauses.push(record.dueAtMs - nowMs);
    }
    expect(pauses).toEqual([4, 8]);
    expect(record).toMatchObject({ state: 'failed', attempts: 3, lastError: { code: 'HANDOFF_ERR_NO_ANSWER' } });
  });

  it('is repeated where an accepted one brings nothing in time', () => {
    const accepted = play([[0, { kind: 'sent' }], [1, { kind: 'answered', answer: { answer: 'accepted' } }]]);
    expect(advance(accepted, { kind: 'tick' }, limits, 100)).toBe(accepted);
    expect(advance(accepted, { kind: 'tick' }, limits, 101)).toMatchObject({ state: 'waiting', lastError: { code: 'HANDOFF_ERR_NO_OUTCOME' } });
  });

  it('loses no attempt to a busy stage, and is not asked for ever', () => {
    let record = newOffer(offerId, 'stage', 'exam', 0);
    let nTimes = 0;
    for (let nowMs = 0; record.state === 'waiting'; nowMs = record.dueAtMs, nTimes++) {
      record = advance(record, { kind: 'sent' }, limits, nowMs);
      record = advance(record, { kind: 'answered', answer: { answer: 'busy', retryAfterS: 1 } }, limits, nowMs);
    }
    expect(nTimes).toBe(11);
    expect(record).toMatchObject({ state: 'failed', lastError: { code: 'HANDOFF_ERR_NO_ANSWER' } });
  });

  it('takes an outcome before the answer, and after it was given up', () => {
    expect(play([[0, { kind: 'sent' }], [1, { kind: 'outcome', outcome: done(1) }], [2, { kind: 'answered', answer: { answer: 'accepted' } }]]).state).toBe('done');
    const given = { ...newOffer(offerId, 'stage', 'exam', 0), state: 'failed' as const };
    expect(advance(given, { kind: 'outcome', outcome: done(1) }, limits, 0)).toMatchObject({ state: 'done', outcomeIsLate: true });
  });

  it('takes the same outcome again, however it is written, and no other one', () => {
    const record = advance(newOffer(offerId, 'stage', 'exam', 0), { kind: 'outcome', outcome: done(1) }, limits, 0);
    const turned = JSON.parse(`{"results":[{"value":1,"name":"x","kind":"json"}],"outcome":"done","offerId":"${offerId}","version":1}`) as Outcome;
    expect(digestOf(turned)).toBe(digestOf(done(1)));
    expect(advance(record, { kind: 'outcome', outcome: turned }, limits, 0)).toEqual({ ...record, nDuplicates: 1 });
    expect(outcomeCode(record, done(2))).toBe('HANDOFF_ERR_CONFLICT');
    expect(outcomeCode(record, failed)).toBe('HANDOFF_ERR_CONFLICT');
  });

  it("keeps a stage's own words out of the error text", () => {
    const record = advance(newOffer(offerId, 'stage', 'exam', 0), { kind: 'outcome', outcome: failed }, limits, 0);
    expect(record.stageReason).toContain('DOE');
    expect(record.lastError?.message).not.toContain('DOE');
  });

  it('ends in any order of events, with an outcome that stays', () => {
    const event = fc.oneof(
      fc.constant<OfferEvent>({ kind: 'sent' }),
      fc.constantFrom<OfferEvent>(
        { kind: 'answered', answer: { answer: 'accepted' } },
        { kind: 'answered', answer: { answer: 'busy', retryAfterS: 1 } },
        { kind: 'answered', answer: { answer: 'refused', reason: 'no' } },
      ),
      fc.constant<OfferEvent>({ kind: 'notAnswered', error: silence }),
      fc.constant<OfferEvent>({ kind: 'tick' }),
      fc.integer({ min: 0, max: 2 }).map<OfferEvent>((value) => ({ kind: 'outcome', outcome: done(value) })),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 200 }), event), { maxLength: 40 }), (events) => {
        let record = newOffer(offerId, 'stage', 'exam', 0);
        let nowMs = 0;
        let first: string | undefined;
        for (const [laterMs, next] of events) {
          nowMs += laterMs;
          const before = record;
          try {
            record = advance(record, next, limits, nowMs);
          } catch (error) {
            expect((error as CodedError).code).toBe('HANDOFF_ERR_CONFLICT');
            expect(record).toBe(before);
          }
          first ??= record.outcomeSha256;
          expect(record.outcomeSha256).toBe(first);
          expect(record.attempts).toBeLessThanOrEqual(limits.mostAttempts);
          if (first !== undefined) expect(record.state).toBe('done');
        }
        // Left alone it comes to an end.
        for (let n = 0; n < 20 && !isSettled(record); n++) {
          nowMs = Math.max(nowMs, record.dueAtMs);
          record = advance(advance(record, { kind: 'tick' }, limits, nowMs), { kind: 'sent' }, limits, nowMs);
        }
        expect(isSettled(record)).toBe(true);
      }),
    );
  });
});
