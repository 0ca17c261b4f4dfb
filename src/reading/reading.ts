/**
 * What a reader makes of a report: an analysis gives a draft, its revision 0; every grade and every sentence that somebody
 * changes is one revision more; a revision may be confirmed, once.
 *
 *   draft --grade, sentence--> changed --confirm--> confirmed --grade, sentence--> changed ...
 *     \--------------------confirm-----------------^
 *
 * Who changes something tells which revision he saw: two readers never overwrite each other unseen. Pure transitions; a
 * record stays as it is.
 */
import { changeGrade, editSentence, gradeValues, kindWords, measureWords, sentenceText } from '../../analysis/index.js';
import type { GradeScale, Report } from '../../analysis/index.js';
import type { StoredInstance } from '../spool/index.js';
import { readingError } from './errors.js';

/** Who, when (ms since 1970), and the revision that came of it. */
interface Signed {
  readonly by: string;
  readonly at: number;
  readonly revision: number;
}

export type ReadingStep =
  | ({ readonly what: 'grade'; readonly findingId: string; readonly scale: GradeScale; readonly from: string; readonly to: string } & Signed)
  /** Without a level: of the whole spine. */
  | ({ readonly what: 'sentence'; readonly level?: string; readonly from: string; readonly to: string } & Signed)
  | ({ readonly what: 'confirmed' } & Signed);

export interface Confirmation extends Signed {
  /** What was written of it. */
  readonly objects: readonly StoredInstance[];
  /** On their way to whoever gets results. */
  readonly jobs: readonly { readonly id: string; readonly destination: string; readonly sopInstanceUids: readonly string[] }[];
}

export interface ReadingRecord {
  /** Names the analysis. */
  readonly offerId: string;
  readonly revision: number;
  readonly report: Report;
  /** Oldest first; nothing is ever taken out. */
  readonly steps: readonly ReadingStep[];
  /** The latest one. */
  readonly confirmed?: Confirmation;
}

export type ReadingState = 'draft' | 'changed' | 'confirmed';

/** Nobody has said anything yet. */
export const draftReading = (offerId: string, report: Report): ReadingRecord => ({ offerId, revision: 0, report, steps: [] });

export function stateOf({ revision, confirmed }: Pick<ReadingRecord, 'revision' | 'confirmed'>): ReadingState {
  if (confirmed?.revision === revision) return 'confirmed';
  return revision === 0 ? 'draft' : 'changed';
}

interface Word {
  readonly by: string;
  readonly at: number;
  /** That the reader saw. */
  readonly revision: number;
}

/** @throws CodedError CONUS_ERR_READING_REVISION, ANALYSIS_ERR_CHANGE_FINDING, ANALYSIS_ERR_CHANGE_VALUE */
export function withGrade(reading: ReadingRecord, { by, at, revision, findingId, scale, value }: Word & { readonly findingId: string; readonly scale: GradeScale; readonly value: string }): ReadingRecord {
  checkRevision(reading, revision);
  const report = changeGrade(reading.report, { findingId, scale, value, by, at: instantOf(at) });
  const from = report.changes.at(-1)!.from;
  return next(reading, report, { what: 'grade', findingId, scale, from, to: value, by, at, revision: revision + 1 });
}

/** @throws CodedError CONUS_ERR_READING_REVISION, ANALYSIS_ERR_CHANGE_FINDING, ANALYSIS_ERR_CHANGE_VALUE */
export function withSentence(reading: ReadingRecord, { by, at, revision, level, text }: Word & { readonly level?: string | undefined; readonly text: string }): ReadingRecord {
  checkRevision(reading, revision);
  const where = level === undefined ? {} : { level };
  const report = editSentence(reading.report, { ...where, text, by, at: instantOf(at) });
  const from = sentenceText(reading.report.sentences.find((sentence) => sentence.level === level)!);
  return next(reading, report, { what: 'sentence', ...where, from, to: text, by, at, revision: revision + 1 });
}

/** Before its documents are written, and again before they are kept. @throws CodedError CONUS_ERR_READING_REVISION, CONUS_ERR_READING_CONFIRMED */
export function checkConfirmable(reading: ReadingRecord, revision: number): void {
  checkRevision(reading, revision);
  if (stateOf(reading) === 'confirmed') throw readingError('CONUS_ERR_READING_CONFIRMED', `revision ${revision}, which is confirmed`);
}

/** @throws CodedError CONUS_ERR_READING_REVISION, CONUS_ERR_READING_CONFIRMED */
export function withConfirmation(reading: ReadingRecord, confirmed: Confirmation): ReadingRecord {
  const { by, at, revision } = confirmed;
  checkConfirmable(reading, revision);
  return { ...reading, confirmed, steps: [...reading.steps, { what: 'confirmed', by, at, revision }] };
}

/** The values that each scale has, from healthy to worst. */
export const scaleValues: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(gradeValues).map(([scale, values]) => [scale, values.map(([value]) => value)]),
);

/** Kinds, measures and scales of a report in words. */
export function wordsOf({ findings, notAssessed }: Report): { readonly kinds: Record<string, string>; readonly names: Record<string, string> } {
  const kinds = new Set([...findings, ...notAssessed].map(({ kind }) => kind));
  const names = new Set(findings.flatMap(({ measures, grades }) => [...measures.map(({ name }) => name), ...grades.map(({ scale }) => scale)]));
  return {
    kinds: Object.fromEntries([...kinds].map((kind) => [kind, kindWords[kind]])),
    names: Object.fromEntries([...names].map((name) => [name, measureWords(name)])),
  };
}

function next(reading: ReadingRecord, report: Report, step: ReadingStep): ReadingRecord {
  return { ...reading, revision: step.revision, report, steps: [...reading.steps, step] };
}

function checkRevision(reading: ReadingRecord, revision: number): void {
  if (reading.revision !== revision) throw readingError('CONUS_ERR_READING_REVISION', `revision ${revision}, where the latest is ${reading.revision}`);
}

const instantOf = (at: number): string => new Date(at).toISOString();
