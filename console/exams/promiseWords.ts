/** What became of what the protocol promised, in words and along the time of the exam. */
import type { CodeMeaning, ExamView, PromiseState, PromiseView, Reason } from '../api/index.js';
import type { Standing } from '../parts/index.js';

export const promiseStates: Readonly<Record<PromiseState, readonly [Standing, string]>> = {
  awaited: ['wait', 'awaited'], late: ['look', 'late'], missing: ['bad', 'missing'], underway: ['busy', 'underway'], came: ['good', 'came'],
  failed: ['bad', 'failed'], notAvailable: ['bad', 'not available'],
};

const switchedOff = 'CONUS_INFO_EXAM_SWITCHED_OFF';

/** What the operator does without is no failure. */
export function promiseStanding({ state, reason }: Pick<PromiseView, 'state' | 'reason'>): readonly [Standing, string] {
  return reason.code === switchedOff ? ['wait', 'switched off'] : promiseStates[state];
}

/** Whether one may ask why it is not there. */
export const isAbsent = ({ state }: Pick<PromiseView, 'state'>): boolean => state !== 'came' && state !== 'underway';

/** Whether somebody should look. */
export const isPressing = (promise: Pick<PromiseView, 'state' | 'reason'>): boolean => isAbsent(promise) && ['look', 'bad'].includes(promiseStanding(promise)[0]);

export interface Explanation {
  readonly why: string;
  readonly expected: string | undefined;
  readonly toDo: string | undefined;
}

/**
 * A reason, taken apart: the service says `WHY; what to do` of what follows from an exam, and `got WHY; expected …; what
 * to do` of errors.
 * @param meaning of its code; absent as long as it is not known
 */
export function explained({ text }: Reason, meaning: CodeMeaning | undefined): Explanation {
  const withoutEnd = (from: string, end: string | undefined) => (end !== undefined && from.endsWith(`; ${end}`) ? from.slice(0, -end.length - 2) : from);
  const expected = meaning === undefined ? undefined : `expected ${meaning.expected}`;
  const why = withoutEnd(withoutEnd(text, meaning?.action), expected);
  return { why: why === expected ? '' : why.replace(/^got /, ''), expected: meaning?.expected, toDo: meaning?.action };
}

/** Series and syntheses by what they are called, not by their ids in the protocol. */
export function withNames(text: string, promises: readonly PromiseView[]): string {
  return text.replace(/[a-z0-9]+(?:-[a-z0-9]+)*/gi, (word) => promises.find(({ id }) => id === word)?.description ?? word);
}

/** A promise on the time of its exam; places are fractions of the whole. */
export interface TimelineRow {
  readonly promise: PromiseView;
  /** Its turn in the protocol; syntheses have none. */
  readonly turn: readonly [begin: number, end: number] | undefined;
  /** The series that kept it, or is about to. */
  readonly came: readonly [begin: number, end: number] | undefined;
  /** From the end of its turn to now, while it is late or missing. */
  readonly overdue: readonly [begin: number, end: number] | undefined;
}

export interface Timeline {
  readonly rows: readonly TimelineRow[];
  readonly now: number | undefined;
  readonly beginAt: number;
  readonly endAt: number;
}

/** From the begin of the exam to the last turn, or what was heard last; an exam that goes on reaches to now. */
export function timelineOf({ openedAt, lastActivityAt, state, promises, series }: ExamView, now: number): Timeline {
  const dues = promises.flatMap(({ dueAt }) => dueAt ?? []);
  const endAt = Math.max(openedAt + 60_000, lastActivityAt, ...dues, state === 'active' ? now : 0);
  const at = (time: number) => Math.min(1, Math.max(0, (time - openedAt) / (endAt - openedAt)));
  let turnBegin = openedAt;
  const rows = promises.map((promise): TimelineRow => {
    const { dueAt } = promise;
    const kept = series.find(({ id }) => id === promise.seriesId);
    const turn = dueAt === undefined ? undefined : ([at(turnBegin), at(dueAt)] as const);
    turnBegin = dueAt ?? turnBegin;
    const isOverdue = dueAt !== undefined && (promise.state === 'late' || promise.state === 'missing');
    return {
      promise, turn,
      came: kept === undefined ? undefined : [at(kept.openedAt), at(kept.endedAt ?? now)],
      overdue: isOverdue ? [at(dueAt), at(now)] : undefined,
    };
  });
  return { rows, now: now <= endAt ? at(now) : undefined, beginAt: openedAt, endAt };
}
