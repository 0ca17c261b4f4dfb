/** What a reader looks for in a report: its levels, how bad each is, and what was said of it. */
import type { Finding, Grade, Measure, NotAssessed, ReadingView, Report, Sentence, Severity } from '../api/index.js';
import type { Standing } from '../parts/index.js';

/** Undefined: the whole spine. */
export type Level = string | undefined;

export interface LevelSummary {
  readonly level: Level;
  readonly worst: Severity | undefined;
  readonly nSigns: number;
  readonly nNotAssessed: number;
  readonly isChanged: boolean;
  readonly isSynthetic: boolean;
}

const worstFirst = ['severe', 'moderate', 'mild', 'normal'] as const satisfies readonly Severity[];

export function worstOf(grades: readonly Pick<Grade, 'severity'>[]): Severity | undefined {
  return worstFirst.find((severity) => grades.some((grade) => grade.severity === severity));
}

/** Signs that something is there: of lists of signs, and not what speaks against it. Of other findings they are remarks. */
export function signsOf({ kind, signs }: Pick<Finding, 'kind' | 'signs'>): string[] {
  return kind.endsWith('Signs') ? signs.filter((sign) => !sign.startsWith('against')) : [];
}

/** Levels with something to say, the whole spine first, then from head to foot. */
export function levelsOf(report: Report): LevelSummary[] {
  return report.sentences.map(({ level, edited }) => {
    const findings = findingsAt(report, level);
    const ids = new Set(findings.map(({ id }) => id));
    return {
      level,
      worst: worstOf(findings.flatMap(({ grades }) => grades)),
      nSigns: findings.flatMap(signsOf).length,
      nNotAssessed: notAssessedAt(report, level).length,
      isChanged: edited !== undefined || report.changes.some(({ findingId }) => ids.has(findingId)),
      isSynthetic: findings.some(({ basis }) => basis.synthetic),
    };
  });
}

export const findingsAt = ({ findings }: Report, level: Level): Finding[] => findings.filter((finding) => finding.level === level);
export const notAssessedAt = ({ notAssessed }: Report, level: Level): NotAssessed[] => notAssessed.filter((missing) => missing.level === level);
export const sentenceAt = ({ sentences }: Report, level: Level): Sentence | undefined => sentences.find((sentence) => sentence.level === level);

/** The level that a reader should see first: the worst, of these the one with most signs, of these the uppermost. */
export function firstLevel(levels: readonly LevelSummary[]): Level {
  const badness = ({ worst, nSigns }: LevelSummary) => 100 * (worst === undefined ? -1 : 3 - worstFirst.indexOf(worst)) + nSigns;
  return [...levels].sort((a, b) => badness(b) - badness(a))[0]?.level;
}

/** Worst first; of equals those with a picture, and with more to say. */
export function byWeight(findings: readonly Finding[]): Finding[] {
  const weight = (finding: Finding) => {
    const { grades, drawing, measures } = finding;
    const worst = worstOf(grades);
    return 1000 * (worst === undefined ? 0 : 3 - worstFirst.indexOf(worst)) + 300 * signsOf(finding).length + (drawing === undefined ? 0 : 50) + Math.min(40, 10 * grades.length + measures.length);
  };
  return [...findings].sort((a, b) => weight(b) - weight(a));
}

/** What was computed of a grade that a reader changed; undefined where nobody did. */
export function computedOf({ changes }: Report, findingId: string, scale: string): string | undefined {
  return changes.find((change) => change.findingId === findingId && change.scale === scale)?.from;
}

export const levelName = (level: Level): string => level ?? 'Whole spine';

export const severityStanding: Readonly<Record<Severity, Standing>> = { normal: 'good', mild: 'wait', moderate: 'look', severe: 'bad' };

/** Nearer to a cut-off than this share of it, the neighbouring grade is as likely. */
export const nearMarginShare = 0.05;
export const lowConfidence = 0.7;

const unitWords: Readonly<Record<string, string>> = { mm: ' mm', mm2: ' mm²', mm3: ' mm³', deg: '°', '1': '', HU: ' HU', ms: ' ms' };
const decimals: Readonly<Record<string, number>> = { mm: 1, '1': 2 };

/** `82 mm²`; shares and losses in per cent, counts whole: as in the documents. */
export function measureText({ name, value, unit }: Measure): string {
  if (unit === '1' && /share|loss/i.test(name)) return `${Math.round(100 * value)} %`;
  if (unit === '1' && name.endsWith('Count')) return String(Math.round(value));
  const text = value.toFixed(decimals[unit] ?? 0);
  return `${Number(text) === 0 ? text.replace('-', '') : text}${unitWords[unit] ?? ` ${unit}`}`;
}

export function findingName({ words }: Pick<ReadingView, 'words'>, { kind, side }: Pick<Finding, 'kind' | 'side'>): string {
  const name = words.kinds[kind] ?? kind;
  return capital(side === undefined ? name : `${side} ${name}`);
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
