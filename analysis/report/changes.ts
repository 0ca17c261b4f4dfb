/** The reader's word: grades that he changes, sentences that he edits. Each gives a new report; the old one stays as it is. */
import { z } from 'zod';
import { analysisError } from '../errors.js';
import { gradeAs, type GradeScale } from '../gradeValues.js';
import { priorityOf } from './priority.js';
import type { Report, ReportedFinding } from './schema.js';
import { draftOf } from './sentences.js';

interface Signed {
  /** Who, not empty. */
  readonly by: string;
  /** When, UTC, ISO 8601. */
  readonly at: string;
}

export interface GradeChange extends Signed {
  readonly findingId: string;
  readonly scale: GradeScale;
  readonly value: string;
}

export interface SentenceEdit extends Signed {
  /** Undefined for the whole spine. */
  readonly level?: string;
  readonly text: string;
}

/**
 * With the grade as the reader has it, the draft of that level and the priority made anew, and the change on record.
 * @throws ANALYSIS_ERR_CHANGE_FINDING, ANALYSIS_ERR_CHANGE_VALUE
 */
export function changeGrade(report: Report, { findingId, scale, value, by, at }: GradeChange): Report {
  const finding = report.findings.find(({ id }) => id === findingId);
  const old = finding?.grades.find((grade) => grade.scale === scale);
  if (finding === undefined || old === undefined) throw analysisError('ANALYSIS_ERR_CHANGE_FINDING', `${finding === undefined ? 'no finding' : 'a finding without that grade'}: ${findingId}, ${scale}`);
  const grade = gradeAs(scale, value);
  if (grade === undefined) throw analysisError('ANALYSIS_ERR_CHANGE_VALUE', `${value} of ${scale}`);
  checkSigned({ by, at });
  const changed: ReportedFinding = { ...finding, grades: finding.grades.map((other) => (other === old ? grade : other)) };
  const findings = report.findings.map((other) => (other === finding ? changed : other));
  const changes = [...report.changes, { findingId, scale, from: old.value, to: value, by, at }];
  const facts = { ...report, findings, changes };
  return {
    ...facts,
    sentences: report.sentences.map((sentence) => (sentence.level === finding.level ? { ...sentence, draft: draftOf(facts, sentence.level) } : sentence)),
    priority: priorityOf(findings),
  };
}

/** With the reader's own words for a level; later changes of grades leave them alone. @throws as `changeGrade` */
export function editSentence(report: Report, { level, text, by, at }: SentenceEdit): Report {
  if (!report.sentences.some((sentence) => sentence.level === level)) throw analysisError('ANALYSIS_ERR_CHANGE_FINDING', `no sentence for ${level ?? 'the whole spine'}`);
  checkSigned({ by, at });
  return { ...report, sentences: report.sentences.map((sentence) => (sentence.level === level ? { ...sentence, edited: { text, by, at } } : sentence)) };
}

/** The words that hold: the reader's, else the draft. */
export function sentenceText({ draft, edited }: Report['sentences'][number]): string {
  return edited?.text ?? draft;
}

const instant = z.iso.datetime();

function checkSigned({ by, at }: Signed): void {
  if (by.trim() === '' || by.length > 64) throw analysisError('ANALYSIS_ERR_CHANGE_VALUE', 'nobody who changed it');
  if (!instant.safeParse(at).success) throw analysisError('ANALYSIS_ERR_CHANGE_VALUE', `${at} as a moment`);
}
